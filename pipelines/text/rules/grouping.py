"""Numbers that are written as they are elsewhere: "1'234.50", "1,23,456", "1.234,56" in English."""

from __future__ import annotations

import re

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.rules.rule import Rule


def _at_home(whole: str, decimals: str, language: SpokenLanguage) -> str:
    """Return a number as it is written in ``language``."""
    mark = next(mark for mark in ".,' " if re.fullmatch(language.thousands, mark))
    point = "." if mark in ",'" else ","
    grouped = format(int(re.sub("[^0-9]", "", whole)), ",").replace(",", mark)
    return grouped + (f"{point}{decimals}" if decimals else "")


def _number(found: re.Match[str], language: SpokenLanguage) -> str:
    return _at_home(found["whole"], found["decimals"] or "", language)


_NOT_BEFORE = r"(?<![\w.,'’/:+-])(?<![0-9] )"
_NOT_BEHIND = r"(?![^\W_]|[.,'’/:-][0-9])"

RULES = (
    # "1 000 000": no telephone number ends like that
    Rule(
        rf"{_NOT_BEFORE}(?P<whole>[1-9][0-9]{{0,2}}(?: [0-9]{{3}})* 000)(?P<decimals>)"
        rf"{_NOT_BEHIND}(?! [0-9])",
        _number,
    ),
    # "1'234.50", "1'234,50"
    Rule(
        rf"{_NOT_BEFORE}(?P<whole>[1-9][0-9]{{0,2}}(?:['’][0-9]{{3}})+)(?:[.,](?P<decimals>[0-9]+))?"
        + _NOT_BEHIND,
        _number,
    ),
    # "1.234,56" and "1,234.56": what comes last are the decimals
    Rule(
        rf"{_NOT_BEFORE}(?P<whole>[1-9][0-9]{{0,2}}(?:(?P<mark>[.,])[0-9]{{3}})(?:(?P=mark)[0-9]{{3}})*)"
        rf"(?!(?P=mark))[.,](?P<decimals>[0-9]+){_NOT_BEHIND}",
        _number,
    ),
    # "1,234,567" and "1,23,456", where a comma is the mark of decimals too
    Rule(
        rf"{_NOT_BEFORE}(?P<whole>[1-9][0-9]{{0,2}}(?:,[0-9]{{3}}){{2,}}|[1-9][0-9]?(?:,[0-9]{{2}})+,[0-9]{{3}})"
        rf"(?:\.(?P<decimals>[0-9]+))?{_NOT_BEHIND}",
        _number,
    ),
)
