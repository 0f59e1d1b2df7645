"""Sounds that are no speech, made of noise and tones: clicks, coughs, hiss, hum, typing, babble."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from agent.simulator.speech import recorded_turn
from pipelines.audio import Audio

RECORDINGS = Path(__file__).parent / "recordings"

SoundName = Literal["click", "cough", "hiss", "hum", "typing", "babble"]
Samples = npt.NDArray[np.float64]


def sound(name: SoundName, level: float, rate: int) -> Audio:
    """Return a sound; two calls return the same samples.

    Args:
        name: Which.
        level: RMS of its loudest 20 ms, where 1 is full scale.
        rate: Hertz.
    """
    random = np.random.default_rng(5)
    samples = _SOUNDS[name](rate, random)
    window = rate // 50
    power = np.square(samples[: len(samples) // window * window].reshape(-1, window)).mean(axis=1)
    scaled = samples * (level / np.sqrt(power.max())) * 32767
    return Audio(np.clip(scaled, -32768, 32767).astype("<i2").tobytes(), rate)


def _fading(seconds: float, rate: int) -> Samples:
    return np.exp(-np.arange(int(seconds * rate)) / (rate * seconds / 5))


def _click(rate: int, random: np.random.Generator) -> Samples:
    """A handset that is put on a table: 30 ms."""
    return _padded(_fading(0.03, rate) * random.standard_normal(int(0.03 * rate)), rate)


def _cough(rate: int, random: np.random.Generator) -> Samples:
    """Two bursts of coloured noise, 0.15 and 0.2 s."""
    bursts = []
    for seconds in (0.15, 0.2):
        noise = random.standard_normal(int(seconds * rate))
        dull = np.convolve(noise, np.ones(4) / 4, mode="same")
        bursts += [_fading(seconds, rate) * dull, np.zeros(int(0.06 * rate))]
    return _padded(np.concatenate(bursts), rate)


def _hiss(rate: int, random: np.random.Generator) -> Samples:
    """A bad line: white noise, 2 s."""
    return random.standard_normal(2 * rate)


def _hum(rate: int, _random: np.random.Generator) -> Samples:
    """Mains hum and its harmonics, 2 s."""
    at = np.arange(2 * rate) / rate
    tones: Samples = sum((np.sin(2 * np.pi * 50 * n * at) / n for n in (2, 3, 4, 6)), np.zeros(1))
    return tones


def _typing(rate: int, random: np.random.Generator) -> Samples:
    """Twelve keys in 1.5 s."""
    samples = np.zeros(int(1.5 * rate))
    for at in np.sort(random.uniform(0, 1.4, 12)):
        key = _fading(0.02, rate) * random.standard_normal(int(0.02 * rate))
        start = int(at * rate)
        samples[start : start + len(key)] += key
    return _padded(samples, rate)


def _babble(rate: int, _random: np.random.Generator) -> Samples:
    """Three people talking elsewhere, 2 s: the recordings, one over the other."""
    samples = np.zeros(2 * rate)
    for name in ("not-at-desk", "press-one", "first-in-line"):
        pcm = recorded_turn(RECORDINGS / f"{name}.wav", rate).audio.pcm
        samples += np.frombuffer(pcm, "<i2")[rate // 2 : rate // 2 + len(samples)]
    return samples


def _padded(samples: Samples, rate: int) -> Samples:
    return np.concatenate([samples, np.zeros(rate // 50)])


_SOUNDS: dict[SoundName, Callable[[int, np.random.Generator], Samples]] = {
    "click": _click,
    "cough": _cough,
    "hiss": _hiss,
    "hum": _hum,
    "typing": _typing,
    "babble": _babble,
}
