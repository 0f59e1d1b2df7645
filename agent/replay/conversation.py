"""A conversation, as it was heard: what is measured of it, the same for then and now."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from agent.records.conversation import conversation
from agent.records.events import RecordedEvent
from agent.replay.caller_turns import GAP, stretches
from agent.simulator.stretches import Frames
from pipelines.audio import FRAME_SECONDS

DEAD_AIR = 2.0
"""Seconds of waiting for an answer after which a caller wonders whether anybody is there: from when
a filler is said (``turns.filler_after``)."""

COLLISION = 1.0
"""Seconds after the agent's first word within which the caller goes on because they had not
finished: whoever hears "Hello?" over their own pause does so sooner than they would interrupt."""

PAUSE = 2.0
"""Seconds of the caller's silence in which the agent may have taken a pause for the end."""

SLACK = 0.5
"""Seconds by which the record may have a turn begin before its first voice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredConversation:
    """Who was heard when, in 20 ms frames from the answer on, and what the record has of it."""

    caller: Frames
    agent: Frames
    turns: tuple[tuple[int, int], ...]
    """From where to where each turn of the caller's is: the same ones then and now, in order."""

    events: Sequence[RecordedEvent]
    frames: int
    """How long it was."""


def happened(lines: Sequence[Mapping[str, Any]]) -> list[RecordedEvent]:
    """Return the lines of a record in memory as they would be stored."""
    return [
        RecordedEvent(
            id=number,
            kind=str(line["kind"]),
            at=line.get("at"),
            fields={name: value for name, value in line.items() if name not in ("kind", "at")},
        )
        for number, line in enumerate(lines)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredAnswer:
    """What came after a turn of the caller's. Seconds."""

    response: float | None
    """From their last sound to the agent's first; None if there was none, or it was no answer: the
    agent was speaking already, or went on after a false alarm."""

    missed: bool
    """Whether nothing came, and they waited."""

    silence: float
    """From their last sound to the next of either."""

    cut_ins: int
    """Times that the agent began before they had finished."""


def answers(talk: MeasuredConversation) -> list[MeasuredAnswer]:
    """Return what came after each turn, in order."""
    resumed = sorted(one.at for one in talk.events if one.kind == "resumed" and one.at is not None)
    begins = [began for began, _ in stretches(talk.agent, GAP)]
    starts = [began for began, _ in talk.turns[1:]]
    found: list[MeasuredAnswer] = []
    for (began, ended), following in zip_longest(talk.turns, starts):
        until = talk.frames if following is None else following
        after = np.flatnonzero(talk.agent[ended : max(ended, until)])
        silence = (int(after[0]) if len(after) else max(0, until - ended)) * FRAME_SECONDS
        first = ended * FRAME_SECONDS + silence
        speaking = talk.agent[max(0, ended - 1) : ended + 1].any()
        no_answer = speaking or _any_between(resumed, began * FRAME_SECONDS, first + GAP)
        cut_ins = bisect_left(begins, ended) - bisect_right(begins, began)
        if following is not None:
            cut_ins += _collided(begins, ended, following)
        found.append(
            MeasuredAnswer(
                response=silence if len(after) and not no_answer else None,
                missed=not len(after) and silence >= DEAD_AIR,
                silence=silence,
                cut_ins=cut_ins,
            )
        )
    return found


def _any_between(times: Sequence[float], first: float, last: float) -> bool:
    """Return whether any of ``times``, in their order, is within."""
    return bisect_left(times, first) < bisect_right(times, last)


def _collided(begins: Sequence[int], ended: int, following: int) -> bool:
    """Return whether the agent began in a pause of the caller's, who went on at once."""
    late = following - round(COLLISION / FRAME_SECONDS)
    early = ended + round(PAUSE / FRAME_SECONDS)
    return _any_between(begins, max(ended, late) + 1, min(following, early) - 1)


def figures(talk: MeasuredConversation) -> dict[str, float | None]:
    """Return what is measured of a conversation, by name; None for what is not known of it."""
    found = answers(talk)
    responses = [one.response for one in found if one.response is not None]
    known = bool(talk.events)
    measured: dict[str, float | None] = {
        "response": float(np.median(responses)) if responses else None,
        "slowest": max(responses, default=None),
        "cut_ins": sum(one.cut_ins for one in found),
        "missed": sum(one.missed for one in found),
        "dead_air": sum(max(0.0, one.silence - DEAD_AIR) for one in found),
        "seconds": talk.frames * FRAME_SECONDS,
    }
    counted: dict[str, float | None] = {
        "false_stops": _count(talk.events, "resumed"),
        "interrupted": sum(
            one.kind == "agent" and bool(one.fields.get("cut_off")) for one in talk.events
        ),
        "failures": _count(talk.events, "failed"),
        "failovers": _count(talk.events, "failover"),
        "failed_tools": sum(
            one.kind == "tool" and one.fields.get("status") == "failed" for one in talk.events
        ),
        "turns": _count(talk.events, "caller"),
        **_usage(talk.events),
    }
    return measured | {name: value if known else None for name, value in counted.items()}


def _count(events: Sequence[RecordedEvent], kind: str) -> int:
    return sum(one.kind == kind for one in events)


def _usage(events: Sequence[RecordedEvent]) -> dict[str, float | None]:
    # What was made of a call afterwards is no part of it, and a replay makes nothing of it.
    used = [one.fields for one in events if one.kind == "usage" and "for" not in one.fields]
    tokens = [
        float(one[name]) for one in used for name in ("tokens_in", "tokens_out") if name in one
    ]
    costs = [float(one["cost"]) for one in used if "cost" in one]
    return {"tokens": sum(tokens) if tokens else None, "cost": sum(costs) if costs else None}


def ended_by(events: Sequence[RecordedEvent]) -> str:
    """Return why a conversation ended; ``""`` if that is not known."""
    return next((str(one.fields.get("reason", "")) for one in events if one.kind == "ended"), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredLine:
    """A line of a conversation."""

    at: float
    who: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnAndAnswer:
    """A turn of the caller's and what came of it; the first has what came before any."""

    lines: tuple[MeasuredLine, ...]
    answer: MeasuredAnswer | None
    """None where there is no turn."""

    @property
    def caller_text(self) -> str:
        """What they said."""
        return " ".join(one.text for one in self.lines if one.who == "caller")


def exchanges(talk: MeasuredConversation) -> list[TurnAndAnswer]:
    """Return a conversation turn by turn."""
    begins = [began * FRAME_SECONDS for began, _ in talk.turns]
    lines: list[list[MeasuredLine]] = [[] for _ in range(len(begins) + 1)]
    for one in _spoken(talk.events):
        slack = SLACK if one.who == "caller" else 0.0
        lines[bisect_right(begins, one.at + slack)].append(one)
    found: list[MeasuredAnswer | None] = [None, *answers(talk)]
    return [
        TurnAndAnswer(lines=tuple(sorted(theirs, key=lambda one: one.at)), answer=answer)
        for theirs, answer in zip(lines, found, strict=True)
    ]


def _spoken(events: Sequence[RecordedEvent]) -> Iterator[MeasuredLine]:
    for said in conversation(events):
        cut = " --" if said.cut_off else ""
        yield MeasuredLine(at=said.at or 0.0, who=said.who, text=f"{said.text}{cut}")
    for one in events:
        at, fields = one.at or 0.0, one.fields
        match one.kind:
            case "tool":
                text = f"({fields.get('name')}: {fields.get('status')})"
                yield MeasuredLine(at=at, who="tool", text=text)
            case "failed":
                yield MeasuredLine(at=at, who="failure", text=f"({fields.get('stage')} failed)")
            case "transfer":
                text = f"(transfer to {fields.get('to')}: {fields.get('status')})"
                yield MeasuredLine(at=at, who="transfer", text=text)
