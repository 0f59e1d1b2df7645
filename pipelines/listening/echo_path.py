"""How a sound comes back: after which delay, through which filter. Arithmetic alone.

Samples are floats at :data:`pipelines.audio.SPEECH_RATE`. All is compared as differences from one
sample to the next: that lifts what is high, so that two voices of one pitch are less alike, and
hum and a line's offset count for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.fft  # otherwise at the first echo, on the loop of all calls
import numpy.ma
from numpy.typing import NDArray

from pipelines.audio import FRAME_SECONDS, SPEECH_RATE

Samples = NDArray[np.float32]

BEFORE, TAPS = 256, 1024
"""Samples of the filter: 64 ms, of which 16 lie before the delay, whose sound need not be the first
of a room's. Rooms and codecs spread that far, as far as their energy counts."""

_SIZE = 2048
"""Of the transform that applies a filter: more than its taps and a frame."""

_ROUNDS = 15
"""Of conjugate gradients: few enough not to learn by heart what is no echo."""

REACH = TAPS - 1 + BEFORE
"""Samples of what was sent that are needed beyond those that are heard."""

_MEMORY = 0.6
"""Of what was learnt a second ago, what counts beside the latest: two seconds in all."""

_DAMPING = 0.01
"""Of the power, added where there is none: above what the line carries."""

_NOISE_RANK = 0.1
"""Of a line's frames by power, the one that is taken for its noise."""

_NEAR, _ALONE = round(0.03 * SPEECH_RATE / 2), 0.8
"""Samples around a delay within which a voice, whose pitch repeats, is like itself; beyond them
another delay may be as much of that one's likeness, at the most."""

