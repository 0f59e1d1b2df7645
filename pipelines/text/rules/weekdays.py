"""Days of the week, shortened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from pipelines.text import cldr
from pipelines.text.languages.language import LOWER, SpokenLanguage
from pipelines.text.replacements import any_of
from pipelines.text.rules.rule import Rule


@cache
def _days(language: SpokenLanguage) -> Mapping[str, str]:
    """Return the names of the days by how they are shortened, as written and capitalised."""
    names = cldr.days(language.code)
    short = {day: number for number, day in enumerate(cldr.short_days(language.code))}
    short |= language.days_short
    return {
        day: names[number] for word, number in short.items() for day in (word, word.capitalize())
    }


def _day_to_day(language: SpokenLanguage) -> str:
    """Return a pattern for "Mon-Fri" and "lun. a vie."."""
    day = any_of(_days(language))
    return rf"\b({day})\b\.?(?:\s?[-–—]\s?|\s({language.to}|al|au)\s)({day})\b{_STOP}"


def _from_day_to_day(found: re.Match[str], language: SpokenLanguage) -> str:
    days = _days(language)
    return f"{days[found[1]]} {found[2] or language.to} {days[found[3]]}"


def _day_and_day(language: SpokenLanguage) -> str:
    """Return a pattern for "Sat & Sun", "Mo, Mi, Fr"."""
    day = any_of(_days(language))
    between = rf"(?:\s?[&/+,]\s?|\s{language.ampersand}\s)"
    return rf"\b{day}\b\.?(?:{between}{day}\b{_STOP})+"


def _all_days(found: re.Match[str], language: SpokenLanguage) -> str:
    text = re.sub(r"\s?[&/+]\s?", f" {language.ampersand} ", found[0]).replace(".", "")
    return re.sub(rf"\b{any_of(_days(language))}\b", lambda day: _days(language)[day[0]], text)


def _dated_day(language: SpokenLanguage) -> str:
    """Return a pattern for a short day before a date or a time: "Sat 9:30", "Sa., 30.11."."""
    months = any_of((*cldr.months(language.code), *cldr.short_months(language.code)))
    month = rf"|\.\s?{months}" if language.code == "de" else ""
    return (
        rf"\b({any_of(_days(language))})\b\.?"
        rf"(?=:\s|,?\s{months}\b\.?\s[0-9]|,?\s[0-9]{{1,2}}(?:[:/][0-9]|\s?[-–—]\s?[0-9]|\.[0-9]{{1,2}}\.|\s?[ap]\.?m\b|h[0-9]?"
        rf"{month}))"
    )


def _stopped_day(language: SpokenLanguage) -> str:
    """Return a pattern for "sáb. de 10 a 13": a stop that ends no sentence."""
    days = (day for day in _days(language) if f"{day}." not in language.currency_signs)
    return rf"\b({any_of(days)})\.(?=\s[{LOWER}0-9(]|,)"


def _any_day(language: SpokenLanguage) -> str:
    """Return a pattern for a day anywhere, if its short name is no word."""
    words = language.days_that_are_words.split()
    return rf"\b({any_of(day for day in _days(language) if day.lower() not in words)})\b{_STOP}"


def _short_day(found: re.Match[str], language: SpokenLanguage) -> str:
    """Return the name of a day that is shortened."""
    return _days(language)[found[1]]


_STOP = r"(?:\.(?!\s[A-Z]))?"
"""Of the abbreviation; it stays where it may end the sentence."""

RULES = (
    Rule(_day_to_day, _from_day_to_day),
    Rule(_day_and_day, _all_days),
    Rule(_dated_day, _short_day),
    Rule(_stopped_day, _short_day),
    Rule(
        r"\bM\s?[-–]\s?F\b",
        lambda _, language: f"{_days(language)['Mon']} {language.to} {_days(language)['Fri']}",
        only=("en",),
    ),
    # "L-V", "L a D"
    Rule(
        r"\bL(?:\s?[-–]\s?|\sa\s)([JVSD])\b(?![-.])",
        lambda found, language: f"lunes {language.to} {cldr.days('es')['LMXJVSD'.index(found[1])]}",
        only=("es",),
    ),
    Rule(_any_day, _short_day),
)
