"""Amounts of money."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache

from pipelines.text import cldr
from pipelines.text.amounts import (
    DASH,
    SIGNED,
    amount_pattern,
    amount_value,
    counted,
    in_words,
    is_thousand,
    scale_pattern,
    scaled,
)
from pipelines.text.currencies import Currency, currency_of, signs
from pipelines.text.languages.language import Names, SpokenLanguage
from pipelines.text.replacements import any_of
from pipelines.text.rules.figures import is_too_long, value_in_words
from pipelines.text.rules.rule import Rule
from pipelines.text.units import per_names

_EMPTY_CENTS = r"(?:[.,]\s?[-–—]{1,2}(?![-\w]))?"
"""What stands for no cents: "12,- €", "CHF 12.–"."""


_AMOUNT_BEFORE = re.compile(r"[0-9]\s?$")
"""Before a sign and a dash: that of "5€-10€", which is no minus."""


def _sign_first(language: SpokenLanguage) -> str:
    """Return a pattern for "$5", "-$5", "$-5", "$5M", "$5-10" and "$5k-$10k"."""
    amount, sign = amount_pattern(language), _sign(signs(language))
    first_scale, scale = (
        rf"(?:\s?(?P<{name}>{scale_pattern(language)}))?" for name in ("first_scale", "scale")
    )
    return (
        rf"(?:(?<![\w)\]])(?P<minus>[-−–+]))?(?<![^\W\d_]){_code_before(language)}(?P<sign>{sign})\s?"
        rf"(?P<inner>[-−](?=[0-9]))?"
        rf"(?:(?P<first>{amount}){first_scale}{DASH}(?:(?P=sign)\s?)?(?={amount}(?![0-9-])))?"
        rf"(?P<number>{amount})(?![0-9]){_EMPTY_CENTS}{scale}{_again(language)}{_per(language)}"
    )


def _sign(among: Iterable[str]) -> str:
    """Return a pattern for a sign; codes, of which there are many, are tried at capitals alone."""
    all_of = set(among)
    codes = {sign for sign in all_of if re.fullmatch("[A-Z]{3}", sign)}
    return rf"(?:(?=[A-Z]{{3}}(?![A-Za-z])){any_of(codes)}|{any_of(all_of - codes)})"


def _sign_last(language: SpokenLanguage) -> str:
    """Return a pattern for "5 €", "-5 €", "5-10 €", "5 Mio. €" and "5 €/h"."""
    amount = amount_pattern(language)
    sign = _sign(sign for sign in signs(language) if not sign.endswith("."))
    first_scale, scale = (
        rf"(?:\s?(?P<{name}>{scale_pattern(language)}))?" for name in ("first_scale", "scale")
    )
    return (
        rf"{SIGNED}(?:(?P<first>{amount}){first_scale}(?:\s?{sign})?{DASH}(?=[0-9]))?"
        rf"(?P<number>{amount}){_EMPTY_CENTS}{scale}\s?(?P<sign>{sign})(?!\w|-[A-Z]){_again(language)}{_per(language)}"
    )


def _code_before(language: SpokenLanguage) -> str:
    """Return a pattern for the code of "USD $500"."""
    return rf"(?:(?=[A-Z]{{3}}\s?[$€£¥])(?P<code>{any_of(_codes(language))})\s?)?"


def _again(language: SpokenLanguage) -> str:
    """Return a pattern for what names the currency once more: "$20 CAD", "$500 pesos"."""
    codes, nouns = any_of(_codes(language)), any_of(_nouns(language))
    return (
        rf"(?:\s?(?=[A-Z]{{3}}(?![A-Za-z]))(?P<again>{codes})|\s(?P<noun>(?i:{nouns}))(?!\w)"
        r"|(?P<national>\s?[Mm]\.\s?[Nn]\.))?"
    )


def _codes(language: SpokenLanguage) -> list[str]:
    return [sign for sign in signs(language) if re.fullmatch("[A-Z]{3}", sign)]


@cache
def _nouns(language: SpokenLanguage) -> Mapping[str, tuple[str, Names]]:
    """Return codes and what one and several are called, by each name, with its country or not."""
    nouns: dict[str, tuple[str, Names]] = {}
    for code in ("MXN", "CHF", "INR", "JPY", "GBP", "CAD", "AUD", "EUR", "USD"):
        one, many = cldr.currency(code, language.code)
        for name in (language.noun_of_currency, language.name_of_currency):
            names = name(one), name(many)
            nouns |= {called.lower(): (code, names) for called in names}
    return nouns


def _named(found: re.Match[str], language: SpokenLanguage) -> tuple[Currency, str]:
    """Return the currency that is meant, and what follows that is no name of it."""
    if code := found.groupdict().get("code") or found["again"]:
        return currency_of(code, language), ""
    if found["national"]:  # "moneda nacional"
        return currency_of("MXN", language), ""
    currency, noun = currency_of(found["sign"], language), found["noun"] or ""
    own = (language.noun_of_currency(name).lower() for name in currency.names)
    if not noun or noun.lower() in own:
        return currency, ""
    code, names = _nouns(language)[noun.lower()]
    if " " in noun or "-" in noun or (found["sign"] == "$" and code == "MXN"):
        return replace(currency_of(code, language), names=names), ""
    return currency, f" {noun}"


def _per(language: SpokenLanguage) -> str:
    return rf"(?:\s?/\s?(?P<per>{any_of(per_names(language))})(?![\w/]))?"


def _money(found: re.Match[str], language: SpokenLanguage) -> str:
    parts = found.groupdict()
    if parts.get("inner") and _AMOUNT_BEFORE.search(
        found.string, max(0, found.start() - 2), found.start()
    ):
        return found[0]
    currency, rest = _named(found, language)
    said = _amount(_worth(found["number"], currency, language), found["scale"], currency, language)
    if found["first"]:
        said = f"{_first(found, currency, language)} {language.to} {said}"
    if minus := found["minus"] or parts.get("inner"):
        said = f"{language.plus if minus == '+' else language.minus} {said}"
    said += rest
    return f"{said} {language.per(per_names(language)[found['per']])}" if found["per"] else said


def _worth(number: str, currency: Currency, language: SpokenLanguage) -> Decimal:
    """Return the value of an amount; of a currency without decimals, each mark is of thousands."""
    if currency.is_whole and re.fullmatch(r"[0-9]{1,3}(?:[.,][0-9]{3})+", number):
        return Decimal(re.sub("[.,]", "", number))
    return amount_value(number, language)


def _first(found: re.Match[str], currency: Currency, language: SpokenLanguage) -> str:
    """Return the first amount of two; without its currency if it is a number of the same kind."""
    worth, scale = _worth(found["first"], currency, language), found["first_scale"]
    last = found["scale"]
    if scale is None and worth < _worth(found["number"], currency, language):
        scale = last  # "$5-10k"
    if scale and is_thousand(scale, language):
        worth, scale = worth * 1000, None
    if last and is_thousand(last, language):
        last = None
    if scale == last and (scale or worth == int(worth)):
        return in_words(worth, currency.names[0], language)
    return _amount(worth, scale, currency, language)


def _amount(worth: Decimal, scale: str | None, currency: Currency, language: SpokenLanguage) -> str:
    """Return an amount with its minor unit, if it has one and that is known."""
    if scale:
        return scaled(worth, scale, currency.names, language)
    if is_too_long(f"{worth:f}") or worth == int(worth) or not currency.digits:
        return counted(worth, currency.names, language)
    whole, cents = divmod(worth * 10**currency.digits, 10**currency.digits)
    if cents != int(cents):
        return counted(worth, currency.names, language)
    nameless = not language.cents_are_named and currency.digits == 2 and cents >= 10
    if not currency.cents and not (whole and nameless):
        return counted(worth, currency.names, language)
    in_cents = counted(cents, currency.cents, language) if currency.cents else ""
    if not whole:
        return in_cents
    rest = value_in_words(cents, language) if nameless else in_cents
    return counted(whole, currency.names, language) + language.and_cents.format(rest)


def _about(language: SpokenLanguage) -> str:
    """Return a pattern for the "~" of "~$5" and "≈ 5 kg"."""
    return rf"[~≈]\s?(?=[-−]?(?:{_sign(signs(language))}\s?)?[0-9])"


def _empty_cents(found: re.Match[str], language: SpokenLanguage) -> str:
    """Write "75,-" with the currency of the country, unless one stands before it."""
    before = found.string[: found.start()].split()[-1:]
    if before and before[0] in signs(language):
        return found[0]
    return f"{found[1]} " + ("CHF" if "'" in language.thousands else "€")


def _round(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read "$100s" as hundreds of dollars, and "$10,000s" as tens of thousands of them."""
    zeros = len(re.sub("[^0-9]", "", found["number"])) - 1
    power, tens = divmod(zeros, 3)
    above = " of ".join(filter(None, (("", "tens", "hundreds")[tens], _POWERS[power])))
    return f"{above} of {currency_of(found['sign'], language).names[1]}"


