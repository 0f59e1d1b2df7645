"""Numbers in words, as each language says them."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

from num2words import num2words


@lru_cache(4096)
def cardinal(value: int | Decimal, code: str) -> str:
    """Return ``value`` in words, without the commas that would be heard as pauses."""
    said = str(num2words(value, lang=code)).replace(",", "")
    return re.sub(r"\b(veinti)?uno mil", _one_thousand, said) if code == "es" else said


def _one_thousand(found: re.Match[str]) -> str:
    return "veintiún mil" if found[1] else "un mil"


@lru_cache(1024)
def ordinal(value: int, code: str) -> str:
    """Return the rank in words: "twenty-first"."""
    return str(num2words(value, lang=code, to="ordinal"))


@lru_cache(1024)
def year(value: int, code: str) -> str:
    """Return a year in words: "nineteen ninety-nine"."""
    return str(num2words(value, lang=code, to="year")).replace("oh-", "oh ").replace(",", "")


def spelled(below: int, code: str) -> dict[str, int]:
    """Return the numbers from 0 on by their words. It is not cached: a thousand take 20 ms."""
    return {str(num2words(value, lang=code)): value for value in range(below)}
