"""So much of something: how it is written in figures, and how it is said."""

from __future__ import annotations

import re
from decimal import Decimal

from pipelines.text import cldr
from pipelines.text.languages.language import Names, SpokenLanguage
from pipelines.text.replacements import any_of
from pipelines.text.rules.figures import digit_by_digit, is_too_long, value_in_words

SIGNED = r"(?:(?<![\w.,)\]])(?P<minus>[-−–+])|(?<![\w.,]))"
"""A sign before an amount, or nothing; not the dash of "9-5"."""

DASH = r"\s?[-–—]\s?"


def amount_pattern(language: SpokenLanguage) -> str:
    """Return a regular expression for a number that a unit or a currency stands beside.

    More than other numbers are written so: with spaces between the thousands, or as elsewhere,
    "1.250,00" in English. It has no named groups.
    """
    thousands = _thousands(language)
    indian = r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?![0-9])|" if language.thousands == "," else ""
    return (
        rf"(?:[0-9]{{1,3}}(?:\.[0-9]{{3}})+,[0-9]{{1,2}}(?![0-9])"
        rf"|[0-9]{{1,3}}(?:,[0-9]{{3}})+\.[0-9]{{1,2}}(?![0-9])"
        rf"|[0-9]{{1,3}}(?: [0-9]{{3}})+[.,][0-9]{{1,2}}(?![0-9])"
        rf"|(?:{indian}[0-9]{{1,3}}(?:{thousands}[0-9]{{3}})+(?![0-9])|[0-9]+)(?:[.,][0-9]+)?"
        r"|\.[0-9]+)"
    )


def _thousands(language: SpokenLanguage) -> str:
    return f"(?:{language.thousands}|{language.loose_thousands or language.thousands})"


def amount_value(number: str, language: SpokenLanguage) -> Decimal:
    """Return the value of what :func:`amount_pattern` found."""
    whole, decimals = number, ""
    indian = language.thousands == "," and re.fullmatch(
        r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}", number
    )
    if not indian and not re.fullmatch(
        rf"[0-9]{{1,3}}(?:{_thousands(language)}[0-9]{{3}})+", number
    ):
        at = max(number.rfind("."), number.rfind(","))
        if at >= 0:
            whole, decimals = number[:at], number[at + 1 :]
    return Decimal(f"{re.sub('[^0-9]', '', whole)}.{decimals}")


def scale_pattern(language: SpokenLanguage) -> str:
    """Return a regular expression for what multiplies an amount of money: "M" of "$5M"."""
    return rf"{any_of([*language.thousand.split(), *language.scales])}(?![\w²³]|\.[A-Z])"


def is_thousand(scale: str, language: SpokenLanguage) -> bool:
    """Return whether what :func:`scale_pattern` found is a thousand."""
    return scale in language.thousand.split()


def in_words(worth: Decimal, name: str, language: SpokenLanguage) -> str:
    """Return a number as it stands before what it counts; digit by digit if it is too long."""
    if is_too_long(f"{worth:f}"):
        return digit_by_digit(f"{worth:f}", language)
    worth = worth.normalize() if worth != int(worth) else worth
    said = value_in_words(worth, language)
    return (language.before_feminine if language.is_feminine(name) else language.before_noun)(said)


def counted(worth: Decimal, names: Names, language: SpokenLanguage) -> str:
    """Return so many of a thing in words.

    Args:
        worth: How many.
        names: What one is called, and what several are.
        language: Of the names.
    """
    one, many = names
    if is_too_long(f"{worth:f}"):
        return f"{in_words(worth, one, language)} {many}"
    if worth == 1:
        return language.one(one)
    name = one if cldr.is_one(worth, language.code) else many
    said = in_words(worth, one, language)
    if worth and not worth % 1_000_000:
        return language.contracted(f"{said}{language.of}{name}")
    return f"{said} {name}"


def scaled(worth: Decimal, scale: str | None, names: Names, language: SpokenLanguage) -> str:
    """Return so many thousands or millions of a thing in words."""
    if scale is None:
        return counted(worth, names, language)
    if is_thousand(scale, language):
        return counted(worth * 1000, names, language)
    said = counted(worth, language.scales[scale], language)
    return language.contracted(f"{said}{language.of}{names[1]}")
