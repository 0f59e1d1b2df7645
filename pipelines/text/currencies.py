"""Currencies: the signs that stand for them, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from pipelines.text import cldr
from pipelines.text.languages.language import Names, SpokenLanguage, words

SIGNS: Mapping[str, str] = {
    "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "￥": "JPY", "円": "JPY",
    "₹": "INR", "₨": "INR",
    "Rs": "INR", "Rs.": "INR", "₩": "KRW", "₪": "ILS", "₽": "RUB", "₴": "UAH",
    "₦": "NGN", "₱": "PHP", "฿": "THB", "₫": "VND", "₡": "CRC", "₲": "PYG", "₵": "GHS",
    "₸": "KZT", "₼": "AZN", "₾": "GEL", "₭": "LAK", "₮": "MNT", "៛": "KHR", "৳": "BDT",
    "؋": "AFN", "֏": "AMD", "kr": "DKK", "kr.": "DKK", "Kr": "DKK", "zł": "PLN", "Kč": "CZK",
    "лв": "BGN", "RMB": "CNY", "RM": "MYR", "Ft": "HUF", "TL": "TRY", "₿": "BTC",
    "R$": "BRL", "S/": "PEN", "Rp": "IDR", "SFr": "CHF", "SFr.": "CHF",
}  # fmt: skip
"""Codes by the signs that name no country. CLDR has them too, but Babel does not."""

NAMED: Mapping[str, str] = {
    "US$": "USD", "U$S": "USD", "$US": "USD", "A$": "AUD", "AU$": "AUD", "$AU": "AUD",
    "C$": "CAD", "CA$": "CAD", "$CA": "CAD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD",
    "$ US": "USD", "$ CA": "CAD", "$ CAN": "CAD", "CAN$": "CAD", "₺": "TRY",
    "NT$": "TWD", "AR$": "ARS", "RD$": "DOP", "CDN": "CAD",
    "MX$": "MXN", "CN¥": "CNY", "J$": "JMD", "EC$": "XCD",
}  # fmt: skip
"""Codes by the signs that do: the country is said."""

ALONE = words("USD EUR GBP JPY CNY KRW ILS PLN CZK HUF THB UAH BRL VND NGN ZAR MYR IDR BDT GEL KZT")
"""Codes of those that are known by their noun alone."""

WHOLE = frozenset(("IDR", "COP"))
"""Codes of those that have a minor unit which nobody uses: "Rp 50.000" are fifty thousand."""

WORDS = frozenset(("ALL", "TOP", "SOS", "XXX"))
"""Codes that are more often words in capitals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """What an amount is called."""

    names: Names
    """One and several."""

    cents: Names | None
    """Of its minor unit, if we know them."""

    is_whole: bool
    """Whether amounts have no decimals."""

    digits: int
    """Decimals that are counted in that: two of a dollar, three of a dinar, none of a yen."""


@cache
def signs(language: SpokenLanguage) -> Mapping[str, str]:
    """Return the codes of all signs, codes and other, that stand for a currency."""
    named = (
        code for code in cldr.currency_codes() if cldr.currency(code, language.code)[0] != code
    )
    codes = {code: code for code in (*named, "BTC") if code not in WORDS}
    all_of = {**codes, **SIGNS, **NAMED, **language.currency_signs}
    return {sign: code for sign, code in all_of.items() if sign not in language.units}


def _names(code: str, language: SpokenLanguage) -> Names:
    """Return what one and several are called; CLDR has only what states have made."""
    if code == "BTC":
        return ("Bitcoin", "Bitcoin") if language.code == "de" else ("bitcoin", "bitcoins")
    return cldr.currency(code, language.code)


@cache
def currency_of(sign: str, language: SpokenLanguage) -> Currency:
    """Return the currency that a sign stands for in texts of ``language``."""
    code = signs(language)[sign]
    name = language.name_of_currency
    if sign not in NAMED and (code != sign or code in ALONE | language.at_home):
        name = language.noun_of_currency
    one, many = map(name, _names(code, language))
    digits = cldr.currency_digits(code)
    if code == "BTC":
        return Currency(names=(one, many), cents=None, is_whole=False, digits=0)
    return Currency(
        names=(one, many),
        cents=language.cents.get(code),
        is_whole=not digits or code in WHOLE,
        digits=digits,
    )
