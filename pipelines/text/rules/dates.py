"""Dates, with and without a year, and what servers write: "2026-01-05T09:30:00Z"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from pipelines.text import cldr
from pipelines.text.amounts import DASH
from pipelines.text.languages.language import LOWER, SpokenLanguage, words
from pipelines.text.numerals import year
from pipelines.text.replacements import any_of
from pipelines.text.rules.rule import Rule
from pipelines.text.rules.times import zone_in_words

_BEFORE = r"(?:\b(?P<before>[^\W\d_]+)\s)?"
_BEGINS = r"(?<![\w./-])(?<![0-9]:)"
_DAY = r"(?P<day>[0-3]?[0-9])"
_YEAR = r"(?P<year>[12][0-9]{3})"

_NO_DATES = frozenset((24, 7)), frozenset((7,))
"""Numbers of "24/7" and "7/7": always."""

_NUMBERED = words("version kapitel abschnitt punkt nr ziffer absatz artikel seite")
"""Words, in lower case, that "3.2." after is no date."""

_EXPIRY = re.compile(
    r"(?i)\b(?:exp|expir(?:y|es|ation)|valid|thru|good thru|valid thru)\W+(?:date\W+|on\W+)?$"
)
"""Before a month and a year, of a card: no day."""

_ANOTHER = re.compile(
    r"\b(?P<before>[^\W\d_]+)\s[0-3]?[0-9]/[0-3]?[0-9],?\s(?:and|or|und|oder|y|o|et|ou|e)\s$"
)
"""Before the second of two dates: "on 5/6 and 5/7"."""

_MEASURES = r"(?!\s?(?:\"|”|in\b|inch|of\b|cup|mile|feet|ft\b|teaspoon|tablespoon))"
"""What comes after the fractions of a kitchen or a workshop."""


@cache
def _long_months(language: SpokenLanguage) -> Mapping[str, int]:
    """Return the number of each month by its name, in lower case."""
    return {name.lower(): number for number, name in enumerate(cldr.months(language.code), 1)}


@cache
def _short_months(language: SpokenLanguage) -> Mapping[str, int]:
    """Return the number of each month by how it is shortened, in lower case."""
    short = enumerate(cldr.short_months(language.code), 1)
    return {**{name.lower(): number for number, name in short}, **language.months_short}


@cache
def _months(language: SpokenLanguage) -> Mapping[str, int]:
    return {**_short_months(language), **_long_months(language)}


def _capitalized_month(language: SpokenLanguage) -> str:
    """Return a pattern for a month; "may" is none."""
    return rf"(?P<month>{any_of(name.title() for name in _months(language))})\b"


def _month_day(language: SpokenLanguage) -> str:
    """Return a pattern for "May 5th, 2026" and "Nov 24-26"."""
    return (
        rf"{_capitalized_month(language)}\.?\s{_DAY}(?:st|nd|rd|th)?\b"
        rf"(?:{DASH}(?P<last>[0-3]?[0-9])(?:st|nd|rd|th)?\b(?![:.,]?[0-9]|-))?"
        r"(?![:.,]?[0-9]|\s?[ap]\.?m\b)"
        rf"(?:,?\s{_YEAR}\b)?"
    )


def _day_of_month(language: SpokenLanguage) -> str:
    """Return a pattern for "the 5th of May 2026"."""
    month = _capitalized_month(language)
    return _day_before_month(r"(?:st|nd|rd|th)?(?:\sof)?", month, r"(?:st|nd|rd|th)?")


def _day_stop_month(language: SpokenLanguage) -> str:
    """Return a pattern for "am 5. Mai 2026" and "30. Nov."."""
    return _day_before_month(r"\.", rf"(?P<month>(?i:{any_of(_months(language))}))\b", r"\.")


def _day_before_month(between: str, month: str, after_first: str) -> str:
    return (
        rf"{_BEFORE}(?<![\w.,/:-])(?:(?P<first>[0-3]?[0-9]){after_first}(?:{DASH}|\s(?P<and>und|oder)\s))?{_DAY}{between}"
        rf"\s?{month}(?:\.(?=\s?[{LOWER},;:)]|\s[12][0-9]{{3}}\b))?(?:,?\s{_YEAR}\b)?"
    )


def _day_word_month(language: SpokenLanguage) -> str:
    """Return a pattern for "1er mai 2026" and "30 de nov."; short months have a mark or a year."""
    long, short = any_of(_long_months(language)), any_of(_short_months(language))
    return (
        rf"(?<![\w.,/:-])(?:(?P<first>[0-3]?[0-9]){DASH})?{_DAY}(?:er|°|º)?(?:\sde)?\s"
        rf"(?P<month>(?i:{long})\b|(?i:{short})\b(?=\.|\s(?:del?\s)?[12][0-9]{{3}}\b)"
        rf"(?:\.(?=\s?[{LOWER},;:)]|\s[12][0-9]{{3}}\b))?)(?:\s(?:del?\s)?{_YEAR}\b)?"
    )


def _named_date(found: re.Match[str], language: SpokenLanguage) -> str:
    month = _months(language)[found["month"].lower().rstrip(".")]
    return _said(found, month, int(found["day"]), language)


def _month_year(language: SpokenLanguage) -> str:
    """Return a pattern for "May 2026" and, where its name is as well a word, "dic. 2026"."""
    if language.code in ("en", "de"):
        month = rf"(?P<month>{any_of(name.title() for name in _months(language))})\.?"
    else:
        month = rf"(?P<month>(?i:{any_of(_short_months(language))}))\.(?:\sde)?"
    return rf"\b{month}\s(?P<year>1[89][0-9]{{2}}|20[0-9]{{2}})\b(?![,.]?[0-9])"


def _month_of_year(found: re.Match[str], language: SpokenLanguage) -> str:
    month = found["month"].lower()
    number = int(month) if month.isdigit() else _months(language)[month]
    of = " de " if language.code == "es" else " "
    return cldr.months(language.code)[number - 1] + of + year(int(found["year"]), language.code)


def _dotted_month(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read "12.2026", unless what stands before says that it is no date: "Version 3.2026"."""
    before = found.string[max(0, found.start() - 20) : found.start()].split()
    if before and before[-1].lower().rstrip(".") in _NUMBERED:
        return found[0]
    return _month_of_year(found, language)


