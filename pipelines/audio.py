"""PCM audio: the one format that crosses module boundaries.

Audio is signed 16-bit little-endian mono. A bare ``bytes`` never travels without its rate: it
is an :class:`Audio`, or it stays inside a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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

    def feed(self, data: bytes) -> Iterable[bytes]:
        """Return each whole frame; keep what is left, odd bytes included, for the next call."""
        if len(data) == self._size and not self._rest:
            return (bytes(data),)  # as almost always: a packet is a frame
        return self._cut(data)

    def _cut(self, data: bytes) -> Iterator[bytes]:
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

_FEW_PHASES = 16
"""Up to here all phases are one product of matrices. It adds some products with zero, and yet takes
8 µs where a product a phase took 18 (20 ms from 8 to 16 kHz; 10 where it took 22, from 24 to 16).
Beyond, as from 44.1 kHz, windows are gathered."""

_AT_ONCE = 32
"""Outputs of a row of that product, at the least: 16 take as long, 160 three times as long."""

_LOUDEST, _LOWEST = np.array(32767.0), np.array(-32768.0)

Floats = NDArray[np.float64]


@cache
def _filter_bank(up: int, down: int) -> Floats:
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
    bank: Floats = np.rint(_UNIT * rows / rows.sum(axis=1, keepdims=True)) / _UNIT
    bank.setflags(write=False)  # every call shares it
    return bank


@cache
def _table(up: int, down: int, place: int) -> Floats:
    """Return the bank as a matrix: of a run of input samples makes a run of outputs.

    Shape ``(inputs, outputs)``, outputs a whole multiple of ``up``. The first output lies ``place``
    of ``up`` after where its window begins.
    """
    bank = _filter_bank(up, down)
    outputs = up * -(-_AT_ONCE // up)
    starts = [divmod(place + n * down, up) for n in range(outputs)]
    table = np.zeros((starts[-1][0] + bank.shape[1], outputs))
    for n, (start, phase) in enumerate(starts):
        table[start : start + bank.shape[1], n] = bank[phase]
    table.setflags(write=False)
    return table


class _Polyphase:
    """The filter between two rates, without what it has heard.

    Args:
        up: Outputs,
        down: for so many inputs.
    """

    def __init__(self, up: int, down: int) -> None:
        self._up, self._down = up, down
        self._bank = _filter_bank(up, down)
        self.reach: int = self._bank.shape[1] // 2

    def whole(self, samples: int, place: int = 0) -> int:
        """Return how many outputs have their whole window in so many samples, from a place on."""
        return max(0, -(-((samples - 2 * self.reach + 1) * self._up - place) // self._down))

    def behind(self, place: int, count: int) -> int:
        """Return the place behind so many outputs."""
        return place + count * self._down

    def filtered(self, pcm: bytes, place: int) -> tuple[bytes, int]:
        """Return the outputs whose windows are whole, and where the next window begins.

        Places are in 1/up samples from the first of ``pcm``, half a sample at whose end is left.
        """
        samples = np.frombuffer(pcm, "<i2", count=len(pcm) // BYTES_PER_SAMPLE)
        if not (count := self.whole(len(samples), place)):
            return b"", place
        by = self._by_product if self._up <= _FEW_PHASES else self._by_gathering
        out = by(samples, place, count)
        np.rint(out, out=out)
        np.minimum(out, _LOUDEST, out=out)
        np.maximum(out, _LOWEST, out=out)
        return out.astype("<i2").tobytes(), self.behind(place, count)

    # Both return ``count`` outputs, neither rounded nor clipped. Their windows overlap in memory;
    # numpy's own sliding_window_view does the same, but takes 10 µs to set up.

    def _by_product(self, samples: NDArray[np.int16], place: int, count: int) -> Floats:
        start, phase = divmod(place, self._up)
        table = _table(self._up, self._down, phase)
        inputs, outputs = table.shape
        rows = -(-count // outputs)
        apart = outputs // self._up * self._down
        line = np.zeros((rows - 1) * apart + inputs)  # longer than what there is: silence behind it
        there = samples[start : start + len(line)]
        line[: len(there)] = there
        step = line.itemsize
        windows = np.ndarray((rows, inputs), "f8", line, 0, (apart * step, step))
        out: Floats = np.dot(windows, table).reshape(-1)[:count]
        return out

    def _by_gathering(self, samples: NDArray[np.int16], place: int, count: int) -> Floats:
        line = samples.astype(np.float64)
        starts, phases = np.divmod(place + np.arange(count) * self._down, self._up)
        step = line.itemsize
        shape = (len(line) - 2 * self.reach + 1, 2 * self.reach)
        windows = np.ndarray(shape, "f8", line, 0, (step, step))
        out: Floats = np.einsum("ij,ij->i", windows[starts], self._bank[phases])
        return out


@cache
def _polyphase(source: int, target: int) -> _Polyphase:
    common = gcd(source, target)
    return _Polyphase(target // common, source // common)


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
        self._filter = _polyphase(source, target)
        self._up = target // gcd(source, target)
        self._same = source == target
        reach = self._filter.reach
        self._before: int = 0 if self._same else reach - 1 + reach * late
        self._held = bytes(BYTES_PER_SAMPLE * self._before)  # silence came before the stream
        self._next = 0  # where the next output's window begins in _held, in 1/up samples

    def feed(self, pcm: bytes) -> bytes:
        """Return the samples that are certain by now: any number, none included.

        ``pcm`` may end, and the next piece begin, in the middle of a sample.
        """
        pcm = self._held + pcm
        if self._same:
            whole = len(pcm) & ~1
            self._held = pcm[whole:]
            return pcm[:whole]
        out, place = self._filter.filtered(pcm, self._next)
        self._hold(pcm, place)
        return out

    def skip(self, pcm: bytes) -> None:
        """Take whole samples as :meth:`feed` does, where nobody wants what comes out."""
        if not self._same:
            pcm = self._held + pcm
            count = self._filter.whole(len(pcm) // BYTES_PER_SAMPLE, self._next)
            self._hold(pcm, self._filter.behind(self._next, count))

    def comes_of(self, samples: int) -> int:
        """Return how many samples come out in all once so many went in from the beginning."""
        return samples if self._same else self._filter.whole(samples + self._before)

    def _hold(self, pcm: bytes, place: int) -> None:
        """Keep what the windows from a place on still need."""
        used = min(place // self._up, len(pcm) // BYTES_PER_SAMPLE)
        self._next = place - used * self._up
        self._held = pcm[used * BYTES_PER_SAMPLE :]

    def flush(self) -> bytes:
        """Return the samples still inside; feed no more afterwards.

        In all, as much time has come out as went in, up to one sample. Half a sample is dropped.
        """
        if self._same:
            return b""
        self._held = self._held[: len(self._held) & ~1]
        return self.feed(bytes(BYTES_PER_SAMPLE * self._filter.reach))


def frames_behind(before: bytes, line: bytes, source: int, target: int) -> bytes:
    """Return whole frames at another rate, as a ``late`` :class:`Resampler` does of the stream.

    Args:
        before: The frame before them.
        line: Frames of 20 ms, which begin in step with both rates.
        source: Their rate, in hertz.
        target: Of what is returned, in hertz.
    """
    filter_ = _polyphase(source, target)
    behind = before[-BYTES_PER_SAMPLE * (2 * filter_.reach - 1) :]
    return filter_.filtered(behind + line, 0)[0]


def at_rate(pieces: Sequence[Audio], rate: int) -> Audio:
    """Join ``pieces``, all of one rate, at ``rate`` hertz."""
    if not pieces:
        return Audio(b"", rate)
    resampler = Resampler(pieces[0].rate, rate)
    return Audio(b"".join(resampler.feed(p.pcm) for p in pieces) + resampler.flush(), rate)
