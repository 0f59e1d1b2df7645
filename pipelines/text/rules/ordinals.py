"""Ranks, years and decades."""

from __future__ import annotations

import re

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.numerals import ordinal, year
from pipelines.text.rules.rule import Rule


def _rank(found: re.Match[str], language: SpokenLanguage) -> str:
    return ordinal(int(found[1]), language.code)


def _decade(found: re.Match[str], language: SpokenLanguage) -> str:
    said = year(int(found[1]), language.code)
    return said[:-1] + "ies" if said.endswith("y") else said + "s"


def _year(found: re.Match[str], language: SpokenLanguage) -> str:
    return year(int(found[1]), language.code)


RULES = (
    Rule(r"(?<![\w.,])([0-9]{1,9})(?:st|nd|rd|th)\b", _rank, only=("en",)),
    Rule(r"(?<!\w)'?((?:1[1-9]|20)?[2-9]0)s\b", _decade, only=("en",)),
    Rule(r"(?<=\b[Ii]n )(1[1-9][0-9]{2}|20[0-9]{2})\b(?![,.]?[0-9])", _year, only=("en",)),
    Rule(r"(?<=\bsince )(1[1-9][0-9]{2}|20[0-9]{2})\b(?![,.]?[0-9])", _year, only=("en",)),
    Rule(r"(?<![\w.,])1(?:er|ʳᵉ|re|ère)\b", lambda *_: "premier", only=("fr",)),
    Rule(r"(?<![\w.,])([0-9]{1,9})(?:e|ème)\b", _rank, only=("fr",)),
    Rule(r"(?<![\w.,])([0-9]{1,2})\.?[ºª°]", _rank, only=("es",)),
)
