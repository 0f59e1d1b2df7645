"""``voice-agent evaluate``: put an agent into situations, and tell how it behaved.

It works on any server that speaks the stream channel, because it looks at nothing but what the
caller would hear and at the ``clear`` commands: see :func:`judge` for what is counted as what.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from agent.simulator import intervals
from agent.simulator.call_in_progress import CallInProgress
from agent.simulator.scenarios import Kind, Situation
from agent.simulator.stream_caller import CallFailedError, place_call
from agent.simulator.stretches import BREATH, Frames, sounding
from pipelines.audio import FRAME_SECONDS

EARLY = 0.3
"""Seconds by which speech may be noticed before it is louder than line noise."""

LATE = 1.5
"""Seconds after the caller's sound within which a ``clear`` still is because of it."""

RESUMED_WITHIN = 3.0
"""Seconds of silence after which going on is a new reply."""

PROMPT = 0.4
"""Seconds of silence within which a false stop should be mended (the project's own bar)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a situation. Seconds; None where it does not apply or did not happen."""

    name: str
    kind: Kind
    pause: float | None = None
    failed: str = ""
    """Why it says nothing: the call was refused, or the agent was not speaking when it should."""

    response: float | None = None
    """From the caller's last sound to the agent's first."""

    cut_in: bool = False
    """Whether the agent spoke before the caller had finished."""

    stopped: float | None = None
    """From the caller's first sound to ``clear``."""

    stale: float = 0.0
    """Sound of the agent's after that ``clear``, while the caller was still speaking."""

    resumed: float | None = None
    """Silence of both until the agent went on, after a false stop."""

    @property
    def verdict(self) -> str:
        """Say in a few words what happened."""
        if self.failed:
            return f"not measured: {self.failed}"
        return self._answered() if self.kind in ("turn", "pause") else self._interrupted()

    def _answered(self) -> str:
        answered = "missed" if self.response is None else f"answered after {self.response:.2f} s"
        return f"cut in, then {answered}" if self.cut_in else answered

    def _interrupted(self) -> str:
        if self.stopped is None:
            return "did not stop"
        stopped = f"stopped after {self.stopped:.2f} s"
        if self.kind == "barge-in":
            return stopped + (f", old audio for {self.stale:.2f} s" if self.stale else "")
        if self.resumed is None:
            return f"{stopped}, did not go on"
        return f"{stopped}, went on after {self.resumed:.2f} s of silence"


def judge(situation: Situation, caller: Frames, agent: Frames, clears: Sequence[float]) -> Outcome:
    """Say what happened in a call.

    Args:
        situation: What was tried.
        caller: When the caller was sounding.
        agent: When the caller heard the agent.
        clears: When ``clear`` came, in seconds.
    """
    outcome = Outcome(name=situation.name, kind=situation.kind, pause=situation.pause)
    said = np.flatnonzero(caller)
    if not len(said):
        return replace(outcome, failed="the caller never got to speak")
    first, last = int(said[0]), int(said[-1]) + 1
    if situation.kind in ("turn", "pause"):
        after = np.flatnonzero(agent[last:])
        return replace(
            outcome,
            cut_in=bool(agent[first:last].any()),
            response=float(after[0]) * FRAME_SECONDS if len(after) else None,
        )
    began, ended = first * FRAME_SECONDS, last * FRAME_SECONDS
    clear = next((at for at in clears if began - EARLY <= at <= ended + LATE), None)
    at = first if clear is None else round(clear / FRAME_SECONDS)
    until = min(first, at)
    if not agent[max(0, until - int(BREATH / FRAME_SECONDS)) : until].any():
        return replace(outcome, failed="the agent was not speaking any more")
    if clear is None:
        return outcome
    outcome = replace(outcome, stopped=max(0.0, clear - began))
    if situation.kind == "barge-in":
        return replace(outcome, stale=float(agent[at:last].sum()) * FRAME_SECONDS)
    quiet_from = max(at, last)
    again = np.flatnonzero(agent[quiet_from:])
    silence = float(again[0]) * FRAME_SECONDS if len(again) else np.inf
    return replace(outcome, resumed=silence if silence <= RESUMED_WITHIN else None)


async def run(
    url: str,
    situations: Sequence[Situation],
    *,
    at_once: int,
    headers: dict[str, str],
    tell: Callable[[Outcome], None],
) -> list[Outcome]:
    """Put the agent at ``url`` into ``situations``, so many at once; return what came of them.

    Args:
        url: The stream endpoint.
        situations: What to try; each is a call.
        at_once: Calls at once.
        headers: Call headers.
        tell: Given each outcome, as it is known.
    """
    room = asyncio.Semaphore(at_once)

    async def one(situation: Situation) -> Outcome:
        async with room:
            outcome = await _tried(url, situation, headers)
        tell(outcome)
        return outcome

    return await asyncio.gather(*map(one, situations))


async def _tried(url: str, situation: Situation, headers: dict[str, str]) -> Outcome:
    plan = replace(situation.plan, headers=headers)
    try:
        call = await place_call(url, plan, lambda _at, _line: None, f"evaluate-{uuid.uuid4()}")
    except CallFailedError as error:
        return Outcome(
            name=situation.name, kind=situation.kind, pause=situation.pause, failed=str(error)
        )
    return _judged(situation, call)


