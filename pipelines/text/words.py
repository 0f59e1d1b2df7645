"""Words of a text, for whoever counts them: also in scripts that put no space between them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

IDEOGRAPHS = "\u2e80-\u2fdf\u3005-\u3007\u3041-\u30ff\u3100-\u312f\u31f0-\u31ff\u3400-\u4dbf"
IDEOGRAPHS += "\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003134f"
"""Letters of Chinese and Japanese, each a syllable or more; for a class of a regular expression."""

UNSPACED_LETTERS = "\u0e01-\u0e4e\u0e81-\u0edf\u0f40-\u0fbc\u1000-\u103f\u1050-\u109f\u1780-\u17d3"
UNSPACED_LETTERS += "\u1980-\u19df\uaa60-\uaa7f"
"""Letters of Thai, Lao, Tibetan, Burmese, Khmer and New Tai Lue; for the same."""

UNSPACED = IDEOGRAPHS + UNSPACED_LETTERS

_VOWEL_KILLER = "\u1039\u17d2"
"""Burmese and Khmer: the letter after it is written below the one before."""

_MARKS = "".join(
    char
    for char in map(chr, (*range(0x0E01, 0x1100), *range(0x1780, 0x1800), *range(0xAA60, 0xAA80)))
    if unicodedata.category(char) in ("Mn", "Mc")
)
_MARKS += "\u0300-\u036f\u3099\u309a\u30fc\ufe00-\ufe0f\U000e0100-\U000e01ef"

_UNIT = re.compile(rf"[{UNSPACED}](?:[{_MARKS}]|(?<=[{_VOWEL_KILLER}])\w)*|[^{UNSPACED}]++")
_ANY_UNSPACED = re.compile(f"[{UNSPACED}]")
_IDEOGRAPH = re.compile(f"[{IDEOGRAPHS}]")
_WORDLIKE = re.compile(r"\w")

_WIDE = re.compile(rf"[{UNSPACED}\u3000-\u303f\uff00-\uffef]")
"""What no space stands beside in a text without spaces: marks of full width, too."""

IDEOGRAPH = 3
"""Letters that one of Chinese or Japanese counts as: it is a syllable, and takes as long."""

IDEOGRAPHS_IN_A_WORD, LETTERS_IN_A_WORD = 2, 3
"""Most Chinese words are of two characters; Thai ones of three, marks not counted, on average."""


def words(text: str) -> list[str]:
    """Return the words of ``text``, each with the space after it; joined, they are the text.

    White space is one space each. In Chinese, Japanese, Thai, Lao, Tibetan, Burmese and Khmer each
    character is a word, with its marks: there are no spaces to tell words by. Marks belong to the
    word beside them, as where there are spaces.
    """
    found: list[str] = []
    for token in text.split():
        units = _units(token) if _ANY_UNSPACED.search(token) else [token]
        units[-1] += " "
        found += units
    if found:
        found[-1] = found[-1][:-1]
    return found


def _units(token: str) -> list[str]:
    units: list[str] = []
    before = ""  # quotes that open before the first
    for unit in _UNIT.findall(token):
        if _WORDLIKE.search(unit):
            units.append(before + unit)
            before = ""
        elif units:
            units[-1] += unit
        else:
            before += unit
    return units or [token]


def joined(parts: Iterable[str]) -> str:
    """Return sentences, or parts of one, as one text: with spaces where its script has them."""
    text: list[str] = []
    last = ""
    for part in filter(None, parts):
        if last and not (_WIDE.match(last) and _WIDE.match(part)):
            text.append(" ")
        text.append(part)
        last = part[-1]
    return "".join(text)


def length(text: str) -> int:
    """Return the characters of ``text``; an ideograph counts as :data:`IDEOGRAPH` of them."""
    return len(text) + (IDEOGRAPH - 1) * len(_IDEOGRAPH.findall(text))


def word_count(text: str) -> float:
    """Return about how many words there are, by their usual length where there are no spaces."""
    count = 0.0
    for word in words(text):
        if _IDEOGRAPH.search(word):
            count += 1 / IDEOGRAPHS_IN_A_WORD
        else:
            count += 1 / LETTERS_IN_A_WORD if _ANY_UNSPACED.search(word) else 1
    return count
