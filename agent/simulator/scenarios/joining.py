"""Sound put together: recordings one behind the other, with pauses, at levels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.simulator.plan import Turn
from agent.simulator.stretches import sounding
from pipelines.audio import FRAME_SECONDS, Audio

INTO_THE_PAUSE = 0.2
"""Seconds of quiet before somebody who hesitates says "um"."""


def silence(seconds: float, rate: int) -> bytes:
    """Return 16-bit silence."""
    return bytes(2 * int(seconds * rate))


def trimmed(audio: Audio) -> Audio:
    """Return a sound without the silence at both ends, so that pauses are as long as is said."""
    found = np.flatnonzero(sounding(audio.pcm, audio.rate))
    if not len(found):
        return audio
    frame = 2 * int(audio.rate * FRAME_SECONDS)
    return Audio(audio.pcm[int(found[0]) * frame : (int(found[-1]) + 1) * frame], audio.rate)


def with_pause(turn: Turn, at: float, pause: float, filler: Turn | None) -> Turn:
    """Return a turn with a pause put in ``at`` seconds; ``filler`` is said early in it."""
    pcm, rate = turn.audio.pcm, turn.audio.rate
    cut = 2 * int(at * rate)
    between = silence(pause, rate)
    if filler is not None:
        between = silence(INTO_THE_PAUSE, rate) + trimmed(filler.audio).pcm + between
    return Turn(audio=Audio(pcm[:cut] + between + pcm[cut:], rate), label=turn.label)


def joined(groups: Sequence[Sequence[Turn]], gap: float, pause: float) -> Turn:
    """Return recordings said in groups: ``gap`` between two, ``pause`` between two groups."""
    rate = groups[0][0].audio.rate
    said = (silence(gap, rate).join(trimmed(turn.audio).pcm for turn in group) for group in groups)
    label = ", ".join(" ".join(turn.label for turn in group) for group in groups)
    return Turn(audio=Audio(silence(pause, rate).join(said), rate), label=label)


def softer(turn: Turn, than: Turn, decibels: float) -> Turn:
    """Return a turn that is ``decibels`` softer than another, by the RMS of what sounds in them."""
    samples = np.frombuffer(turn.audio.pcm, "<i2").astype(np.float64)
    factor = _level(than.audio) / _level(turn.audio) * 10 ** (-decibels / 20)
    pcm = np.clip(np.rint(samples * factor), -32768, 32767).astype("<i2").tobytes()
    return Turn(audio=Audio(pcm, turn.audio.rate), label=turn.label)


def _level(audio: Audio) -> float:
    """Return the RMS of the frames that sound, of a recording that has one."""
    size = int(audio.rate * FRAME_SECONDS)
    loud = sounding(audio.pcm, audio.rate)
    samples = np.frombuffer(audio.pcm, "<i2")[: len(loud) * size].astype(np.float64)
    heard = samples.reshape(-1, size)[loud] if loud.any() else samples
    return float(np.sqrt(np.mean(np.square(heard)))) or 1.0
