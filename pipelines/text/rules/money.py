"""Amounts of money."""

from __future__ import annotations

import re

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.replacements import any_of
from pipelines.text.rules.figures import (
    counted,
    digit_by_digit,
    is_too_long,
    number_in_words,
    number_pattern,
    number_value,
    value_in_words,
)
from pipelines.text.rules.rule import Rule


def _sign_first(language: SpokenLanguage) -> str:
    number, sign = number_pattern(language), any_of(language.currencies)
    return rf"(?P<sign>{sign})\s?(?P<number>{number})(?![0-9]){_scale(language)}"


def _sign_last(language: SpokenLanguage) -> str:
    number, sign = number_pattern(language), any_of(language.currencies)
    return rf"(?<![\w.,])(?P<number>{number}){_scale(language)}\s?(?P<sign>{sign})(?!\w)"


def _scale(language: SpokenLanguage) -> str:
    return rf"(?:\s(?P<scale>{any_of(language.scale.split())})\b)?"


def _money(found: re.Match[str], language: SpokenLanguage) -> str:
    number, currency = found["number"], language.currencies[found["sign"]]
    if is_too_long(number):
        return f"{digit_by_digit(number, language)} {currency.many}"
    if found["scale"]:
        said = f"{number_in_words(number, language)} {found['scale']}{language.of}{currency.many}"
        return language.contracted(said)
    worth = number_value(number, language)
    whole, cents = divmod(worth * 100, 100)
    if cents != int(cents):
        return f"{value_in_words(worth, language)} {currency.many}"
    in_cents = counted(cents, (currency.cent, currency.cents), language)
    if cents and not whole:
        return in_cents
    said = counted(whole, (currency.one, currency.many), language)
    if not cents:
        return said
    rest = in_cents if language.cents_are_named else value_in_words(cents, language)
    return said + language.and_cents.format(rest)


RULES = (
    Rule(_sign_first, _money),
    Rule(_sign_last, _money),
)
