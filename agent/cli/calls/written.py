"""The record of a call as a person reads it: line by line, from its first to its last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from agent.cli.calls.terminal import Terminal, clock, harmless, local_time, wrapped
from agent.cli.calls.waterfall import waterfall
from agent.records.conversation import answer_time
from agent.records.events import CallRecord, RecordedEvent
from agent.records.happenings import fields_of, happening
from agent.records.legs import LEGS, charged_legs, not_reached, price_of, told_in
from agent.records.values import number
from pipelines.text import words

INDENT = " " * 18
"""Before what belongs to a line."""


def heading(record: CallRecord, out: Terminal) -> Iterator[str]:
    """Yield what is known of a call before anything was said."""
    data = record.data
    yield out.paint(harmless(record.id), "bold")
    ended = f" to {local_time(record.ended)[-8:]}" if record.ended is not None else ", in progress"
    yield f"{record.direction} call, {local_time(record.started)}{ended}"
    parties = [
        ("caller", data.get("caller")),
        ("called", data.get("called")),
        ("agent", _agent(record)),
        ("platform's id", data.get("call_id")),
        ("dialled as", data.get("dialled")),
        ("language", data.get("language")),
        ("line-up", _line_up(data.get("lineup"))),
        ("headers", fields_of(data.get("headers"))),
    ]
    for name, value in parties:
        if value:
            yield f"  {name:14} {harmless(value)}"


class WrittenConversation:
    """Puts the lines of a record into words, in the order in which they are told.

    Of a reply whose sentences were told as they were heard, the line of it all is not told again.

    Args:
        out: Where they are printed.
    """

    def __init__(self, out: Terminal) -> None:
        self._out = out
        self._pieces: list[RecordedEvent] = []
        """Of the sentence that sounds: one that takes long comes in pieces."""

        self._heard = False
        """Whether something of the reply that sounds has been told."""

    def told(self, event: RecordedEvent) -> Iterator[str]:
        """Yield the lines for one of the record; there may be none."""
        fields = event.fields
        match event.kind:
            case "caller":
                yield from self._said("caller", event, fields.get("text"))
                yield from self._note(_decided(fields))
                yield from self._note(_addressed(fields))
            case "heard":
                self._pieces.append(event)
                if not fields.get("more"):
                    yield from self._sentence()
            case "agent":
                yield from self._reply(event)
            case "timing":
                yield from self._waterfall(fields)
            case "call" | "usage" | "wanted" | "understood":
                return
            case "leg" if not {"result", "disclosed"} & fields.keys():
                return  # whom we dial is told by other lines
            case _:
                yield from self._happened(event)

    def _reply(self, event: RecordedEvent) -> Iterator[str]:
        """Tell of a reply that is over."""
        yield from self._sentence()
        if not self._heard:
            yield from self._said("agent", event, event.fields.get("text") or "(nothing heard)")
        self._heard = False
        yield from self._note(_unheard(event.fields))

    def _sentence(self) -> Iterator[str]:
        """Tell what was heard of a sentence."""
        if self._pieces:
            text = words.joined(str(one.fields.get("text", "")) for one in self._pieces)
            yield from self._said("agent", self._pieces[0], text)
            self._pieces, self._heard = [], True

    def _said(self, who: str, event: RecordedEvent, text: object) -> Iterator[str]:
        colour = "cyan" if who == "caller" else "green"
        prefix = f"{clock(event.at):>8}  {who:6}  "
        room = None if self._out.columns is None else self._out.columns - len(INDENT)
        for at, line in enumerate(wrapped(harmless(text or ""), room)):
            yield f"{INDENT if at else self._out.paint(prefix, colour)}{line}"

    def _note(self, text: str) -> Iterator[str]:
        if text:
            yield from self._below(f"({harmless(text)})")

    def _below(self, text: str) -> Iterator[str]:
        room = None if self._out.columns is None else self._out.columns - len(INDENT)
        for line in wrapped(text, room):
            yield f"{INDENT}{self._out.paint(line, 'dim')}"

    def _waterfall(self, timing: Mapping[str, Any]) -> Iterator[str]:
        bars = list(waterfall(timing, self._out))
        if waited := answer_time(timing):
            yield f"{INDENT}{self._out.paint(f'answered after {waited[0]:.2f} s', 'dim')}"
        yield from (f"{INDENT}  {self._out.paint(bar, 'dim')}" for bar in bars)

    def _happened(self, event: RecordedEvent) -> Iterator[str]:
        if event.kind == "ended":
            yield from self._sentence()
        colour = "red" if event.kind in ("failed", "failover", "dropped") else "yellow"
        prefix = f"{clock(event.at):>8}  {'·':6}  "
        room = None if self._out.columns is None else self._out.columns - len(INDENT)
        for at, line in enumerate(wrapped(harmless(happening(event)), room)):
            yield f"{INDENT if at else prefix}{self._out.paint(line, colour)}"


def ending(record: CallRecord, out: Terminal) -> Iterator[str]:
    """Yield what is known of a call once it is over: its outcome, what it has used and cost."""
    if record.ended is None:
        return
    seconds = clock(record.ended - record.started)
    yield out.paint(f"{record.outcome} after {seconds}", "bold")
    for where, to, how in told_in(record.data, record.disclosed):
        who = f"{where} {to}".rstrip()
        yield harmless(f"  told that a machine talks, {who}: {how}")
    used = record.data.get("usage")
    cost: Counter[str] = Counter()
    for one in used if isinstance(used, list) else ():
        if not isinstance(one, dict):
            continue
        about = {key: one[key] for key in one if key not in ("stage", "provider")}
        who = f"{harmless(one.get('stage', '')):4} {harmless(one.get('provider', ''))}"
        yield f"  {who}: {harmless(fields_of(about))}"
        if isinstance(one.get("cost"), int | float):
            cost[harmless(one.get("currency", ""))] += one["cost"]
    for currency, amount in cost.items():
        yield f"  all providers together: {amount:.4f} {currency}"
    yield from _phones(record.data)


def _phones(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the platform tells and charges: of each leg, and together if they are several."""
    legs = list(charged_legs(data))
    for leg in legs if len(legs) > 1 else filter(_has_price, legs):
        what = LEGS.get(str(leg.get("what")), "the phone")
        which = f": {what} {leg.get('to') or ''}".rstrip() if len(legs) > 1 else ""
        who = f"telephone line{which}"
        told = [result] if (result := not_reached(leg)) else []
        told.append(f"{number(leg.get('seconds')) or 0.0:g} s")
        if _has_price(leg):
            told.append(f"{leg['amount']:.4f} {leg.get('currency') or ''}")
        yield f"  {harmless(who)}: {harmless(', '.join(told))}"
    amount, currency = price_of(data)
    if amount is not None and sum(map(_has_price, legs)) > 1:
        yield f"  all telephone lines together: {amount:.4f} {harmless(currency)}"


