"""Days by somebody's clock, as spans of time: what is counted by the day, and the days before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

MOST_DAYS = 366
"""Of one period: each is counted by itself."""

HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSpan:
    """A stretch of time: a day, or an hour of one."""

    since: float
    """Unix time of its beginning."""

    before: float
    """Unix time of what comes behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Whole days by the clock of a time zone; the last one ends now, if it is today."""

    first: date
    last: date
    zone: ZoneInfo
    spans: Sequence[TimeSpan]
    """Its days; of a single day, its hours. A day has 23 or 25 hours when the clocks change."""

    earlier: TimeSpan
    """As many days before it, up to the same time of day if the last one is not over."""

    @property
    def by_hour(self) -> bool:
        """Whether its spans are hours."""
        return self.first == self.last


def period(first: date, last: date, zone: ZoneInfo, now: float) -> Period:
    """Return a period of days, both included.

    Args:
        first: Not behind ``last``; nor more than :data:`MOST_DAYS` before it.
        last: Its last day.
        zone: By whose clock they begin.
        now: Unix time. What is behind it is not in the period, but for the rest of an hour.
    """
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    limits = [midnight(day, zone) for day in (*days, last + timedelta(days=1))]
    if first == last:
        limits = _hours(limits[0], limits[-1])
    spans = [
        TimeSpan(since=since, before=before)
        for since, before in pairwise(limits)
        if since < before  # a day that a country has left out
    ]
    back = timedelta(days=len(days))
    until = limits[0]
    if limits[0] < now < limits[-1]:  # today counts as far as it has come, and so does that day
        clock = datetime.fromtimestamp(now, zone).replace(tzinfo=None)
        until = (clock - back).replace(tzinfo=zone).timestamp()
    return Period(
        first=first,
        last=last,
        zone=zone,
        spans=spans,
        earlier=TimeSpan(since=midnight(first - back, zone), before=until),
    )


def midnight(day: date, zone: ZoneInfo) -> float:
    """Return the Unix time at which a day begins; where no clock shows midnight, the first moment.

    Clocks that are put forward at midnight skip it: the time before the change is meant.
    """
    return datetime.combine(day, time(), zone).timestamp()


def _hours(since: float, before: float) -> list[float]:
    count = round((before - since) / HOUR)
    return [*(since + n * HOUR for n in range(count)), before]
