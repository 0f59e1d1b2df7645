"""The beep of an answering machine, found in what the line carries: no clock, no I/O.

A beep is a steady tone, or two at once or one after the other, of 300 to 2,500 Hz and 0.1 to
2.5 seconds, as strong at its end as at its beginning, after which it is quiet. Speech glides and
fades, music goes on, keys have tones of their own (:mod:`pipelines.listening.dtmf`), and what a
network plays while it rings (ITU-T E.180: 400 to 480 Hz, 0.4 s and more) lasts longer than a beep
of that pitch does. What lost packets cut out of a tone is no end of it.

The constants were chosen on half of Debian's telephone prompts, and measured on the other half:
``python -m tests.benchmarks.machines``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from pipelines.audio import FRAME_SECONDS, SPEECH_RATE
from pipelines.listening.caller_frames import Heard, Samples, pcm_of, samples_of
from pipelines.listening.dtmf import HIGH, LOW

_WINDOW = 2 * int(SPEECH_RATE * FRAME_SECONDS)
_SIZE = 2 * _WINDOW
_STEP = SPEECH_RATE / _SIZE
"""Hertz between two lines of the spectrum."""

_HANN: Samples = np.hanning(_WINDOW).astype(np.float32)
_LOBE = 4
"""Lines on each side of a tone that are its own: the window's main lobe."""

LOWEST, HIGHEST = 300.0, 2500.0
_BAND = slice(round(200 / _STEP), round(3600 / _STEP))
_TONES = slice(round((LOWEST - 20) / _STEP), round((HIGHEST + 20) / _STEP))

QUIETEST = 100.0
"""RMS of a tone that is heard at all: -50 dBFS."""

SHARE = 0.8
"""Of what the line carries, that a tone must be: its noise is 6 dB below, or less."""

SECOND = 0.08
"""Of the stronger tone, that the weaker of two must have: 11 dB less."""

OFF = 0.007
"""By which a tone may be off its mean, relative, or :data:`OFF_HERTZ`: 40 ms tell no better."""

OFF_HERTZ = 5.0
STEADY = 1.5
"""Times, by which its amplitude may differ within: 3.5 dB, but for what lost packets left."""

RISEN = 0.6
"""Of its amplitude, that it has in its second window: it begins at once."""

SHORTEST, LONGEST = 5, 125
"""Frames: the windows of a tone of 0.1 s, of which the outer ones have a part; 2.5 s."""

LOW_PITCH, SHORTEST_LOW = 640.0, 9
"""Hertz up to which a voice may hum (its pitch, or the overtone that its mouth makes loudest), and
frames: a tone there takes 0.2 s to be told from it."""

GAP = 4
"""Frames that may be missing of it: 80 ms, two lost packets and the windows that they are in."""

FALLEN, FALLEN_LOW = 0.45, 0.25
"""Of its amplitude, that the line may still have once it has ended: 7 dB less, and the noise
of the line may be no less; 12 dB at a pitch of voices, which die away."""

RINGS = (380.0, 500.0)
RINGS_FROM = 17
"""Hertz, and frames: what lasts for 0.34 s at such a pitch is ringback, or an engaged tone."""

BEATS = 60.0
"""Hertz within which what follows is more of the same: two tones that beat, 40 apart."""

FOLLOWS = 3
"""Windows from which another tone has followed; fewer are the edge of one, or noise."""

INFORMS = 3
"""Tones one after the other: special information tones ("not in service"), or a melody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beep:
    """A beep, just over."""

    hertz: float
    """Of its stronger tone, or of the last of several."""

    seconds: float
    """How long it was, to 20 ms."""

    ago: float
    """Seconds since its end."""


@dataclass(frozen=True, slots=True)
class _Peak:
    hertz: float
    amplitude: float
    second: float
    """Hertz of the weaker of two tones; 0 if there is one."""

    def turned(self) -> _Peak:
        """Return the same, by its weaker tone: of two, now one and now the other is stronger."""
        return _Peak(self.second, self.amplitude, self.hertz)


@dataclass(slots=True, kw_only=True)
class _Tone:
    """A tone that goes on, as far as it was heard."""

    began: int
    """Number of its first frame."""

    peaks: list[_Peak]
    ended: int = 0
    """Number of the last that fits."""

    since: int = 0
    """Number of the first of others of that pitch which it has followed."""

    after: float = inf
    """How quiet the line was since."""

    before: tuple[float, ...] = ()
    """Hertz of tones that it has followed without a pause."""

    def __post_init__(self) -> None:
        self.ended = self.since = self.began

    def takes(self, peak: _Peak, at: int) -> bool:
        """Add the frame numbered ``at``, if it is more of this tone; return whether it is."""
        mean = sum(one.hertz for one in self.peaks) / len(self.peaks)
        for one in (peak, peak.turned()):
            if abs(one.hertz - mean) <= max(OFF_HERTZ, OFF * mean):
                self.peaks.append(one)
                self.ended, self.after = at, inf
                return True
        return False

    @property
    def amplitude(self) -> float:
        """How loud it is, its beginning and its end aside."""
        inner = [one.amplitude for one in self.peaks[1:-1]] or [self.peaks[0].amplitude]
        return float(np.median(inner))

    @property
    def hertz(self) -> float:
        return float(np.median([one.hertz for one in self.peaks]))

    @property
    def frames(self) -> int:
        """How long it was."""
        return self.ended - self.began

    def is_steady(self) -> bool:
        """Return whether it is as loud throughout, but for what was lost."""
        inner = sorted(one.amplitude for one in self.peaks[1:-1])
        if not inner:
            return False
        usual = self.amplitude
        steady = sum(usual / STEADY <= one <= usual * STEADY for one in inner)
        return steady >= 0.75 * len(inner) and self.peaks[1].amplitude >= RISEN * usual

    def is_key(self) -> bool:
        """Return whether it is a key's: two tones of the keypad."""
        pairs = sum(_is_pair(one.hertz, one.second) for one in self.peaks)
        return pairs > len(self.peaks) / 3

    def rings(self) -> bool:
        """Return whether a network plays it while it rings, or to say that somebody talks."""
        both = self.hertz, float(np.median([one.second for one in self.peaks]))
        rings = any(RINGS[0] <= one <= RINGS[1] for one in both)
        return rings and self.ended - self.since >= RINGS_FROM


