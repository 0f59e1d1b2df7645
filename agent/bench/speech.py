"""What the callers say: recordings of a person, cut into frames that are masked once for all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from agent.bench.frames import BINARY, masked
from agent.simulator.scenarios.sounds import RECORDINGS
from agent.simulator.speech import recorded_turn
from agent.simulator.stretches import SOUND, sounding
from pipelines.audio import Audio, at_rate, frame_bytes

RATE = 8000
"""Hertz, of a telephone line; the rate of the recordings."""

SAID = (
    "did-not-understand",
    "first-in-line",
    "not-at-desk",
    "one-moment",
    "saturday",
    "thank-you",
    "try-again",
    "which-folder",
)
"""Recordings without a pause of more than 0.25 s: half of the silence that ends a turn, so that
each is one turn of any server's."""

SAID_OVER = ("did-not-understand", "one-moment", "try-again", "which-folder")
"""What interrupts the agent: a second of voice or more, which no server takes for "mm-hm"."""

SOFTEST = 33.0
"""Decibels below a recording's own level, the 90th percentile of its frames that sound, down to
which it is speech. -47 dBFS for all of them, which lies 29 to 34 dB below their levels, cut through
the last breath of "one moment", five frames 33 to 35 dB down, and had them be overhead."""

_SEED = 1
"""Of the masks: the same bytes at every run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """Something that callers say."""

    name: str
    frames: Sequence[bytes]
    """Of 20 ms each, as they are written to the socket."""

    onset: int
    """The first that sounds."""

    last: int
    """The last that sounds."""


def _frames(pcm: bytes, seed: int) -> list[bytes]:
    size, masks = frame_bytes(RATE), random.Random(seed)  # noqa: S311
    pcm = pcm.ljust(-(-len(pcm) // size) * size, b"\0")
    return [
        masked(BINARY, pcm[at : at + size], masks.randbytes(4)) for at in range(0, len(pcm), size)
    ]


@cache
def silent_frame() -> bytes:
    """Return 20 ms in which nobody speaks."""
    return _frames(bytes(frame_bytes(RATE)), _SEED)[0]


@cache
def spoken(name: str) -> Spoken:
    """Return one of the recordings."""
    pcm = recorded_turn(RECORDINGS / f"{name}.wav", RATE).audio.pcm
    loud = _speech(pcm)
    return Spoken(name=name, frames=_frames(pcm, _SEED), onset=int(loud[0]), last=int(loud[-1]))


def _speech(pcm: bytes) -> npt.NDArray[np.intp]:
    """Return which of the 20 ms are speech, by the recording's own level."""
    size = frame_bytes(RATE)
    frames = np.frombuffer(pcm[: len(pcm) // size * size], "<i2").astype(np.float64)
    rms = np.sqrt(np.square(frames.reshape(-1, size // 2)).mean(axis=1))
    level = np.percentile(rms[rms >= SOUND], 90)
    return np.flatnonzero(rms >= level * 10 ** (-SOFTEST / 20))


def voice(seconds: float, rate: int) -> bytes:
    """Return samples of speech for a voice that is asked to say something: from its first sound on.

    Args:
        seconds: How long; the recording is repeated until then.
        rate: Hertz, 16 bits a sample.
    """
    pcm = _voice(rate)
    size = 2 * int(seconds * rate)
    return (pcm * (size // len(pcm) + 1))[:size]


@cache
def _voice(rate: int) -> bytes:
    pcm = recorded_turn(RECORDINGS / "first-in-line.wav", RATE).audio.pcm
    loud = np.flatnonzero(sounding(pcm, RATE))
    size = frame_bytes(RATE)
    return at_rate([Audio(pcm[loud[0] * size : (loud[-1] + 1) * size], RATE)], rate).pcm
