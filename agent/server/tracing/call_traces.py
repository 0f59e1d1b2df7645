"""Spans, made of the lines of records as these are written.

- ``call``, from the answer to the end; what happens to replies and providers are its events
- ``turn``, from the caller's first word to the last that was heard of the answer
- the stages of a turn, as far as its ``timing`` line tells them: ``speech_to_text`` from the end of
  speech to the transcript, ``chat`` from there to the first sentence, ``text_to_speech`` from there
  to the first audio; and each tool

Names are those of OpenTelemetry's conventions for generative AI
(https://opentelemetry.io/docs/specs/semconv/gen-ai/) as of 1.41, which call none of this stable.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from secrets import randbits
from typing import Any, Literal

from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context

from agent.records.stored_records import outcome_of
from agent.records.values import began_at, number, text, whole
from pipelines.providers.contracts import Stage

MOST_CALLS = 5_000
"""Calls of which lines have come, and not the last: those whose last line was lost among them."""

MOST_TURNS = 4
"""Turns of a call that may be incomplete: the caller's words, the answer and its tools are lines of
their own, and the next turn may begin before."""

LONGEST_TEXT = 8_000
"""Characters of a text in a span."""

EVENTS = {
    "held": (),
    "resumed": ("by", "after"),
    "barge_in": ("by",),
    "filler": (),
    "failover": ("stage", "provider", "to", "error"),
    "failed": ("stage", "error"),
    "transfer": ("to", "status"),
}
"""Lines that are events of the call, with what of them is told: no words."""

OPERATIONS: Mapping[Stage, str] = {
    "stt": "speech_to_text",
    "llm": "chat",
    "tts": "text_to_speech",
}
"""Of these, the conventions know ``chat``."""

TRACE = re.compile("[0-9a-f]{32}")

Value = str | int | float | bool
Fields = Mapping[str, Any]


class GivenIds(IdGenerator):
    """Gives the next trace the id that stands in the record of its call. Used in one thread."""

    def __init__(self) -> None:
        self._trace = self._root = 0

    def begin(self, trace: str) -> None:
        """Have the next span be the first of that trace."""
        self._trace, self._root = int(trace, 16), int(root_of(trace), 16)

    def generate_trace_id(self) -> int:
        """Return the trace of the call whose span begins now."""
        return self._trace

    def generate_span_id(self) -> int:
        """Return one that is not 0, which is none."""
        root, self._root = self._root, 0
        return root or randbits(64) or 1

    def is_trace_id_random(self) -> bool:
        """Whether its bits are: see :func:`new_trace`."""
        return True


def new_trace() -> str:
    """Return an id of a trace: 32 digits, as records and logs have it."""
    return f"{randbits(128) or 1:032x}"


def root_of(trace: str) -> str:
    """Return the id that the span of a whole call has: known before there is one."""
    return trace[16:]


@dataclass(slots=True)
class _Turn:
    """The lines of one turn, until it is complete."""

    lines: dict[str, Fields] = field(default_factory=dict)
    """The first of each kind."""

    tools: list[Fields] = field(default_factory=list)
    providers: Mapping[str, str] = field(default_factory=dict)
    """Who did each stage, as of its times."""


@dataclass(slots=True, kw_only=True)
class _Traced:
    """A call in progress."""

    span: Span
    zero: float
    """Unix time of the answer."""

    providers: dict[str, str]
    """Who does each stage now."""

    turns: dict[int, _Turn] = field(default_factory=dict)
    last: float = 0.0
    """Seconds on the call's clock of which something is known."""

    def at(self, seconds: float) -> int:
        """Return a time of the call as nanoseconds of Unix time."""
        self.last = max(self.last, seconds)
        return int((self.zero + seconds) * 1e9)


