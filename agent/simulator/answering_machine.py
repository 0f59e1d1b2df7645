"""A phone that is no person, at first: an answering machine, or a call screener.

A machine greets, beeps, and then it records. A screener asks who calls and why, has whoever calls
wait, and rings the person, who may pick up.
"""

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


SCREENER_ASKS = (
    "Hi, if you record your name and reason for calling, I'll see if this person is available."
)
"""What an iPhone says to callers whom it does not know, from iOS 26 on."""

SCREENER_WAITS = "Thanks. Please stay on the line."
RINGS = 4.0
"""Seconds from there until the person picks up."""


def call_screener(
    asks: Turn, waits: Turn, person: Sequence[Turn] = (), rate: int = 8000, rings: float = RINGS
) -> Plan:
    """Return what a screener does, and whoever it screens calls for.

    Args:
        asks: What it says first.
        waits: What it says once it has heard who calls.
        person: What the person says then: the first of it as they pick up. Nobody does, if empty.
        rate: Of the audio, in hertz.
        rings: Seconds from there until they do.
    """
    heard, label = waits.audio.pcm, waits.label
    if person:
        heard += silence(rings, rate) + person[0].audio.pcm
        label = f"{label} (rings) {person[0].label}"
    first = Turn(audio=asks.audio, label=asks.label, cue=Cue(event="answer", seconds=SPEAKS_AFTER))
    turns = [first, Turn(audio=Audio(heard, rate), label=label), *person[1:]]
    return Plan(turns=turns, rate=rate, linger=3.0 if person else RECORDS)


def beep(rate: int, hertz: float = 1000.0, seconds: float = 0.4) -> bytes:
    """Return a beep of -15 dBFS as 16-bit samples."""
    at = np.arange(round(rate * seconds))
    ramp = np.minimum(1.0, np.minimum(at + 1, len(at) - at) / (rate * 0.004))
    wave = np.sin(2 * np.pi * hertz * at / rate) * ramp * 0.25
    return (wave * 32767).astype("<i2").tobytes()
