"""What was said in a call, in the order in which it was: made of the lines of its record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from agent.records.events import RecordedEvent
from agent.records.understood import with_understood
from agent.records.values import flag, number, text, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedPart:
    """A piece of speech; times are seconds on the call's clock, None if they are not known."""

    text: str
    at: float | None
    until: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedTurn:
    """What one side said at a stretch. What is not known is None."""

    turn: int | None
    who: Literal["caller", "agent"]
    text: str
    """Of the agent, what was heard of it."""

    at: float | None
    until: float | None
    said: str | None = None
    """What it was of the agent's: a greeting, an answer; ``filler`` while one was late."""

    cut_off: bool | None = None
    unheard: str | None = None
    response_time: float | None = None
    """Seconds from the end of the caller's speech to the first sound of the agent's answer."""

    language: str | None = None
    confidence: float | None = None
    sentences: Sequence[ExportedPart] = field(default=())
    """Of the agent, as each was heard; the last may be missing, where it was cut off."""


def spoken_turns(events: Iterable[RecordedEvent]) -> list[ExportedTurn]:
    """Return the turns of a call by the time at which they began.

    Of a reply that has no end yet, or whose process has died, there are the sentences that were
    heard.
    """
    sentences: dict[int | None, list[ExportedPart]] = {}
    times: dict[int | None, float] = {}
    lines = []
    for event in with_understood(list(events)):
        turn = whole(event.fields.get("turn"))
        if event.kind == "heard":
            sentences.setdefault(turn, []).append(_spoken(event))
        elif event.kind == "timing" and (seconds := _response_time(event)) is not None:
            times[turn] = seconds
        elif event.kind in ("caller", "agent", "filler"):
            lines.append((turn, event))
    found = [_turn(turn, event, times, sentences) for turn, event in lines]
    whole_replies = {one.turn for one in found if one.who == "agent" and one.said != "filler"}
    found += _unfinished(
        {turn: heard for turn, heard in sentences.items() if turn not in whole_replies}, times
    )
    # What has no time stands where it was written: the sort is stable, and takes the last known.
    return [one for _, one in sorted(_timed(found), key=lambda pair: pair[0])]


def _turn(
    turn: int | None,
    event: RecordedEvent,
    times: dict[int | None, float],
    sentences: dict[int | None, list[ExportedPart]],
) -> ExportedTurn:
    spoken, fields = _spoken(event), event.fields
    if event.kind == "caller":
        return ExportedTurn(
            turn=turn,
            who="caller",
            text=spoken.text,
            at=spoken.at,
            until=spoken.until,
            language=text(fields.get("language")),
            confidence=number(fields.get("confidence")),
        )
    filler = event.kind == "filler"
    return ExportedTurn(
        turn=turn,
        who="agent",
        text=spoken.text,
        at=spoken.at,
        until=spoken.until,
        said="filler" if filler else text(fields.get("said")),
        cut_off=flag(fields.get("cut_off")),
        unheard=text(fields.get("unheard")),
        response_time=None if filler else times.get(turn),
        sentences=() if filler else tuple(sentences.get(turn, ())),
    )


def _unfinished(
    sentences: dict[int | None, list[ExportedPart]], times: dict[int | None, float]
) -> Iterator[ExportedTurn]:
    for turn, heard in sentences.items():
        yield ExportedTurn(
            turn=turn,
            who="agent",
            text=" ".join(one.text for one in heard),
            at=heard[0].at,
            until=heard[-1].until,
            response_time=times.get(turn),
            sentences=tuple(heard),
        )


def _timed(turns: Iterable[ExportedTurn]) -> Iterator[tuple[float, ExportedTurn]]:
    last = 0.0
    for one in turns:
        last = one.at if one.at is not None else last
        yield last, one


def _spoken(event: RecordedEvent) -> ExportedPart:
    return ExportedPart(
        text=text(event.fields.get("text")) or "",
        at=number(event.at),
        until=number(event.fields.get("until")),
    )


def _response_time(event: RecordedEvent) -> float | None:
    ended, heard = number(event.fields.get("speech_end")), number(event.fields.get("heard"))
    return heard - ended if ended is not None and heard is not None else None
