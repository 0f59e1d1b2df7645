"""Compare our resampler with SciPy's, and with soxr's where that is installed.

Run as ``python -m tests.benchmarks.resamplers``. Audio comes in 20 ms frames. ``held`` is how much
of what went in has not come out: that much later is everything heard. ``ripple`` is over the lower
85 % of the band that both rates can carry (to 3.4 kHz at 8 kHz); ``reject`` is the loudest that
anything foreign gets, an alias or an image, of a tone at least 15 % away from the band's edge.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from math import ceil, gcd
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, upfirdn

from pipelines.audio import Resampler, frame_bytes

PAIRS = (
    (8_000, 16_000),
    (16_000, 8_000),
    (24_000, 8_000),
    (22_050, 8_000),
    (24_000, 16_000),
    (44_100, 16_000),
    (48_000, 16_000),
    (96_000, 16_000),
    (22_050, 48_000),
)
LEVEL = 16_000.0
"""Amplitude of the tones, in steps of 16 bits."""


class Stream(Protocol):
    """Anything that resamples a stream."""

    def feed(self, pcm: bytes) -> bytes: ...
    def flush(self) -> bytes: ...


class Soxr:
    """soxr's ResampleStream at one of its qualities."""

    def __init__(self, source: int, target: int, quality: str) -> None:
        self._stream = import_module("soxr").ResampleStream(
            source, target, 1, dtype="int16", quality=quality
        )

    def feed(self, pcm: bytes) -> bytes:
        """Return what is ready."""
        return bytes(self._stream.resample_chunk(np.frombuffer(pcm, "<i2")).tobytes())

    def flush(self) -> bytes:
        """Return what is left."""
        return bytes(self._stream.resample_chunk(np.empty(0, "<i2"), last=True).tobytes())


