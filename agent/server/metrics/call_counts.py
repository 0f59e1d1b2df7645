"""What happens in calls, counted of the lines of their records as these are written.

Nothing of it is on the path of a call: a line is counted in the thread that writes it. Each count
has few labels of few values, all of them of a closed set or configured, so that no caller can make
a series: what is of no set is ``other``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from statistics import median
from typing import Any

from agent.records.conversation import answer_time
from agent.records.events import OUTCOMES, Disclosed, disclosed_after
from agent.records.statistics.call_figures import LONG
from agent.records.statistics.waterfall import waterfall_of
from agent.records.stored_records import outcome_of
from agent.records.values import number, text, whole
from agent.server.metrics.call_families import (
    BARGE_INS,
    ERRORS,
    FAMILIES,
    OTHER,
    RESUMES,
    STAGES,
    TOKENS,
    Family,
)
from pipelines.histogram import Histogram

MOST_AGENTS = 200
"""Agents that have series of their own; what others do is counted under :data:`OTHER`. Only those
that exist can answer, but whoever makes files makes agents."""

MOST_CALLS = 5_000
"""Calls of which lines have come, and not the last: as many as a machine may hold, with those whose
last line was lost."""

MOST_TURNS = 200
"""Answers of one call by which its overhead is known."""


@dataclass(slots=True)
class _CallSoFar:
    """What later lines of a call are counted by."""

    agent: str
    disclosed: Disclosed | None = None
    fillers: dict[int | None, float] = field(default_factory=dict)
    silences: dict[int | None, float] = field(default_factory=dict)
    steps: dict[str, list[float]] = field(default_factory=dict)
    first_results: dict[str, float] = field(default_factory=dict)


class CallCounts:
    """Counts since the start of the process. One thread tells it of lines, any may read it."""

    def __init__(self) -> None:
        self._counters: dict[str, dict[tuple[str, ...], float]] = {}
        self._histograms: dict[str, dict[tuple[str, ...], Histogram]] = {}
        for one in FAMILIES:
            known = list(product(*one.values)) if one.values or not one.labels else []
            if one.bounds:
                self._histograms[one.name] = {labels: Histogram(one.bounds) for labels in known}
            else:
                self._counters[one.name] = dict.fromkeys(known, 0.0)
        self._agents: set[str] = set()
        self._providers: set[tuple[str, str]] = set()
        self._calls: dict[str, _CallSoFar] = {}
        self._take: Mapping[str, Callable[[_CallSoFar, Mapping[str, Any]], None]] = {
            "caller": self._caller,
            "timing": self._timing,
            "disclosed": self._disclosed,
            "filler": self._filler,
            "agent": self._reply,
            "held": lambda _call, _fields: self._add("holds"),
            "resumed": lambda _call, fields: self._add("resumes", _of(RESUMES, fields, "by")),
            "barge_in": lambda _call, fields: self._add("barge_ins", _of(BARGE_INS, fields, "by")),
            "tool": self._tool,
            "transfer": lambda _call, fields: self._add("transfers", _short(fields, "status")),
            "failover": self._failover,
            "failed": lambda _call, fields: self._add(
                "replies_lost", _of(STAGES, fields, "stage"), _of(ERRORS, fields, "error")
            ),
            "usage": self._usage,
            "platform": self._platform,
            "leg": self._platform,
        }

    def line(self, record: str, kind: str, fields: Mapping[str, Any]) -> None:
        """Count a line of the record ``record``. Costs microseconds; raises nothing."""
        if kind == "call":
            self._begin(record, fields)
        elif (take := self._take.get(kind)) is not None:
            # Some come when the call is over, or was another process's.
            take(self._calls.get(record) or _CallSoFar(OTHER), fields)
        elif kind == "ended" and (call := self._calls.pop(record, None)) is not None:
            self._end(call, fields)

    def counters(self) -> Iterator[tuple[Family, list[tuple[tuple[str, ...], float]]]]:
        """Yield each counter, with what stands there by its labels."""
        for one in FAMILIES:
            if not one.bounds:
                yield one, list(self._counters[one.name].items())

    def histograms(self) -> Iterator[tuple[Family, list[tuple[tuple[str, ...], Histogram]]]]:
        """Yield each histogram, by its labels."""
        for one in FAMILIES:
            if one.bounds:
                yield one, list(self._histograms[one.name].items())

    def _add(self, name: str, *labels: str, much: float = 1.0) -> None:
        if much >= 0:  # a counter never falls, whatever a provider says
            counts = self._counters[name]
            counts[labels] = counts.get(labels, 0.0) + much

    def _note(self, name: str, seconds: float, *labels: str) -> None:
        histograms = self._histograms[name]
        if labels not in histograms:
            bounds = next(one.bounds for one in FAMILIES if one.name == name)
            histograms[labels] = Histogram(bounds)
        histograms[labels].note(max(0.0, seconds))

    def _begin(self, record: str, fields: Mapping[str, Any]) -> None:
        agent = text(fields.get("agent")) or OTHER
        if agent not in self._agents:
            if len(self._agents) >= MOST_AGENTS:
                agent = OTHER
            else:
                self._agents.add(agent)
                for outcome in OUTCOMES:  # a series that is not there has no rate
                    if outcome not in ("in progress", "not answered", "interrupted"):
                        self._add("calls_ended", agent, outcome, much=0.0)
        self._know(fields.get("lineup"))
        self._calls[record] = _CallSoFar(agent)
        if len(self._calls) > MOST_CALLS:
            del self._calls[next(iter(self._calls))]

    def _know(self, lineup: object) -> None:
        """Have series of all whom a call may ask."""
        known = lineup if isinstance(lineup, Mapping) else {}
        for stage in STAGES:
            names = known.get(stage)
            for name in names if isinstance(names, list) else ():
                if isinstance(name, str) and (stage, name) not in self._providers:
                    self._providers.add((stage, name))
                    for error in ERRORS:
                        self._add("provider_failovers", stage, name[:64], error, much=0.0)

    def _caller(self, call: _CallSoFar, fields: Mapping[str, Any]) -> None:
        """Remember how much silence ended a turn: what is decided later than that is ours."""
        decided = fields.get("decided")
        silence = number(decided.get("silence")) if isinstance(decided, Mapping) else None
        if silence is not None and len(call.silences) < MOST_TURNS:
            call.silences[whole(fields.get("turn"))] = silence

    def _disclosed(self, call: _CallSoFar, fields: Mapping[str, Any]) -> None:
        """Remember whether it was heard in full."""
        call.disclosed = disclosed_after(call.disclosed, fields)

    def _filler(self, call: _CallSoFar, fields: Mapping[str, Any]) -> None:
        self._add("fillers")
        at = number(fields.get("at"))
        if at is not None and len(call.fillers) < MOST_TURNS:
            call.fillers.setdefault(whole(fields.get("turn")), at)

    def _timing(self, call: _CallSoFar, fields: Mapping[str, Any]) -> None:
        turn = whole(fields.get("turn"))
        filler, silence = call.fillers.pop(turn, None), call.silences.pop(turn, None)
        self._response(call, fields, filler)
        if number(fields.get("speech_end")) is None or (found := waterfall_of(fields)) is None:
            return  # said unasked: nobody waited for it
        for step in found.steps:
            took = step.ended - max(0.0, step.began)
            self._note("response_stage_seconds", took, step.name)
            if step.name == "decided":
                took = max(0.0, took - silence) if silence is not None else 0.0
            ours = call.steps.setdefault(step.name, [])
            if len(ours) < MOST_TURNS:
                ours.append(step.ended - step.began if step.name != "decided" else took)

    def _response(self, call: _CallSoFar, fields: Mapping[str, Any], filler: float | None) -> None:
        for seconds in answer_time(fields):
            self._note("response_seconds", seconds, call.agent)
            bridged = seconds if filler is None else filler - float(fields["speech_end"])
            silence = min(seconds, bridged) if bridged > 0 else seconds
            if silence > LONG:
                self._add("dead_air")
                self._add("dead_air_seconds", much=silence - LONG)

    def _reply(self, _call: _CallSoFar, fields: Mapping[str, Any]) -> None:
        self._add("replies")
        self._add("underruns", much=number(fields.get("gaps")) or 0.0)

    def _tool(self, _call: _CallSoFar, fields: Mapping[str, Any]) -> None:
        self._add("tools", _short(fields, "status"))
        if (seconds := number(fields.get("seconds"))) is not None:
            self._note("tool_seconds", seconds)

    def _failover(self, _call: _CallSoFar, fields: Mapping[str, Any]) -> None:
        error = _of(ERRORS, fields, "error")
        self._add("provider_failovers", *_who(fields), error)

    def _usage(self, call: _CallSoFar, fields: Mapping[str, Any]) -> None:
        stage, provider = _who(fields)
        for kind, name in zip(TOKENS, ("tokens_in", "tokens_cached", "tokens_out"), strict=True):
            if (tokens := number(fields.get(name))) is not None:
                self._add("provider_tokens", provider, kind, much=tokens)
        for family, name in (
            ("provider_characters", "characters"),
            ("provider_audio_seconds", "seconds"),
        ):
            if (much := number(fields.get(name))) is not None:
                self._add(family, provider, much=much)
        if (first := number(fields.get("first_result"))) is not None:
            call.first_results[stage] = min(first, call.first_results.get(stage, first))
        self._pay(stage, provider, fields.get("cost"), fields.get("currency"))

    def _platform(self, _call: _CallSoFar, fields: Mapping[str, Any]) -> None:
        self._pay("phone", "platform", fields.get("amount"), fields.get("currency"))

    def _pay(self, stage: str, provider: str, cost: object, currency: object) -> None:
        if (amount := number(cost)) is not None:
            code = (text(currency) or "")[:8]  # the platform's word, or a setting
            self._add("provider_cost", stage, provider, code, much=amount)

    def _end(self, call: _CallSoFar, fields: Mapping[str, Any]) -> None:
        self._add("calls_ended", call.agent, outcome_of(fields))
        self._add("calls_disclosed", call.disclosed or "no")
        self._note("call_duration_seconds", number(fields.get("at")) or 0.0)
        for name in ("drafts_discarded", "tokens_wasted"):
            self._add(name, much=number(fields.get(name)) or 0.0)
        if call.steps.get("heard"):
            self._note("overhead_seconds", _overhead(call))


def _overhead(call: _CallSoFar) -> float:
    """Return what a call's answers took beside what was waited for, in seconds: see the docs.

    A median of each step, of which the median first result of its provider is taken.
    """
    asked = {"first_token": "llm", "first_audio": "tts"}
    ours = 0.0
    for step, seconds in call.steps.items():
        if step in ("transcript", "first_sentence"):
            continue  # all of it is the provider's
        took = median(seconds)
        if step in asked:
            took -= call.first_results.get(asked[step], took)
        ours += max(0.0, took)
    return ours


def _who(fields: Mapping[str, Any]) -> tuple[str, str]:
    return _of(STAGES, fields, "stage"), (text(fields.get("provider")) or OTHER)[:64]


def _short(fields: Mapping[str, Any], name: str) -> str:
    """Return one of the few words that stand there."""
    return _of(("done", "failed", "cancelled", "started"), fields, name)


def _of(known: Sequence[str], fields: Mapping[str, Any], name: str) -> str:
    found = fields.get(name)
    return found if isinstance(found, str) and found in known else OTHER
