"""What got better and what worse: call by call, and over many calls in pairs.

The unit is the call: each is its own control, so what callers differ in cancels out. Of times, the
median of the differences is told, with the interval that their order alone gives
(:func:`agent.simulator.intervals.of_percentile`): it is exact for few calls, and assumes neither a
bell nor symmetry, as Wilcoxon's would. Of counts, most of which are 0, the mean with a bootstrap's
interval. Of too few calls there is no number at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from rapidfuzz.distance import Levenshtein

from agent.replay.conversation import TurnAndAnswer, ended_by, exchanges, figures
from agent.replay.held_call import Replayed
from agent.simulator import intervals
from pipelines.text.words import words

Kind = Literal["time", "count"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Something that is measured of a call; less of it is better, unless it is neither."""

    name: str
    label: str
    kind: Kind
    unit: str = ""
    same: float = 0.0
    """A difference up to which it is the same."""

    judged: bool = True
    """Whether less is better."""


FIGURES = (
    Figure(name="response", label="response time", kind="time", unit="s", same=0.05),
    Figure(name="slowest", label="slowest answer", kind="time", unit="s", same=0.05),
    Figure(name="dead_air", label="dead air", kind="time", unit="s", same=0.05),
    Figure(name="cut_ins", label="cut into the caller", kind="count"),
    Figure(name="missed", label="turns without an answer", kind="count"),
    Figure(name="false_stops", label="stopped for nothing", kind="count"),
    Figure(name="failures", label="replies lost", kind="count"),
    Figure(name="failovers", label="another provider took over", kind="count"),
    Figure(name="failed_tools", label="tools that failed", kind="count"),
    Figure(name="interrupted", label="interrupted by the caller", kind="count", judged=False),
    Figure(name="turns", label="turns understood", kind="count", judged=False),
    Figure(name="seconds", label="length", kind="time", unit="s", judged=False, same=1.0),
    Figure(name="tokens", label="tokens", kind="count"),
    Figure(name="cost", label="cost", kind="count"),
)
"""A difference of 50 ms in a response time is two frames and a half: nobody hears it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why to listen to a call."""

    points: float
    """How bad: a reply that is lost is 10, one word in a hundred heard otherwise 0.05."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedCall:
    """One call, then and now."""

    name: str
    started: str
    agent: str
    then: Mapping[str, float | None]
    now: Mapping[str, float | None]
    differences: Mapping[str, float]
    """Now less then, of what is known of both."""

    turns_then: Sequence[TurnAndAnswer]
    turns_now: Sequence[TurnAndAnswer]
    words: int
    """Of the caller, then."""

    words_changed: int | None
    """Put in, left out or other, now; None if what was said then is not known."""

    ended_then: str
    ended_now: str
    reasons: Sequence[Reason]
    """Why to listen to it, the worst first."""

    notes: Sequence[str]
    hear_then: str
    hear_now: str
    record: str
    stood_in: int
    real_time: bool

    @property
    def points(self) -> float:
        """How bad it has become."""
        return sum(one.points for one in self.reasons)


def compared(done: Replayed) -> ComparedCall:
    """Return what differs in one call."""
    then, now = figures(done.then), figures(done.now)
    turns_then, turns_now = exchanges(done.then), exchanges(done.now)
    differences = {
        name: value - before
        for name, value in now.items()
        if value is not None and (before := then.get(name)) is not None
    }
    differences.pop("response", None)
    pairs = [
        b.answer.response - a.answer.response
        for a, b in zip(turns_then, turns_now, strict=False)
        if a.answer and b.answer
        if a.answer.response is not None and b.answer.response is not None
    ]
    if pairs:
        differences["response"] = float(np.median(pairs))
    known = bool(done.call.events)
    said, changed = _word_difference(turns_then, turns_now)
    ended = ended_by(done.then.events), ended_by(done.now.events)
    return ComparedCall(
        name=done.call.name,
        started=f"{done.call.started.astimezone():%Y-%m-%d %H:%M}",
        agent=done.call.agent,
        then=then,
        now=now,
        differences=differences,
        turns_then=turns_then,
        turns_now=turns_now,
        words=said,
        words_changed=changed if known else None,
        ended_then=ended[0],
        ended_now=ended[1],
        reasons=_reasons(differences, now, (said, changed if known else 0), ended, done.stood_in),
        notes=done.call.notes,
        hear_then=done.call.hear,
        hear_now=str(done.recording),
        record=str(done.record),
        stood_in=done.stood_in,
        real_time=done.real_time,
    )


def plain_words(text: str) -> list[str]:
    """Return words as they sound: without case and marks."""
    found = ("".join(c for c in word if c.isalnum()) for word in words(text.casefold()))
    return [word for word in found if word]


def _word_difference(
    then: Sequence[TurnAndAnswer], now: Sequence[TurnAndAnswer]
) -> tuple[int, int]:
    """Return how many words the caller said by the record, and how many are other ones now."""
    before = plain_words(" ".join(one.caller_text for one in then))
    after = plain_words(" ".join(one.caller_text for one in now))
    return len(before), Levenshtein.distance(before, after)


_MINDED = {
    "failures": 10.0,
    "missed": 6.0,
    "cut_ins": 4.0,
    "failed_tools": 2.0,
    "false_stops": 1.0,
    "failovers": 0.5,
}
"""What a caller minds, and how much one more of it counts."""

_TIMES = {
    "response": (4.0, 0.1, "answers came {:.2f} s later"),
    "dead_air": (1.0, 0.5, "{:.1f} s more of dead air"),
}
"""The same for seconds, from how many on."""

FEW_WORDS = 0.1
"""Share of words heard otherwise that is not worth a look."""


def _reasons(
    differences: Mapping[str, float],
    now: Mapping[str, float | None],
    heard: tuple[int, int],
    ended: tuple[str, str],
    stood_in: int,
) -> list[Reason]:
    found: list[Reason] = []
    labels = {one.name: one.label for one in FIGURES}
    for name, weight in _MINDED.items():
        # Of a recording without a record, what happens now is all that is known.
        more = differences.get(name, now.get(name) or 0.0)
        if more > 0:
            found.append(Reason(points=weight * more, text=f"{labels[name]}: {more:.0f} more"))
    for name, (points, least, text) in _TIMES.items():
        if (more := differences.get(name, 0.0)) >= least:
            found.append(Reason(points=points * more, text=text.format(more)))
    said, changed = heard
    if said and (share := changed / said) > FEW_WORDS:
        text = f"{changed} of the caller's {said} words were heard otherwise"
        found.append(Reason(points=5 * min(share, 1.0), text=text))
    if ended[0] and ended[0] != ended[1]:
        found.append(Reason(points=3.0, text=f"it ended as {ended[1]!r}, then {ended[0]!r}"))
    if stood_in:
        text = f"{stood_in} requests to tools had no recorded result: it may have gone elsewhere"
        found.append(Reason(points=0.5 * stood_in, text=text))
    return sorted(found, key=lambda one: -one.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A figure over many calls, in pairs."""

    figure: Figure
    n: int
    """Calls of which it is known then and now."""

    needed: int
    """Calls from which on there is a number."""

    value: float | None
    """Median or mean of now less then; None of too few calls."""

    interval: tuple[float, float] | None
    """95 %."""

    fewer: int
    more: int
    same: int

    @property
    def verdict(self) -> str:
        """Say whether it got better or worse, as far as that is shown."""
        if self.interval is None:
            return "too few calls to tell"
        low, high = self.interval
        if low <= 0 <= high:
            return "no difference shown"
        if not self.figure.judged:
            return "less" if high < 0 else "more"
        return "better" if high < 0 else "worse"


