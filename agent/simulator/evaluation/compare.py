"""What differs between two evaluations, in pairs: each situation is its own control.

The unit is the situation; its repeats are not independent, so they count once, by how often it
happened in them, or by the median of its times. Of what happened or did not, the test is that of
signs over situations in which it happened more often in one than in the other: with one call a
situation this is McNemar's exact test. Of times it is Wilcoxon's, with the interval that their
order alone gives (:func:`agent.simulator.intervals.of_percentile`). If one has more repeats of a
situation, the first as many are compared: a share of one call and one of ten differ in one
direction more often than in the other, though nothing differs. Many rows are compared, and of
twenty that do not differ one is below 0.05 by chance: p is Holm's, over all rows that have one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from agent.simulator import intervals
from agent.simulator.evaluation.judging import Outcome
from agent.simulator.evaluation.results import Result, ResultError, by_situation, times_of
from agent.simulator.evaluation.rows import ROWS, Count, Time

Times = dict[str, float]
"""Of each situation, by its name, in seconds."""

BETTER, WORSE = "B is better", "B is worse"

SURE = 0.05
"""p below which a difference counts as shown."""

POWER = 0.8
"""Chance to see a difference that is there, for the number of situations that it would take."""

SAME = 0.02
"""Seconds by which two times may differ and be the same: a frame."""


def comparable(a: Result, b: Result) -> None:
    """Check that two results are of the same situations.

    Raises:
        ResultError: If they are not; in one line.
    """
    prints_a, prints_b = _fingerprints(a), _fingerprints(b)
    if only := sorted(prints_a.keys() ^ prints_b.keys()):
        raise ResultError(
            f"these are not of the same situations: {only[0]!r} is in one only"
            + (f", and {len(only) - 1} more" if len(only) > 1 else "")
        )
    if other := [name for name in prints_a if prints_a[name] != prints_b[name]]:
        raise ResultError(f"these are not of the same situations: {other[0]!r} is another one")


def _fingerprints(result: Result) -> dict[str, tuple[str, str]]:
    return {o.tried.name: (o.tried.kind, o.tried.fingerprint) for o in result.outcomes}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDifference:
    """A row of both. Less is better in all of them."""

    name: str
    label: str
    kind: Literal["count", "time"]
    situations: int
    """That are known of both."""

    a: float
    """Share of calls, or seconds in the median over situations."""

    b: float
    calls: int | None = None
    """Of a count: calls of each that are compared."""

    value: float
    """Of counts, B's share less A's; of times, the median of the differences in seconds."""

    interval: tuple[float, float] | None = None
    """Of that, 95 %; None of too few situations."""

    less: int
    """Situations in which B has less of it."""

    more: int

    p: float | None = None
    """Of one row for itself; None if nothing differs."""

    holm: float | None = None
    """The same, of one among many."""

    needed: int | None = None
    """Situations to show such a difference four times of five, if it is what it seems."""

    @property
    def shown(self) -> bool:
        """Whether it is a difference, and no chance."""
        return self.holm is not None and self.holm < SURE

    @property
    def verdict(self) -> str:
        """Say what it proves, in words."""
        if self.p is None:
            return "no difference"
        if not self.shown:
            return "proves nothing"
        return BETTER if self._better() else WORSE

    def _better(self) -> bool:
        return self.value < 0 if self.value else self.less > self.more


def compared(a: Result, b: Result) -> list[RowDifference]:
    """Return what differs, row by row.

    Raises:
        ResultError: If they are not of the same situations.
    """
    comparable(a, b)
    found = []
    for row in ROWS:
        one = _count(row, a, b) if isinstance(row, Count) else _time(row, a, b)
        if one is not None:
            found.append(one)
    return _with_holm(found)


def _count(row: Count, a: Result, b: Result) -> RowDifference | None:
    pairs = []
    before, after = by_situation(a.outcomes), by_situation(b.outcomes)
    for name, outcomes in before.items():
        known_a = [value for value in map(row.of, outcomes) if value is not None]
        known_b = [value for value in map(row.of, after[name]) if value is not None]
        if as_many := min(len(known_a), len(known_b)):
            pairs.append((sum(known_a[:as_many]), sum(known_b[:as_many]), as_many))
    if not pairs:
        return None
    changes = [(held_b - held_a) / calls for held_a, held_b, calls in pairs]
    less, more = sum(c < 0 for c in changes), sum(c > 0 for c in changes)
    held_a, held_b, calls = (sum(numbers) for numbers in zip(*pairs, strict=True))
    return RowDifference(
        name=row.name,
        label=row.label,
        kind="count",
        situations=len(pairs),
        a=held_a / calls,
        b=held_b / calls,
        calls=calls,
        value=sum(changes) / len(changes),
        interval=intervals.of_change(changes),
        less=less,
        more=more,
        p=of_signs(less, more),
        needed=needed_for_counts(less, more, len(pairs)),
    )


def _time(row: Time, a: Result, b: Result) -> RowDifference | None:
    before, after = _times_of_as_many(row, a, b)
    both = [name for name in before if name in after]
    if not both:
        return None
    changes = [round(after[name] - before[name], 6) for name in both]
    low, high = intervals.of_percentile(changes, 50)
    return RowDifference(
        name=row.name,
        label=row.label,
        kind="time",
        situations=len(both),
        a=intervals.percentile([before[name] for name in both], 50),
        b=intervals.percentile([after[name] for name in both], 50),
        value=intervals.percentile(changes, 50),
        interval=None if low is None or high is None else (low, high),
        less=sum(c < -SAME for c in changes),
        more=sum(c > SAME for c in changes),
        p=of_ranks(changes),
        needed=needed_for_times(changes),
    )


def _times_of_as_many(row: Time, a: Result, b: Result) -> tuple[Times, Times]:
    """Return the seconds of each situation, over as many repeats of one result as of the other."""
    before, after = by_situation(a.outcomes), by_situation(b.outcomes)
    kept_a: list[Outcome] = []
    kept_b: list[Outcome] = []
    for name, outcomes in before.items():
        known_a = [one for one in outcomes if row.of(one) is not None]
        known_b = [one for one in after[name] if row.of(one) is not None]
        as_many = min(len(known_a), len(known_b))
        kept_a += known_a[:as_many]
        kept_b += known_b[:as_many]
    return times_of(row, kept_a), times_of(row, kept_b)


# The tests


def of_signs(less: int, more: int) -> float | None:
    """Return p of the exact sign test, which McNemar's of pairs is; None if none differs."""
    from scipy.stats import binomtest  # noqa: PLC0415 - SciPy takes a second to load

    if not less + more:
        return None
    return float(binomtest(less, less + more).pvalue)


