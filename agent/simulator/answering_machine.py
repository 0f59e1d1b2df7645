"""A phone that is an answering machine: its greeting, its beep, and then it records."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.simulator.plan import Cue, Plan, Turn
from pipelines.audio import Audio, silence

SPEAKS_AFTER = 0.5
"""Seconds from the answer to its greeting."""

BEEPS_AFTER = 0.6
"""Seconds from its greeting to the beep."""

RECORDS = 20.0
"""Seconds of quiet until it hangs up."""


def answering_machine(greeting: Sequence[Turn], rate: int = 8000, *, beeps: bool = True) -> Plan:
    """Return what a machine does.

    Args:
        greeting: What it says, one after the other.
        rate: Of their audio, in hertz.
        beeps: Whether it beeps then.
    """
    said = b"".join(turn.audio.pcm for turn in greeting)
    if beeps:
        said += silence(BEEPS_AFTER, rate) + beep(rate)
    label = " ".join([*(turn.label for turn in greeting), *(["(beep)"] if beeps else [])])
    cue = Cue(event="answer", seconds=SPEAKS_AFTER)
    turn = Turn(audio=Audio(said, rate), label=label, cue=cue)
    return Plan(turns=[turn], rate=rate, linger=RECORDS)


def beep(rate: int, hertz: float = 1000.0, seconds: float = 0.4) -> bytes:
    """Return a beep of -15 dBFS as 16-bit samples."""
    at = np.arange(round(rate * seconds))
    ramp = np.minimum(1.0, np.minimum(at + 1, len(at) - at) / (rate * 0.004))
    wave = np.sin(2 * np.pi * hertz * at / rate) * ramp * 0.25
    return (wave * 32767).astype("<i2").tobytes()
