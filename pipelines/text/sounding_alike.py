"""How unlike two words sound, in most of our languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

FRAME = 2
"""Consonants from which on a name is told by these rather than by all of its letters: vowels are
what is misheard most, "Claire" for "Clara"."""

OF_CONSONANTS = 0.7
"""How much of how unlike two words sound is due to their consonants."""

LEAST, LONGEST = 2, 30
"""Letters of a word, as they sound, with which names are compared so."""

LIQUIDS = "lr"
"""Consonants that are swallowed: "Quer" for "Clara"."""

_KINDS = ("pbtdkg", "mn", "lrv", "fvs", "bv")
"""Consonants that are taken for each other, by how they are made."""

_VOWELS = re.compile("[aeiou]+")

_SOUNDS = (
    (re.compile("eaux?|au(?!$)|ault?$"), "o"),
    (re.compile("gl(?=i)"), "l"),
    (re.compile("ph"), "f"),
    (re.compile("sch|sh"), "s"),
    (re.compile("ck|qu|q"), "k"),
    (re.compile("c(?=[eiy])"), "s"),
    (re.compile("[cg]h|c"), "k"),
    (re.compile("x"), "ks"),
    (re.compile("y|j"), "i"),
    (re.compile("w"), "v"),
    (re.compile("z"), "s"),
    (re.compile("h|[^a-z0-9]"), ""),
    (re.compile(r"(.)\1+"), r"\1"),
)
"""What sounds alike in most of our languages, in order; for words without accents."""

_NEAR = {frozenset(pair) for pair in ["ei", "ou", "ae", "mn", "bp", "dt", "gk", "fv", "sz"]}


def without_accents(text: str) -> str:
    """Return ``text`` as somebody writes it whose keys have no accents."""
    return "".join(
        char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char)
    )


@lru_cache(maxsize=4096)
def unlike(heard: str, name: str) -> float:
    """Return how unlike two words sound, 0 to 1; "th" is as in "there", "Thomas" or "Thelma"."""
    soft = {heard, heard.replace("th", "v")}
    names = {name, name.replace("th", "f"), name.replace("th", "s")}
    return min(_unlike_sounds(sound(each), sound(one)) for each in soft for one in names)


def _unlike_sounds(one: str, other: str) -> float:
    """Return how unlike two words are, as they sound, by their consonants more than by all."""
    longest = max(len(one), len(other))
    if min(len(one), len(other)) < LEAST or longest > LONGEST:
        return 0.0 if one == other else 1.0
    whole = min(1.0, edits(one, other, longest) / longest)
    frames = [_VOWELS.sub("", each) for each in (one, other)]
    most = max(map(len, frames))
    if most < FRAME or not all(frames):
        return whole
    cost = edits(frames[0], frames[1], most, _consonants_unlike)
    return OF_CONSONANTS * min(1.0, cost / most) + (1 - OF_CONSONANTS) * whole


def _consonants_unlike(one: str, other: str) -> float:
    """Return how unlike two consonants are, 0 to 1; one of them is ``""`` if it is missing."""
    if one == other:
        return 0.0
    if not (one and other):
        return 0.5 if (one or other) in LIQUIDS else 1.0
    if frozenset((one, other)) in _NEAR:
        return 0.25
    return 0.5 if any(one in kind and other in kind for kind in _KINDS) else 1.0


@lru_cache(maxsize=4096)
def sound(word: str) -> str:
    """Return a word's letters as they sound, those that sound alike written alike."""
    plain = without_accents(word.casefold().replace("ß", "ss"))
    for pattern, heard in _SOUNDS:
        plain = pattern.sub(heard, plain)
    return plain


def _letters_unlike(one: str, other: str) -> float:
    """Return how unlike two letters are, 0 to 1; one of them is ``""`` if it is missing."""
    return 0.0 if one == other else 0.5 if frozenset((one, other)) in _NEAR else 1.0


def edits(
    one: str, other: str, most: float, cost: Callable[[str, str], float] = _letters_unlike
) -> float:
    """Return the edits between two words, by what one of their letters for another counts.

    Args:
        one: Of a few letters, as is the other: it takes as many steps as there are pairs of them.
        other: The word that is compared with.
        most: The most that is told apart; words of lengths further apart are ``most + 1``.
        cost: How much a letter for another counts, 0 to 1; one is ``""`` if it is missing.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    earlier: list[float] = []
    before = [0.0]
    for wanted in other:
        before.append(before[-1] + cost("", wanted))
    for row, letter in enumerate(one, 1):
        line = [before[0] + cost(letter, "")]
        for column, wanted in enumerate(other, 1):
            missing = before[column] + cost(letter, "")
            added = line[-1] + cost("", wanted)
            least = min(missing, added, before[column - 1] + cost(letter, wanted))
            if row > 1 and column > 1 and (one[row - 2], letter) == (wanted, other[column - 2]):
                least = min(least, earlier[column - 2] + 1)  # two that have changed places
            line.append(least)
        earlier, before = before, line
    return before[-1]
