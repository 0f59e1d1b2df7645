"""What stands at the head of a call's page: who, when, how it ended, what it has cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.console.hidden_numbers import HiddenNumbers
from agent.records.access_log import RecordAccess
from agent.records.events import CallRecord, RecordedEvent
from agent.records.exports.captions import recording_began
from agent.records.happenings import fields_of
from agent.records.legs import LEGS, charged_legs, not_reached, told_in
from agent.records.recordings.kept import recording_of
from agent.records.values import iso, number, text

STAGES = {"stt": "speech to text", "llm": "language model", "tts": "text to speech"}

MOST_LOOKS = 20
"""Rows of who has looked: the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPart:
    """What one of those who were asked has done, and what that costs."""

    who: str
    did: str
    amount: float | None
    """None if there is no price for it."""

    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCost:
    """What a call has cost."""

    sums: Sequence[tuple[float, str]]
    """An amount for each currency; empty if nothing has a price."""

    parts: Sequence[CostPart]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRecording:
    """The recording of a call, as far as its record tells."""

    file: str
    """``""`` if there is none."""

    began: float
    """When its first sample is heard, on the call's clock."""

    why: str
    """Why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Somebody who has looked at the record, in one way."""

    who: str
    what: str
    times: int
    last: str
    """ISO 8601."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHead:
    """What is known of a call as a whole. Texts that are not known are ``""``."""

    id: str
    name: str
    """Ours, by which it is found while it is in progress."""

    direction: str
    caller: str
    called: str
    agent: str
    version: str
    started: str
    """ISO 8601."""

    seconds: float | None
    """None while it is in progress."""

    outcome: str
    hung_up_by: str
    reason: str
    language: str
    lineup: Sequence[tuple[str, str]]
    """What for, and who."""

    facts: Sequence[tuple[str, str]]
    """Name and value of whatever else is known."""

    cost: CallCost
    summary: str
    fields: Sequence[tuple[str, str]]
    missing: Sequence[tuple[str, str]]


def head_of(record: CallRecord, numbers: HiddenNumbers) -> CallHead:
    """Return what stands at the head of the page."""
    data = record.data
    ended, made = _object(data.get("ended")), _object(data.get("summary"))
    known = record.ended is not None
    return CallHead(
        id=record.id,
        name=text(data.get("dialled")) or text(data.get("call_id")) or "",
        direction=record.direction,
        caller=numbers.number(data.get("caller")),
        called=numbers.number(data.get("called")),
        agent=record.agent,
        version=(text(data.get("agent_version")) or "")[:12],
        started=iso(record.started) or "",
        seconds=max(0.0, (record.ended or 0.0) - record.started) if known else None,
        outcome=record.outcome,
        hung_up_by=text(ended.get("hung_up_by")) or "",
        reason=numbers.written(text(ended.get("reason")) or ""),
        language=text(data.get("language")) or "",
        lineup=list(_lineup(data.get("lineup"))),
        facts=[*_facts(data, numbers), *_told(record, numbers)],
        cost=_cost(data, numbers),
        summary=numbers.said(text(made.get("text")) or ""),
        fields=_named(made.get("fields"), numbers),
        missing=_named(made.get("missing"), numbers),
    )


def parties_in(
    events: Sequence[RecordedEvent], numbers: HiddenNumbers
) -> Sequence[tuple[str, str]]:
    """Return whom the record has on a line of several, in order: a title, and how it stands.

    That is the last that is told of each, and why if they were not reached; without a title they
    are numbered.
    """
    titles: dict[str, str] = {}
    standing: dict[str, str] = {}
    for one in events:
        if one.kind != "party":
            continue
        party = text(one.fields.get("party")) or ""
        title = numbers.written(text(one.fields.get("title")) or "")
        titles[party] = title or titles.get(party, "")
        why = text(one.fields.get("why"))
        standing[party] = (text(one.fields.get("status")) or "") + (f" ({why})" if why else "")
    return [
        (titles[party] or f"party {place}", status)
        for place, (party, status) in enumerate(standing.items(), 1)
    ]


def recording_in(record: CallRecord, events: Sequence[RecordedEvent]) -> KeptRecording:
    """Return what the record of a call tells of its recording."""
    file, _ = recording_of(record.data, events)
    began = recording_began(events) or 0.0
    lines = [one.fields for one in events if one.kind == "recording"]
    last = lines[-1] if lines else {}
    if not lines:
        why = (
            "The call was not recorded. Calls are recorded if the setting recording.calls is on, "
            "or the agent's file says record: true."
        )
    elif last.get("deleted"):
        why = "The caller declined to be recorded, and nothing was kept."
    elif not file:
        why = "The recording is no more: it was kept for as long as was set, or was erased."
    elif record.ended is None:
        why = "The call is in progress: its recording can be heard once it is over."
    else:
        return KeptRecording(file=file, began=began, why="")
    return KeptRecording(file="", began=began, why=why)


def looks_of(accesses: Sequence[RecordAccess]) -> list[Look]:
    """Return who has looked, each way of each of them once, the latest first."""
    times = Counter((one.who, one.what) for one in accesses)
    last: dict[tuple[str, str], float] = {}
    for one in accesses:
        last.setdefault((one.who, one.what), one.at)
    return [
        Look(who=who, what=what, times=times[who, what], last=iso(at) or "")
        for (who, what), at in list(last.items())[:MOST_LOOKS]
    ]


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _named(value: object, numbers: HiddenNumbers) -> list[tuple[str, str]]:
    return [(str(name), numbers.written(_shown(one))) for name, one in _object(value).items()]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return "" if value is None else text(str(value)) or ""


def _lineup(given: object) -> Iterator[tuple[str, str]]:
    for stage, who in _object(given).items():
        names = " or ".join(map(str, who)) if isinstance(who, list) else str(who)
        yield STAGES.get(stage, stage.replace("_", " ")), names


def _facts(data: Mapping[str, Any], numbers: HiddenNumbers) -> Iterator[tuple[str, str]]:
    platform = _object(data.get("platform"))
    known = (
        ("platform's id", text(data.get("call_id"))),
        ("dialled as", text(data.get("dialled"))),
        ("application", text(data.get("application"))),
        ("headers", numbers.written(fields_of(data.get("headers")))),
        (
            "the platform says",
            " ".join(filter(None, (text(platform.get("result")), text(platform.get("reason"))))),
        ),
        ("sample rate", f"{rate:,.0f} Hz" if (rate := number(data.get("rate"))) else None),
    )
    yield from ((name, value) for name, value in known if value)


def _told(record: CallRecord, numbers: HiddenNumbers) -> Iterator[tuple[str, str]]:
    """Yield who was told that a machine talks, and whether."""
    for where, to, how in told_in(record.data, record.disclosed):
        who = " ".join(filter(None, (where, numbers.number(to))))
        yield f"told of a machine, {who}", how


def _cost(data: Mapping[str, Any], numbers: HiddenNumbers) -> CallCost:
    used = data.get("usage")
    parts = [
        _provider(one) for one in (used if isinstance(used, list) else ()) if isinstance(one, dict)
    ]
    legs = list(charged_legs(data))
    parts += [_phone(leg, numbers, named=len(legs) > 1) for leg in legs]
    sums: dict[str, float] = {}
    for one in parts:
        if one.amount is not None:
            sums[one.currency] = sums.get(one.currency, 0.0) + one.amount
    return CallCost(sums=[(amount, currency) for currency, amount in sums.items()], parts=parts)


def _phone(leg: Mapping[str, Any], numbers: HiddenNumbers, *, named: bool) -> CostPart:
    """Return what the platform has done by one leg: of several, it is said which."""
    seconds = number(leg.get("seconds"))
    lasted = f"{seconds:g} s" if seconds is not None else ""
    which = LEGS.get(text(leg.get("what")) or "", "the phone") if named else ""
    to = numbers.number(leg.get("to")) if named else ""
    return CostPart(
        who=": ".join(filter(None, ("telephone line", " ".join(filter(None, (which, to)))))),
        did=", ".join(filter(None, (not_reached(leg), lasted))),
        amount=number(leg.get("amount")),
        currency=text(leg.get("currency")) or "",
    )


def _provider(line: Mapping[str, Any]) -> CostPart:
    stage = text(line.get("stage")) or ""
    told = {
        name.replace("_", " "): value
        for name, value in line.items()
        if name not in ("stage", "provider", "cost", "currency", "for", "kind") and value
    }
    what_for = " (summary)" if line.get("for") == "summary" else ""
    return CostPart(
        who=f"{text(line.get('provider')) or ''}, {STAGES.get(stage, stage)}{what_for}",
        did=fields_of(told),
        amount=number(line.get("cost")),
        currency=text(line.get("currency")) or "",
    )