class SciPy:
    """SciPy's polyphase filter over the pieces of a stream, its filter by ``firwin``.

    It has no stream of its own: each piece is filtered with as much before it as the filter is
    long. As long a filter as ours, and the same window.
    """

    def __init__(self, source: int, target: int) -> None:
        common = gcd(source, target)
        self._up, self._down = target // common, source // common
        widest = max(self._up, self._down)
        self._half = ceil(14 * widest / self._down) * self._down  # of the filter, in 1/up samples
        taps = firwin(2 * self._half + 1, 1 / widest, window=("kaiser", 6.76))
        self._taps = taps * self._up
        self._kept = np.zeros(0)
        self._from = 0  # which sample of the stream _kept begins with: a multiple of _down
        self._given = 0

    def feed(self, pcm: bytes) -> bytes:
        """Return what is certain by now."""
        return self._filtered(np.frombuffer(pcm, "<i2").astype(float))

    def flush(self) -> bytes:
        """Return what is left."""
        return self._filtered(np.zeros(ceil(self._half / self._up)))

    def _filtered(self, fresh: NDArray[np.float64]) -> bytes:
        self._kept = np.concatenate((self._kept, fresh))
        end = self._from + len(self._kept)
        certain = ((end - 1) * self._up - self._half) // self._down + 1
        first = self._from * self._up // self._down - self._half // self._down
        all_of_it = upfirdn(self._taps, self._kept, self._up, self._down)
        out = all_of_it[self._given - first : max(certain, self._given) - first]
        self._given = max(certain, self._given)
        needed = (self._given * self._down - self._half) // self._up
        drop = max(0, (needed - self._from) // self._down * self._down)
        self._kept = self._kept[drop:]
        self._from += drop
        return bytes(np.clip(np.rint(out), -32768, 32767).astype("<i2").tobytes())


New = Callable[[int, int], Stream]


def samples_of(stream: Stream, signal: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    pcm = np.rint(signal).astype("<i2").tobytes()
    size = frame_bytes(rate)
    out = b"".join(stream.feed(pcm[at : at + size]) for at in range(0, len(pcm), size))
    return np.frombuffer(out + stream.flush(), "<i2").astype(float)


def tone(frequency: float, rate: int, seconds: float = 0.5) -> NDArray[np.float64]:
    return LEVEL * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def split(out: NDArray[np.float64], frequency: float, rate: int) -> tuple[float, float]:
    """Return the amplitude of a tone in the middle of ``out``, and that of all the rest."""
    out = out[len(out) // 5 : -len(out) // 5]
    angle = 2 * np.pi * frequency * np.arange(len(out)) / rate
    basis = np.stack((np.sin(angle), np.cos(angle)), axis=1)
    weights = np.linalg.lstsq(basis, out)[0]
    rest = out - basis @ weights
    return float(np.hypot(*weights)), float(np.sqrt(2 * np.mean(rest**2)))


def decibels(ratio: float) -> float:
    return float(20 * np.log10(max(ratio, 1e-9)))


def quality(new: New, source: int, target: int) -> tuple[float, float]:
    """Return the ripple and the loudest foreign tone, in decibels."""
    edge = min(source, target) / 2
    gains, foreign = [], []
    for frequency in np.linspace(0.02, 0.85, 25) * edge:
        out = samples_of(new(source, target), tone(frequency, source), source)
        wanted, rest = split(out, frequency, target)
        gains.append(decibels(wanted / LEVEL))
        foreign.append(rest / LEVEL)
    for frequency in np.linspace(1.15 * edge, source / 2 * 0.98, 25) if source > target else ():
        out = samples_of(new(source, target), tone(frequency, source), source)
        middle = out[len(out) // 5 : -len(out) // 5]
        foreign.append(float(np.sqrt(2 * np.mean(middle**2))) / LEVEL)
    return max(map(abs, gains)), decibels(max(foreign))


def speed(new: New, source: int, target: int) -> tuple[float, float, float]:
    """Return the median and the most held back, in ms, and the median cost of a frame, in µs."""
    stream = new(source, target)
    noise = np.random.default_rng(1).normal(0, 3000, source // 50).astype("<i2").tobytes()
    came, held, took = 0, [], []
    for frame in range(1, 501):
        start = time.perf_counter()
        out = stream.feed(noise)
        took.append(time.perf_counter() - start)
        came += len(out) // 2
        held.append(frame * len(noise) / 2 / source - came / target)
    half = len(held) // 2
    return (
        1e3 * float(np.median(held[half:])),
        1e3 * max(held[half:]),
        1e6 * float(np.median(took)),
    )


def clips(new: New) -> bool:
    """Whether a full-scale square wave stays on its side of zero."""
    square = np.repeat(np.tile((32767.0, -32768.0), 20), 200)
    out = samples_of(new(8_000, 16_000), square, 8_000)  # one sample may stay inside
    out = out[: len(out) // 400 * 400].reshape(-1, 400)[:, 4:-4]
    return bool(np.all(out[::2] > 0) and np.all(out[1::2] < 0))


def main() -> None:
    kinds: dict[str, New] = {"ours": Resampler, "scipy": SciPy}
    if find_spec("soxr"):
        kinds |= {f"soxr {q}": lambda s, t, q=q: Soxr(s, t, q) for q in ("QQ", "LQ", "HQ")}  # type: ignore[misc]
    head = ("", "rates", "held ms p50", "max", "µs/frame", "ripple dB", "reject dB")
    print("{:9}{:>15}{:>13}{:>7}{:>10}{:>11}{:>11}".format(*head))
    for source, target in PAIRS:
        for name, new in kinds.items():
            held, most, took = speed(new, source, target)
            ripple, reject = quality(new, source, target)
            print(
                f"{name:9}{source:>7}>{target:<7}{held:13.2f}{most:7.2f}{took:10.1f}"
                f"{ripple:11.3f}{reject:11.1f}"
            )
    for name, new in kinds.items():
        print(f"{name}: full scale is clipped, not wrapped: {clips(new)}")


if __name__ == "__main__":
    main()