class BeepDetector:
    """Finds beeps in one call. It is fed all that the line carries, in order."""

    def __init__(self) -> None:
        self._last: Samples = np.zeros(_WINDOW // 2, np.float32)
        self._at = 0
        self._tone: _Tone | None = None
        self._other: _Tone | None = None

    @property
    def sounding(self) -> bool:
        """Whether there is a tone now that is long enough for a beep."""
        return self._tone is not None and self._tone.frames >= SHORTEST

    def feed(self, frame: Heard) -> Beep | None:
        """Take the next 20 ms; return the beep that is known to be over since the last.

        That is known within 0.1 s of its end.
        """
        sound = samples_of(pcm_of(frame))
        window = np.concatenate((self._last, sound))
        self._last = sound
        self._at += 1
        peak, level = _look(window), _rms(sound)
        tone = self._tone
        if tone is None:
            self._tone = None if peak is None else _Tone(began=self._at, peaks=[peak])
            return None
        if peak is not None and not tone.takes(peak, self._at):
            self._follow_other(peak)
        if self._at == tone.ended:
            self._other = None
            return None
        tone.after = min(tone.after, level)
        if self._at - tone.ended < GAP:
            return None
        other, self._tone, self._other = self._other, self._other, None
        if other is not None and abs(other.hertz - tone.hertz) <= BEATS:
            other.since = tone.since
        if other is None or len(other.peaks) < FOLLOWS:
            return self._judged(tone)
        if tone.is_steady() and tone.frames >= SHORTEST - 1:  # of one that is too short: no more
            other.before = (*tone.before, tone.hertz)[-INFORMS:]
        return None

    def _follow_other(self, peak: _Peak) -> None:
        """Follow a tone that may come after this one; or is no tone, but what a loss has left."""
        if self._other is None or not self._other.takes(peak, self._at):
            self._other = _Tone(began=self._at, peaks=[peak])

    def _judged(self, tone: _Tone) -> Beep | None:
        low = tone.hertz < LOW_PITCH
        shortest, fallen = (SHORTEST_LOW, FALLEN_LOW) if low else (SHORTEST, FALLEN)
        if not shortest <= tone.frames + 1 <= LONGEST or len(tone.peaks) < 0.6 * tone.frames:
            return None
        if not tone.is_steady() or not LOWEST - OFF_HERTZ <= tone.hertz <= HIGHEST + OFF_HERTZ:
            return None
        if tone.is_key() or tone.rings() or len(tone.before) + 1 >= INFORMS:
            return None
        if tone.after > fallen * tone.amplitude:
            return None
        return Beep(
            hertz=round(tone.hertz, 1),
            seconds=round(tone.frames * FRAME_SECONDS, 2),
            ago=round((self._at - tone.ended + 0.5) * FRAME_SECONDS, 2),
        )


def _look(window: Samples) -> _Peak | None:
    """Return the tone that fills 40 ms, or the stronger of two; None if there is none."""
    if _rms(window) < QUIETEST:
        return None
    spectrum = np.fft.rfft(window * _HANN, _SIZE)
    powers: NDArray[np.float64] = spectrum.real**2 + spectrum.imag**2
    whole = float(powers[_BAND].sum())
    top = _TONES.start + int(powers[_TONES].argmax())
    first = _lobe(powers, top)
    if first < SHARE / 2 * whole:
        return None
    hertz, second = _between(powers, top), 0.0
    if first < SHARE * whole:
        rest = powers.copy()
        rest[max(0, top - 2 * _LOBE) : top + 2 * _LOBE + 1] = 0.0
        other = _TONES.start + int(rest[_TONES].argmax())
        both = first + _lobe(rest, other)
        if both < SHARE * whole or both - first < SECOND * first:
            return None
        second = _between(powers, other)
    return _Peak(hertz, _rms(window), second)


def _lobe(powers: NDArray[np.float64], top: int) -> float:
    return float(powers[max(0, top - _LOBE) : top + _LOBE + 1].sum())


def _between(powers: NDArray[np.float64], top: int) -> float:
    """Return the frequency of a peak, between the lines of the spectrum."""
    left, middle, right = np.log(powers[top - 1 : top + 2] + 1e-9)
    curve = left - 2 * middle + right
    shift = 0.5 * (left - right) / curve if curve else 0.0
    return float((top + shift) * _STEP)


def _rms(samples: Samples) -> float:
    return float(np.sqrt(samples.dot(samples) / len(samples)))


def _is_pair(one: float, other: float) -> bool:
    """Return whether two tones are those of a key."""
    low, high = sorted((one, other))
    return _near(low, LOW) and _near(high, HIGH)


def _near(hertz: float, known: Sequence[float]) -> bool:
    return any(abs(hertz - one) <= 0.025 * one for one in known)
