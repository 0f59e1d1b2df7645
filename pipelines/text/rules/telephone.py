"""Telephone numbers and codes."""

from __future__ import annotations

import re

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.numerals import cardinal
from pipelines.text.rules.figures import digit_by_digit
from pipelines.text.rules.rule import Rule


def _phone(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read a telephone number or a code digit by digit, its groups apart; leave other numbers.

    "555-0123" is "five five five, zero one two three", and so is "5550123".
    """
    text = found[0]
    if re.fullmatch(rf"[1-9][0-9]{{0,2}}(?:{language.thousands}[0-9]{{3}})+", text):
        return text
    groups = re.findall(r"[0-9]+", text)
    if not (_is_spelt(text, groups) or _is_short(found, groups)):
        return text
    if len(groups) == 1:
        groups = re.findall(r"[0-9]{3}(?=[0-9]{3})|[0-9]+", text)
    plus = f"{language.plus} " if "+" in text else ""
    return plus + ", ".join(_group(group, groups, language) for group in groups)


def _group(group: str, groups: list[str], language: SpokenLanguage) -> str:
    """Read a group; in America, 1-800 is "one eight hundred"."""
    if language.code == "en" and group in _HUNDREDS and groups.index(group) == (groups[0] == "1"):
        return f"{cardinal(int(group[0]), language.code)} hundred"
    return digit_by_digit(group, language)


_HUNDREDS = ("800", "900")


def _vanity(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read a number with a word in it: the word is what is remembered."""
    parts = re.findall("[0-9]+|[A-Z]+", found[0])
    plus = f"{language.plus} " if "+" in found[0] else ""
    return plus + ", ".join(
        _group(part, parts, language) if part.isdigit() else part for part in parts
    )


def _free_of_charge(found: re.Match[str], language: SpokenLanguage) -> str:
    first, second = found[0].split("-")
    return f"{digit_by_digit(first, language)} {_group(second, [first, second], language)}"


def _is_spelt(text: str, groups: list[str]) -> bool:
    """Return whether a number in such groups is read digit by digit."""
    digits = sum(map(len, groups))
    match groups:
        case [one]:  # a postcode, an order; but 10000 is an amount
            return one[0] == "0" < one or (digits >= 5 and not (digits < 8 and one.endswith("000")))
        case [first, second]:
            return ((len(first), len(second)) in _HYPHENED and "-" in text) or (
                digits >= 5 and (text[0] in "0+(" or len(second) >= 5)
            )
        case [_, *others]:
            return digits >= 7 and (text[0] == "+" or min(map(len, others)) >= 2)
        case _:
            return False


def _is_short(found: re.Match[str], groups: list[str]) -> bool:
    """Return whether "555 1234" is a telephone number: behind what says so."""
    before = found.string[max(0, found.start() - 30) : found.start()]
    return [*map(len, groups)] == [3, 4] and bool(_SHOWN.search(before))


_SHOWN = re.compile(
    r"(?i)\b(?:tel|t[eé]l[eé]?fono?|t[eé]l[eé]phone|phone|fax|mobile|cell|handy|call|dial|ruf\w*|llam\w*|appel\w*"
    r"|chiam\w*)\b\W*(?:\w+\W+){0,3}$"
)

_HYPHENED = ((3, 4), (5, 4))
"""Digits of the groups of an American number, and of a ZIP code with its addition."""

RULES = (
    # "1-800-FLOWERS", "0800 REIMERS"
    Rule(
        r"(?<![\w.])(?:\+?1[ .-])?\(?(?:8(?:00|33|44|55|66|77|88)|900|0800|0900|0180[0-9])\)?[ .-]"
        r"(?:[0-9]{1,4}-)?[A-Z][A-Z0-9]*(?<=[A-Z]{2})[A-Z0-9]*(?:-[A-Z0-9]+){0,3}(?![\w-])",
        _vanity,
    ),
    Rule(r"(?<![\w.,:-])1-(?:8(?:00|33|44|55|66|77|88)|900)(?![\w-]|[.,][0-9])", _free_of_charge),
    Rule(r"(?<![\w.,:])\+?\(?[0-9]+(?:(?:\)?[ ./-]\(?|\))[0-9]+)*(?![.,:]?[0-9]|\w)", _phone),
)
