"""Numbers that are written in figures: how they look, what they are worth, how they are said."""

from __future__ import annotations

import re
from decimal import Decimal

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.numerals import cardinal
from pipelines.text.rules.rule import Rule

MOST_DIGITS = 15
"""Of a number that is read as one; a longer one is read digit by digit."""

_DIGIT = re.compile(r"[0-9]")

_ELIDED = re.compile(r"[^\W\d_]['’]$")
"""Before a number that it is one word with: "l'8"."""


def number_pattern(language: SpokenLanguage) -> str:
    """Return a regular expression for a number, with groups of thousands and decimals or without.

    It has no named groups, so that it can stand in any other.
    """
    grouped = rf"[1-9][0-9]{{0,2}}(?:{language.thousands}[0-9]{{3}})+(?![0-9])"
    return rf"(?:{grouped}|[0-9]+)(?:[.,][0-9]+)?"


def number_value(number: str, language: SpokenLanguage) -> Decimal:
    """Return the value of what :func:`number_pattern` found."""
    grouped = rf"([1-9][0-9]{{0,2}}(?:{language.thousands}[0-9]{{3}})+)([.,][0-9]+)?"
    if found := re.fullmatch(grouped, number):
        number = re.sub(r"[^0-9]", "", found[1]) + (found[2] or "")
    return Decimal(number.replace(",", "."))


def is_too_long(number: str) -> bool:
    """Return whether a number has too many digits to be read as one."""
    return len(_DIGIT.findall(number)) > MOST_DIGITS


def number_in_words(number: str, language: SpokenLanguage) -> str:
    """Read a number; digit by digit what has too many, or begins with a nought."""
    if is_too_long(number) or re.fullmatch(r"0[0-9]+", number):
        return digit_by_digit(number, language)
    return value_in_words(number_value(number, language), language)


def value_in_words(worth: Decimal, language: SpokenLanguage) -> str:
    """Return a value in words; without decimals if it is whole."""
    whole = int(worth)
    said = cardinal(whole, language.code)
    if worth == whole:
        return said
    decimals = f"{worth:f}".partition(".")[2]
    at_once = language.decimals_as_number and len(decimals) == 2 and decimals[0] != "0"
    return f"{said} {language.point} " + (
        cardinal(int(decimals), language.code) if at_once else digit_by_digit(decimals, language)
    )


def digit_by_digit(digits: str, language: SpokenLanguage) -> str:
    """Read the digits in a text one by one, and nothing else of it."""
    return " ".join(cardinal(int(digit), language.code) for digit in _DIGIT.findall(digits))


def _list_item(found: re.Match[str], language: SpokenLanguage) -> str:
    return f"{number_in_words(found[1], language)}, "


def _dotted(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read each part, unless they are groups of thousands."""
    if re.fullmatch(number_pattern(language), found[0]):
        return found[0]
    return f" {language.dot} ".join(number_in_words(part, language) for part in found[0].split("."))


def _number(found: re.Match[str], language: SpokenLanguage) -> str:
    elided = _ELIDED.search(found.string, max(0, found.start() - 2), found.start())
    return f"{'' if elided else ' '}{number_in_words(found[0], language)} "


def _digit(found: re.Match[str], language: SpokenLanguage) -> str:
    return f" {cardinal(int(found[0]), language.code)} "


RULES = (
    Rule(r"^\s*([0-9]{1,2})[.)]\s+(?=\S)", _list_item),
    # "3.2.1", an address: each part
    Rule(r"(?<![\w.])[0-9]+(?:\.[0-9]+){2,}(?![\w.]?[0-9])", _dotted),
    # ".5"
    Rule(
        r"(?:(?<![\w.,)\]])(?P<minus>[-−]))?(?<![\w.,)\]])\.(?P<digits>[0-9]{1,6})(?![\w.])",
        lambda found, language: (
            f" {f'{language.minus} ' if found['minus'] else ''}{language.point} "
            + digit_by_digit(found["digits"], language)
        ),
        only=("en",),
    ),
    Rule(number_pattern, _number),
    Rule(r"[0-9]", _digit),
)
