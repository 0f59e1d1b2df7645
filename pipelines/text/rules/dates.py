"""Dates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.replacements import any_of
from pipelines.text.rules.rule import Rule


@cache
def _months(language: SpokenLanguage) -> Mapping[str, int]:
    """Return the number of each month by its names, in lower case."""
    months = {name.lower(): number for number, name in enumerate(language.months, 1)}
    if language.short_months:
        months |= {name[:3].lower(): number for number, name in enumerate(language.months, 1)}
        months |= {"sept": 9}
    return months


def _month_day(language: SpokenLanguage) -> str:
    """Return a pattern for "May 5th, 2026"."""
    return (
        rf"{_capitalized_month(language)}\.?\s(?P<day>[0-3]?[0-9])(?:st|nd|rd|th)?\b"
        r"(?![:.,]?[0-9]|\s?[ap]\.?m\b)"
        r"(?:,?\s(?P<year>[12][0-9]{3})\b)?"
    )


def _day_of_month(language: SpokenLanguage) -> str:
    """Return a pattern for "the 5th of May 2026"."""
    return _day_before_month(r"(?:st|nd|rd|th)?(?:\sof)?", _capitalized_month(language))


def _day_stop_month(language: SpokenLanguage) -> str:
    """Return a pattern for "am 5. Mai 2026"."""
    return _day_before_month(r"\.", rf"(?P<month>(?i:{any_of(_months(language))}))\b")


def _capitalized_month(language: SpokenLanguage) -> str:
    """Return a pattern for a month; "may" is none."""
    return rf"(?P<month>{any_of(name.title() for name in _months(language))})\b"


def _day_before_month(between: str, month: str) -> str:
    return (
        rf"(?:\b(?P<before>[^\W\d_]+)\s)?\b(?P<day>[0-3]?[0-9]){between}\s?{month}"
        r"(?:\.(?=\s?[0-9a-z]))?(?:,?\s(?P<year>[12][0-9]{3})\b)?"
    )


def _named_date(found: re.Match[str], language: SpokenLanguage) -> str:
    month = _months(language)[found["month"].lower()]
    return _said(found, month, int(found["day"]), language)


def _date(found: re.Match[str], language: SpokenLanguage) -> str:
    month, day = int(found["month"]), int(found["day"])
    mark = found.groupdict().get("mark")
    if mark == "/" and day <= 12 and (language.month_first or month > 12):
        month, day = day, month
    return _said(found, month, day, language)


def _said(found: re.Match[str], month: int, day: int, language: SpokenLanguage) -> str:
    """Return a date in words, after the word before it; what was found if there is no such day."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return found[0]
    parts = found.groupdict()
    before = parts.get("before") or ""
    of_year = int(parts["year"]) if parts["year"] else None
    return f"{before} {language.date(day, month, of_year, before)}".strip()


RULES = (
    Rule(_month_day, _named_date, only=("en",)),
    Rule(_day_of_month, _named_date, only=("en",)),
    Rule(_day_stop_month, _named_date, only=("de",)),
    # "2026-11-24"
    Rule(
        r"(?<![\w./-])(?P<year>[12][0-9]{3})-(?P<month>[01]?[0-9])-(?P<day>[0-3]?[0-9])"
        r"(?![\w/-])",
        _date,
    ),
    # "24.11.2026", "24/11/2026", "11/24/2026"
    Rule(
        r"(?:\b(?P<before>[^\W\d_]+)\s)?(?<![\w./-])(?P<day>[0-3]?[0-9])(?P<mark>[./])"
        r"(?P<month>[0-3]?[0-9])(?P=mark)(?P<year>[12][0-9]{3})(?![\w/-])",
        _date,
    ),
)
