"""A recording is finished: what was written during the call becomes a file that anybody plays.

A codec is work of a second for an hour of call, in C, beside calls in the same process: it is done
in a thread, a piece at a time, with rests between in which the machine is the calls'.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Literal, cast

import numpy as np
import soundfile
from numpy.typing import NDArray

from agent.private_files import FILE
from agent.records.journals.journal_reader import READ_ONLY, opened
from agent.records.recordings.audio_log import (
    Block,
    DamagedError,
    LogHead,
    Side,
    audio_of,
    read_log,
    silences,
    stretches,
)
from agent.records.recordings.sides import PlacedAudio
from agent.records.seals import Seal
from pipelines.audio import Resampler

Format = Literal["flac", "opus"]

SEALED = ".sealed"
"""Ends the name of a recording that is hidden."""

TEMPORARY = ".tmp"
"""Ends the name of one that is being made: whatever it is, it is made again."""

PIECE = 5.0
"""Seconds that are encoded at once: a few milliseconds of work."""

RESTS = 3.0
"""Times as long as the work before it that a rest takes: a quarter of one core at the most, which
encodes 800 calls at once as FLAC, and 18 as Opus (``tests/benchmarks/recording.py``)."""

IN_MEMORY = 64_000_000
"""Bytes of a file that is still to be hidden, kept in memory: an hour at 8 kHz. What is longer
waits on the disk, in a file without a name that is gone with the process."""

_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
"""Hertz (RFC 6716, section 2); another rate is turned into the last."""

_BLOCK = 65_536

Rest = Callable[[float], bool]
"""Wait for so many seconds; return whether to go on."""


class GaveUpError(Exception):
    """It was told to stop; what was begun is begun anew next time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A recording that was finished."""

    began: float
    """Seconds on the call's clock at which its first sample is heard."""

    seconds: float


def hides(seal: Seal) -> bool:
    """Return whether a seal hides anything."""
    return b"".join(seal.hide_bytes((b"?",))) != b"?"


def finish(part: Path, to: Path, seal: Seal, rest: Rest) -> Finished:
    """Make ``to`` of ``part``, which is to be removed then. It is whole, or not there.

    Args:
        part: As :class:`~agent.records.recordings.audio_log.AudioLog` writes it, perhaps cut off.
        to: ``.flac`` or ``.opus``; with :data:`SEALED` behind it if the seal hides.
        seal: Shows what is in ``part``, and hides what is made of it.
        rest: Called between pieces of work.

    Raises:
        DamagedError: If ``part`` is no recording.
        SealError: If there is no key for it.
        FileNotFoundError: If ``part`` was deleted; nothing is left then.
        OSError: If a file cannot be read or written.
        GaveUpError: If ``rest`` said so.
    """
    with opened(part, READ_ONLY) as file:
        head, blocks = read_log(file)
        end = _end(file, head, blocks, seal)
        pieces = _pieces(file, head, blocks, seal, end)
        began = head.began
        write_file(to, seal, lambda target: encode(target, to, head.rate, began, pieces, rest))
    try:
        part.stat()
    except FileNotFoundError:  # it was deleted meanwhile: so is what was made of it
        to.unlink(missing_ok=True)
        raise
    return Finished(began=began, seconds=(end - head.begin) / head.rate)


