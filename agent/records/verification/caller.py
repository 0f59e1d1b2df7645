"""The caller's side of a record: what another recognizer hears, and how long callers waited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.records.events import RecordedEvent
from agent.records.recordings.stereo import StereoAudio
from agent.records.verification.activity import Stretch, noise, voiced, within
from agent.records.verification.check import LOOKS, Hear, RecordedChannel
from agent.records.verification.claims import ClaimedSpeech
from agent.records.verification.wording import compared, sounding

AROUND = 0.3
"""Seconds around a caller's turn that are heard as well: what a record says of its begin and end is
what the voice gate has found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedTurn:
    """What the record has of a caller's turn, and what is heard."""

    claim: ClaimedSpeech
    heard: str
    alike: float
    """The share of the letters of the record's text that are heard, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseTime:
    """Seconds from the end of the caller's voice to the beginning of the agent's."""

    turn: object
    recorded: float
    """By the times of the record."""

    measured: float
    """By the voices in the recording."""


async def caller_turns(
    claims: Sequence[ClaimedSpeech], recording: StereoAudio, hear: Hear, *, language: str = "en"
) -> list[ComparedTurn]:
    """Return what is heard of each turn of the caller whose end the record has.

    Keys that were pressed are no words, and are left out.
    """
    channel = RecordedChannel(audio=recording.caller, began=recording.began)
    turns = []
    for claim in claims:
        if claim.until is None or claim.at < channel.began or claim.until > channel.until:
            continue
        heard = await hear(channel.cut(claim.at - AROUND, claim.until + AROUND, LOOKS[0][1]))
        found = compared(sounding(claim.text, language), sounding(heard, language))
        turns.append(ComparedTurn(claim=claim, heard=heard, alike=found.alike))
    return turns


def response_times(events: Sequence[RecordedEvent], recording: StereoAudio) -> list[ResponseTime]:
    """Return how long callers waited, by the record and by their and the agent's voices.

    Of turns of which the record has both ends, and in which both voices are heard about then.
    """
    caller = voiced(recording.caller, noise(recording.caller))
    agent = voiced(recording.agent)
    found = []
    for event in events:
        ended, heard = (_seconds(event.fields.get(name)) for name in ("speech_end", "heard"))
        if event.kind != "timing" or ended is None or heard is None:
            continue
        silence = _measured(caller, agent, ended - recording.began, heard - recording.began)
        if silence is not None:
            turn = event.fields.get("turn")
            found.append(ResponseTime(turn=turn, recorded=heard - ended, measured=silence))
    return found


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _measured(
    caller: Sequence[Stretch], agent: Sequence[Stretch], ended: float, heard: float
) -> float | None:
    """Return the seconds between the voices; None if one of them is not there."""
    before = within(caller, ended - 2.0, min(ended + 1.0, heard))
    after = [one for one in agent if heard - 0.5 <= one[0] <= heard + 1.0]
    return after[0][0] - before[-1][1] if before and after else None
