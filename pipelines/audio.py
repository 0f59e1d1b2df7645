"""PCM audio: the one format that crosses module boundaries.

Audio is signed 16-bit little-endian mono. A bare ``bytes`` never travels without its rate: it
is an :class:`Audio`, or it stays inside a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import soxr

BYTES_PER_SAMPLE = 2

SPEECH_RATE = 16_000
"""Hertz. What voice detection and speech-to-text are given, whatever the line carries: the rate
that Silero, Smart Turn and Moonshine were trained at."""

FRAME_SECONDS = 0.020
"""The stream channel's recommended frame (AsyncAPI, audio-frame), and webrtcvad's middle one."""


@dataclass(frozen=True, slots=True)
class Audio:
    """A run of PCM samples."""

    pcm: bytes
    """Signed 16-bit little-endian mono samples."""

    rate: int
    """Hertz."""

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.pcm) / (BYTES_PER_SAMPLE * self.rate)


def frame_bytes(rate: int) -> int:
    """Return the bytes in one 20 ms frame at ``rate`` hertz."""
    return BYTES_PER_SAMPLE * rate // 50


class Chunker:
    """Cut a stream of any-sized pieces into frames of one size.

    Args:
        size: Bytes in each frame.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield each whole frame; keep what is left, odd bytes included, for the next call."""
        self._rest += data
        while len(self._rest) >= self._size:
            yield bytes(self._rest[: self._size])
            del self._rest[: self._size]

    def flush(self) -> bytes:
        """Return what is left, filled up with silence to a whole frame; ``b""`` if nothing is."""
        rest = bytes(self._rest)
        self._rest.clear()
        return rest.ljust(self._size, b"\0") if rest else b""


class Resampler:
    """Change the rate of one stream of audio; state is kept across its pieces.

    Args:
        source: Rate of what is fed, in hertz.
        target: Rate of what is returned, in hertz.
    """

    def __init__(self, source: int, target: int) -> None:
        self._stream = (
            None
            if source == target
            else soxr.ResampleStream(source, target, 1, dtype="int16", quality="LQ")
        )
        self._odd = b""

    def feed(self, pcm: bytes) -> bytes:
        """Return the samples that are certain by now: any number, none included."""
        return self._resample(pcm, last=False)

    def flush(self) -> bytes:
        """Return the samples still inside; feed no more afterwards."""
        return self._resample(b"", last=True)

    def _resample(self, pcm: bytes, *, last: bool) -> bytes:
        pcm = self._odd + pcm
        whole = len(pcm) & ~1
        self._odd = pcm[whole:]
        if self._stream is None:
            return pcm[:whole]
        samples = np.frombuffer(pcm[:whole], "<i2")
        out: bytes = self._stream.resample_chunk(samples, last=last).tobytes()
        return out
