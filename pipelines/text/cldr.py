"""What months, days, units and currencies are called: Unicode's CLDR, by Babel.

Babel takes 50 ms to import, and a language's names some more: it is imported when the first name
is asked for, which is when a language's rules are built (:func:`pipelines.text.speakable.prepare`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

_NUMBER = re.compile(r"^1\s|^2\s|\s[12]$")


@cache
def locale_of(language: str) -> Any:  # noqa: ANN401 - Babel ships no types
    """Return what CLDR has of a language, or of the nearest: of ``de-CH-1996`` it is ``de-CH``.

    Args:
        language: BCP 47 tag; one that CLDR does not have has English names.
    """
    babel = import_module("babel")
    parts = language.split("-")
    for end in range(len(parts), 0, -1):
        try:
            return babel.Locale.parse("-".join(parts[:end]), sep="-")
        except (babel.UnknownLocaleError, ValueError):  # the second: not of the form of a tag
            continue
    return babel.Locale("en")


@cache
def months(locale: str) -> tuple[str, ...]:
    """Return the names of the months, January's first."""
    names = locale_of(locale).months["format"]["wide"]
    return tuple(names[number] for number in range(1, 13))


@cache
def short_months(locale: str) -> tuple[str, ...]:
    """Return how the months are shortened, January's first; without a stop."""
    names = locale_of(locale).months["format"]["abbreviated"]
    return tuple(names[number].rstrip(".") for number in range(1, 13))


@cache
def days(locale: str) -> tuple[str, ...]:
    """Return the names of the days of a week, Monday's first."""
    names = locale_of(locale).days["format"]["wide"]
    return tuple(names[number] for number in range(7))


@cache
def short_days(locale: str) -> tuple[str, ...]:
    """Return how the days are shortened, Monday's first; without a stop."""
    names = locale_of(locale).days["format"]["abbreviated"]
    return tuple(names[number].rstrip(".") for number in range(7))


def listed(names: Sequence[str], language: str) -> str:
    """Return names as one text: ``Ann, Bob, and Carl``; ``""`` for none.

    Args:
        names: They.
        language: BCP 47 tag.
    """
    if len(names) < 2:
        return "".join(names)
    lists = import_module("babel.lists")
    return str(lists.format_list(list(names), locale=locale_of(language)))


@cache
def unit(name: str, locale: str) -> tuple[str, str]:
    """Return what one and several of a unit are called, as a voice can say it.

    Args:
        name: As CLDR has it: "mass-kilogram".
        locale: As Babel knows it.

    Raises:
        LookupError: If CLDR has no name for it in this language.
    """
    units = import_module("babel.units")
    one, many = (
        _NUMBER.sub("", " ".join(units.format_unit(count, name, "long", locale=locale).split()))
        for count in (1, 2)
    )
    if name in one:
        raise LookupError(f"{name} has no name in {locale}")
    return one.replace("-", " "), many.replace("-", " ")


@cache
def currency(code: str, locale: str) -> tuple[str, str]:
    """Return what one and several of a currency are called, with its country."""
    numbers = import_module("babel.numbers")
    one, many = (numbers.get_currency_name(code, count, locale) for count in (1, 2))
    return one, many


@cache
def currency_codes() -> frozenset[str]:
    """Return the codes of ISO 4217; without those of currencies whose name tells when they were."""
    numbers = import_module("babel.numbers")
    codes = numbers.list_currencies()
    return frozenset(code for code in codes if "(" not in currency(code, "en")[0])


@cache
def currency_digits(code: str) -> int:
    """Return how many digits the minor unit of a currency takes: two of a dollar, none of a yen."""
    return int(import_module("babel.numbers").get_currency_precision(code))


@cache
def _plural(locale: str) -> Any:  # noqa: ANN401
    return locale_of(locale).plural_form


def is_one(value: object, locale: str) -> bool:
    """Return whether so many (an int or a Decimal) take the singular: in French, 1.5 do."""
    return bool(_plural(locale)(value) == "one")
