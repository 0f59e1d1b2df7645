"""Figures as the overview shows them: cards, charts, tables; all texts are plain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from agent.console.overview.query import OverviewQuery
from agent.console.wording import UNKNOWN, clock, money, seconds
from agent.records.events import Outcome
from agent.records.statistics.figures import CostOfCalls, Figures
from agent.records.statistics.periods import Period, TimeSpan

FEW = 20
"""Values below which a percentile says little: the 95th of fewer is their largest."""

ABOUT = 0.05
"""Of a figure, the part by which two periods differ that are about the same."""

STAGES = {
    "stt": "Speech to text",
    "llm": "Language model",
    "tts": "Text to speech",
    "phone": "Phone line",
}

PERCENTILES = ("p50", "p90", "p95")

LENGTH_LABELS = ("< 15 s", "15–30 s", "30–60 s", "1–2 min", "2–5 min", "5–10 min", "≥ 10 min")
"""Of the groups that :data:`~agent.records.statistics.figures.LENGTHS` divide."""

ORDER: tuple[Outcome, ...] = (
    "caller hung up",
    "agent hung up",
    "operator hung up",
    "passed on",
    "in progress",
    "not answered",
    "stopped",
    "failed",
    "interrupted",
)
"""All outcomes as they are stacked, what went wrong at the top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One figure, and how it was before."""

    title: str
    figure: str
    note: str
    """Of how many of what."""

    change: str = ""
    """In words, beside the period before; ``""`` if there is nothing to compare with."""

    kind: Literal["", "better", "worse"] = ""
    few: bool = False
    """Whether it is of so few values that it says little."""


def cards(now: Figures, before: Figures) -> list[Card]:
    """Return the figures that are shown first.

    Args:
        now: Of the period.
        before: Of the one before it.
    """
    failures, failures_before = _each(now.failed, now.read), _each(before.failed, before.read)
    silent = _each(now.long_waits, now.answers.n)
    silent_before = _each(before.long_waits, before.answers.n)
    stopped = _each(now.barge_ins, now.replies)
    stopped_before = _each(before.barge_ins, before.replies)
    return [
        Card(
            title="Calls",
            figure=f"{now.calls:,}",
            note="begun in this time",
            change=_relative(now.calls, before.calls, "more", "fewer"),
        ),
        _answer("Median answer", now, now.answers.p50, before.answers.p50),
        _answer("p95 answer", now, now.answers.p95, before.answers.p95),
        Card(
            title="Dead air",
            figure=_percent(silent),
            note=f"of {now.answers.n:,} waits were over 2\u00a0s; "
            f"{now.very_long_waits:,} over 4\u00a0s",
            change=_changed(silent, silent_before, " points", "more", "less"),
            kind=_kind(silent, silent_before),
            few=0 < now.answers.n < FEW,
        ),
        Card(
            title="Failures",
            figure=f"{now.failed:,}",
            note=f"{_plain(failures)} a hundred calls, n = {now.read:,} calls",
            change=_changed(failures, failures_before, "", "more a hundred", "fewer a hundred"),
            kind=_kind(failures, failures_before),
        ),
        Card(
            title="Barge-ins",
            figure=f"{now.barge_ins:,}",
            note=f"{_plain(_ratio(now.barge_ins, now.read))} a call (n = {now.read:,}), "
            f"{_plain(stopped)} a hundred replies (n = {now.replies:,})",
            change=_changed(stopped, stopped_before, "", "more a hundred", "fewer a hundred"),
        ),
        _cost(now, before),
        Card(
            title="Median length",
            figure=clock(now.lengths.p50),
            note=f"p90 {clock(now.lengths.p90)}, n = {now.lengths.n:,} calls",
            change=_changed(now.lengths.p50, before.lengths.p50, " s", "longer", "shorter"),
            few=0 < now.lengths.n < FEW,
        ),
    ]


def charts(query: OverviewQuery, days: Sequence[Figures], total: Figures) -> dict[str, Any]:
    """Return what the charts are drawn of, as JSON has it."""
    currency = total.currencies[0].currency if total.currencies else ""
    spans = query.period.spans
    return {
        "labels": [_label(query.period, one) for one in spans],
        "titles": [_title(query.period, one) for one in spans],
        "links": [list_address(query, one) for one in spans],
        "outcomes": [  # a list: it keeps its order
            {"name": name, "counts": [one.outcomes.get(name, 0) for one in days]}
            for name in ORDER
            if total.outcomes.get(name)
        ],
        "answers": {name: [getattr(one.answers, name) for one in days] for name in PERCENTILES},
        "waits": [one.answers.n for one in days],
        "long": [_rounded(_each(one.long_waits, one.answers.n)) for one in days],
        "very_long": [_rounded(_each(one.very_long_waits, one.answers.n)) for one in days],
        "lengths": {"labels": LENGTH_LABELS, "counts": list(total.groups)},
        "currency": currency,
        "cost": [round(_of(one, currency).amount, 6) for one in days],
    }


def failures(total: Figures) -> list[dict[str, Any]]:
    """Return a row for each stage and provider that failed, the worst first."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for failure, count in total.failures.items():
        row = rows.setdefault(
            (failure.stage, failure.provider),
            {
                "stage": STAGES.get(failure.stage, failure.stage) or "?",
                "provider": failure.provider or "nobody was left",
                "taken_over": 0,
                "lost": 0,
                "errors": Counter(),
            },
        )
        row["lost" if failure.lost else "taken_over"] += count
        row["errors"][failure.error or "failed"] += count
    for row in rows.values():
        counts = row["errors"].most_common()
        row["errors"] = ", ".join(f"{name} {count:,}" for name, count in counts)
    return sorted(rows.values(), key=lambda row: -(row["taken_over"] + row["lost"]))


