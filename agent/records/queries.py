"""What people write when they ask for records: moments, pages."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.records.call_records import Place

MOMENT = (
    "a date such as 2026-11-26 or 2026-11-26T14:30, today, yesterday, or how long ago, such as 3h "
    "(s, m, h, d, w)"
)
"""What :func:`moment` takes."""

_AGO = re.compile(r"([0-9]{1,6})\s*([smhdw])", re.IGNORECASE)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAYS = {"today": 0, "yesterday": 1}
_CURSOR = re.compile(r"(-?[0-9a-f]{1,13})\.([0-9a-f]{1,15})")


def moment(text: str, now: datetime) -> float:
    """Return the Unix time that somebody means.

    Args:
        text: See :data:`MOMENT`. A day is its beginning.
        now: The time, with the zone of dates that have none; without one itself, that is the
            machine's, in summer and in winter.

    Raises:
        ValueError: If it is none of these.
    """
    text = text.strip()
    if (ago := _AGO.fullmatch(text)) is not None:
        return now.timestamp() - timedelta(**{_UNITS[ago[2].lower()]: int(ago[1])}).total_seconds()
    if (days := _DAYS.get(text.lower())) is not None:
        text = (now.date() - timedelta(days=days)).isoformat()
    try:
        found = datetime.fromisoformat(text)
        found = found if found.tzinfo is not None else found.replace(tzinfo=now.tzinfo)
        return found.timestamp()
    except (ValueError, OverflowError):
        raise ValueError(MOMENT) from None


def cursor(place: Place) -> str:
    """Return what a page is continued by; :func:`place` reads it."""
    return f"{round(place[0] * 1000):x}.{place[1]:x}"


def place(cursor: str) -> Place:
    """Return behind which record a page begins.

    Raises:
        ValueError: If :func:`cursor` did not write it.
    """
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise ValueError("take `next` of the page before")
    return int(found[1], 16) / 1000, int(found[2], 16)
