"""What comes back of our words: softer, later, through a room, a band, a codec, a noisy line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.audio import Audio, at_rate
from tests.benchmarks.word_errors import mulaw_round_trip
from tests.recordings import load

RATE = 8000
Wave = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoOf:
    """An echo."""

    down: float
    """Decibels."""

    delay: float = 0.25
    """Seconds."""

    room: bool = False
    """Whether eight reflections follow, over 50 ms."""

    jitter: bool = False
    """Whether the delay changes by a packet every 1.5 s."""

    swell: bool = False
    """Whether it grows and fades by 6 dB, every 4 s."""

    def of(self, sent: Wave, seed: int = 0) -> Wave:
        """Return what comes back, as long as what was sent."""
        random = np.random.default_rng(seed)
        path = np.zeros(int(0.05 * RATE))
        path[0] = 1.0
        if self.room:
            at = random.integers(16, len(path), 8)
            path[at] += random.choice([-1, 1], 8) * random.uniform(0.2, 0.6, 8) * np.exp(-at / 144)
        path *= 10 ** (-self.down / 20) / np.sqrt(path @ path)
        late = np.concatenate([np.zeros(int(self.delay * RATE)), sent])
        echo = np.convolve(late, path)[: len(sent)]
        at = np.arange(len(echo))
        if self.jitter:
            echo = echo[np.maximum(0, at - RATE // 50 * (at // int(1.5 * RATE) % 2))]
        if self.swell:
            echo = echo * 10 ** (6 * np.sin(2 * np.pi * at / (4 * RATE)) / 20)
        return echo


def level(audio: Audio, rms: float = 3000.0) -> Wave:
    """Return samples at 8 kHz, of which those that sound have this RMS: -21 dBFS."""
    samples = np.frombuffer(at_rate([audio], RATE).pcm, "<i2").astype(np.float64)
    loud = samples[np.abs(samples) > 300]
    return samples * rms / np.sqrt(np.mean(loud * loud)) if len(loud) else samples


def speech(*names: str, gap: float = 0.4, rms: float = 3000.0) -> Wave:
    """Return recordings, one after the other, with a gap before and between them."""
    parts: list[Wave] = [np.zeros(RATE // 4)]
    for name in names:
        parts += [level(load(name), rms), np.zeros(int(gap * RATE))]
    return np.concatenate(parts)


def on_the_line(samples: Wave, seed: int = 0) -> bytes:
    """Return 16-bit samples with line noise at -62 dBFS, after G.711."""
    noise = np.random.default_rng(seed).normal(0, 26, len(samples))
    whole = np.clip(np.rint(samples + noise), -32768, 32767).astype("<i2")
    return mulaw_round_trip(whole).tobytes()


def frames(pcm: bytes) -> list[bytes]:
    """Cut 20 ms each."""
    size = RATE // 50 * 2
    return [pcm[at : at + size] for at in range(0, len(pcm) - size + 1, size)]
