"""What was said in a call, of the lines of its record: who, when, what of it was heard.

All that reads a record as a conversation reads it here: the command line, REST, exports, captions,
webhooks, summaries, the index of words, replays and the check against the recording.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from agent.records.events import RecordedEvent
from agent.records.understood import with_understood
from agent.records.values import flag, number, text, whole
from pipelines.text.words import joined

Who = Literal["caller", "agent"]

ROUNDING = 0.01
"""Seconds by which a sentence may lie outside of its reply; times are kept in milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenPart:
    """A piece of speech; times are seconds on the call's clock, None if they are not known."""

    text: str
    at: float | None
    until: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenTurn:
    """What one side said at a stretch. What is not known is None."""

    turn: int | None = None
    who: Who
    text: str
    """Of the agent, what was heard of it."""

    at: float | None
    """Seconds since the answer."""

    until: float | None
    said: str | None = None
    """What it was of the agent's: a greeting, an answer; ``filler`` while one was late."""

    cut_off: bool | None = None
    """Whether there was more to say: ``unheard``, where that is known."""

    unheard: str | None = None
    response_time: float | None = None
    """Seconds from the end of the caller's speech to the first sound of the agent's answer."""

    language: str | None = None
    confidence: float | None = None
    sentences: Sequence[SpokenPart] = ()
    """Of the agent, as each was heard; the last may be missing, where it was cut off."""


def conversation(events: Sequence[RecordedEvent]) -> list[SpokenTurn]:
    """Return what was said, in the order in which it was begun.

    A ``filler`` line is none of it: what was heard of a filler stands in its reply.
    """
    times: dict[int | None, float] = {}
    for event in events:
        if event.kind == "timing":
            for seconds in answer_time(event.fields):
                times.setdefault(whole(event.fields.get("turn")), seconds)
    found = []
    for event, heard in _spoken(events):
        if event.kind == "caller":
            found.append(_callers(event))
        elif event.kind == "agent":
            found.append(_agents(event, heard, times))
    # What has no time stands where it was written: the sort is stable, and takes the last known.
    return [one for _, one in sorted(_timed(found), key=lambda pair: pair[0])]


def whole_replies(events: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    """Return lines of a record with one for each reply, and none for its sentences.

    A reply that is over has an ``agent`` line behind its ``heard`` lines. One that sounds, or was
    broken off by the death of its process, is made of what was heard of it, and cut off.
    """
    return [event for event, _ in _spoken(events)]


def broken_off(events: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    """Return the replies that have no line of their own, each as if it had one."""
    lines = {id(event) for event in events if event.kind == "agent"}
    replies = (event for event, _ in _spoken(events) if event.kind == "agent")
    return [event for event in replies if id(event) not in lines]


def answer_time(timing: Mapping[str, Any]) -> list[float]:
    """Return the seconds that a caller waited, of a ``timing`` line; nothing if that has none."""
    began, heard = number(timing.get("speech_end")), number(timing.get("heard"))
    return [round(heard - began, 3)] if began is not None and heard is not None else []


Heard = list[RecordedEvent]
"""The ``heard`` lines of one reply."""


def _spoken(events: Sequence[RecordedEvent]) -> Iterator[tuple[RecordedEvent, Heard]]:
    """Yield the lines but ``heard``, a reply with those of it; one that has no line is made one."""
    events = with_understood(events)
    theirs, unfinished = _sentences(events)
    for event in events:
        if event.kind != "heard":
            yield event, theirs.get(id(event), [])
        elif (heard := unfinished.get(id(event))) is not None:
            words = " ".join(filter(None, (text(one.fields.get("text")) for one in heard)))
            until = heard[-1].fields.get("until")
            fields = {**event.fields, "text": words, "until": until, "cut_off": True}
            fields.pop("more", None)
            yield replace(event, kind="agent", fields=fields), heard


def _sentences(events: Iterable[RecordedEvent]) -> tuple[dict[int, Heard], dict[int, Heard]]:
    """Return what was heard of each reply: by its ``agent`` line, or the first of those without.

    It belongs to the next ``agent`` line of its turn; or, if lines have changed places, to one
    before in whose time it was heard.
    """
    theirs: dict[int, Heard] = {}
    waiting: dict[int | None, Heard] = {}
    lines: dict[int | None, list[RecordedEvent]] = {}
    for event in events:
        turn = whole(event.fields.get("turn"))
        if event.kind == "heard":
            waiting.setdefault(turn, []).append(event)
        elif event.kind == "agent":
            theirs[id(event)] = waiting.pop(turn, [])
            lines.setdefault(turn, []).append(event)
    unfinished = {}
    for turn, heard in waiting.items():
        left: Heard = []
        for one in heard:
            whose = next((line for line in lines.get(turn, ()) if _within(one, line)), None)
            (left if whose is None else theirs[id(whose)]).append(one)
        if left:
            unfinished[id(left[0])] = left
    return theirs, unfinished


def _within(heard: RecordedEvent, line: RecordedEvent) -> bool:
    at, began, until = number(heard.at), number(line.at), number(line.fields.get("until"))
    if at is None or began is None or until is None:
        return False
    return began - ROUNDING <= at < until


def _callers(event: RecordedEvent) -> SpokenTurn:
    fields = event.fields
    return SpokenTurn(
        turn=whole(fields.get("turn")),
        who="caller",
        text=text(fields.get("text")) or "",
        at=number(event.at),
        until=number(fields.get("until")),
        language=text(fields.get("language")),
        confidence=number(fields.get("confidence")),
    )


def _agents(event: RecordedEvent, heard: Heard, times: dict[int | None, float]) -> SpokenTurn:
    fields, turn = event.fields, whole(event.fields.get("turn"))
    return SpokenTurn(
        turn=turn,
        who="agent",
        text=text(fields.get("text")) or "",
        at=number(event.at),
        until=number(fields.get("until")),
        said=text(fields.get("said")),
        cut_off=flag(fields.get("cut_off")),
        unheard=text(fields.get("unheard")),
        response_time=times.pop(turn, None),  # of the first; what else is in the turn goes on
        sentences=tuple(_parts(sorted(heard, key=lambda one: number(one.at) or 0.0))),
    )


def _parts(heard: Iterable[RecordedEvent]) -> Iterator[SpokenPart]:
    """Yield the sentences of a reply; one that was written in pieces is one."""
    pieces: list[RecordedEvent] = []
    for event in heard:
        pieces.append(event)
        if not event.fields.get("more"):
            yield _part(pieces)
            pieces = []
    if pieces:
        yield _part(pieces)


def _part(pieces: Sequence[RecordedEvent]) -> SpokenPart:
    return SpokenPart(
        text=joined(text(one.fields.get("text")) or "" for one in pieces),
        at=number(pieces[0].at),
        until=number(pieces[-1].fields.get("until")),
    )


def _timed(turns: Iterable[SpokenTurn]) -> Iterator[tuple[float, SpokenTurn]]:
    last = 0.0
    for one in turns:
        last = one.at if one.at is not None else last
        yield last, one
