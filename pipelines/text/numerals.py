"""Numbers in words, as each language says them."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from num2words import num2words


@lru_cache(4096)
def cardinal(value: int | Decimal, code: str) -> str:
    """Return ``value`` in words, without the commas that would be heard as pauses."""
    return str(num2words(value, lang=code)).replace(",", "")


@lru_cache(1024)
def ordinal(value: int, code: str) -> str:
    """Return the rank in words: "twenty-first"."""
    return str(num2words(value, lang=code, to="ordinal"))


@lru_cache(1024)
def year(value: int, code: str) -> str:
    """Return a year in words: "nineteen ninety-nine"."""
    return str(num2words(value, lang=code, to="year")).replace("oh-", "oh ").replace(",", "")