def of_ranks(changes: Sequence[float]) -> float | None:
    """Return p of Wilcoxon's signed-rank test; None if nothing differs."""
    from scipy.stats import wilcoxon  # noqa: PLC0415 - SciPy takes a second to load

    changed = [change for change in changes if change]
    if not changed:
        return None
    return float(wilcoxon(changed).pvalue)


def holm(values: Sequence[float]) -> list[float]:
    """Return p-values as one among so many, by Holm: however the rows hang together."""
    order = sorted(range(len(values)), key=lambda at: values[at])
    found = [0.0] * len(values)
    most = 0.0
    for rank, at in enumerate(order):
        most = max(most, min(1.0, (len(values) - rank) * values[at]))
        found[at] = most
    return found


def _with_holm(differences: Sequence[RowDifference]) -> list[RowDifference]:
    tested = [one.p for one in differences if one.p is not None]
    adjusted = iter(holm(tested))
    return [one if one.p is None else replace(one, holm=next(adjusted)) for one in differences]


def needed_for_counts(less: int, more: int, situations: int) -> int | None:
    """Return how many situations would show a difference (Connor 1987); None if there is none."""
    differ, by = (less + more) / situations, abs(less - more) / situations
    if not by:
        return None
    for_chance, for_power = _deviates()
    spread = for_chance * math.sqrt(differ) + for_power * math.sqrt(max(0.0, differ - by * by))
    return math.ceil(spread * spread / (by * by))


