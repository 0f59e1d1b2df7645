"""Numbers and names as they are dictated, digit by digit and letter by letter: how far are they?"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.turn_taking.end_of_turn_words import is_digit
from pipelines.turn_taking.expectation import AnswerKind, Expectation
from pipelines.turn_taking.words_by_language import primary, with_numerals

FEWEST_DIGITS = 3
"""From which somebody dictates a number that nobody has asked for, rather than saying how many; as
many are no whole number of theirs."""

FEWEST_LETTERS = 2
"""From which somebody spells, unasked: one is a word, or the end of one."""

USUAL_LENGTHS = (10, 11, 16)
"""Digits of telephone and card numbers: dictated unasked, they are most likely all."""

_MULTIPLIERS: Mapping[str, int] = {"double": 1, "triple": 2}
"""Digits beside the one behind it."""

_NOUGHTS: Mapping[str, int] = {
    **dict.fromkeys(("hundred", "cien", "ciento", "cent", "cents", "cento", "cem", "hundert"), 2),
    **dict.fromkeys(("thousand", "mil", "mille", "mila", "tausend", "duizend"), 3),
    "honderd": 2,
}
"""Digits after the one before it, what is said behind it included: "two thousand (and) five"."""

_HUNDREDS = re.compile(r"(?:\w{2,}(?:ciento|niento|cento)|duzento|trezento|quinhento)s|\w{2,}cento")
"""Hundreds in one word: "novecientos", "novecentos", "novecento"."""

_NOT_DICTATED = re.compile(r"(?:^|[^\W\d]\W+)(?:\d{1,2}[:.h]\d{2}|(?:19|20) ?\d{2})\W*$")
"""A time or a year at the end, as transcribers write it."""

_SOUNDS_LIKE: Mapping[str, frozenset[str]] = {"en": frozenset(["to", "too", "for", "ate", "tree"])}
"""Words that transcribers write for a digit; where a number was asked for, they are one."""

_REACH = 40
"""Characters in which a time or a year is looked for."""

_MOST_WORDS = 40
"""Words that are looked at: a card number has 19 digits."""


class Progress(enum.Enum):
    """How far a caller has come with what they dictate."""

    PART = enum.auto()
    """More has to come."""

    UNKNOWN = enum.auto()
    """It may be all; nobody knows how long it is."""

    MAYBE_ALL = enum.auto()
    """It is as long as some that were asked for, and others are longer: a PIN of four digits."""

    ALL = enum.auto()
    """It is as long as what was asked for can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dictated:
    """What a transcript ends in, of what is dictated one by one."""

    digits: int = 0
    letters: int = 0


def dictated(transcript: str, language: str, expected: Expectation) -> Dictated:
    """Return what the transcript ends in, of digits and letters that are dictated.

    Args:
        transcript: As a speech-to-text gives it: "Four one five", "4-1-5", "415", "J-O-N".
        language: BCP 47 tag. Digits and letters are known in any; words for them where we have
            them (:mod:`pipelines.turn_taking.end_of_turn_words`).
        expected: What the agent has asked for.
    """
    asked = expected.asked is AnswerKind.NUMBER
    words = re.findall(r"[^\W_]+", transcript.casefold())[-_MOST_WORDS:]
    if asked:
        words = with_numerals(words, language)
    elif _NOT_DICTATED.search(transcript[-_REACH:]):
        # "At 7:30", "in 1984": nobody dictates that, unless asked to.
        return Dictated()
    digits = letters = 0
    for at in range(len(words) - 1, -1, -1):
        word = words[at]
        if many := _digits_in(word, language, asked=asked):
            digits += many
        elif asked and (many := _digits_of_large(words[: at + 1], digits, language)):
            digits = many
        elif len(word) == 1:
            letters += 1
        elif word != "and" or not (asked and digits):
            break
    return Dictated(digits=digits, letters=letters)


def _digits_in(word: str, language: str, *, asked: bool) -> int:
    """Return how many digits a word stands for; 0 for any other."""
    if word.isdigit():
        return len(word)
    alike = asked and (word == "o" or word in _SOUNDS_LIKE.get(primary(language), ()))
    return _MULTIPLIERS.get(word, 0) or int(alike or is_digit(word, language))


def _digits_of_large(words: Sequence[str], behind: int, language: str) -> int:
    """Return the digits from a last word like "thousand" on; 0 if it is none like that.

    Args:
        words: As they come, and it.
        behind: Digits that come behind it: they take the place of its noughts.
        language: BCP 47 tag.
    """
    if _HUNDREDS.fullmatch(words[-1]):
        return max(behind, 2) + 1
    if words[-1] not in _NOUGHTS:
        return 0
    has_unit = len(words) > 1 and _digits_in(words[-2], language, asked=True)
    return max(behind, _NOUGHTS[words[-1]]) + (not has_unit)


def progress(said: Dictated, expected: Expectation) -> Progress | None:
    """Return how far the caller has come; None if they dictate nothing.

    Args:
        said: What their words end in.
        expected: What the agent has asked for.
    """
    both = said.digits + said.letters
    if expected.asked is AnswerKind.NUMBER and said.digits:
        lengths = expected.digits or (FEWEST_DIGITS + 1,)
        if both < min(lengths):
            return Progress.PART
        if not expected.digits:
            return Progress.UNKNOWN
        return Progress.ALL if both >= max(lengths) else Progress.MAYBE_ALL
    if expected.asked is AnswerKind.SPELLING and said.letters:
        return Progress.UNKNOWN if both > FEWEST_LETTERS else Progress.PART
    return _unasked(said)


def _unasked(said: Dictated) -> Progress | None:
    """Return how far the caller has come with what nobody has asked for."""
    if said.digits in USUAL_LENGTHS:
        return Progress.MAYBE_ALL
    if said.letters >= FEWEST_LETTERS or said.digits >= FEWEST_DIGITS:
        few = FEWEST_DIGITS if said.digits else FEWEST_LETTERS
        return Progress.UNKNOWN if said.digits + said.letters > few else Progress.PART
    return None
