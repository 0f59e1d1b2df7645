"""What a language is to the rules: its words, and how it says numbers, times, dates and amounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


def unchanged(text: str) -> str:
    """Return ``text``."""
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """What an amount is called: one and several, and its hundredths."""

    one: str
    many: str
    cent: str
    cents: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpokenLanguage:
    """A language that texts are read in. One object a language: they are told apart by identity."""

    code: str
    """As num2words knows it."""

    thousands: str
    """Between groups of three digits; a regular expression."""

    at: str
    dot: str
    slash: str
    hyphen: str
    underscore: str
    plus: str
    minus: str
    ampersand: str
    percent: str
    number: str
    """What "#" and "No." are read as."""

    about: str
    to: str
    """In a range: "9-17"."""

    per: str
    per_what: str
    """What may come after the slash of "5 €/hour"; words."""

    one: str
    """Before a thing that is counted."""

    one_feminine: str = ""
    feminine: frozenset[str] = frozenset()
    """Things below that take it."""

    before_noun: Callable[[str], str] = unchanged
    """Makes of a numeral what stands before the thing that it counts."""

    and_cents: str
    """Between an amount and its hundredths; ``{}`` is their number and name."""

    cents_are_named: bool = True
    """Whether their name is said after an amount: "zwölf Euro fünfzig" does without."""

    currencies: Mapping[str, Currency]
    units: Mapping[str, tuple[str, str]]
    """One and several, by the sign that stands after a number."""

    fractions: Mapping[str, str]
    months: tuple[str, ...]
    short_months: bool = False
    """Whether their first three letters are read as them; in some languages those are words."""

    month_first: bool = False
    """Whether 3/4/2026 is in March."""

    abbreviations: Mapping[str, str]
    """Lower case, by what stands before a stop."""

    days: Mapping[str, str]
    """Days of the week, by how they are shortened; case matters."""

    short_days_are_words: bool = False
    """Whether those are words too ("so"), and days only in a range."""

    time_mark: str = ":"
    """Between hour and minute; a regular expression."""

    after_time: str = ""
    """What goes with a time and is said with it, or not at all; a regular expression."""

    time: Callable[[int, int, str], str]
    """Hour, minute and "a", "p" or nothing, as words."""

    date: Callable[[int, int, int | None, str], str]
    """Day, month (from 1), year and the word before it, as words."""

    scale: str
    """Words that may stand between an amount and its currency: "$5 million"."""

    of: str = " "
    """What then joins the currency."""

    contracted: Callable[[str], str] = unchanged
    """Makes of such an amount what is said: "d'euros"."""


def currencies(dollar: Currency, euro: Currency, pound: Currency) -> dict[str, Currency]:
    """Return what the signs and codes of these three are called."""
    return {"$": dollar, "USD": dollar, "€": euro, "EUR": euro, "£": pound, "GBP": pound}
