"""What statistics say: figures of many calls together, and of each day."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from agent.records.statistics.call_figures import CallFigures, Failure, Payee
from agent.records.statistics.periods import TimeSpan

LENGTHS = (15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Seconds that divide lengths of calls into groups."""


class Counted(NamedTuple):
    """A call, with what was read of it."""

    started: float
    ended: float | None
    outcome: str
    figures: CallFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How values lie, by the nearest rank: ``p95`` is the least that 95 of 100 do not exceed."""

    n: int
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What somebody was paid."""

    payee: Payee
    amount: float
    calls: int
    """Of which they were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostOfCalls:
    """What calls have cost in one currency."""

    currency: str
    amount: float
    calls: int
    """Those whose cost is known: of which somebody was paid in it."""

    seconds: float
    """How long these were, together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of some calls."""

    calls: int
    """All of them."""

    outcomes: Mapping[str, int]
    """How many of all ended how."""

    read: int
    """Calls that all the rest is of."""

    every: int
    """1 if these are all; k if they are every k-th."""

    answers: Spread
    """Seconds that callers waited for answers."""

    long_waits: int
    """Waits with more than 2 s of silence."""

    very_long_waits: int
    """Waits with more than 4 s of silence."""

    replies: int
    barge_ins: int
    failures: Mapping[Failure, int]
    costs: Sequence[Cost]
    """By whom was paid."""

    currencies: Sequence[CostOfCalls]
    """The one with most calls first."""

    unpriced: int
    """Calls with a provider that has no price."""

    lengths: Spread
    """Seconds of the calls that were answered and are over."""

    groups: Sequence[int]
    """How many of these lie between the limits of :data:`LENGTHS`, below and above them."""

    @property
    def failed(self) -> int:
        """How many failures there were."""
        return sum(self.failures.values())


@dataclass(slots=True)
class _Sum:
    """Figures while they are added up."""

    read: int = 0
    waits: list[array[float]] = field(default_factory=list)
    long_waits: int = 0
    very_long_waits: int = 0
    replies: int = 0
    barge_ins: int = 0
    failures: Counter[Failure] = field(default_factory=Counter)
    paid: dict[Payee, tuple[float, int]] = field(default_factory=dict)
    currencies: dict[str, tuple[float, int, float]] = field(default_factory=dict)
    unpriced: int = 0
    lengths: list[float] = field(default_factory=list)

    def add(self, call: Counted) -> None:
        """Add a call."""
        its = call.figures
        self.read += 1
        self.waits.append(its.waits)
        self.long_waits += its.long_waits
        self.very_long_waits += its.very_long_waits
        self.replies += its.replies
        self.barge_ins += its.barge_ins
        self.unpriced += its.unpriced
        if its.failures:
            self.failures.update(its.failures)
        length = 0.0 if call.ended is None else call.ended - call.started
        if call.ended is not None and call.outcome != "not answered":
            self.lengths.append(length)
        together: dict[str, float] = {}
        for payee, amount in zip(its.paid, its.amounts, strict=True):
            self._pay(payee, amount, 1)
            together[payee.currency] = together.get(payee.currency, 0.0) + amount
        for currency, amount in together.items():
            self._cost(currency, amount, 1, length)

    def include(self, other: _Sum) -> None:
        """Add what was added up elsewhere."""
        for name in ("read", "long_waits", "very_long_waits", "replies", "barge_ins", "unpriced"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.waits += other.waits
        self.lengths += other.lengths
        self.failures.update(other.failures)
        for payee, paid in other.paid.items():
            self._pay(payee, *paid)
        for currency, costs in other.currencies.items():
            self._cost(currency, *costs)

    def _pay(self, payee: Payee, amount: float, calls: int) -> None:
        paid, before = self.paid.get(payee, (0.0, 0))
        self.paid[payee] = (paid + amount, before + calls)

    def _cost(self, currency: str, amount: float, calls: int, seconds: float) -> None:
        paid, before, length = self.currencies.get(currency, (0.0, 0, 0.0))
        self.currencies[currency] = (paid + amount, before + calls, length + seconds)

    def figures(self, outcomes: Counter[str], every: int) -> Figures:
        """Return them."""
        costs = [Cost(payee=p, amount=a, calls=n) for p, (a, n) in self.paid.items()]
        currencies = [
            CostOfCalls(currency=currency, amount=amount, calls=calls, seconds=seconds)
            for currency, (amount, calls, seconds) in self.currencies.items()
        ]
        limits = np.searchsorted(LENGTHS, self.lengths, side="right")
        return Figures(
            calls=outcomes.total(),
            outcomes=outcomes,
            read=self.read,
            every=every,
            answers=spread(b"".join(map(bytes, self.waits)), "f"),
            long_waits=self.long_waits,
            very_long_waits=self.very_long_waits,
            replies=self.replies,
            barge_ins=self.barge_ins,
            failures=self.failures,
            costs=sorted(costs, key=lambda one: -one.amount),
            currencies=sorted(currencies, key=lambda one: -one.calls),
            unpriced=self.unpriced,
            lengths=spread(array("d", self.lengths).tobytes(), "d"),
            groups=np.bincount(limits, minlength=len(LENGTHS) + 1).tolist(),
        )


def spread(values: bytes, kind: str) -> Spread:
    """Return how values lie, to the millisecond.

    Args:
        values: In the order of an array.
        kind: Of the array: ``f`` or ``d``.
    """
    ordered = np.sort(np.frombuffer(values, kind))
    n = len(ordered)
    if not n:
        return Spread(n=0)

    def rank(part: float) -> float:
        return round(float(ordered[math.ceil(part * n) - 1]), 3)

    return Spread(n=n, p50=rank(0.5), p90=rank(0.9), p95=rank(0.95))


def summed(
    spans: Sequence[TimeSpan],
    calls: Iterable[Counted],
    every: int = 1,
    outcomes: Sequence[Counter[str]] = (),
) -> list[Figures]:
    """Return the figures of each span, and behind them those of all together.

    Args:
        spans: One behind the other.
        calls: Those that were read, of any of them.
        every: 1 if they are all, else k of every k-th.
        outcomes: Of all calls of each span, if those that were read are not all.
    """
    since = [one.since for one in spans]
    sums, total = [_Sum() for _ in spans], _Sum()
    counts = outcomes or [Counter[str]() for _ in spans]
    for call in calls:
        at = max(bisect_right(since, call.started) - 1, 0)
        sums[at].add(call)
        if not outcomes:
            counts[at][call.outcome] += 1
    for one in sums:
        total.include(one)
    found = [one.figures(its, every) for one, its in zip(sums, counts, strict=True)]
    return [*found, total.figures(sum(counts, Counter()), every)]
