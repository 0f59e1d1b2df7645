"""A call as its page tells it: what was said and what happened, in one order, ready for a template.

What was said is read by :mod:`agent.records.conversation` alone; this puts what happened between.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

from agent.console.calls.turn_ends import because, weighed
from agent.console.calls.waterfall_picture import Scale, WaterfallPicture, scale_of
from agent.console.hidden_numbers import HiddenNumbers
from agent.records.conversation import (
    SpokenPart,
    SpokenTurn,
    answer_time,
    conversation,
    whole_replies,
)
from agent.records.events import RecordedEvent
from agent.records.happenings import happening
from agent.records.statistics.waterfall import Waterfall, waterfall_of
from agent.records.values import number, text, whole

Group = Literal["floor", "tools", "failures", "call"]
"""What a happening is about, to show and hide it by."""

GROUPS: Mapping[str, Group] = {
    "held": "floor",
    "resumed": "floor",
    "barge_in": "floor",
    "backchannel": "floor",
    "filler": "tools",
    "tool": "tools",
    "failover": "failures",
    "failed": "failures",
    "dropped": "failures",
}
"""By kind of line; any other is about the call itself."""

ELSEWHERE = frozenset(
    ("caller", "agent", "call", "wanted", "usage", "timing", "platform", "leg", "summary")
)
"""Kinds of lines that are said, drawn or told at the head of the page."""

LONG = 160
"""Characters of a tool's result that are shown; the rest is behind a link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidEntry:
    """What one side said at a stretch."""

    what: Literal["said"] = "said"
    turn: SpokenTurn
    sentences: Sequence[SpokenPart]
    """Of both sides, with the best times that are known."""

    because: str = ""
    """Why the turn was taken for over; ``""`` if nothing is known."""

    weighed: Sequence[str] = ()
    to_others: bool = False
    """Whether it was taken for said to others on a line of several: then nothing answered."""

    told_by: str = ""
    """What told to whom of several it was said; ``""`` with nobody else there."""

    erased: bool = False
    """Whether its words are no more."""

    @property
    def at(self) -> float | None:
        """Seconds on the call's clock."""
        return self.turn.at


@dataclass(frozen=True, slots=True, kw_only=True)
class HappenedEntry:
    """What happened beside."""

    what: Literal["happened"] = "happened"
    kind: str
    at: float | None
    group: Group
    text: str
    bad: bool = False
    details: Sequence[tuple[str, str]] = ()
    """Name and text of what may be unfolded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerEntry:
    """Where the time of an answer went."""

    what: Literal["answer"] = "answer"
    at: float | None
    turn: int | None
    waited: float | None
    """Seconds from the end of the caller's speech; None of what was said unasked."""

    picture: WaterfallPicture


Entry = SaidEntry | HappenedEntry | AnswerEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStory:
    """A call, told."""

    entries: Sequence[Entry] = field(default_factory=tuple)
    """In the order in which they began."""

    answers: Sequence[AnswerEntry] = ()
    """Those that a caller waited for."""

    median: float | None = None
    """Of what callers waited, in seconds; None without an answer."""

    scale: Scale
    erased: bool = False
    """Whether the words of the call are no more."""


def story(events: Sequence[RecordedEvent], numbers: HiddenNumbers) -> CallStory:
    """Return what is told of a call. It takes a thread's time: linear in the lines.

    Args:
        events: Of the record, all of them.
        numbers: Hides numbers from those who may not see them.
    """
    lines = whole_replies(events)
    falls = [
        (one, found)
        for one in lines
        if one.kind == "timing" and (found := waterfall_of(one.fields))
    ]
    waited = [seconds for one, _ in falls for seconds in answer_time(one.fields)]
    scale = scale_of([found for _, found in falls], waited)
    answers = [_answer(one, found, scale) for one, found in falls]
    erased = _erased(lines)
    said = list(_said(numbers.events(events), lines, erased=erased))
    happened = [_happened(one, numbers) for one in lines if one.kind not in ELSEWHERE]
    entries: list[Entry] = [*said, *answers, *happened]
    return CallStory(
        entries=_in_order(entries),
        answers=[one for one in answers if one.waited is not None],
        median=median(waited) if waited else None,
        scale=scale,
        erased=erased,
    )


def _answer(event: RecordedEvent, found: Waterfall, scale: Scale) -> AnswerEntry:
    return AnswerEntry(
        at=found.zero,
        turn=whole(event.fields.get("turn")),
        waited=next(iter(answer_time(event.fields)), None),
        picture=scale.picture(found),
    )


def _erased(lines: Sequence[RecordedEvent]) -> bool:
    """Return whether lines of what was said have no text any more, and not just an empty one."""
    spoken = [one for one in lines if one.kind in ("caller", "agent")]
    return bool(spoken) and not any("text" in one.fields for one in spoken)


def _said(
    events: Sequence[RecordedEvent], lines: Sequence[RecordedEvent], *, erased: bool
) -> Iterator[SaidEntry]:
    callers = {
        (whole(one.fields.get("turn")), number(one.at)): one.fields
        for one in lines
        if one.kind == "caller"
    }
    for turn in conversation(events):
        fields = callers.get((turn.turn, turn.at), {}) if turn.who == "caller" else {}
        why = fields.get("decided")
        known: Mapping[str, Any] = why if isinstance(why, Mapping) else {}
        yield SaidEntry(
            turn=turn,
            sentences=_sentences(turn),
            because=because(known),
            weighed=list(weighed(known)),
            to_others=fields.get("to") == "others",
            told_by=str(fields.get("told_by", "")),
            erased=erased,
        )


def _sentences(turn: SpokenTurn) -> list[SpokenPart]:
    """Return a turn in its sentences, as far as their times are known; together they are it all."""
    told = " ".join(turn.text.split())
    found: list[SpokenPart] = []
    done, at = 0, turn.at
    for one in turn.sentences:
        sentence = " ".join(one.text.split())
        done += told[done : done + 1] == " "
        if not sentence or not told.startswith(sentence, done):
            break
        found.append(SpokenPart(text=sentence, at=one.at, until=one.until))
        at, done = one.until, done + len(sentence)
    if rest := told[done:].strip():
        found.append(SpokenPart(text=rest, at=at, until=turn.until))
    return found


def _happened(event: RecordedEvent, numbers: HiddenNumbers) -> HappenedEntry:
    fields, shown, details = event.fields, event, []
    if event.kind == "tool":
        details = [
            (name, numbers.written(_data(fields[name])))
            for name in ("arguments", "result")
            if fields.get(name) not in (None, "", {}, [])
        ]
        kept = {name: fields[name] for name in fields if name not in ("arguments", "result")}
        shown = RecordedEvent(id=event.id, kind=event.kind, at=event.at, fields=kept)
    failed = fields.get("status") == "failed" and event.kind in ("tool", "transfer", "recording")
    return HappenedEntry(
        kind=event.kind,
        at=number(event.at),
        group=GROUPS.get(event.kind, "call"),
        text=numbers.written(text(happening(shown)) or ""),
        bad=failed or GROUPS.get(event.kind) == "failures",
        details=details,
    )


def _data(value: object) -> str:
    """Return what a tool was given, or gave, to be read."""
    if isinstance(value, str):
        return text(value) or ""
    return text(json.dumps(value, ensure_ascii=False, indent=2)) or ""


def _in_order(entries: Sequence[Entry]) -> list[Entry]:
    """Return entries by their time; one without stays behind the one before it."""
    timed, last = [], 0.0
    for one in entries:
        last = one.at if one.at is not None else last
        timed.append((last, one))
    return [one for _, one in sorted(timed, key=lambda pair: pair[0])]
