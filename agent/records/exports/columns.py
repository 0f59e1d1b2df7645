"""The columns of tables: a row a call, or a row a turn. Both CSV and Parquet have these."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal, TypeAlias

from agent.records.conversation import answer_time, conversation
from agent.records.exports.pages import WholeCall
from agent.records.legs import price_of
from agent.records.values import flag, moment, number, text, whole

Kind = Literal["text", "number", "whole", "flag", "time"]

READ: Mapping[Kind, Callable[[object], Any]] = {
    "text": text,
    "number": number,
    "whole": whole,
    "flag": flag,
    "time": moment,
}
"""What makes a value of a kind of whatever a record holds; None where it is none."""

Row: TypeAlias = list[Any]
"""A value a column, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Of one table, in their order; names and kinds do not change within a major version."""

    kinds: Mapping[str, Kind]
    rows: Callable[[WholeCall], Iterator[Row]]
    """Returns the rows of a call."""


def _call_rows(call: WholeCall) -> Iterator[Row]:
    record, data = call.record, call.record.data
    ended, platform = _object(data.get("ended")), _object(data.get("platform"))
    turns = conversation(call.events)
    timings = (event.fields for event in call.events if event.kind == "timing")
    times = [seconds for timing in timings for seconds in answer_time(timing)]
    cost, currency = _cost(data.get("usage"))
    price, price_currency = price_of(data)
    yield _row(
        CALLS,
        {
            **{name: data.get(name) for name in CALLS.kinds},
            **{name: ended.get(name) for name in ("reason", "hung_up_by", "close_code")},
            "close_reason": ended.get("close_reason"),
            "id": record.id,
            "started": record.started,
            "ended": record.ended,
            "seconds": record.ended - record.started if record.ended is not None else None,
            "direction": record.direction,
            "agent": record.agent,
            "outcome": record.outcome,
            "disclosed": record.disclosed,
            "platform_result": platform.get("result"),
            "platform_reason": platform.get("reason"),
            "platform_seconds": platform.get("seconds"),
            "price": price,
            "price_currency": price_currency,
            "turns": sum(one.who == "caller" for one in turns),
            "barge_ins": sum(event.kind == "barge_in" for event in call.events),
            "response_time": median(times) if times else None,
            "cost": cost,
            "cost_currency": currency,
            "recording": _object(data.get("recording")).get("file"),
            "summary": _object(data.get("summary")).get("text"),
        },
    )


def _turn_rows(call: WholeCall) -> Iterator[Row]:
    for turn in conversation(call.events):
        given = {name: getattr(turn, name, None) for name in TURNS.kinds}
        began = call.record.started + turn.at if turn.at is not None else None
        yield _row(TURNS, {**given, "id": call.record.id, "time": began})


CALLS = Columns(
    kinds={
        "id": "text",
        "call_id": "text",
        "started": "time",
        "ended": "time",
        "seconds": "number",
        "direction": "text",
        "caller": "text",
        "called": "text",
        "agent": "text",
        "agent_version": "text",
        "language": "text",
        "outcome": "text",
        "reason": "text",
        "hung_up_by": "text",
        "close_code": "whole",
        "close_reason": "text",
        "disclosed": "text",
        "platform_result": "text",
        "platform_reason": "text",
        "platform_seconds": "number",
        "price": "number",
        "price_currency": "text",
        "turns": "whole",
        "barge_ins": "whole",
        "response_time": "number",
        "cost": "number",
        "cost_currency": "text",
        "recording": "text",
        "summary": "text",
    },
    rows=_call_rows,
)

TURNS = Columns(
    kinds={
        "id": "text",
        "turn": "whole",
        "who": "text",
        "text": "text",
        "time": "time",
        "at": "number",
        "until": "number",
        "response_time": "number",
        "said": "text",
        "cut_off": "flag",
        "unheard": "text",
        "language": "text",
        "confidence": "number",
    },
    rows=_turn_rows,
)


def _row(columns: Columns, values: Mapping[str, object]) -> Row:
    return [READ[kind](values.get(name)) for name, kind in columns.kinds.items()]


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _cost(usage: object) -> tuple[float | None, str | None]:
    """Return what providers were paid, if all of it is in one currency."""
    lines = [_object(one) for one in usage] if isinstance(usage, list) else []
    costs = [(number(one.get("cost")), text(one.get("currency"))) for one in lines]
    paid = [(cost, currency) for cost, currency in costs if cost is not None]
    if len({currency for _, currency in paid}) != 1:
        return None, None
    return sum(cost for cost, _ in paid), paid[0][1]
