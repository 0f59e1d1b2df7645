"""Telephone numbers and codes."""

from __future__ import annotations

import re

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.rules.figures import digit_by_digit
from pipelines.text.rules.rule import Rule


def _phone(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read a telephone number or a code digit by digit, its groups apart; leave other numbers.

    "555-0123" is "five five five, zero one two three", and so is "5550123".
    """
    text = found[0]
    if re.fullmatch(rf"[0-9]{{1,3}}(?:{language.thousands}[0-9]{{3}})+", text):
        return text
    groups = re.findall(r"[0-9]+", text)
    if not _is_spelt(text, groups):
        return text
    if len(groups) == 1:
        groups = re.findall(r"[0-9]{3}(?=[0-9]{3})|[0-9]+", text)
    plus = f"{language.plus} " if "+" in text else ""
    return plus + ", ".join(digit_by_digit(group, language) for group in groups)


def _is_spelt(text: str, groups: list[str]) -> bool:
    """Return whether a number in such groups is read digit by digit."""
    digits = sum(map(len, groups))
    match groups:
        case [one]:  # a postcode, an order; but 10000 is an amount
            return one[0] == "0" < one or (digits >= 5 and not (digits < 8 and one.endswith("000")))
        case [first, second]:
            return ((len(first), len(second)) == (3, 4) and "-" in text) or (
                text[0] in "0+" and digits >= 5
            )
        case [_, *others]:
            return digits >= 7 and min(map(len, others)) >= 2
        case _:
            return False


RULES = (Rule(r"(?<![\w.,:])\+?\(?[0-9]+(?:\)?[ ./-]\(?[0-9]+)*(?![.,:]?[0-9]|\w)", _phone),)
