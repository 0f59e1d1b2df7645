"""The record of a call as a person reads it: line by line, from its first to its last."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from agent.cli.calls.terminal import Terminal, clock, harmless, local_time, wrapped
from agent.cli.calls.waterfall import waterfall
from agent.records.conversation import answer_time
from agent.records.events import CallRecord, RecordedEvent
from pipelines.text import words

INDENT = " " * 18
"""Before what belongs to a line."""

HAPPENINGS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "held": (
        ("stopped, because the caller began to speak", "", ""), (" (", "left", " s were left)"),
    ),
    "resumed": (
        ("went on", "", ""), (": ", "by", ""), (", ", "below", " dB below the caller"),
        (", at ", "level", " dBFS"), (" (silent for ", "after", " s)"),
    ),
    "barge_in": (("talked over, the reply was dropped", "", ""), (": ", "by", "")),
    "backchannel": (
        ("heard meanwhile, not answered: ", "text", ""),
        (" (somebody else, ", "below", " dB below the caller)"),
        (" (somebody else, at ", "level", " dBFS)"),
    ),
    "filler": (("said meanwhile: ", "text", ""),),
    "tool": (
        ("tool ", "name", ""), ("(", "arguments", ")"), (" ", "status", ""),
        (" in ", "seconds", " s"), (": ", "result", ""),
    ),
    "failover": (
        ("", "stage", ": "), ("", "provider", " failed"), (" (", "error", ")"), (" ", "reason", ""),
        ("; ", "to", " took over"),
    ),
    "failed": (
        ("", "stage", " failed, and the reply was lost"), (" (", "error", ")"), (" ", "reason", ""),
    ),
    "transfer": (("transfer", "", ""), (" to ", "to", ""), (": ", "status", "")),
    "whisper": (("whispered to the agent", "", ""), (" by ", "by", ""), (": ", "text", "")),
    "recording": (("recording ", "status", ""), (": ", "file", "")),
    "ended": (
        ("the call ended: ", "reason", ""), (" (hung up by ", "hung_up_by", ")"),
        (", close code ", "close_code", ""), (" ", "close_reason", ""),
    ),
    "platform": (
        ("the platform says: ", "result", ""), (" ", "reason", ""), (", ", "seconds", " s"),
        (", ", "amount", ""), (" ", "currency", ""),
    ),
    "summary": (
        ("summary", "", ""), (": ", "text", ""), (" ", "fields", ""),
        ("; missing: ", "missing", ""),
    ),
    "dropped": (("", "lines", " lines could not be written before this one"),),
}  # fmt: skip
"""By kind of line, what it says: fields that are known, each between two texts."""

REASONS: Mapping[tuple[str, str], str] = {
    ("resumed", "backchannel"): "it was a listener's word",
    ("resumed", "noise"): "there were no words in it",
    ("resumed", "background"): "it was somebody else",
    ("resumed", "late"): "what it was came too late",
    ("resumed", "greeting"): "it was a greeting",
    ("barge_in", "words"): "these words want an answer",
    ("barge_in", "length"): "they spoke for long",
    ("barge_in", "keys"): "they pressed keys",
    ("barge_in", "answer"): "they answer the question",
    ("barge_in", "end of ours"): "hardly any of it was left",
}
"""What decided on a sound over the agent's words, by the kind of line and its ``by``."""


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
        ("headers", _fields(data.get("headers"))),
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
        for at, line in enumerate(wrapped(harmless(_happening(event)), room)):
            yield f"{INDENT if at else prefix}{self._out.paint(line, colour)}"


def ending(record: CallRecord, out: Terminal) -> Iterator[str]:
    """Yield what is known of a call once it is over: its outcome, what it has used and cost."""
    if record.ended is None:
        return
    seconds = clock(record.ended - record.started)
    yield out.paint(f"{record.outcome} after {seconds}", "bold")
    used = record.data.get("usage")
    cost: Counter[str] = Counter()
    for one in used if isinstance(used, list) else ():
        if not isinstance(one, dict):
            continue
        about = {key: one[key] for key in one if key not in ("stage", "provider")}
        who = f"{harmless(one.get('stage', '')):4} {harmless(one.get('provider', ''))}"
        yield f"  {who}: {harmless(_fields(about))}"
        if isinstance(one.get("cost"), int | float):
            cost[harmless(one.get("currency", ""))] += one["cost"]
    for currency, amount in cost.items():
        yield f"  all providers together: {amount:.4f} {currency}"


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


def _fields(given: object) -> str:
    if not isinstance(given, Mapping):
        return ""
    return ", ".join(f"{key} {value}" for key, value in given.items() if value not in (None, ""))


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
            told.append(text.format(value * times))
        elif isinstance(value, str) and value and not times:
            told.append(text.format(value))
    if decided["by"] == "silence" and len(told) < 2:
        return ""  # nothing else was known, as ever without drafts and a turn model
    return f"end of turn by {decided['by']}" + (f": {', '.join(told)}" if told else "")


def _unheard(fields: Mapping[str, Any]) -> str:
    if unheard := fields.get("unheard"):
        return f"cut off; not heard: {unheard}"
    return "cut off" if fields.get("cut_off") else ""


def _happening(event: RecordedEvent) -> str:
    """Return one sentence about what happened; of a kind that is not known here, its fields."""
    parts = HAPPENINGS.get(event.kind)
    if parts is None:
        return f"{event.kind}: {_fields(event.fields)}"
    said = []
    for before, name, behind in parts:
        value = event.fields.get(name) if name else ""
        if name == "by":
            value = REASONS.get((event.kind, str(value)), value)
        if not name or value not in (None, "", [], {}):
            written = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
            said.append(f"{before}{written}{behind}")
    return "".join(said)
