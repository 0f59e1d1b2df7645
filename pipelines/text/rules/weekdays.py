"""Days of the week, shortened."""

from __future__ import annotations

import re

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.replacements import any_of
from pipelines.text.rules.rule import Rule


def _day_before_day(language: SpokenLanguage) -> str:
    day = any_of(language.days)
    return rf"\b({day})\b\.?\s?[-–]\s?(?={day}\b)"


def _from_day(found: re.Match[str], language: SpokenLanguage) -> str:
    return f"{_day(found, language)} {language.to} "


def _any_day(language: SpokenLanguage) -> str:
    """Return a pattern for a day: anywhere, or after "to" where the short ones are words too."""
    day = any_of(language.days)
    if language.short_days_are_words:
        return rf"(?<={language.to}\s)({day})\b"
    return rf"\b({day})\b(?:\.(?!\s[A-Z])|)"


def _day(found: re.Match[str], language: SpokenLanguage) -> str:
    return language.days[found[1]]


RULES = (
    Rule(_day_before_day, _from_day),
    Rule(_any_day, _day),
)