class CallTraces:
    """Traces of the calls of a process. One thread tells it of lines.

    Args:
        tracer: Makes spans, with ``ids``.
        ids: Its own.
        models: The model of a stage's provider, by both.
        words: Whether spans hold what was said.
    """

    def __init__(
        self,
        tracer: Tracer,
        ids: GivenIds,
        models: Mapping[tuple[str, str], str],
        *,
        words: bool,
    ) -> None:
        self._tracer = tracer
        self._ids = ids
        self._models = models
        self._words = words
        self._calls: dict[str, _Traced] = {}

    def line(self, record: str, kind: str, fields: Fields) -> None:
        """Take a line of the record ``record``, as it may be written. Raises nothing."""
        if kind == "call":
            self._begin(record, fields)
            return
        if (call := self._calls.get(record)) is None:
            return
        if kind in EVENTS:
            self._event(call, kind, fields)
        elif kind == "usage":
            _count(call.span, fields)
        elif kind in ("caller", "timing", "agent", "tool"):
            self._collect(call, kind, fields)
        elif kind == "ended":
            del self._calls[record]
            self._end(call, fields)

    def _begin(self, record: str, fields: Fields) -> None:
        trace, started = text(fields.get("trace")) or "", began_at(fields.get("started"))
        if started is None or TRACE.fullmatch(trace) is None:
            return
        self._ids.begin(trace)
        agent = text(fields.get("agent")) or ""
        about = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": agent,
            "gen_ai.agent.version": text(fields.get("agent_version")) or "",
            "gen_ai.conversation.id": record,
            "voice_agent.call.id": text(fields.get("call_id")) or "",
            "voice_agent.call.direction": text(fields.get("direction")) or "",
        }
        span = self._tracer.start_span(
            f"invoke_agent {agent}",
            kind=SpanKind.SERVER,
            attributes=_known(about),
            start_time=int(started * 1e9),
        )
        lineup = fields.get("lineup")
        firsts = lineup.items() if isinstance(lineup, Mapping) else ()
        providers = {stage: str(names[0]) for stage, names in firsts if isinstance(names, list)}
        self._calls[record] = _Traced(span=span, zero=started, providers=providers)
        if len(self._calls) > MOST_CALLS:
            del self._calls[next(iter(self._calls))]  # never ended, so never told

    def _event(self, call: _Traced, kind: str, fields: Fields) -> None:
        about = {name: _plain(fields[name]) for name in EVENTS[kind] if name in fields}
        at = number(fields.get("at"))
        call.span.add_event(kind, about, None if at is None else call.at(at))
        if kind == "failover" and (to := text(fields.get("to"))):
            call.providers[str(fields.get("stage"))] = to

    def _collect(self, call: _Traced, kind: str, fields: Fields) -> None:
        number_of_turn = whole(fields.get("turn"))
        if number_of_turn is None:
            return
        if number_of_turn not in call.turns:
            done = [one for one, turn in call.turns.items() if "agent" in turn.lines]
            for one in done or list(call.turns)[: len(call.turns) - MOST_TURNS + 1]:
                self._tell(call, one, call.turns.pop(one))
        turn = call.turns.setdefault(number_of_turn, _Turn())
        if kind == "timing":
            turn.providers = dict(call.providers)
        if kind == "tool":
            turn.tools.append(fields)
        else:
            turn.lines.setdefault(kind, fields)

    def _end(self, call: _Traced, fields: Fields) -> None:
        for one, turn in call.turns.items():
            self._tell(call, one, turn)
        outcome = outcome_of(fields)
        call.span.set_attribute("voice_agent.call.outcome", outcome)
        if outcome == "failed":
            call.span.set_attribute("error.type", "failed")
            call.span.set_status(Status(StatusCode.ERROR))
        at = number(fields.get("at"))
        call.span.end(call.at(call.last if at is None else at))

    def _tell(self, call: _Traced, number_of_turn: int, turn: _Turn) -> None:
        """Make the spans of a turn that is complete."""
        if not turn.lines:  # tools that went on when it was told
            for tool in turn.tools:
                self._tool(call, call.span, tool)
            return
        caller, timing, agent = (turn.lines.get(one, {}) for one in ("caller", "timing", "agent"))
        times = {name: at for name, value in timing.items() if (at := number(value)) is not None}
        began = _first(caller.get("at"), times.get("speech_end"), times.get("decided"))
        began = _first(began, agent.get("at"), call.last) or 0.0
        ended = _first(agent.get("until"), times.get("heard"), times.get("at"), began) or 0.0
        about: dict[str, Value] = {
            "voice_agent.turn": number_of_turn,
            "voice_agent.said": text(agent.get("said")) or "",
            "voice_agent.cut_off": agent.get("cut_off") is True,
        }
        if "speech_end" in times and "heard" in times:
            about["voice_agent.response_time"] = round(times["heard"] - times["speech_end"], 3)
        span = self._span(call, call.span, "turn", (began, max(began, ended)), about)
        for stage, since, until in _stages(times):
            provider = turn.providers.get(stage, "")
            model = self._models.get((stage, provider), "")
            asked = {
                "gen_ai.operation.name": OPERATIONS[stage],
                "gen_ai.provider.name": provider,
                "gen_ai.request.model": model,
                **self._spoken(stage, caller, agent),
            }
            name = f"{OPERATIONS[stage]} {model or provider}".rstrip()
            self._span(call, span, name, (since, until), asked, kind=SpanKind.CLIENT)
        for tool in turn.tools:
            self._tool(call, span, tool)

    def _spoken(self, stage: Stage, caller: Fields, agent: Fields) -> dict[str, Value]:
        """Return what was said, if that is wanted, as the conventions have it."""
        if not self._words or stage != "llm":
            return {}
        return {
            "gen_ai.input.messages": _message("user", caller),
            "gen_ai.output.messages": _message("assistant", agent),
        }

    def _tool(self, call: _Traced, parent: Span, fields: Fields) -> None:
        name, until = text(fields.get("name")) or "", _first(fields.get("at"), call.last) or 0.0
        about: dict[str, Value] = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
        }
        if fields.get("status") != "done":
            about["error.type"] = text(fields.get("status")) or "failed"
        if self._words:
            for its, attribute in (("arguments", "arguments"), ("result", "result")):
                if its in fields:
                    about[f"gen_ai.tool.call.{attribute}"] = _as_text(fields[its])
        times = until - (number(fields.get("seconds")) or 0.0), until
        self._span(call, parent, f"execute_tool {name}".rstrip(), times, about)

    def _span(
        self,
        call: _Traced,
        parent: Span,
        name: str,
        times: tuple[float, float],
        about: Mapping[str, Value],
        *,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Span:
        """Make a span that is over, and return it to be a parent."""
        began, ended = times
        span = self._tracer.start_span(
            name,
            set_span_in_context(parent),
            kind=kind,
            attributes=_known(about),
            start_time=call.at(began),
        )
        if "error.type" in about:
            span.set_status(Status(StatusCode.ERROR))
        span.end(call.at(ended))
        return span


def _stages(times: Mapping[str, float]) -> Iterator[tuple[Stage, float, float]]:
    """Yield the stages of a turn that are known, with when each began and ended."""
    ends: tuple[tuple[Stage, str, tuple[str, ...]], ...] = (
        ("stt", "transcript", ("speech_end",)),
        ("llm", "first_sentence", ("transcript",)),
        ("tts", "first_audio", ("first_sentence", "decided")),
    )
    for stage, until, since in ends:
        began = next((times[one] for one in since if one in times), None)
        if began is not None and until in times:
            yield stage, min(began, times[until]), times[until]


def _count(span: Span, fields: Fields) -> None:
    """Put on the span of a call what was used of a language model; what it is paid with that."""
    stage, provider = text(fields.get("stage")) or "", text(fields.get("provider")) or ""
    if (cost := number(fields.get("cost"))) is not None:
        span.set_attribute(f"voice_agent.cost.{stage}.{provider}", cost)
    if stage != "llm":
        return
    for name, attribute in (
        ("tokens_in", "gen_ai.usage.input_tokens"),
        ("tokens_cached", "gen_ai.usage.cache_read.input_tokens"),
        ("tokens_out", "gen_ai.usage.output_tokens"),
    ):
        if (tokens := whole(fields.get(name))) is not None:
            before = getattr(span, "attributes", None) or {}
            span.set_attribute(attribute, tokens + (whole(before.get(attribute)) or 0))


def _message(role: Literal["user", "assistant"], fields: Fields) -> str:
    """Return what was said as JSON, in the conventions' form; ``""`` if it was nothing."""
    if not (said := text(fields.get("text"))):
        return ""
    message: dict[str, object] = {
        "role": role,
        "parts": [{"type": "text", "content": said[:LONGEST_TEXT]}],
    }
    if role == "assistant":
        message["finish_reason"] = "stop"
    return json.dumps([message], ensure_ascii=False)


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    return json.dumps(value, ensure_ascii=False, default=str)[:LONGEST_TEXT]


def _first(*values: object) -> float | None:
    """Return the first that is a number."""
    return next((found for one in values if (found := number(one)) is not None), None)


def _known(about: Mapping[str, Value]) -> dict[str, Value]:
    """Return what is known of it: no empty texts."""
    return {name: value for name, value in about.items() if value != ""}


def _plain(value: object) -> Value:
    return value if isinstance(value, str | int | float | bool) else str(type(value).__name__)
