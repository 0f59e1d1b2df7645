"""Times of the day."""

from __future__ import annotations

import re

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.rules.rule import Rule

_HALF = r"(?:\s?(?P<half>[AaPp])\.?[Mm]\b(?:\.(?=\s*[^\sA-Z]))?)"
"""Of the day: "a.m."; its last stop stays where it may end the sentence."""


def _hour_and_minute(language: SpokenLanguage) -> str:
    return (
        rf"(?<![\w:.,])(?P<hour>[01]?[0-9]|2[0-4]){language.time_mark}(?P<minute>[0-5][0-9])"
        rf"(?::[0-5][0-9])?(?![0-9:]){language.after_time}{_HALF}?"
    )


def _time(found: re.Match[str], language: SpokenLanguage) -> str:
    parts = found.groupdict()
    minute, half = int(parts.get("minute") or 0), (parts.get("half") or "").lower()
    return language.time(int(parts["hour"]), minute, half)


RULES = (
    Rule(_hour_and_minute, _time),
    # "5 p.m."
    Rule(rf"(?<![\w:.,])(?P<hour>1[0-2]|0?[1-9]){_HALF}", _time, only=("en", "es")),
    # "17 Uhr", "17.30 Uhr"
    Rule(
        r"(?<![\w:.,])(?P<hour>[01]?[0-9]|2[0-4])\sUhr\b",
        _time,
        only=("de",),
    ),
    Rule(
        r"(?<![\w:.,])(?P<hour>[01]?[0-9]|2[0-4])\.(?P<minute>[0-5][0-9])\sUhr\b",
        _time,
        only=("de",),
    ),
    # "17 h"; "5 €/h" is none
    Rule(
        r"(?<![\w:.,])(?P<hour>[01]?[0-9]|2[0-4])\s?(?:h|heures?)\b(?!/)",
        _time,
        only=("fr",),
    ),
)
