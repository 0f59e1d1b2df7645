"""What a record claims to be heard in its recording."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.records.conversation import SpokenPart, conversation
from agent.records.events import RecordedEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedSpeech:
    """Words that one of both is said to have spoken, or in the agent's case to be heard."""

    text: str
    at: float
    """Seconds since the answer."""

    until: float | None = None
    """The same; None if it is not known."""

    cut_off: bool = False
    """Whether the caller heard no more than this of what the agent was saying."""


def sentences(events: Sequence[RecordedEvent]) -> list[ClaimedSpeech]:
    """Return what the agent was heard to say, as finely as the record has it.

    Sentences, where each was written as it was heard; a whole reply where none was.
    """
    found: list[ClaimedSpeech] = []
    for turn in conversation(events):
        if turn.who == "agent" and turn.sentences:
            *before, last = turn.sentences
            found += [*_claims(before), *_claims([last], cut_off=turn.cut_off is True)]
        elif turn.who == "agent":
            whole = SpokenPart(text=turn.text, at=turn.at, until=turn.until)
            found += _claims([whole], cut_off=turn.cut_off is True)
    return sorted(found, key=lambda one: one.at)


def of_the_caller(events: Sequence[RecordedEvent]) -> list[ClaimedSpeech]:
    """Return what the caller is said to have said, in the order in which it was begun."""
    return _claims(
        SpokenPart(text=turn.text, at=turn.at, until=turn.until)
        for turn in conversation(events)
        if turn.who == "caller"
    )


def _claims(parts: Iterable[SpokenPart], *, cut_off: bool = False) -> list[ClaimedSpeech]:
    return [
        ClaimedSpeech(text=part.text.strip(), at=part.at or 0.0, until=part.until, cut_off=cut_off)
        for part in parts
        if part.text.strip()
    ]