def _has_price(leg: Mapping[str, Any]) -> bool:
    return number(leg.get("amount")) is not None


def _agent(record: CallRecord) -> str:
    version = record.data.get("agent_version")
    return f"{record.agent} (version {str(version)[:12]})" if version else record.agent


def _line_up(given: object) -> str:
    if not isinstance(given, dict):
        return ""
    return ", ".join(
        f"{stage} {' or '.join(map(str, who)) if isinstance(who, list) else who}"
        for stage, who in given.items()
    )


_DECIDED = (
    ("silence", "after {:.2f} s of silence", 1),
    ("probability", "the turn model heard an end by {:.0f} %", 100),
    ("complete", "the text was whole by {:.0f} %", 100),
    ("words", "words: {}", 0),
    ("expected", "asked for: {}", 0),
    ("extra", "{:.2f} s more for this caller's pauses", 1),
    ("late", "{:.2f} s of it for the words", 1),
)
"""What of ``decided`` is told, how, and times what a number is."""


def _decided(fields: Mapping[str, Any]) -> str:
    """Return what ended the turn, in a line; ``""`` if that is not known."""
    decided = fields.get("decided")
    if not isinstance(decided, Mapping) or not decided.get("by"):
        return ""
    told = []
    for name, text, times in _DECIDED:
        value = decided.get(name)
        if isinstance(value, int | float) and times:
            if name in ("extra", "late") and not round(value, 2):
                continue
            told.append(text.format(value * times))
        elif isinstance(value, str) and value and not times:
            told.append(text.format(value))
    if decided["by"] == "silence" and len(told) < 2:
        return ""  # nothing else was known, as ever without drafts and a turn model
    return f"end of turn by {decided['by']}" + (f": {', '.join(told)}" if told else "")


def _addressed(fields: Mapping[str, Any]) -> str:
    """Return to whom of several a caller said it, and what told that; ``""`` if nobody asked."""
    by = f", told by {clue}" if (clue := str(fields.get("told_by", ""))) else ""
    if fields.get("to") == "others":
        return f"to others on the line, not answered{by}"
    return f"to the agent{by}" if by else ""


def _unheard(fields: Mapping[str, Any]) -> str:
    if unheard := fields.get("unheard"):
        return f"cut off; not heard: {unheard}"
    return "cut off" if fields.get("cut_off") else ""
