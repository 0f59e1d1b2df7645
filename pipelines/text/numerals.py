"""Numbers in words, as each language says them."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from num2words import num2words


@lru_cache(4096)
def cardinal(value: int | Decimal, code: str) -> str:
    """Return ``value`` in words, without the commas that would be heard as pauses."""
    if code in _POINTS and value != int(value):
        return _with_decimals(Decimal(value), code)
    return str(num2words(value, lang=code)).replace(",", "")


_POINTS = {"es": "coma", "it": "virgola"}
"""Before decimals, where num2words 0.5.14 leaves them out (Italian), or names another sign than the
one that is written (Spanish: a point)."""


def _with_decimals(value: Decimal, code: str) -> str:
    whole, _, decimals = format(abs(value).normalize(), "f").partition(".")
    said = [cardinal(int(whole), code), _POINTS[code], *(cardinal(int(n), code) for n in decimals)]
    return ("meno " if code == "it" else "menos ") * (value < 0) + " ".join(said)


@lru_cache(1024)
def ordinal(value: int, code: str) -> str:
    """Return the rank in words: "twenty-first"."""
    return str(num2words(value, lang=code, to="ordinal"))


@lru_cache(1024)
def year(value: int, code: str) -> str:
    """Return a year in words: "nineteen ninety-nine"."""
    return str(num2words(value, lang=code, to="year")).replace("oh-", "oh ").replace(",", "")