def costs(total: Figures) -> list[dict[str, Any]]:
    """Return a row for each who was paid, the dearest of each currency first."""
    rows = [
        {
            "stage": STAGES.get(one.payee.stage, one.payee.stage) or "?",
            "provider": one.payee.provider or "?",
            "amount": money(one.amount, one.payee.currency),
            "share": round(100 * one.amount / max(_of(total, one.payee.currency).amount, 1e-12)),
            "calls": one.calls,
            "currency": one.payee.currency,
        }
        for one in total.costs
    ]
    order = [one.currency for one in total.currencies]
    return sorted(rows, key=lambda row: order.index(row["currency"]))


def currencies(total: Figures) -> list[dict[str, Any]]:
    """Return a row for each currency in which calls have a cost."""
    return [
        {
            "amount": money(one.amount, one.currency),
            "a_call": money(_ratio(one.amount, one.calls), one.currency),
            "a_minute": money(_ratio(60 * one.amount, one.seconds), one.currency),
            "calls": one.calls,
        }
        for one in total.currencies
    ]


def list_address(query: OverviewQuery, span: TimeSpan, outcome: str = "") -> str:
    """Return where the calls of a day are listed, by the same filters."""
    given, zone = query.given, query.zone
    moments = {name: _iso(getattr(span, name), zone) for name in ("since", "before")}
    kept = {name: given[name] for name in ("agent", "number", "direction") if given[name]}
    ended = {"outcome": outcome} if outcome else {}
    return "/console/calls?" + urlencode(moments | kept | ended)


def day_rows(query: OverviewQuery, days: Sequence[Figures], total: Figures) -> list[dict[str, Any]]:
    """Return the rows of the tables that say the same as the charts."""
    currency = total.currencies[0].currency if total.currencies else ""
    return [
        {
            "title": _title(query.period, span),
            "link": list_address(query, span),
            "figures": one,
            "outcomes": [
                (one.outcomes.get(name, 0), list_address(query, span, name))
                for name in ORDER
                if total.outcomes.get(name)
            ],
            "long": _percent(_each(one.long_waits, one.answers.n)),
            "very_long": _percent(_each(one.very_long_waits, one.answers.n)),
            "cost": money(_of(one, currency).amount, currency),
            "priced": _of(one, currency).calls,
        }
        for span, one in zip(query.period.spans, days, strict=True)
    ]


def before_words(period: Period, *, unfinished: bool) -> str:
    """Return what the period before is called."""
    days = (period.last - period.first).days + 1
    if days == 1:
        return "the day before" + (", up to the same time" if unfinished else "")
    return f"the {days} days before"


def _answer(title: str, now: Figures, value: float | None, before: float | None) -> Card:
    return Card(
        title=title,
        figure=seconds(value),
        note=f"n = {now.answers.n:,} answers",
        change=_changed(value, before, " s", "slower", "faster"),
        kind=_kind(value, before),
        few=0 < now.answers.n < FEW,
    )


def _cost(now: Figures, before: Figures) -> Card:
    if not now.currencies:
        return Card(title="Cost", figure=UNKNOWN, note="no call has a price: see [pricing]")
    main = now.currencies[0]
    each, each_before = (
        _ratio(one.amount, one.calls) for one in (main, _of(before, main.currency))
    )
    others = len(now.currencies) - 1
    return Card(
        title="Cost",
        figure=money(main.amount, main.currency),
        note=f"{money(each)} a call, {money(_ratio(60 * main.amount, main.seconds))} a "
        f"minute, n = {main.calls:,} calls" + (f"; {others} more currencies below" * bool(others)),
        change=_relative(each, each_before, "more a call", "less a call"),
        kind=_kind(each, each_before),
    )


def _of(figures: Figures, currency: str) -> CostOfCalls:
    nothing = CostOfCalls(currency=currency, amount=0.0, calls=0, seconds=0.0)
    return next((one for one in figures.currencies if one.currency == currency), nothing)


def _changed(now: float | None, before: float | None, unit: str, more: str, less: str) -> str:
    if now is None or before is None:
        return ""
    by = round(now - before, 2)
    if not by:
        return "as before"
    return f"{_plain(abs(by))}{unit} {more if by > 0 else less}"


def _relative(now: float | None, before: float | None, more: str, less: str) -> str:
    if now is None or not before:
        return ""
    by = round(100 * (now / before - 1))
    return f"{abs(by):,} % {more if by > 0 else less}" if by else "as before"


def _kind(now: float | None, before: float | None) -> Literal["", "better", "worse"]:
    """Return whether less of it is there than before, which is better; ``""`` if about as much."""
    if now is None or before is None or abs(now - before) <= ABOUT * before:
        return ""
    return "worse" if now > before else "better"


def _ratio(count: float, of: float) -> float | None:
    return count / of if of else None


def _each(count: float, of: float) -> float | None:
    """Return how many that is a hundred."""
    return 100 * count / of if of else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1f} %"


def _plain(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")


def _iso(moment: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(moment, zone).isoformat(timespec="minutes")


def _label(period: Period, span: TimeSpan) -> str:
    at = datetime.fromtimestamp(span.since, period.zone)
    return f"{at:%H:%M}" if period.by_hour else f"{at.day} {at:%b}"


def _title(period: Period, span: TimeSpan) -> str:
    at = datetime.fromtimestamp(span.since, period.zone)
    if period.by_hour:
        until = datetime.fromtimestamp(span.before, period.zone)
        return f"{at:%H:%M} to {until:%H:%M}"
    return f"{at:%a} {at.day} {at:%b %Y}"
