"""What was said in a call, of the lines of its record: who, when, what of it was heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agent.records.events import RecordedEvent
from agent.records.understood import with_understood

Who = Literal["caller", "agent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationLine:
    """What one of both has said."""

    who: Who
    at: float | None
    """Seconds since the answer."""

    until: float | None
    text: str
    """Of the agent, what was heard."""

    cut_off: bool
    """Whether there was more to say: ``unheard``, where that is known."""

    unheard: str
    turn: int | None


def conversation(events: Sequence[RecordedEvent]) -> list[ConversationLine]:
    """Return what was said, in the order in which it was begun."""
    said = [_line(one) for one in whole_replies(events) if one.kind in ("caller", "agent")]
    return sorted(said, key=lambda one: one.at or 0.0)


def whole_replies(events: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    """Return lines of a record with one for each reply, and none for its sentences.

    A reply that is over has an ``agent`` line behind its ``heard`` lines. One that sounds, or was
    broken off by the death of its process, is made of what was heard of it, and cut off.
    """
    last = max((at for at, one in enumerate(events) if one.kind == "agent"), default=-1)
    heard = [one for one in events[last + 1 :] if one.kind == "heard"]
    whole = []
    for event in with_understood(events):
        if heard and event is heard[0]:
            text = " ".join(str(one.fields.get("text", "")) for one in heard)
            until = heard[-1].fields.get("until")
            fields = {**event.fields, "text": text, "until": until, "cut_off": True}
            whole.append(replace(event, kind="agent", fields=fields))
        elif event.kind != "heard":
            whole.append(event)
    return whole


def _line(event: RecordedEvent) -> ConversationLine:
    fields = event.fields
    turn = fields.get("turn")
    return ConversationLine(
        who="caller" if event.kind == "caller" else "agent",
        at=event.at,
        until=_seconds(fields.get("until")),
        text=str(fields.get("text", "")),
        cut_off=bool(fields.get("cut_off")),
        unheard=str(fields.get("unheard") or ""),
        turn=turn if isinstance(turn, int) else None,
    )


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
