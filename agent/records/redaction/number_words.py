"""Digits as they are spoken, in the languages that agents have rules for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
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


THOUSANDS: Mapping[str, tuple[str, ...]] = {
    "en": ("thousand",),
    "de": ("tausend",),
    "fr": ("mille", "mil"),
    "es": ("mil",),
    "it": ("mille", "mila"),
}
"""What is said for a thousand, by itself, behind how many there are, or as a part of a word."""

HUNDREDS: Mapping[str, tuple[str, ...]] = {"en": ("hundred",), "de": ("hundert",)}
"""The same for a hundred, of which people count up to 99 there: "forty-one hundred eleven"."""

_JOINED = ("de", "it")
"""Languages that write a number as one word."""


def may_begin(word: str, language: str) -> bool:
    """Return whether a number may begin with a word, for :func:`large` or :func:`small`."""
    units = (*THOUSANDS.get(language, ()), *HUNDREDS.get(language, ()))
    return word in longest(language) or any(unit in word for unit in units)


def large(words: Sequence[str], at: int, language: str) -> tuple[int, str]:
    """Return how many words say a number from 1000 to 99,999 here, and its digits; 0 if none do.

    Args:
        words: As :func:`plain` gives them, signs among them.
        at: Where it would begin.
        language: One of ``LANGUAGES``.
    """
    for units, scale, least in ((THOUSANDS, 1000, 1), (HUNDREDS, 100, 11)):
        for unit in units.get(language, ()):
            if language in _JOINED and (found := _one_word(words, at, language, unit, scale)):
                return found
            head, code = small(words, at, language)
            behind = at + head
            if behind >= len(words) or words[behind] != unit:
                continue
            # English and German name how many there are, others do not say "one thousand".
            value = int(code) if head else 1
            if (not head and scale < 1000) or not least <= value < 100:
                continue
            return _with_rest(words, at, behind + 1, language, value * scale)
    return 0, ""


def _one_word(
    words: Sequence[str], at: int, language: str, unit: str, scale: int
) -> tuple[int, str] | None:
    """Return the same of a word that is, or begins with, all thousands: "viertausendelf"."""
    before, found, rest = words[at].partition(unit)
    if not found:
        return None
    known = numbers(language)
    value = int(known.get((before,), "0")) if before else 1
    if not (11 if scale < 1000 else 1) <= value < 100:
        return None
    if not rest:
        return _with_rest(words, at, at + 1, language, value * scale)
    tail = known.get((rest.removeprefix("und"),))
    return (1, str(value * scale + int(tail))) if tail and int(tail) < scale else None


def _with_rest(
    words: Sequence[str], at: int, behind: int, language: str, value: int
) -> tuple[int, str]:
    """Return the words from ``at`` on, and the digits, with what is said below the thousands."""
    scale = 1000 if value % 1000 == 0 else 100
    comma = behind < len(words) and words[behind] == ","
    start = behind + (comma or (behind < len(words) and words[behind] in ("and", "und")))
    taken, code = small(words, start, language) if start < len(words) else (0, "")
    # Behind a comma it is the next group, unless it is said in hundreds.
    if taken and words[start].isalpha() and (100 if comma else 1) <= int(code) < scale:
        return start + taken - at, str(value + int(code))
    return behind - at, str(value)


def small(words: Sequence[str], at: int, language: str) -> tuple[int, str]:
    """Return how many words say a number below 1000 here, and its digits; 0 if none do."""
    known = numbers(language)
    for length in range(min(longest(language).get(words[at], 0), len(words) - at), 0, -1):
        if code := known.get(tuple(words[at : at + length])):
            return length, code
    return 0, ""


@cache
def longest(language: str) -> Mapping[str, int]:
    """Return the words that numbers begin with, each with the most words of such a number."""
    found: dict[str, int] = {}
    for words in numbers(language):
        found[words[0]] = max(found.get(words[0], 0), len(words))
    return found
