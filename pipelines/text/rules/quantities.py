"""Fractions, shares, and so many of a unit."""

from __future__ import annotations

import re
import unicodedata

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.replacements import any_of
from pipelines.text.rules.figures import (
    counted,
    digit_by_digit,
    is_too_long,
    number_in_words,
    number_pattern,
    number_value,
)
from pipelines.text.rules.rule import Rule


def _slash_before_measure(language: SpokenLanguage) -> str:
    """Return a pattern for the slash of "5 €/hour"."""
    return rf"(?<=\w)\s?/\s?(?={any_of(language.per_what.split())}\b)"


def _in_ascii(found: re.Match[str], _: SpokenLanguage) -> str:
    return " " + unicodedata.normalize("NFKC", found[0]).replace("\N{FRACTION SLASH}", "/")


def _fraction_pattern(language: SpokenLanguage) -> str:
    return rf"(?<![\w/.,])(?P<whole>[0-9]+\s)?(?P<part>{any_of(language.fractions)})(?![0-9/])"


def _fraction(found: re.Match[str], language: SpokenLanguage) -> str:
    whole = f"{found['whole']}{language.ampersand} " if found["whole"] else ""
    return whole + language.fractions[found["part"]]


def _percent(found: re.Match[str], language: SpokenLanguage) -> str:
    return f"{number_in_words(found['number'], language)} {language.percent}"


def _unit_pattern(language: SpokenLanguage) -> str:
    return (
        rf"(?<![\w.,])(?P<number>{number_pattern(language)})\s?"
        rf"(?P<unit>{any_of(language.units)})(?!\w)(?:\.(?=\s[a-zäöü]))?"
    )


def _unit(found: re.Match[str], language: SpokenLanguage) -> str:
    number, names = found["number"], language.units[found["unit"]]
    if is_too_long(number):
        return f"{digit_by_digit(number, language)} {names[1]}"
    return counted(number_value(number, language), names, language)


RULES = (
    Rule(_slash_before_measure, lambda _, language: f" {language.per} "),
    Rule(r"[½⅓⅔¼¾]", _in_ascii),
    Rule(_fraction_pattern, _fraction),
    Rule(lambda language: rf"(?P<number>{number_pattern(language)})\s?%", _percent),
    Rule(_unit_pattern, _unit),
)
