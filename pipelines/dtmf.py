"""The telephone's keypad: its tones (DTMF) found in a caller's audio, and made.

A key is two tones, one of four low and one of four high frequencies (ITU-T Q.23). What counts as
one is by ITU-T Q.24 and ETSI ES 201 235-3: frequencies within 1.5 %, surely none from 3.5 %; 40 ms
of tone, surely none below 23; 40 ms of pause; breaks below 10 ms do not count; the two tones may
differ in level by 4 dB one way and 8 the other.

No clock and no I/O: time is the number of frames.
"""

from __future__ import annotations

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


def _table(frequencies: NDArray[np.float64]) -> NDArray[np.complex64]:
    """Return what a window is multiplied with to get the amplitudes at these frequencies."""
    n = np.arange(WINDOW)
    waves = np.exp(-2j * np.pi * np.outer(n, frequencies) / SPEECH_RATE)
    table: NDArray[np.complex64] = (waves * _HANN[:, None] * 2 / _HANN.sum()).astype(np.complex64)
    return table


_ROUGH = _table(np.array(LOW + HIGH))
_FINE = [_table(frequency * (1 + _STEPS)) for frequency in LOW + HIGH]
_ENERGY = float((_HANN**2).sum() / 2)
"""Energy of a windowed tone of amplitude 1."""


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

    def long_enough(self) -> bool:
        loudest = max(self.amplitudes)
        return sum(a >= FADED * loudest for a in self.amplitudes) >= ENOUGH and self.sure >= 2


class KeypadDetector:
    """Find the keys that one caller presses."""

    def __init__(self) -> None:
        self._before = np.zeros(HOP, np.float32)
        self._tone: _Tone | None = None
        self.sounding = False
        """Whether the last frame is filled by a key's tones."""

    def feed(self, frame: bytes) -> str:
        """Take 20 ms; return the keys that are known to be pressed since the last, mostly ``""``.

        Args:
            frame: 16-bit samples at SPEECH_RATE, 640 bytes.
        """
        samples = np.frombuffer(frame, "<i2").astype(np.float32)
        found = self._look(np.concatenate((self._before, samples[:HOP])))
        found += self._look(samples)
        self._before = samples[HOP:]
        return found

    def _look(self, window: NDArray[np.float32]) -> str:
        key, amplitude, sure = "", 0.0, False
        if float(window @ window) >= SILENT:
            key, amplitude, sure = _key(window)
        self.sounding = sure
        return self._follow(key, amplitude, sure=sure)

    def _follow(self, key: str, amplitude: float, *, sure: bool) -> str:
        tone = self._tone
        if tone is not None and (key != tone.key or amplitude < FADED * max(tone.amplitudes[-8:])):
            tone.missed += 1
            if tone.missed >= 2 or not tone.sure:  # a break, or it was noise
                self._tone = tone = None
        elif tone is not None:
            tone.missed = 0
            tone.amplitudes.append(amplitude)
            tone.sure += sure
            if not tone.reported and tone.long_enough():
                tone.reported = True
                return tone.key
            return ""
        if tone is None and key:
            self._tone = _Tone(key, [amplitude], int(sure))
        return ""


def _key(window: NDArray[np.float32]) -> tuple[str, float, bool]:
    """Return a window's likely key, its weaker tone's amplitude, and whether it is sure."""
    levels = np.abs(window @ _ROUGH)
    low, high = int(levels[:4].argmax()), 4 + int(levels[4:].argmax())
    energy = float(((window * _HANN) ** 2).sum()) or 1.0
    share = float(levels[low] ** 2 + levels[high] ** 2) * _ENERGY / energy
    weaker = float(min(levels[low], levels[high]))
    if share < ROUGH_SHARE or weaker < QUIETEST / 3:
        return "", 0.0, False
    sure = weaker >= QUIETEST and _is_exact(window, low, high, energy)
    return KEYS[low][high - 4], weaker, sure


def _is_exact(window: NDArray[np.float32], low: int, high: int, energy: float) -> bool:
    """Return whether there is little but two tones, near enough to where they should be."""
    (a, off_a), (b, off_b) = _peak(window, low), _peak(window, high)
    return (
        (a**2 + b**2) * _ENERGY / energy >= SHARE
        and max(abs(off_a), abs(off_b)) <= OFFSET
        and max(a, b) <= min(a, b) * 10 ** (TWIST / 20)
    )


def _peak(window: NDArray[np.float32], tone: int) -> tuple[float, float]:
    """Return amplitude and relative frequency offset of the strongest tone about this one."""
    levels = np.abs(window @ _FINE[tone])
    top = int(levels.argmax())
    if top in (0, len(levels) - 1):
        return float(levels[top]), float(_STEPS[top])
    left, middle, right = (float(x) for x in np.log(levels[top - 1 : top + 2] + 1e-9))
    shift = 0.5 * (left - right) / (left - 2 * middle + right)
    return float(levels[top]), float(_STEPS[top] + shift * (_STEPS[1] - _STEPS[0]))


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
