"""The telephone's keypad: its tones (DTMF) found in a caller's audio, and made.

A key is two tones, one of four low and one of four high frequencies (ITU-T Q.23). What counts as
one is by ITU-T Q.24 and ETSI ES 201 235-3: frequencies within 1.5 %, surely none from 3.5 %; 40 ms
of tone, surely none below 23; 40 ms of pause; breaks below 10 ms do not count; the two tones may
differ in level by 4 dB one way and 8 the other.

No clock and no I/O: time is the number of frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.audio import SPEECH_RATE

LOW = (697.0, 770.0, 852.0, 941.0)
HIGH = (1209.0, 1336.0, 1477.0, 1633.0)
KEYS = ("123A", "456B", "789C", "*0#D")

WINDOW = SPEECH_RATE // 50
"""Samples that are looked at together: 20 ms, a frame."""

HOP = WINDOW // 2

QUIETEST = 180.0
"""Amplitude of the weaker tone, in 16-bit steps: -45 dBFS, where lines end by Q.24."""

SILENT = 2 * QUIETEST**2 / 2 * WINDOW / 2
"""Sum of squares of a window below which there cannot be two such tones."""

TWIST = 10.0
"""Decibels that the tones may differ: 8 are to be taken."""

OFFSET = 0.026
"""Of a frequency: half-way between what is to be taken and what is not."""

ROUGH_SHARE, SHARE = 0.33, 0.75
"""Of a window's energy that is in the two tones: first look, and at their exact frequencies. A key
in noise at 15 dB has 0.95 and more; what it has to be told from is speech and music."""

FADED = 0.42
"""Of the loudest amplitude: a window half in the tone has 0.5, and noise on it."""

ENOUGH = 4
"""Windows with their middle in the tone: 40 ms have 4 or 5, 23 have 2 or 3."""

_HANN = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
_STEPS = np.linspace(-0.045, 0.045, 7)


def _table(frequencies: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return what a windowed frame is multiplied with to get the cosines, then the sines."""
    phases = 2 * np.pi * np.outer(np.arange(WINDOW), frequencies) / SPEECH_RATE
    table: NDArray[np.float32] = np.hstack((np.cos(phases), np.sin(phases))).astype(np.float32)
    return table


_ROUGH = _table(np.array(LOW + HIGH))
_FINE = [_table(frequency * (1 + _STEPS)) for frequency in LOW + HIGH]
_SCALE = float((2 / _HANN.sum()) ** 2)
"""From the square of a product with the table to the square of an amplitude."""

_ENERGY = float((_HANN**2).sum() / 2)
"""Energy of a windowed tone of amplitude 1."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a window of sound may be."""

    key: str
    """``""`` if none."""

    amplitude: float
    """Of the weaker tone."""

    sure: bool
    """Whether it passes every test: it is filled by the tones."""


_NOTHING = _Seen("", 0.0, False)  # noqa: FBT003 - see there


@dataclass(slots=True)
class _Tone:
    """A key that is held, as far as it was heard."""

    key: str
    amplitudes: list[float]
    sure: int
    """Windows that passed every test."""

    missed: int = 0
    """Windows since the last that fits."""

    reported: bool = False

    def goes_on(self, seen: _Seen) -> bool:
        """Return whether ``seen`` is more of it."""
        return seen.key == self.key and seen.amplitude >= FADED * max(self.amplitudes[-8:])

    def long_enough(self) -> bool:
        """Return whether it was heard for as long as a key is pressed."""
        loudest = max(self.amplitudes)
        return sum(a >= FADED * loudest for a in self.amplitudes) >= ENOUGH and self.sure >= 2