def over_all(calls: Sequence[ComparedCall]) -> list[Difference]:
    """Return what differs over all calls, of the figures that are known of any."""
    found: list[Difference] = []
    for figure in FIGURES:
        values = [one.differences[figure.name] for one in calls if figure.name in one.differences]
        if values:
            found.append(_difference(figure, [round(value, 6) for value in values]))
    return found


def _difference(figure: Figure, values: list[float]) -> Difference:
    value: float | None = None
    interval: tuple[float, float] | None = None
    if figure.kind == "time":
        needed = intervals.FEWEST_FOR_A_MEDIAN
        low, high = intervals.of_percentile(values, 50)
        if low is not None and high is not None:
            value, interval = float(np.median(values)), (low, high)
    else:
        needed = intervals.FEWEST_FOR_A_MEAN
        if (interval := intervals.of_mean(values)) is not None:
            value = float(np.mean(values))
    return Difference(
        figure=figure,
        n=len(values),
        needed=needed,
        value=value,
        interval=interval,
        fewer=sum(one < -figure.same for one in values),
        more=sum(one > figure.same for one in values),
        same=sum(abs(one) <= figure.same for one in values),
    )


def to_listen_to(calls: Sequence[ComparedCall]) -> list[ComparedCall]:
    """Return the calls that got worse, the worst first."""
    return sorted((one for one in calls if one.reasons), key=lambda one: -one.points)


def as_json(one: ComparedCall) -> dict[str, Any]:
    """Return a call for scripts; times rounded to milliseconds."""
    return {
        "call": one.name,
        "started": one.started,
        "agent": one.agent,
        "then": _rounded(one.then) | {"ended": one.ended_then, "hear": one.hear_then},
        "now": _rounded(one.now)
        | {"ended": one.ended_now, "hear": one.hear_now, "record": one.record},
        "differences": _rounded(one.differences),
        "words": one.words,
        "words_changed": one.words_changed,
        "turns": [{"then": _turn(a), "now": _turn(b)} for a, b in _side_by_side(one)],
        "reasons": [{"points": round(r.points, 2), "text": r.text} for r in one.reasons],
        "notes": list(one.notes),
        "tools_stood_in": one.stood_in,
        "real_time": one.real_time,
    }


def _side_by_side(
    one: ComparedCall,
) -> list[tuple[TurnAndAnswer | None, TurnAndAnswer | None]]:
    longest = max(len(one.turns_then), len(one.turns_now))
    then = [*one.turns_then, *[None] * (longest - len(one.turns_then))]
    now = [*one.turns_now, *[None] * (longest - len(one.turns_now))]
    return list(zip(then, now, strict=True))


def _turn(turn: TurnAndAnswer | None) -> dict[str, Any] | None:
    if turn is None:
        return None
    answer = turn.answer
    response = None if answer is None or answer.response is None else round(answer.response, 3)
    lines = [{"at": round(o.at, 3), "who": o.who, "text": o.text} for o in turn.lines]
    return {"response": response, "lines": lines}


def _rounded(values: Mapping[str, float | None]) -> dict[str, Any]:
    return {name: None if value is None else round(value, 6) for name, value in values.items()}


def difference_as_json(one: Difference) -> dict[str, Any]:
    """Return a figure over all calls, for scripts."""
    return {
        "figure": one.figure.name,
        "n": one.n,
        "statistic": "median" if one.figure.kind == "time" else "mean",
        "value": None if one.value is None else round(one.value, 6),
        "interval": None if one.interval is None else [round(end, 6) for end in one.interval],
        "needed": one.needed,
        "less": one.fewer,
        "same": one.same,
        "more": one.more,
        "verdict": one.verdict,
    }