def needed_for_times(changes: Sequence[float]) -> int | None:
    """Return the same of times: what a t-test needs, and 16 % more, the worst of Wilcoxon's."""
    if len(changes) < 2:
        return None
    mean = sum(changes) / len(changes)
    spread = math.sqrt(sum((one - mean) ** 2 for one in changes) / (len(changes) - 1))
    if not mean or not spread:
        return None
    return math.ceil(1.16 * (sum(_deviates()) * spread / mean) ** 2)


def _deviates() -> tuple[float, float]:
    from scipy.special import ndtri  # noqa: PLC0415 - SciPy takes a second to load

    return float(ndtri(1 - SURE / 2)), float(ndtri(POWER))


# To read


def table(a: Result, b: Result, differences: Sequence[RowDifference]) -> str:
    """Return the comparison as lines to read, at most 100 columns wide."""
    tested = sum(one.p is not None for one in differences)
    lines = [
        f"{'':31s} {'A':>6s} {'B':>6s} {'B less A (95 %)':22s} {'n':>4s} {'p':>5s} {'needs':>5s}",
        *map(_line, differences),
        "",
        f"A: {_made(a)}",
        f"B: {_made(b)}",
        "Less is better in each row. n situations are compared in pairs; repeats count once.",
        f"p is Holm's over the {tested} rows with one: if nothing differed, the chance that any",
        f"row is called better or worse would be {SURE:.0%} at most.",
        f"needs: situations that would show such a difference in {POWER:.0%} of all comparisons.",
    ]
    if any(one.failed for one in (*a.outcomes, *b.outcomes)):
        lines.append("Calls that were not measured are in no row: see how many of each.")
    if not differences:
        lines.append("Nothing was measured in both, so nothing is compared.")
    elif not any(one.shown for one in differences):
        lines.append("No difference is shown.")
    return "\n".join(lines)


def _line(one: RowDifference) -> str:
    unit = _share if one.kind == "count" else _seconds
    ends = "" if one.interval is None else f" ({unit(one.interval[0])} to {unit(one.interval[1])})"
    p = "" if one.holm is None else f"{one.holm:.3f}"
    needs = "" if one.needed is None or one.shown else f"{min(one.needed, 99999)}"
    a, b = (f"{one.a:.0%}", f"{one.b:.0%}") if one.kind == "count" else _both_times(one)
    change = f"{unit(one.value)}{ends}"
    numbers = f"{a:>6s} {b:>6s} {change:22s} {one.situations:4d} {p:>5s} {needs:>5s}"
    return f"{one.label:31.31s} {numbers} {one.verdict}"


def _both_times(one: RowDifference) -> tuple[str, str]:
    return f"{one.a:.2f} s", f"{one.b:.2f} s"


def _share(value: float) -> str:
    return f"{100 * value:+.0f}" if round(100 * value) else "0"


def _seconds(value: float) -> str:
    return f"{value:+.2f}" if round(value, 2) else "0"


def _made(result: Result) -> str:
    situations, calls = len(by_situation(result.outcomes)), len(result.outcomes)
    failed = sum(bool(one.failed) for one in result.outcomes)
    each = "once" if result.repeats == 1 else f"{result.repeats} times"
    told = f"{situations} situations, {each} each, line {result.line}, {result.rate} Hz"
    told += f"; {failed} of {calls} calls not measured" if failed else ""
    return told + ("" if result.whole else "; it was interrupted")


def as_json(differences: Sequence[RowDifference]) -> list[Mapping[str, Any]]:
    """Return the comparison for scripts."""
    return [
        {k: round(v, 6) if isinstance(v, float) else v for k, v in asdict(one).items()}
        | {"shown": one.shown, "verdict": one.verdict}
        for one in differences
    ]
