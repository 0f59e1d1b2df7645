"""The telephone's keypad: its tones (DTMF) found in a caller's audio, and made.

A key is two tones, one of four low and one of four high frequencies (ITU-T Q.23). What counts as
one is by ITU-T Q.24 and ETSI ES 201 235-3: frequencies within 1.5 %, surely none from 3.5 %; 40 ms
of tone, surely none below 23; 40 ms of pause; breaks below 10 ms do not count; the two tones may
differ in level by 4 dB one way and 8 the other.

Between 10 and 40 ms the standards leave open what a break is. Where packets get lost, it is one of
20 ms that nobody has made: whatever stands in its place, silence, comfort noise or the packet
before once more, it is the same key (:data:`BREAK`). Two lost packets are as long as the shortest
pause; they are told from one by the phase, for behind a loss both tones go on as if nothing had
been (:data:`LOSS`). People pause for more than 50 ms between two presses. A key that comes again at
once and much weaker is its echo (:data:`ECHO`).

No clock and no I/O: time is the number of frames.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.audio import SPEECH_RATE
from pipelines.listening.caller_frames import Heard, joined, power_of, samples_of

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

_NOT_LOUDER = 0.95
"""Of that energy, where it is only known before resampling: what rounding and ripple can add."""

TWIST = 10.0
"""Decibels that the tones may differ: 8 are to be taken."""

OFFSET = 0.026
"""Of a frequency: half-way between what is to be taken and what is not."""

ROUGH_SHARE, SHARE = 0.33, 0.75
"""Of a window's energy that is in the two tones: first look, and at their exact frequencies. A key
in noise at 15 dB has 0.95 and more; what it has to be told from is speech and music."""

_SURELY_LESS = 0.999
"""Of ROUGH_SHARE, where all eight tones together have less: what rounding can add."""

FADED = 0.42
"""Of the loudest amplitude: a window half in the tone has 0.5, and noise on it."""

ENOUGH = 4
"""Windows with their middle in the tone: 40 ms have 4 or 5, 23 have 2 or 3."""

BREAK = 0.030
"""Seconds: a shorter break is no pause. Half-way between a packet and the shortest pause, by what
is measured of them in steps of :data:`_STEP`."""

LOSS = 0.043
"""Seconds: two packets, and what measuring adds. A longer break is a pause, whatever its phase."""

IN_PHASE = math.radians(25)
"""How near each tone has to be to where it would have come to. What the measuring is off by stays
below 15 degrees; of presses by a machine, 40 ms apart, one in fifty fits by chance."""

ECHO, ECHO_WITHIN = 10 ** (-5 / 20), 50
"""How much weaker an echo is at least, and in how many steps of 10 ms it begins, from the end of
the key. Lines promise 6 dB; who presses a key twice is as loud within two."""

_STEP = SPEECH_RATE // 400
_KEPT = 10
"""Frames that are kept, to look back at a break: 200 ms."""

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

_IN_TONES = _SCALE * _ENERGY
"""From the square of a product with the table to the energy of such a tone."""


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

    began: int
    """Number of its first window; there is one every 10 ms."""

    ended: int
    """Number of the last that fits."""

    level: float = 0.0
    """Of an echo: how loud the key was."""

    reported: bool = False

    @property
    def loudest(self) -> float:
        """Amplitude of the weaker tone."""
        return max(self.amplitudes)

    def fits(self, seen: _Seen) -> bool:
        """Return whether ``seen`` may be more of it."""
        return seen.key == self.key and seen.amplitude >= FADED * max(self.amplitudes[-8:])

    def may_be_a_break(self, seen: _Seen, at: int) -> bool:
        """Return whether a window that does not fit may be followed by more of it."""
        missed = at - self.ended
        other = seen.key not in ("", self.key)
        return self.sure > 0 and missed <= (1 if other else 3) and not self.fits(seen)

    def long_enough(self) -> bool:
        """Return whether it was heard for as long as a key is pressed."""
        loudest = self.loudest
        return sum(a >= FADED * loudest for a in self.amplitudes) >= ENOUGH and self.sure >= 2


class KeypadDetector:
    """Find the keys that one caller presses."""

    def __init__(self) -> None:
        self._frames: deque[Heard] = deque([bytes(2 * WINDOW)] * _KEPT, _KEPT)
        self._energy = 0.0  # of the last frame, if it was looked at as it came
        self._loud = False  # whether the last frame that was looked at could have held two tones
        self._likely = False  # whether the last frame looked like a key
        self._windows = 0
        self._tone: _Tone | None = None
        self._told: dict[str, _Tone] = {}
        """By its key, the tone that was reported last, or an echo of it."""

        self.sounding = False
        """Whether the last frame is filled by a key's tones."""

    def feed(self, frame: Heard) -> str:
        """Take 20 ms; return the keys that are known to be pressed since the last, mostly ``""``.

        Nothing is made of them where they are too soft for a tone.
        """
        before = self._frames[-1]
        self._frames.append(frame)
        self._windows += 2
        if self._is_silent(frame):
            samples, now = None, _NOTHING
        else:
            samples, power = _samples(frame), power_of(frame)
            now = _look(samples, power)
            self._loud = power >= SILENT
        # Half a frame earlier there can only be more of what is here, or was in the last frame.
        likely = bool(now.key)
        between = _NOTHING
        if likely or self._likely:
            samples = _samples(frame) if samples is None else samples
            halves = np.concatenate((_samples(before)[HOP:], samples[:HOP]))
            between = _look(halves, float(halves.dot(halves)))
        self._likely, self.sounding = likely, now.sure
        if self._tone is None and not (likely or between.key):
            return ""
        return self._follow(between, self._windows - 1) + self._follow(now, self._windows)

    def _is_silent(self, frame: Heard) -> bool:
        """Return whether a frame cannot hold two tones, as far as that is known as it came.

        That is not asked while it is loud: the next frame mostly is, too, and the first look tells.
        """
        if self._loud or isinstance(frame, bytes) or frame.is_resampled:
            self._energy = SILENT
            return False
        before, self._energy = self._energy, frame.energy
        return (self._energy + before) * SPEECH_RATE < SILENT * _NOT_LOUDER * frame.rate

    def _follow(self, seen: _Seen, at: int) -> str:
        """Take the next 10 ms; return the key if it is known now."""
        tone = self._tone
        if tone is None or not (tone.fits(seen) and self._goes_on(tone, at)):
            if tone is None or not tone.may_be_a_break(seen, at):
                new = _Tone(seen.key, [seen.amplitude], int(seen.sure), at, at)
                self._tone = new if seen.key else None
            return ""
        tone.amplitudes.append(seen.amplitude)
        tone.ended, tone.sure = at, tone.sure + seen.sure
        if tone.reported or not tone.long_enough():
            return ""
        tone.reported = True
        before, self._told[tone.key] = self._told.get(tone.key), tone
        return "" if before is not None and self._is_same(before, tone) else tone.key

    def _goes_on(self, tone: _Tone, at: int) -> bool:
        """Return whether a window that fits, and is the last, is more of ``tone``."""
        missed = at - tone.ended - 1
        return missed < 2 or self._break(tone.ended, at)[0] < BREAK

    def _is_same(self, before: _Tone, tone: _Tone) -> bool:
        """Return whether ``tone`` is no press of its own: an echo, or what is behind a loss."""
        level = max(before.loudest, before.level)
        if tone.began - before.ended <= ECHO_WITHIN and tone.loudest <= ECHO * level:
            tone.level = level
            return True
        if tone.began - before.ended > 8:
            return False
        seconds, end, start = self._break(before.ended, tone.began)
        return seconds < BREAK or (seconds <= LOSS and self._is_in_phase(tone.key, end, start))

    def _break(self, ended: int, began: int) -> tuple[float, int, int]:
        """Return how long it is quiet between two windows that fit, and from which sample to which.

        Samples are counted in what is kept.
        """
        sound = samples_of(joined(self._frames))
        first = len(sound) - self._windows * HOP
        start = max(0, first + ended * HOP - WINDOW)
        steps = sound[start : first + began * HOP].reshape(-1, _STEP)
        loud = (steps * steps).sum(axis=1)
        quiet = np.concatenate(([False], loud < 0.1 * loud.max(), [False]))
        edges = np.flatnonzero(quiet[1:] != quiet[:-1]).reshape(-1, 2)
        if not len(edges):
            return 0.0, start, start
        one, other = edges[(edges[:, 1] - edges[:, 0]).argmax()] * _STEP
        return float(other - one) / SPEECH_RATE, int(start + one), int(start + other)

    def _is_in_phase(self, key: str, end: int, start: int) -> bool:
        """Return whether both tones of ``key`` go on at ``start`` as they did until ``end``."""
        sound = samples_of(joined(self._frames))
        if end < WINDOW or start + WINDOW > len(sound):
            return False
        row = next(n for n, keys in enumerate(KEYS) if key in keys)
        before, after = sound[end - WINDOW : end] * _HANN, sound[start : start + WINDOW] * _HANN
        for tone, frequency in enumerate(LOW + HIGH):
            if tone not in (row, 4 + KEYS[row].index(key)):
                continue
            offset = (_peak(before, tone)[1] + _peak(after, tone)[1]) / 2
            turn = 2j * np.pi * frequency * (1 + offset) / SPEECH_RATE
            wave = np.exp(-turn * np.arange(WINDOW))
            moved = np.vdot(before @ wave, after @ wave) * np.exp(-turn * (start - end + WINDOW))
            if abs(np.angle(moved)) > IN_PHASE:
                return False
        return True


def _samples(frame: Heard) -> NDArray[np.float32]:
    return samples_of(frame) if isinstance(frame, bytes) else frame.samples()


def _look(samples: NDArray[np.float32], power: float) -> _Seen:
    """Return what 20 ms of sound of such power may be."""
    if power < SILENT:
        return _NOTHING
    window: NDArray[np.float32] = samples * _HANN
    products = window.dot(_ROUGH)
    energy = float(window.dot(window))
    # All eight tones have no less than the strongest two: nineteen windows of speech in twenty.
    if float(products.dot(products)) * _IN_TONES < ROUGH_SHARE * _SURELY_LESS * energy:
        return _NOTHING
    powers = _powers(products)
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