_AT_LEAST = 0.25
"""Of the power heard, what is taken for voice whatever the noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoPath:
    """A delay, the filter around it, and what that was learnt from."""

    delay: int
    """Samples. The first of ``TAPS`` taps is that of ``delay - BEFORE``."""

    spectrum: NDArray[np.complexfloating]
    """Of the filter."""

    own: NDArray[np.floating]
    """Correlation of what was sent with itself, by distance."""

    alike: NDArray[np.floating]
    """Correlation of what was sent with what was heard, by tap."""

    def predict(self, sent: Samples) -> Samples:
        """Return the echo: as many samples as ``sent`` has beyond ``TAPS - 1``.

        ``sent`` ends ``delay - BEFORE`` samples before the echo does.
        """
        size, spectrum = _SIZE, self.spectrum
        if len(sent) > size:
            size = _power_of_two(len(sent))
            spectrum = np.fft.rfft(np.fft.irfft(spectrum, _SIZE)[:TAPS], size)
        echo = np.fft.irfft(np.fft.rfft(sent, size) * spectrum, size)[TAPS - 1 : len(sent)]
        return echo.astype(np.float32)

    def changed(self, later: int, louder: float) -> EchoPath:
        """Return the same filter behind another delay, in samples, by a factor louder."""
        return EchoPath(
            delay=self.delay + later,
            spectrum=self.spectrum * np.float32(louder),
            own=self.own,
            alike=self.alike * louder,
        )


def find_delay(heard: Samples, length: int, sent: Samples) -> tuple[int, float]:
    """Return where in ``sent`` begins what is most like the latest ``length`` samples of ``heard``.

    And how much so, 0 to 1: what is noise in ``heard``, by all of it, does not count against it.
    """
    # At half the rate: nothing of an echo is lost, and half of the work is saved.
    slow, fast = (differences(one[0::2] + one[1::2]) for one in (heard, sent))
    frame, length = round(FRAME_SECONDS * SPEECH_RATE / 2), length // 2
    of_noise = noise(slow, frame) * length / frame
    slow = slow[-length:]
    size = len(fast)  # what comes round from its end is not looked at
    product = np.fft.rfft(slow, size).conj() * np.fft.rfft(fast, size)
    correlation = np.fft.irfft(product, size)[: len(fast) - length + 1]
    sums = np.concatenate(([0.0], np.cumsum(np.square(fast, dtype=np.float64))))
    powers = sums[length:] - sums[:-length] + 1e-3 * sums[-1] + 1.0
    of_voice = max(power(slow) - of_noise, _AT_LEAST * power(slow)) + 1.0
    alike = np.abs(correlation) / np.sqrt(powers * of_voice)
    best = int(np.argmax(alike))
    first = float(alike[best])
    alike[max(0, best - _NEAR) : best + _NEAR] = 0.0
    if alike.max() > _ALONE * first:
        return 2 * best, 0.0  # a tone, or a noise: like itself at every delay
    return 2 * best, min(1.0, first)


def learn(heard: Samples, sent: Samples, delay: int, known: EchoPath | None = None) -> EchoPath:
    """Return the filter that makes ``heard`` of ``sent``, by least squares.

    Args:
        heard: What came.
        sent: :data:`REACH` samples more, ending ``delay - BEFORE`` before it.
        delay: In samples.
        known: What was learnt before, of which the older counts ever less.
    """
    size = _power_of_two(len(sent))
    steps = differences(sent)
    there = steps[TAPS - 1 : TAPS - 1 + len(heard)]  # what comes back after the delay itself
    spectrum = np.fft.rfft(steps, size)
    of_heard, of_there = np.fft.rfft(differences(heard), size), np.fft.rfft(there, size)
    # Tap k meets sample i with sent[i + REACH - k].
    alike = np.fft.irfft(spectrum * of_heard.conj(), size)[BEFORE : BEFORE + TAPS][::-1]
    own = np.fft.irfft(spectrum * of_there.conj(), size)[:TAPS][::-1]
    if known is not None:
        memory = _MEMORY ** (len(heard) / SPEECH_RATE)
        own, alike = own + memory * known.own, alike + memory * known.alike
    taps = _solve(own, alike)
    return EchoPath(delay=delay, spectrum=np.fft.rfft(taps, _SIZE), own=own, alike=alike)


def _solve(own: NDArray[np.floating], alike: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return ``x`` where the Toeplitz matrix of ``own`` times ``x`` is ``alike``: nearly."""
    circle = np.zeros(_SIZE)  # that matrix is a part of a circle's, which a transform multiplies
    circle[:TAPS], circle[-TAPS + 1 :] = own, own[:0:-1]
    circle[0] += _DAMPING * own[0] + 1.0
    matrix = np.fft.rfft(circle).real
    taps, rest = np.zeros(TAPS), alike.astype(np.float64)
    step, square = rest, float(rest @ rest)
    for _ in range(_ROUNDS):
        across = np.fft.irfft(np.fft.rfft(step, _SIZE) * matrix, _SIZE)[:TAPS]
        if (bend := float(step @ across)) <= 0.0:
            break  # not quite a correlation: it is cut from one that goes on
        length = square / bend
        taps, rest = taps + length * step, rest - length * across
        before, square = square, float(rest @ rest)
        step = rest + (square / before) * step
    return taps


def differences(samples: Samples) -> Samples:
    """Return the step to each sample from the one before it."""
    steps = np.empty_like(samples)
    steps[:1] = 0
    np.subtract(samples[1:], samples[:-1], out=steps[1:])
    return steps


def power(samples: Samples) -> float:
    """Return the sum of squares."""
    return float(samples @ samples)


def noise(samples: Samples, size: int) -> float:
    """Return the power of the noise in ``size`` samples, as the quietest of them have it."""
    powers = np.square(samples[: len(samples) // size * size].reshape(-1, size)).sum(axis=1)
    powers.sort()
    # As np.quantile, bit for bit; that takes 28 us of a search's 400.
    rank = _NOISE_RANK * (len(powers) - 1)
    below, part = int(rank), rank - int(rank)
    low, high = powers[below], powers[min(below + 1, len(powers) - 1)]
    between = low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)
    return float(between)


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()
