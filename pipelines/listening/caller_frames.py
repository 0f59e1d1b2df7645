"""What the caller's line carries, 20 ms at a time, of which little more is worked out than asked.

Most frames of a call are silence, which is told at the rate of the line: for them nothing is
resampled. Who needs a frame at :data:`pipelines.audio.SPEECH_RATE` asks for it, be it later: what
comes out depends on the frame and on the end of the one before, and not on who else has asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.audio import SPEECH_RATE, Chunker, frame_bytes, frames_behind

Samples = NDArray[np.float32]

SIZE = frame_bytes(SPEECH_RATE)

_INT16, _FLOAT32 = np.dtype("<i2"), np.dtype(np.float32)


class CallerFrame:
    """20 ms of the caller, as the line carries them. It is as long as its :attr:`pcm`: 640 bytes.

    Args:
        line: 16-bit samples.
        rate: Of these, in hertz.
        before: The 20 ms before it on the line.
    """

    __slots__ = ("_pcm", "_power", "before", "line", "rate")

    def __init__(self, line: bytes, rate: int, before: bytes) -> None:
        self.line = line
        self.rate = rate
        self.before = before
        self._pcm = line if rate == SPEECH_RATE else b""
        self._power: float | None = None

    def __len__(self) -> int:
        return SIZE

    @property
    def pcm(self) -> bytes:
        """The same at :data:`pipelines.audio.SPEECH_RATE`, later by 1.75 ms if the line has 8 kHz.

        A :class:`pipelines.audio.Resampler` that is ``late`` returns the same of the whole stream.
        """
        if not self._pcm:
            self._pcm = frames_behind(self.before, self.line, self.rate, SPEECH_RATE)
        return self._pcm

    @property
    def energy(self) -> float:
        """Sum of the squares of :attr:`line`.

        That of :attr:`pcm` is at the most this and that of the frame before it together, times
        ``SPEECH_RATE / rate``, but for its rounding and 1 %: the filter makes no frequency louder.
        """
        return _power(samples_of(self.line))

    @property
    def power(self) -> float:
        """See :func:`power_of`; worked out once, for all who ask."""
        if self._power is None:
            self._power = _power(samples_of(self.pcm))
        return self._power

    def samples(self) -> Samples:
        """Return :attr:`pcm` as floats, which are not kept; :attr:`power` is."""
        samples = samples_of(self.pcm)
        self._power = _power(samples)
        return samples

    def follows(self, other: CallerFrame) -> bool:
        """Return whether it is the next on the line after ``other``."""
        return self.before is other.line and self.rate == other.rate

    def note(self, pcm: bytes) -> None:
        """Take its :attr:`pcm`, worked out together with that of others."""
        self._pcm = pcm

    @property
    def is_resampled(self) -> bool:
        """Whether :attr:`pcm` is there."""
        return bool(self._pcm)


Heard = CallerFrame | bytes
"""20 ms that are heard: as they came, or what was made of them, at SPEECH_RATE."""


class LineFrames:
    """Cut what comes from one caller into frames.

    Args:
        rate: Of the line, in hertz.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._chunks = Chunker(frame_bytes(rate))
        self._before = self._silence = bytes(frame_bytes(rate))
        self.silence = CallerFrame(self._silence, rate, self._silence)
        """A frame in which there is nothing."""

    def feed(self, pcm: bytes) -> Iterator[CallerFrame]:
        """Yield each whole frame; keep what is left, odd bytes included, for the next call."""
        for line in self._chunks.feed(pcm):
            before, self._before = self._before, line
            yield CallerFrame(line, self._rate, before)


def pcm_of(frame: Heard) -> bytes:
    """Return 640 bytes at :data:`pipelines.audio.SPEECH_RATE`."""
    return frame if isinstance(frame, bytes) else frame.pcm


def samples_of(pcm: bytes) -> Samples:
    """Return 16-bit samples as floats, as loud as they are."""
    return np.frombuffer(pcm, _INT16).astype(_FLOAT32)


def power_of(frame: Heard) -> float:
    """Return the sum of the squares of a frame's samples at SPEECH_RATE."""
    return _power(samples_of(frame)) if isinstance(frame, bytes) else frame.power


def _power(samples: Samples) -> float:
    return float(samples.dot(samples))


def joined(frames: Iterable[Heard]) -> bytes:
    """Return the same of many frames, joined; those that follow one another cost less together."""
    every, run = list(frames), list[CallerFrame]()
    for frame in every:
        if isinstance(frame, bytes) or frame.is_resampled:
            continue
        if run and not frame.follows(run[-1]):
            _resample(run)
            run = []
        run.append(frame)
    if run:
        _resample(run)
    return b"".join([pcm_of(frame) for frame in every])


def _resample(run: Sequence[CallerFrame]) -> None:
    line = b"".join([frame.line for frame in run])
    pcm = frames_behind(run[0].before, line, run[0].rate, SPEECH_RATE)
    for at, frame in enumerate(run):
        frame.note(pcm[at * SIZE : (at + 1) * SIZE])
