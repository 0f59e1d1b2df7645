"""Digits as they are spoken, in the languages that agents have rules for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

from pipelines.text.numerals import spelled

LANGUAGES = ("en", "de", "fr", "es", "it")

VARIANTS: Mapping[str, tuple[str, ...]] = {"fr": ("fr", "fr_BE", "fr_CH")}
"""Where num2words knows more than one way to count."""

ALSO: Mapping[str, Mapping[str, str]] = {
    "en": {"oh": "0", "o": "0", "nought": "0", "naught": "0", "nil": "0"},
    "de": {"zwo": "2", "ein": "1", "fuenf": "5", "zwoelf": "12"},
    "fr": {"zero": "0", "une": "1"},
    "es": {"un": "1", "una": "1"},
    "it": {"un": "1", "una": "1"},
}
"""What is said besides."""

TIMES: Mapping[str, int] = {
    "double": 2, "triple": 3, "treble": 3, "quadruple": 4, "twice": 2, "thrice": 3,
    "doppel": 2, "doppelt": 2, "doppelte": 2, "zweimal": 2, "dreimal": 3, "viermal": 4,
    "doble": 2, "cuadruple": 4, "doppio": 2, "doppia": 2, "triplo": 3, "tripla": 3,
}  # fmt: skip
"""How often the digit that follows is meant."""

COUNTED: Mapping[str, int] = {
    "two": 2, "three": 3, "four": 4, "deux": 2, "trois": 3, "quatre": 4,
    "dos": 2, "tres": 3, "cuatro": 4, "due": 2, "tre": 3, "quattro": 4, "zwei": 2, "drei": 3,
}  # fmt: skip
"""The same before one of :data:`TIMES_WORDS`."""

TIMES_WORDS = frozenset(("times", "fois", "veces", "volte", "mal"))

ARTICLES = frozenset(("the", "a", "die", "eine", "le", "un", "el", "il", "lo"))
"""Between "twice" and the digit."""

_WORD = re.compile(r"[^\W\d_]+")


def plain(word: str) -> str:
    """Return a word in small letters, without accents."""
    if word.isascii():
        return word.lower()
    parts = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in parts if not unicodedata.combining(char))


def words_of(text: str) -> list[str]:
    """Return the words of a text as :func:`plain` gives them."""
    return [plain(word) for word in _WORD.findall(text)]


Numbers = Mapping[tuple[str, ...], str]
"""Digits by the words that say them."""


@cache
def numbers(language: str) -> Numbers:
    """Return the numbers below a thousand by their words, and single digits as they are said."""
    found: dict[tuple[str, ...], str] = {}
    for code in VARIANTS.get(language, (language,)):
        for text, value in spelled(1000, code).items():
            words = tuple(map(plain, _WORD.findall(text)))
            found.setdefault(words, str(value))
            if len(words) > 1 and "hundred" in words:  # as Americans say it
                found.setdefault(tuple(one for one in words if one != "and"), str(value))
            if language == "de" and 20 < value < 100 and "und" in words[0][3:]:
                unit, _, ten = words[0].rpartition("und")
                found.setdefault((unit, "und", ten), str(value))
                found.setdefault((f"{unit}und", ten), str(value))
    for word, digit in ALSO.get(language, {}).items():
        found.setdefault((word,), digit)
    return found


@cache
def longest(language: str) -> Mapping[str, int]:
    """Return the words that numbers begin with, each with the most words of such a number."""
    found: dict[str, int] = {}
    for words in numbers(language):
        found[words[0]] = max(found.get(words[0], 0), len(words))
    return found
