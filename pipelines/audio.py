"""PCM audio: the one format that crosses module boundaries.

Audio is signed 16-bit little-endian mono. A bare ``bytes`` never travels without its rate: it
is an :class:`Audio`, or it stays inside a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil, gcd

import numpy as np
from numpy.typing import NDArray

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


def silence(seconds: float, rate: int) -> bytes:
    """Return silence, to be taken in place of audio that does not come."""
    return bytes(BYTES_PER_SAMPLE * int(rate * seconds))


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


_ZERO_CROSSINGS = 14
"""Of the sinc, on either side. Sets the delay (14 samples of the lower rate: 1.75 ms at 8 kHz) and,
with ``_BETA``, the width of the transition: 0.15 of the lower rate, so 3.4 to 4.6 kHz at 8 kHz, the
upper edge of what a telephone line carries."""

_BETA = 6.76
"""Of the Kaiser window: 0.1102 (A - 8.7) for A = 70 dB of rejection (Kaiser 1974). Measured, at the
edges of the transition above: 61 dB at least, and a ripple of 0.01 dB."""

_UNIT = float(1 << 20)
"""Coefficients are whole multiples of 1/_UNIT. Products with 16-bit samples and their sums are
then exact in a float64, in whatever order they are added: the output cannot depend on how the
stream was cut."""

_FEW_PHASES = 4
"""Up to here one product per phase is faster than gathering windows (measured: 9 against 25 µs for
20 ms from 8 to 16 kHz, 12 against 29 from 24 to 16)."""


@cache
def _filter_bank(up: int, down: int) -> NDArray[np.float64]:
    """Return a Kaiser-windowed sinc, sampled at ``up`` phases.

    Shape ``(up, 2 * reach)``. Row ``p`` weighs input samples ``i - reach + 1 .. i + reach`` for the
    output that lies ``p / up`` of a sample after input sample ``i``. It cuts off (-6 dB) at half
    the lower rate; each row has a gain of one at 0 Hz.
    """
    bandwidth = min(1.0, up / down)  # of the input's
    reach = ceil(_ZERO_CROSSINGS / bandwidth)
    phases = np.arange(up)[:, np.newaxis] / up
    distance = phases - np.arange(1 - reach, reach + 1)  # in input samples
    window = np.i0(_BETA * np.sqrt(1 - np.minimum(1, (distance / reach) ** 2)))
    rows = np.sinc(distance * bandwidth) * window
    bank: NDArray[np.float64] = np.rint(_UNIT * rows / rows.sum(axis=1, keepdims=True)) / _UNIT
    bank.setflags(write=False)  # every call shares it
    return bank


class Resampler:
    """Change the rate of one stream of audio, by a polyphase filter; state is kept across pieces.

    Up to 14 samples of the lower rate are held back (1.75 ms at 8 kHz), whatever the size of a
    piece. The output does not depend on how the stream is cut, bit for bit. Loud audio is clipped,
    never wrapped.

    Args:
        source: Rate of what is fed, in hertz.
        target: Rate of what is returned, in hertz.
        late: Whether as much comes out as goes in, from the first piece on: what is held back is
            made up for by silence before it. A frame need not wait for the next one then.

    Raises:
        ValueError: If a rate is not positive.
    """

    def __init__(self, source: int, target: int, *, late: bool = False) -> None:
        if source <= 0 or target <= 0:
            raise ValueError(f"cannot resample from {source} to {target} Hz: rates are positive")
        common = gcd(source, target)
        self._up, self._down = target // common, source // common
        self._same = source == target
        self._bank = _filter_bank(self._up, self._down)
        self._reach: int = self._bank.shape[1] // 2
        # Silence came before the stream.
        self._held: int = self._reach - 1 + self._reach * late
        self._samples = np.zeros(self._held)
        self._next = 0  # where the next output's window begins in _samples, in 1/up samples
        self._odd = b""

    def feed(self, pcm: bytes) -> bytes:
        """Return the samples that are certain by now: any number, none included.

        ``pcm`` may end, and the next piece begin, in the middle of a sample.
        """
        pcm = self._odd + pcm
        whole = len(pcm) & ~1
        self._odd = pcm[whole:]
        if self._same:
            return pcm[:whole]
        return self._resample(np.frombuffer(pcm, "<i2", count=whole // 2))

    def skip(self, pcm: bytes) -> None:
        """Take whole samples as :meth:`feed` does, where nobody wants what comes out."""
        if not self._same:
            self._samples = np.concatenate((self._samples, np.frombuffer(pcm, "<i2")))
            self._advance(self._certain(len(self._samples)))

    def comes_of(self, samples: int) -> int:
        """Return how many samples come out in all once so many went in from the beginning."""
        if self._same:
            return samples
        return max(0, -(-(samples + self._held - 2 * self._reach + 1) * self._up // self._down))

    def flush(self) -> bytes:
        """Return the samples still inside; feed no more afterwards.

        In all, as much time has come out as went in, up to one sample. Half a sample is dropped.
        """
        return b"" if self._same else self._resample(np.zeros(self._reach, "<i2"))

    def _resample(self, fresh: NDArray[np.int16]) -> bytes:
        self._samples = samples = np.concatenate((self._samples, fresh))
        count = self._certain(len(samples))
        by = self._by_phase if self._up <= _FEW_PHASES else self._by_gathering
        out = by(samples, count)
        self._advance(count)
        np.rint(out, out=out)
        return np.clip(out, -32768, 32767, out=out).astype("<i2").tobytes()

    def _certain(self, length: int) -> int:
        """Return how many outputs are certain by now, of so many samples."""
        starts = (length - 2 * self._reach + 1) * self._up - self._next  # in 1/up samples
        return max(0, -(-starts // self._down))

    def _advance(self, count: int) -> None:
        self._next += count * self._down
        used = min(self._next // self._up, len(self._samples))
        self._samples = self._samples[used:].copy()  # a view would keep all of a long piece
        self._next -= used * self._up

    # Both take the samples and how many outputs are certain, and return those outputs, neither
    # rounded nor clipped. Their windows overlap in memory; numpy's own sliding_window_view does the
    # same, but takes 10 µs to set up.

    def _by_phase(self, samples: NDArray[np.float64], count: int) -> NDArray[np.float64]:
        out = np.empty(count)
        step = samples.itemsize
        for k in range(min(self._up, count)):  # every up-th output has the same phase
            start, phase = divmod(self._next + k * self._down, self._up)
            shape = (len(range(k, count, self._up)), 2 * self._reach)
            windows = np.ndarray(shape, "f8", samples, start * step, (self._down * step, step))
            out[k :: self._up] = windows @ self._bank[phase]
        return out

    def _by_gathering(self, samples: NDArray[np.float64], count: int) -> NDArray[np.float64]:
        starts, phases = np.divmod(self._next + np.arange(count) * self._down, self._up)
        step = samples.itemsize
        shape = (max(0, len(samples) - 2 * self._reach + 1), 2 * self._reach)
        windows = np.ndarray(shape, "f8", samples, 0, (step, step))
        out: NDArray[np.float64] = np.einsum("ij,ij->i", windows[starts], self._bank[phases])
        return out


def at_rate(pieces: Sequence[Audio], rate: int) -> Audio:
    """Join ``pieces``, all of one rate, at ``rate`` hertz."""
    if not pieces:
        return Audio(b"", rate)
    resampler = Resampler(pieces[0].rate, rate)
    return Audio(b"".join(resampler.feed(p.pcm) for p in pieces) + resampler.flush(), rate)
