"""What a language is to the rules: its words, and how it says numbers, times, dates and amounts.

What months, days, units and currencies are called is CLDR's (:mod:`pipelines.text.cldr`); here is
what is said otherwise than it is written, and the grammar around a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

Value = TypeVar("Value")

Names = tuple[str, str]
"""What one thing is called, and what several are."""

LOWER = "a-zß-öø-ÿœ"
"""Small letters, within the brackets of a regular expression: what a sentence goes on with."""


def words(text: str) -> frozenset[str]:
    """Return the words of ``text``."""
    return frozenset(text.split())


def each(keys: str, value: Value) -> dict[str, Value]:
    """Return ``value`` by each of the words in ``keys``."""
    return dict.fromkeys(keys.split(), value)


def unchanged(text: str) -> str:
    """Return ``text``."""
    return text


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpokenLanguage:
    """A language that texts are read in. One object a language: they are told apart by identity."""

    code: str
    """As num2words and CLDR know it."""

    thousands: str
    """Between groups of three digits; a regular expression."""

    loose_thousands: str = ""
    """Between them where a unit or a currency says that all is one number: "12 000 €"."""

    point: str
    """Said between a number and its decimals."""

    decimals_as_number: bool = False
    """Whether two decimals are read as one number: "virgule soixante-quinze"."""

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

    per: Callable[[str], str]
    per_what: str
    """What may come after the slash of "5 €/hour"; words."""

    per_signs: Mapping[str, str]
    """What may come there too, and is no word: "5 €/mo"."""

    one: Callable[[str], str]
    """What stands before one of a thing, in the place of "one": "una", of "libra"."""

    is_feminine: Callable[[str], bool] = field(default=lambda _: False)
    """Whether a thing is, by its name."""

    half: Callable[[int, Names], str] | None = None
    """So many and a half of a thing, by its names; of none, half a one. None if that is said as
    other fractions are."""

    numbered: frozenset[str] = frozenset()
    """Words, in lower case, that a number after is the name of a thing, and counts none."""

    no_nouns: frozenset[str] = frozenset()
    """Words that go on after such a name: "pulse 1 para", and are not what is counted."""

    before_noun: Callable[[str], str] = unchanged
    """Makes of a numeral what stands before the things that it counts."""

    before_feminine: Callable[[str], str] = unchanged
    """The same, if those are feminine."""

    and_cents: str
    """Between an amount and its hundredths; ``{}`` is their number and name."""

    cents_are_named: bool = True
    """Whether their name is said after an amount: "zwölf Euro fünfzig" does without."""

    cents: Mapping[str, Names]
    """What the minor units of currencies are called, by the code of the currency."""

    currency_signs: Mapping[str, str] = field(default_factory=dict)
    """Codes by the signs that stand for another currency here than elsewhere, or only here."""

    at_home: frozenset[str] = frozenset()
    """Codes of currencies that need no country here."""

    noun_of_currency: Callable[[str], str]
    """Takes the country off the name of a currency."""

    name_of_currency: Callable[[str], str] = unchanged
    """Makes of the name of one or several what is said with a number."""

    units: Mapping[str, str | Names]
    """By the sign that stands after a number: what CLDR names it, or what it is called. They go
    before those of all languages (:data:`pipelines.text.units.SIGNS`)."""

    and_centimeters: str = ""
    """Between meters and their hundredths: "ein Meter achtzig"; empty if that is not said."""

    fractions: Mapping[str, str]

    months_short: Mapping[str, int] = field(default_factory=dict)
    """How months are shortened, in lower case, besides what CLDR has."""

    month_first: bool = False
    """Whether 3/4/2026 is in March."""

    dated: str
    """Words that a date follows; lower case."""

    at_time: str
    """Words that a time follows, even if it is written "7.30"; lower case."""

    abbreviations: Mapping[str, str]
    """Lower case, by what stands before a stop."""

    days_short: Mapping[str, int] = field(default_factory=dict)
    """How days are shortened, Monday being 0, besides what CLDR has; case matters."""

    days_that_are_words: str = ""
    """Short names of days that are words too ("so", "Sun"): days only in a range, or beside a date;
    lower case."""

    time_mark: str = ":"
    """Between hour and minute; a regular expression."""

    after_time: str = ""
    """What goes with a time and is said with it, or not at all; a regular expression."""

    time: Callable[[int, int, str], str]
    """Hour, minute and "a", "p" or nothing, as words."""

    date: Callable[[int, str, int | None, str], str]
    """Day, name of the month, year and the word before it, as words."""

    day: Callable[[int, str], str]
    """Day of a month and the word before it, as words: the first of "24-26 November"."""

    at_the_time: Callable[[str], str]
    """Makes of a time in words what follows a date: "at nine thirty"."""

    thousand: str
    """Words and signs for a thousand, between an amount and its currency: "$5k"."""

    scales: Mapping[str, Names]
    """Thousands of thousands, by the word or sign between an amount and its currency: "$5M"."""

    of: str = " "
    """What then joins the currency."""

    contracted: Callable[[str], str] = unchanged
    """Makes of such an amount what is said: "d'euros"."""
