"""What was said in a call, as its record has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agent.records.events import RecordedEvent
from pipelines.text import words


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
        for event in whole_sentences(events)
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
    cut_off = {
        event.fields.get("turn")
        for event in events
        if event.kind == "agent" and event.fields.get("cut_off") is True
    }
    lines = list(whole_sentences(events))
    last = {line.fields.get("turn"): line for line in lines if line.kind == "heard"}
    for turn in cut_off & last.keys():
        lines[lines.index(last[turn])] = _marked_cut_off(last[turn])
    kept = (
        event
        for event in lines
        if event.kind == "heard"
        or (event.kind == "agent" and event.fields.get("turn") not in finer)
    )
    return _in_order(kept)


def whole_sentences(events: Iterable[RecordedEvent]) -> Iterator[RecordedEvent]:
    """Yield the lines of a record, with one ``heard`` line a sentence.

    A sentence that takes long is written in pieces, as it is heard (``more``): here they are one
    line, in the place of the last, from the beginning of the first to the end of the last.
    """
    pieces: dict[object, list[RecordedEvent]] = {}
    for event in events:
        turn = event.fields.get("turn")
        if event.kind == "heard":
            pieces.setdefault(turn, []).append(event)
        if event.kind == "agent" or (event.kind == "heard" and not event.fields.get("more")):
            yield from _joined(pieces.pop(turn, []))
        if event.kind != "heard":
            yield event
    for rest in pieces.values():
        yield from _joined(rest)


def _joined(pieces: Sequence[RecordedEvent]) -> Iterator[RecordedEvent]:
    if not pieces:
        return
    fields = {name: value for name, value in pieces[-1].fields.items() if name != "more"}
    texts = [one.fields.get("text") for one in pieces]
    fields["text"] = words.joined(text for text in texts if isinstance(text, str))
    yield replace(pieces[-1], at=pieces[0].at, fields=fields)


def _marked_cut_off(line: RecordedEvent) -> RecordedEvent:
    return replace(line, fields={**line.fields, "cut_off": True})


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
