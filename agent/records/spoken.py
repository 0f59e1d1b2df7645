"""What was said in a call, as its record has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.records.events import RecordedEvent
from agent.records.understood import with_understood


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenTurn:
    """Something that was said, or in the agent's case heard."""

    who: Literal["caller", "agent"]
    text: str
    at: float
    """Seconds since the answer."""

    until: float | None = None
    """The same; None if it is not known."""

    cut_off: bool = False
    """Whether the caller heard no more than this of what the agent was saying."""


def conversation(events: Sequence[RecordedEvent]) -> list[SpokenTurn]:
    """Return what the caller said and what they heard, in the order in which it was begun.

    The sentences of a reply count where there is no line of the whole: its process has died.
    """
    whole = {event.fields.get("turn") for event in events if event.kind == "agent"}
    kept = (
        event
        for event in with_understood(events)
        if event.kind in ("caller", "agent")
        or (event.kind == "heard" and event.fields.get("turn") not in whole)
    )
    return _in_order(kept)


def sentences(events: Sequence[RecordedEvent]) -> list[SpokenTurn]:
    """Return what the agent was heard to say, as finely as the record has it.

    Sentences, where each was written as it was heard; a whole reply where none was.
    """
    finer = {
        event.fields.get("turn")
        for event in events
        if event.kind == "heard" and event.fields.get("turn") is not None
    }
    kept = (
        event
        for event in events
        if event.kind == "heard"
        or (event.kind == "agent" and event.fields.get("turn") not in finer)
    )
    return _in_order(kept)


def _in_order(events: Iterable[RecordedEvent]) -> list[SpokenTurn]:
    found = []
    for event in events:
        text, until = event.fields.get("text"), event.fields.get("until")
        if isinstance(text, str) and text.strip():
            found.append(
                SpokenTurn(
                    who="caller" if event.kind == "caller" else "agent",
                    text=text.strip(),
                    at=event.at or 0.0,
                    until=float(until) if isinstance(until, int | float) else None,
                    cut_off=event.fields.get("cut_off") is True,
                )
            )
    return sorted(found, key=lambda one: one.at)
