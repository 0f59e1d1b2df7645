"""What somebody wants to see on the overview, as the address of the page says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from agent import time_zones
from agent.console.visitor import Role, Visitor
from agent.records.call_records import RecordFilter
from agent.records.search.number_forms import looked_up_as
from agent.records.statistics.periods import MOST_DAYS, Period, period

TIMES = {"today": "Today", "7": "7 days", "30": "30 days", "days": "From – to"}
"""What can be chosen, and its name. Days end with today."""

USUAL = "7"

LONGEST = 300
"""Characters of a value."""

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
"""No call was before, and none is behind."""

NUMBERS_NEED = f"Searching by a number takes the role {Role.LISTEN.title!r}."
"""It tells whether a number has called, which those who may not see numbers are not to learn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewQuery:
    """Which calls are counted, and what of the address was wrong."""

    given: Mapping[str, str]
    """By field, as it was written, for the form."""

    errors: Mapping[str, str]
    """By field, what is wrong with it, in words; nothing is counted then."""

    zone: ZoneInfo
    period: Period
    wanted: RecordFilter


def read_query(
    query: Mapping[str, str],
    visitor: Visitor,
    *,
    usual_zone: str,
    country: str,
    now: float,
) -> OverviewQuery:
    """Return what the address of the page asks for. It may read files: call it in a thread.

    Args:
        query: Of the address.
        visitor: Who asks.
        usual_zone: Time zone of days, if the browser has not sent its own.
        country: Two letters, of a number without ``+``; ``""`` if there is none.
        now: Unix time.
    """
    names = ("time", "from", "to", "zone", "agent", "number", "direction")
    given = {name: query.get(name, "").strip()[:LONGEST] for name in names}
    errors: dict[str, str] = {}
    zone = time_zones.zone(usual_zone)
    try:
        zone = time_zones.zone(time_zones.name(given["zone"])) if given["zone"] else zone
    except ValueError as error:
        errors["zone"] = f"Write {error}."
    today = datetime.fromtimestamp(now, zone).date()
    given["time"] = given["time"] or ("days" if given["from"] or given["to"] else USUAL)
    first, last = _days(given, today, errors)
    if given["number"] and not visitor.may(Role.LISTEN):
        errors["number"] = NUMBERS_NEED
    if given["direction"] not in ("", "incoming", "outgoing"):
        errors["direction"] = "Choose incoming or outgoing, or neither."
    return OverviewQuery(
        given=given,
        errors=errors,
        zone=zone,
        period=period(first, last, zone, now),
        wanted=RecordFilter(
            agent=given["agent"] or None,
            direction=given["direction"] or None,
            number=looked_up_as(given["number"], country) if given["number"] else None,
        ),
    )


def _days(given: Mapping[str, str], today: date, errors: dict[str, str]) -> tuple[date, date]:
    match given["time"]:
        case "days":
            days = {name: _day(given[name], today, name, errors) for name in ("from", "to")}
            first, last = days["from"], days["to"]
            if first > last:
                errors.setdefault("to", "The last day is before the first.")
            elif (last - first).days >= MOST_DAYS:
                errors.setdefault("from", f"Choose {MOST_DAYS} days at the most.")
            return (first, last) if not errors else (today, today)
        case "today":
            return today, today
        case "7" | "30" as days:
            return today - timedelta(days=int(days) - 1), today
    errors["time"] = "Choose one of these."
    return today, today


def _day(text: str, today: date, name: str, errors: dict[str, str]) -> date:
    """Return a day; one that was left open is today."""
    if not text:
        return today
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or not FIRST_DAY <= found <= LAST_DAY:
        errors[name] = "Write a day as 2026-11-26."
        return today
    return found