_POWERS = ("", "thousands", "millions", "billions")


RULES = (
    Rule(
        r"(?<![\w$€£])(?P<sign>[$€£])(?P<number>1(?:,?000){1,3}|10{1,2}(?:,?000){0,3})['’]?s\b"
        r"(?:\sof\s(?:dollars|euros|pounds)\b)?",
        _round,
        only=("en",),
    ),
    Rule(_about, lambda _, language: f"{language.about} "),
    # "12€50"
    Rule(
        r"(?<![\w.,])([0-9]{1,4})([€$£])([0-9]{2})(?!\w|[.,][0-9])",
        lambda found, _: f"{found[1]}.{found[3]} {found[2]}",
    ),
    # "12 € 99"
    Rule(
        r"(?<![\w.,])([0-9]{1,4})\s?([€$£])\s([0-9]{2})(?=\s*(?:[.;:!?)]|,(?![0-9])|$)|\s(?:par|TTC|pour|et|ou)\b)",
        lambda found, _: f"{found[1]},{found[3]} {found[2]}",
        only=("fr",),
    ),
    # "20'50 €"
    Rule(
        r"(?<![\w.,'’])([0-9]{1,4})['’]([0-9]{2})(?=\s?(?:€|euros?\b))",
        lambda found, _: f"{found[1]},{found[2]}",
        only=("es",),
    ),
    # "75,-"
    Rule(
        lambda language: (
            rf"(?<![\w.,])({amount_pattern(language)})[.,][-–—]{{1,2}}(?![\w-])"
            rf"(?!\s?(?:{_sign(signs(language))}|Euro|Franken)(?!\w))"
        ),
        _empty_cents,
        only=("de",),
    ),
    # "49,- Euro"
    Rule(r"(?<=[0-9])[.,]\s?[-–—]{1,2}(?=\s[^\W\d_])", lambda *_: ""),
    Rule(_sign_first, _money),
    Rule(_sign_last, _money),
)
