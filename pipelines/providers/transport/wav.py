"""WAV files, whole or as they arrive: RIFF, 16-bit PCM, mono."""

from __future__ import annotations

import struct
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from pipelines.audio import Audio

MAX_HEADER = 64 * 1024
"""Bytes before the samples; mostly 44, and more if there is a picture or a text among them."""

ENDLESS = 0x7FFF_0000
"""From this on, the size of the samples was not known when it was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WavSamples:
    """Where the samples are."""

    rate: int
    """Hertz."""

    at: int
    """Bytes before them."""

    size: int | None
    """Bytes of them; None if it is not told."""


def find_samples(begin: bytes) -> WavSamples | None:
    """Return where the samples of a WAV file are; None if that is not known yet.

    Args:
        begin: The file, or its beginning.

    Raises:
        ValueError: If it is another kind of file.
    """
    if begin[:4] != b"RIFF"[: len(begin)] or begin[8:12] != b"WAVE"[: max(0, len(begin) - 8)]:
        raise ValueError("not a WAV file")
    rate, at = 0, 12
    while at + 8 <= len(begin):
        name, size = struct.unpack_from("<4sI", begin, at)
        if name == b"data" and rate:
            return WavSamples(rate=rate, at=at + 8, size=size if size < ENDLESS else None)
        if name == b"fmt " and size >= 16 and at + 24 <= len(begin):
            kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", begin, at + 8)
            if (channels, bits) != (1, 16) or kind not in (1, 0xFFFE):
                raise ValueError("not 16-bit PCM, mono")
        at += 8 + size + size % 2  # chunks begin at even places
    return None


def unpack(wav: bytes) -> Audio:
    """Return the samples of a whole WAV file.

    Raises:
        ValueError: If it is another, or broken off.
    """
    found = find_samples(wav)
    if found is None or len(wav) - found.at < (found.size or 0):
        raise ValueError("broken off")
    size = len(wav) - found.at if found.size is None else found.size
    return Audio(wav[found.at : found.at + (size & ~1)], found.rate)


async def unpacked(
    body: AsyncGenerator[bytes, None], rate: int
) -> tuple[int, AsyncGenerator[bytes, None]]:
    """Return rate and samples of a body, which may be a WAV file, or samples alone.

    Closing the samples does not close ``body``.

    Args:
        body: Cut anywhere.
        rate: Hertz of samples alone.

    Raises:
        ValueError: If it is another kind of WAV file, or one without samples.
    """
    begin = b""
    async for piece in body:
        begin += piece
        if begin[:4] != b"RIFF"[: len(begin)]:
            break
        if found := find_samples(begin):
            return found.rate, _pieces(begin[found.at :], body, found.size or None)
        if len(begin) > MAX_HEADER:
            raise ValueError("a WAV file without samples")
    if begin[:4] == b"RIFF":
        raise ValueError("broken off")
    return rate, _pieces(begin, body, None)


async def _pieces(
    first: bytes, body: AsyncGenerator[bytes, None], size: int | None
) -> AsyncGenerator[bytes, None]:
    """Yield so many bytes of a body; what comes behind them is read, and no sound."""
    left = size
    yield first[:left]
    left = None if left is None else max(0, left - len(first))
    async for piece in body:
        yield piece[:left]
        left = None if left is None else max(0, left - len(piece))