def _judged(situation: Situation, call: CallInProgress) -> Outcome:
    rate = call.report.rate
    caller = sounding(bytes(call.caller_channel), rate)
    return judge(situation, caller, sounding(bytes(call.agent_channel), rate), call.report.clears)


# The report


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the figures; times in seconds, rounded to milliseconds."""
    known = [outcome for outcome in outcomes if not outcome.failed]
    asked = [o for o in known if o.kind in ("turn", "pause")]
    answered = [o.response for o in asked if o.response is not None and not o.cut_in]
    over = [o for o in known if o.kind == "barge-in"]
    pauses = sorted({o.pause for o in known if o.pause is not None})
    return {
        "calls": len(outcomes),
        "not_measured": len(outcomes) - len(known),
        "response": _percentiles(answered),
        "missed_turns": _of(asked, lambda o: o.response is None),
        "cut_ins_whole_utterances": _of((o for o in asked if o.kind == "turn"), _cut_in),
        "cut_ins_by_pause": {
            f"{pause:g}": _of((o for o in asked if o.pause == pause), _cut_in) for pause in pauses
        },
        "cut_ins_pauses": _of((o for o in asked if o.kind == "pause"), _cut_in),
        "barge_in_stop": _percentiles([o.stopped for o in over if o.stopped is not None]),
        "barge_in_not_stopped": _of(over, lambda o: o.stopped is None),
        "old_audio_after_clear": _of(over, lambda o: o.stale > 0),
        "backchannels": _false_stops(o for o in known if o.kind == "backchannel"),
        "noises": _false_stops(o for o in known if o.kind == "noise"),
    }


def _cut_in(outcome: Outcome) -> bool:
    return outcome.cut_in


def _false_stops(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    all_of_them = list(outcomes)
    stopped = [o for o in all_of_them if o.stopped is not None]
    return {
        "stopped": [len(stopped), len(all_of_them)],
        "resumed": _of(stopped, lambda o: o.resumed is not None),
        "resumed_promptly": _of(stopped, lambda o: o.resumed is not None and o.resumed <= PROMPT),
        "silence": _percentiles([o.resumed for o in stopped if o.resumed is not None]),
    }


def _of(outcomes: Iterable[Outcome], holds: Callable[[Outcome], bool]) -> list[int]:
    """Return of how many it holds, and how many there are."""
    held = [holds(outcome) for outcome in outcomes]
    return [sum(held), len(held)]


def _percentiles(seconds: Sequence[float]) -> dict[str, Any]:
    """Return two percentiles, how many there are, and between what the two are (95 %)."""
    if not seconds:
        return {"p50": None, "p95": None, "n": 0}
    p50, p95 = (round(float(value), 3) for value in np.percentile(seconds, [50, 95]))
    within = {
        f"p{percent}_interval": [
            None if end is None else round(end, 3)
            for end in intervals.of_percentile(seconds, percent)
        ]
        for percent in (50, 95)
    }
    return {"p50": p50, "p95": p95, "n": len(seconds), **within}


def as_json(url: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the figures and all outcomes, for scripts."""
    situations = [
        {k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(outcome).items()}
        for outcome in outcomes
    ]
    return {"url": url, "summary": summary(outcomes), "situations": situations}


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the figures as lines to read, with 95 % intervals."""
    found = summary(outcomes)

    def times(value: dict[str, Any]) -> str:
        if not value["n"]:
            return "none"
        found = [f"{p} {value[p]:.2f} s{_ends(value[f'{p}_interval'])}" for p in ("p50", "p95")]
        return f"{', '.join(found)} (n={value['n']})"

    def count(value: list[int]) -> str:
        share = intervals.of_share(*value)
        within = f" ({share[0]:.0%} to {share[1]:.0%})" if share else ""
        return f"{value[0]} of {value[1]}{within}"

    rows = [
        ("response time", times(found["response"])),
        ("missed turns", count(found["missed_turns"])),
        ("cut into whole utterances", count(found["cut_ins_whole_utterances"])),
        ("cut into pauses", count(found["cut_ins_pauses"])),
        *((f"  of {s} s", count(value)) for s, value in found["cut_ins_by_pause"].items()),
        ("barge-in: onset to `clear`", times(found["barge_in_stop"])),
        ("barge-in: did not stop", count(found["barge_in_not_stopped"])),
        ("barge-in: old audio after `clear`", count(found["old_audio_after_clear"])),
    ]
    for what in ("backchannels", "noises"):
        part = found[what]
        rows += [
            (f"{what}: stopped the agent", count(part["stopped"])),
            ("  and it went on", count(part["resumed"])),
            (f"  within {PROMPT:g} s of silence", count(part["resumed_promptly"])),
            ("  silence until then", times(part["silence"])),
        ]
    rows.append(("calls, not measured", f"{found['calls']}, {found['not_measured']}"))
    return "\n".join(f"{what:36s} {value}" for what, value in rows)


def _ends(interval: Sequence[float | None]) -> str:
    """Say between what a time is, as far as that is known."""
    low, high = interval
    if high is None:
        return "" if low is None else f" (from {low:.2f})"
    return f" (to {high:.2f})" if low is None else f" ({low:.2f} to {high:.2f})"
