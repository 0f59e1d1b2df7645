"""Numbers and names as they are dictated, digit by digit and letter by letter: how far are they?"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.turn_taking.end_of_turn_words import is_digit
from pipelines.turn_taking.expectation import AnswerKind, Expectation

FEWEST_DIGITS = 3
"""From which somebody dictates a number that nobody has asked for, rather than saying how many; as
many are no whole number of theirs."""

FEWEST_LETTERS = 2
"""From which somebody spells, unasked: one is a word, or the end of one."""

_TENS = frozenset(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"])
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"

_COUNTS: Mapping[str, Mapping[str, int]] = {
    "en": {
        **dict.fromkeys((*_TEENS.split(), *_TENS), 2),
        "double": 1,  # and the digit behind it
        "triple": 2,
        "hundred": 2,
        "thousand": 3,
    }
}
"""Digits in words that are no single ones, by primary language subtag: "nineteen eighty four"."""

_MULTIPLIERS = frozenset(("double", "triple"))

_NOT_DICTATED = re.compile(r"(?:^|[^\W\d]\W+)(?:\d{1,2}[:.h]\d{2}|(?:19|20)\d{2})\W*$")
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
    tag = language.partition("-")[0].lower()
    asked = expected.asked is AnswerKind.NUMBER
    counts = _COUNTS.get(tag, {})
    if not asked:
        # "At seven thirty", "in nineteen eighty": nobody dictates that, unless asked to.
        counts = {word: count for word, count in counts.items() if word in _MULTIPLIERS}
        if _NOT_DICTATED.search(transcript[-_REACH:]):
            return Dictated()
    alike = _SOUNDS_LIKE.get(tag, frozenset()) if asked else frozenset[str]()
    digits = letters = 0
    unit_follows = False
    for word in reversed(re.findall(r"[^\W_]+", transcript.casefold())[-_MOST_WORDS:]):
        unit = word in alike or is_digit(word, language) or (asked and word == "o")
        if word.isdigit():
            digits += len(word)
        elif word in counts:
            digits += counts[word] - (word in _TENS and unit_follows)  # "eighty four" is two
        elif unit:
            digits += 1
        elif len(word) == 1:
            letters += 1
        else:
            break
        unit_follows = unit
    return Dictated(digits=digits, letters=letters)


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
    if said.letters >= FEWEST_LETTERS or said.digits >= FEWEST_DIGITS:
        few = FEWEST_DIGITS if said.digits else FEWEST_LETTERS
        return Progress.UNKNOWN if both > few else Progress.PART
    return None
