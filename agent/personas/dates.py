"""Dates and times as an agent says them: in its language, by CLDR, and by its clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from pipelines.text import cldr


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenDates:
    """How the agent of one call says dates.

    A method takes a moment as a :class:`~datetime.datetime`, as ISO 8601 or in Unix seconds;
    without an offset it is by the agent's clock already. ``""`` stays ``""``: a variable that is
    not known.

    Each raises ValueError if it is given anything else.
    """

    language: str
    """A BCP 47 tag. A language that CLDR does not have says its dates in English."""

    now: datetime
    """By the agent's clock."""

    def date(self, moment: object, form: str = "long", *, days: int = 0) -> str:
        """Return the date, such as ``January 5, 2026``, ``days`` later.

        Args:
            moment: See there.
            form: ``short``, ``medium``, ``long``, ``full``, or a pattern of CLDR's: ``d. MMMM``.
            days: To be added.
        """
        at = self._local(moment)
        return "" if at is None else _date(at.date() + timedelta(days), self.language, form)

    def weekday(self, moment: object, *, days: int = 0) -> str:
        """Return the day of the week, such as ``Monday``, ``days`` later."""
        return self.date(moment, "EEEE", days=days)

    def time(self, moment: object, form: str = "") -> str:
        """Return the time of day, such as ``09:30``, or in a form as of :meth:`date`."""
        at = self._local(moment)
        if at is None:
            return ""
        if not form:
            return f"{at:%H:%M}"
        from babel.dates import format_time  # noqa: PLC0415 - 100 ms: see cldr

        return format_time(at.replace(tzinfo=None), form, locale=cldr.locale_of(self.language))

    def _local(self, moment: object) -> datetime | None:
        """Return a moment by the agent's clock; None if there is none."""
        if moment in ("", None):
            return None
        try:
            at = _read(moment)
        except (ValueError, OverflowError):
            message = (
                "no moment: write 2026-11-25T10:00, with +01:00 or Z if it is not by our clock"
            )
            raise ValueError(message) from None
        zone = self.now.tzinfo
        return at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)


def _read(moment: object) -> datetime:
    match moment:
        case datetime():
            return moment
        case str():
            return datetime.fromisoformat(moment.strip())
        case int() | float() if not isinstance(moment, bool):
            return datetime.fromtimestamp(0, UTC) + timedelta(seconds=moment)
    raise ValueError


@lru_cache(1024)
def _date(day: date, language: str, form: str) -> str:
    # Only forms that stand in a date: in Babel 2.18 the names that stand alone (``LLLL``, ``cccc``)
    # are those of whatever language was asked for first.
    from babel.dates import format_date  # noqa: PLC0415 - 100 ms: see cldr

    return format_date(day, form, locale=cldr.locale_of(language))