class KeypadDetector:
    """Find the keys that one caller presses."""

    def __init__(self) -> None:
        self._last = np.zeros(WINDOW, np.float32)
        self._likely = False  # whether the last frame looked like a key
        self._tone: _Tone | None = None
        self.sounding = False
        """Whether the last frame is filled by a key's tones."""

    def feed(self, frame: bytes) -> str:
        """Take 20 ms; return the keys that are known to be pressed since the last, mostly ``""``.

        Args:
            frame: 16-bit samples at SPEECH_RATE, 640 bytes.
        """
        samples = np.frombuffer(frame, "<i2").astype(np.float32)
        now = _look(samples)
        # Half a frame earlier there can only be more of what is here, or was in the last frame.
        likely = bool(now.key)
        between = _NOTHING
        if likely or self._likely:
            between = _look(np.concatenate((self._last[HOP:], samples[:HOP])))
        self._last, self._likely, self.sounding = samples, likely, now.sure
        return self._follow(between) + self._follow(now)

    def _follow(self, seen: _Seen) -> str:
        """Take the next 10 ms; return the key if it is known now."""
        tone = self._tone
        if tone is not None and tone.goes_on(seen):
            tone.amplitudes.append(seen.amplitude)
            tone.missed, tone.sure = 0, tone.sure + seen.sure
            if not tone.reported and tone.long_enough():
                tone.reported = True
                return tone.key
            return ""
        if tone is not None:
            tone.missed += 1
            if tone.missed < 2 and tone.sure:
                return ""  # a break, perhaps
        self._tone = _Tone(seen.key, [seen.amplitude], int(seen.sure)) if seen.key else None
        return ""


def _look(samples: NDArray[np.float32]) -> _Seen:
    """Return what 20 ms of sound may be."""
    if float(np.vdot(samples, samples)) < SILENT:
        return _NOTHING
    window: NDArray[np.float32] = samples * _HANN
    powers = _powers(window @ _ROUGH)
    energy = float(np.vdot(window, window))
    strongest = max(powers[:4]), max(powers[4:])
    weaker = min(strongest) ** 0.5
    if sum(strongest) * _ENERGY < ROUGH_SHARE * energy or weaker < QUIETEST / 3:
        return _NOTHING
    low, high = powers.index(strongest[0]), 4 + powers[4:].index(strongest[1])
    sure = weaker >= QUIETEST and _is_exact(window, low, high, energy)
    return _Seen(KEYS[low][high - 4], weaker, sure)


def _powers(products: NDArray[np.float32]) -> list[float]:
    """Return squared amplitudes, from the products of a window with a table."""
    squares = products * products
    half = len(squares) // 2
    powers: list[float] = ((squares[:half] + squares[half:]) * np.float32(_SCALE)).tolist()
    return powers


def _is_exact(window: NDArray[np.float32], low: int, high: int, energy: float) -> bool:
    """Return whether there is little but two tones, near enough to where they should be."""
    (a, off_a), (b, off_b) = _peak(window, low), _peak(window, high)
    return (
        (a + b) * _ENERGY / energy >= SHARE
        and max(abs(off_a), abs(off_b)) <= OFFSET
        and max(a, b) <= min(a, b) * 10 ** (TWIST / 10)
    )


def _peak(window: NDArray[np.float32], tone: int) -> tuple[float, float]:
    """Return the power and the relative frequency offset of the strongest tone about this one."""
    powers = _powers(window @ _FINE[tone])
    top = powers.index(max(powers))
    if top in (0, len(powers) - 1):
        return powers[top], float(_STEPS[top])
    left, middle, right = (math.log(power + 1e-9) for power in powers[top - 1 : top + 2])
    shift = 0.5 * (left - right) / (left - 2 * middle + right)
    return powers[top], float(_STEPS[top] + shift * (_STEPS[1] - _STEPS[0]))


def tones(keys: str, rate: int) -> bytes:
    """Return the tones of ``keys``: 100 ms each, 100 ms apart, -10 dBFS together.

    Args:
        keys: Of ``0-9*#A-D``; ``w`` is half a second of nothing.
        rate: Hertz.

    Raises:
        ValueError: If there is another character in it.
    """
    return b"".join(_tone(key, rate) for key in keys)


def _tone(key: str, rate: int) -> bytes:
    if key == "w":
        return bytes(2 * (rate // 2))
    row = next((n for n, keys in enumerate(KEYS) if key and key in keys), None)
    if row is None:
        raise ValueError("keys are 0-9, *, #, A-D, and w to wait")
    n = np.arange(rate // 10)
    frequencies = (LOW[row], HIGH[KEYS[row].index(key)])
    wave = sum(np.sin(2 * np.pi * frequency * n / rate) for frequency in frequencies)
    ramp = np.minimum(1.0, np.minimum(n + 1, len(n) - n) / (rate * 0.005))
    # Two equal sines of peak 0.316 each: an RMS of 0.316 together, which is -10 dBFS.
    pcm = (wave * ramp * 0.316 * 32767).astype("<i2").tobytes()
    return pcm + bytes(2 * (rate // 10))