def _date(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read a date in figures: the day first, unless the language or the number says otherwise."""
    month, day = int(found["month"]), int(found["day"])
    mark = found.groupdict().get("mark")
    if mark in ("/", "-") and day <= 12 and (language.month_first or month > 12):
        month, day = day, month
    if mark == "." and _is_version(found):
        return found[0]
    return _said(found, month, day, language)


def _is_version(found: re.Match[str]) -> bool:
    """Return whether it is "version 3.2.10": a short year is of dates with two figures each."""
    before = (found["before"] or "").lower()
    short = len(found["year"]) == 2 and len(found[0].split()[-1]) < 8
    return before in _NUMBERED or (short and before == "")


def _slashed(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read "30/11" or "11/30" if a word says that it is a date, or if it can be nothing else."""
    first, second = int(found["day"]), int(found["month"])
    if _EXPIRY.search(found.string, 0, found.start("day")):
        return found[0]
    if first in _NO_DATES[0] and second in _NO_DATES[1]:
        return found[0]
    before = (found["before"] or "").lower()
    if another := _ANOTHER.search(found.string, 0, found.start("day")):
        before = another["before"].lower()
    dated = before in language.dated.split()
    day_first = first <= 31 and second <= 12
    month_first = first <= 12 and second <= 31 and language.code == "en"
    if not dated:
        day_first = day_first and first > 12 and first > second
        month_first = month_first and second > 12 and second != 16
    if month_first and (language.month_first or not day_first):
        return _said(found, first, second, language)
    return _said(found, second, first, language) if day_first else found[0]


def _said(found: re.Match[str], month: int, day: int, language: SpokenLanguage) -> str:
    """Return a date in words, after the word before it; what was found if there is no such day."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return found[0]
    parts = found.groupdict()
    before, first, last = (parts.get(name) or "" for name in ("before", "first", "last"))
    of_year = int(parts["year"]) if parts.get("year") else None
    if of_year is not None and of_year < 100:
        of_year += 2000 if of_year < 70 else 1900
    name = cldr.months(language.code)[month - 1]
    said = language.date(day, name, of_year, before)
    if last:
        said = (
            f"{language.date(day, name, None, before)} {language.to} {language.day(int(last), '')}"
        )
        said += f", {year(of_year, language.code)}" if of_year else ""
    elif first and language.code == "en":
        said = (
            f"{language.date(int(first), name, None, before)} {language.to} {language.day(day, '')}"
        )
    elif first:
        said = f"{language.day(int(first), before)} {parts.get('and') or language.to} {said}"
    stop = "." if found[0].endswith(".") and found.end() == len(found.string.rstrip()) else ""
    return f"{before} {said}".strip() + stop


def _timestamp(found: re.Match[str], language: SpokenLanguage) -> str:
    month, day = int(found["month"]), int(found["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return found[0]
    time = language.time(int(found["hour"]), int(found["minute"]), "")
    zone = zone_in_words(found["zone"], language) if found["zone"] else ""
    return f"{_said(found, month, day, language)} {language.at_the_time(time)}{zone}"


def _day_to_day(found: re.Match[str], language: SpokenLanguage) -> str:
    before = found["before"] or ""
    return f"{before} {language.day(int(found['first']), before)} {language.to} ".lstrip()


def _years(found: re.Match[str], language: SpokenLanguage) -> str:
    first, last = found["first"], found["last"]
    if len(last) == 2:
        if last <= first[2:] or ("–" not in found[0] and int(last) <= 12):
            return found[0]  # "2026-11" is a month
        last = first[:2] + last
    return f"{year(int(first), language.code)} {language.to} {year(int(last), language.code)}"


RULES = (
    # "2026-01-05/2026-01-07"
    Rule(
        r"(?<=[0-9]{4}-[0-9]{2}-[0-9]{2})\s?[/–—]\s?(?=[12][0-9]{3}-)",
        lambda _, language: f" {language.to} ",
    ),
    # "2026-01-05T09:30/2026-01-05T10:00"
    Rule(
        r"(?<=T[0-9]{2}:[0-9]{2})(?P<rest>(?::[0-9]{2})?Z?)\s?/\s?(?=[12][0-9]{3}-)",
        lambda found, language: f"{found['rest']} {language.to} ",
    ),
    # "2026-01-05T09:30:00.5+01:00", "2026-01-05 09:30", "20260105T093000Z"
    Rule(
        rf"{_BEFORE}{_BEGINS}{_YEAR}(?P<mark>-?)(?P<month>[01][0-9])(?P=mark){_DAY}(?:[Tt]|\s)"
        r"(?P<hour>[01][0-9]|2[0-4]):?(?P<minute>[0-5][0-9])(?::?[0-6][0-9](?:[.,][0-9]+)?)?"
        r"(?P<zone>\s?[Zz]\b|\s?[+−-][0-9]{2}(?::?[0-9]{2})?)?(?:\[[\w/+-]+\])?(?![\w:])",
        _timestamp,
    ),
    # "24.11.-26.11.", "24/11-26/11": each is a date
    Rule(
        rf"(?P<date>{_BEGINS}[0-3]?[0-9](?:\.[0-3]?[0-9]\.(?:[0-9]{{2,4}})?|/[0-3]?[0-9](?:/[0-9]{{2,4}})?))"
        rf"{DASH}(?=[0-3]?[0-9](?:\.[0-3]?[0-9]\.|/[0-3]?[0-9]))",
        lambda found, language: f"{found['date']} {language.to} ",
    ),
    # "24.-26.11."
    Rule(
        rf"{_BEFORE}{_BEGINS}(?P<first>[0-3]?[0-9])\.{DASH}(?=[0-3]?[0-9]\.\s?[01]?[0-9]\.)",
        _day_to_day,
        only=("de",),
    ),
    Rule(_month_day, _named_date, only=("en",)),
    Rule(_day_of_month, _named_date, only=("en",)),
    Rule(_day_stop_month, _named_date, only=("de",)),
    Rule(_day_word_month, _named_date, only=("es", "fr", "it")),
    Rule(_month_year, _month_of_year),
    # "2026-11-24", "2026/11/24"
    Rule(
        rf"{_BEFORE}{_BEGINS}{_YEAR}(?P<iso>[-/])(?P<month>[01]?[0-9])(?P=iso){_DAY}(?![\w/-])",
        _date,
    ),
    # "2026-11"
    Rule(rf"{_BEGINS}(?P<year>20[0-9]{{2}})-(?P<month>0[1-9]|1[0-2])(?![\w/-])", _month_of_year),
    # "12/2026", "12.2026"
    Rule(
        rf"{_BEGINS}(?P<month>0?[1-9]|1[0-2])/(?P<year>20[0-9]{{2}})(?![\w/-]|[.,:][0-9])",
        _month_of_year,
    ),
    Rule(
        rf"{_BEGINS}(?P<month>0?[1-9]|1[0-2])\.(?P<year>20[0-9]{{2}})(?![\w/-]|[.,:][0-9])",
        _dotted_month,
        only=("de", "es", "fr", "it"),
    ),
    # "24.11.2026", "24/11/26", "11/24/2026", "24-11-2026"
    Rule(
        rf"{_BEFORE}{_BEGINS}{_DAY}(?P<mark>[./-])(?P<month>[0-3]?[0-9])(?P=mark)"
        r"(?P<year>[12][0-9]{3}|(?<!-)[0-9]{2})(?![\w/-]|\.[0-9])",
        _date,
    ),
    # "30.11."
    Rule(
        rf"{_BEFORE}{_BEGINS}{_DAY}\.(?P<month>[01]?[0-9])\.(?!\w)",
        lambda found, language: (
            found[0]
            if (found["before"] or "").lower() in _NUMBERED
            else _said(found, int(found["month"]), int(found["day"]), language)
        ),
        only=("de",),
    ),
    # "am 30.11"
    Rule(
        rf"\b(?P<before>[AaVvZz]m|[Vv]om|[Zz]um|[Bb]eim)\s{_DAY}\.(?P<month>[01]?[0-9])"
        r"(?![\w.,:%]|\s?(?:Uhr|Prozent|[€$]))",
        lambda found, language: _said(found, int(found["month"]), int(found["day"]), language),
        only=("de",),
    ),
    # "30/11", "11/30"
    Rule(
        rf"{_BEFORE}{_BEGINS}{_DAY}/(?P<month>[0-3]?[0-9])(?![\w/%-]|[.,:][0-9]){_MEASURES}",
        _slashed,
    ),
    # "2020-2024", "2020–24"
    Rule(
        r"(?<![\w.,/-])(?P<first>1[1-9][0-9]{2}|20[0-9]{2})"
        r"(?:\s?[-–—]\s?(?P<last>1[1-9][0-9]{2}|20[0-9]{2}|[0-9]{2}))(?![\w-]|[.,][0-9])",
        _years,
    ),
)