def write_file(to: Path, seal: Seal, fill: Callable[[IO[bytes]], None]) -> None:
    """Write a file that is whole once it has its name; hidden if its name ends so.

    Raises:
        OSError: If it cannot be written.
    """
    temporary = to.with_name(to.name + TEMPORARY)
    descriptor = os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_RDWR, FILE)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            if to.name.endswith(SEALED):
                with tempfile.SpooledTemporaryFile(IN_MEMORY, dir=str(to.parent)) as plain:
                    fill(cast("IO[bytes]", plain))
                    plain.seek(0)
                    for block in seal.hide_bytes(iter(lambda: plain.read(_BLOCK), b"")):
                        file.write(block)
            else:
                fill(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(to)
    finally:
        temporary.unlink(missing_ok=True)  # half a file, on a disk that may be full


class _Disk:
    """A file that the codec writes to, which cannot be told by it that it is full."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._error: OSError | None = None
        self.seek, self.tell, self.read = file.seek, file.tell, file.read

    def write(self, data: bytes) -> int:
        if self._error is None:
            try:
                self._file.write(data)
            except OSError as error:
                self._error = error
        return len(data)

    def check(self) -> None:
        if self._error is not None:
            raise self._error


def encode(
    target: IO[bytes],
    to: Path,
    rate: int,
    began: float,
    pieces: Iterator[NDArray[np.int16]],
    rest: Rest,
) -> None:
    """Write pieces of two sides, of shape ``(samples, 2)``, in the format that ``to`` is named for.

    Where it begins on the call's clock stands in its comment, which :func:`about` reads.

    Raises:
        OSError: If ``target`` cannot be written.
        GaveUpError: If ``rest`` said so.
    """
    disk = _Disk(target)
    opus = ".opus" in to.suffixes[-2:]
    line_rate, rate = rate, rate if rate in _OPUS_RATES or not opus else _OPUS_RATES[-1]
    sides = [Resampler(line_rate, rate), Resampler(line_rate, rate)]
    container, subtype = ("OGG", "OPUS") if opus else ("FLAC", "PCM_16")
    with soundfile.SoundFile(disk, "w", rate, 2, subtype, format=container) as sound:
        sound.comment = f"began={began:.6f}"
        since = time.perf_counter()
        for piece in pieces:
            sound.write(_resampled(sides, piece) if rate != line_rate else piece)
            if not rest(RESTS * (time.perf_counter() - since)):
                raise GaveUpError
            disk.check()
            since = time.perf_counter()
        if rate != line_rate:
            sound.write(_stereo([side.flush() for side in sides]))
    disk.check()


@contextmanager
def spooled(blocks: Iterable[bytes], folder: Path) -> Iterator[IO[bytes]]:
    """Have blocks in a file without a name that can be sought in, in memory if it is not long."""
    with tempfile.SpooledTemporaryFile(IN_MEMORY, dir=str(folder)) as file:
        for block in blocks:
            file.write(block)
        file.seek(0)
        yield cast("IO[bytes]", file)


def silence(
    source: IO[bytes], target: IO[bytes], to: Path, spans: Sequence[tuple[float, float]]
) -> None:
    """Write a recording anew, with spans of it silent on both sides.

    Args:
        source: A recording, whole.
        target: Where to.
        to: Named for the format.
        spans: Beginning and end of each, in seconds since its first sample.
    """
    began = about(source).began
    source.seek(0)
    with soundfile.SoundFile(source) as sound:
        rate = sound.samplerate
        encode(target, to, rate, began, _silenced(sound, spans, rate), rest=lambda _: True)


def about(file: IO[bytes]) -> Finished:
    """Return where a recording begins, and how long it is.

    Raises:
        DamagedError: If it is none of ours.
    """
    try:
        with soundfile.SoundFile(file) as sound:
            name, _, began = sound.comment.partition("=")
            seconds = sound.frames / sound.samplerate
        if name == "began":
            return Finished(began=float(began), seconds=seconds)
    except (soundfile.LibsndfileError, ValueError):
        name = ""
    raise DamagedError("it is no recording of ours")


def _silenced(
    sound: soundfile.SoundFile, spans: Sequence[tuple[float, float]], rate: int
) -> Iterator[NDArray[np.int16]]:
    at = 0
    for piece in sound.blocks(round(PIECE * rate), dtype="int16", always_2d=True):
        for start, end in spans:
            first, last = round(start * rate) - at, round(end * rate) - at
            piece[max(0, first) : max(0, last)] = 0
        at += len(piece)
        yield piece


def _resampled(sides: list[Resampler], piece: NDArray[np.int16]) -> NDArray[np.int16]:
    return _stereo([side.feed(piece[:, n].tobytes()) for n, side in enumerate(sides)])


def _stereo(sides: list[bytes]) -> NDArray[np.int16]:
    return np.stack([np.frombuffer(side, "<i2") for side in sides], axis=1)


def _end(file: BinaryIO, head: LogHead, blocks: list[Block], seal: Seal) -> int:
    """Return the sample behind the last: where it was ended, or as far as it goes."""
    if ends := [block.start for block in blocks if block.side == "end"]:
        return max(head.begin, ends[-1])
    sides: tuple[Side, Side] = ("caller", "agent")
    last = [[block for block in blocks if block.side == side][-1:] for side in sides]
    return max((audio_of(file, block, seal).end for (block,) in filter(None, last)), default=0)


def _pieces(
    file: BinaryIO, head: LogHead, blocks: list[Block], seal: Seal, end: int
) -> Iterator[NDArray[np.int16]]:
    step = round(PIECE * head.rate)
    bounds = [(at, min(at + step, end)) for at in range(head.begin, end, step)]
    left = _laid(stretches(file, blocks, "caller", seal), bounds)
    right = _laid(stretches(file, blocks, "agent", seal), bounds)
    silent = silences(file, blocks, seal)
    for (begins, _), sides in zip(bounds, zip(left, right, strict=True), strict=True):
        piece = np.stack(sides, axis=1)
        for start, stop in silent:
            piece[max(0, start - begins) : max(0, stop - begins)] = 0
        yield piece


def _laid(
    side: Iterator[PlacedAudio], bounds: list[tuple[int, int]]
) -> Iterator[NDArray[np.int16]]:
    """Yield one side piece by piece, with silence where there is nothing."""
    one = next(side, None)
    for start, stop in bounds:
        piece = np.zeros(stop - start, np.int16)
        while one is not None and one.start < stop:
            part = one.cut(start, stop)
            if part.samples:
                piece[part.start - start : part.end - start] = np.frombuffer(part.pcm, "<i2")
            if one.end > stop:
                break
            one = next(side, None)
        yield piece
