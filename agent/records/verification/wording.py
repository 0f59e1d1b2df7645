"""What two texts of the same speech have in common: as it sounds, and not as it is written.

What the record has is what was written, ``$450``; the voice read ``four hundred and fifty
dollars``, and a recognizer writes either. So both are read out first, by what reads out replies.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.records.verification.alignment import Marks, matched
from pipelines.text.speakable import speakable
from pipelines.text.words import words

FOUND = 0.5
"""Share of a word's letters that stand in the other text, in their order, from which on it is the
same word, perhaps misheard. Of words that have nothing to do with each other it is a quarter."""

TITLES = {"dr": "doctor", "mr": "mister", "mrs": "missus", "prof": "professor"}
"""What recognizers write short, and a record may have in full."""

MISHEARD = 8
"""Letters that a recognizer hears in place of others: two words. It may make other words of what is
said, and seldom makes none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word as it sounds."""

    text: str
    letters: str
    """Of it, in lower case and without marks."""


def sounding(text: str, language: str) -> list[Word]:
    """Return the words of a text as they are read out."""
    found = []
    for word in words(speakable(text, language).replace("-", " ").replace("—", " ")):
        plain = unicodedata.normalize("NFKD", word.casefold())
        if letters := "".join(filter(str.isalnum, plain)):
            letters = TITLES.get(letters, letters)
            found.append(Word(text=word.strip().strip(".,;:!?\"'()[]…¿¡"), letters=letters))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardRun:
    """Words in a row of one text that are not in the other."""

    words: Sequence[str] = ()
    letters: int = 0
    """Of them, less what stands in the other text in their place, as far as that is misheard."""


NOTHING = HeardRun()


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What is said to be heard, and what is heard."""

    missing: HeardRun = NOTHING
    """The longest run of words that are claimed and not heard."""

    more: HeardRun = NOTHING
    """The same of words that are heard and not claimed."""

    letters: int = 0
    """Of what is claimed."""

    alike: float = 1.0
    """The share of them that is heard, in their order."""


def compared(claimed: Sequence[Word], heard: Sequence[Word]) -> Compared:
    """Compare what is said to be heard with what is heard."""
    ours, theirs = ("".join(one.letters for one in some) for some in (claimed, heard))
    in_ours, in_theirs = matched(ours, theirs)
    return Compared(
        missing=_longest(claimed, in_ours, in_theirs),
        more=_longest(heard, in_theirs, in_ours),
        letters=len(ours),
        alike=float(in_ours.mean()) if ours else 1.0,
    )


def _longest(some: Sequence[Word], found: Marks, in_other: Marks) -> HeardRun:
    """Return the longest run of words that are lost.

    Args:
        some: The words of one text.
        found: Which of their letters stand in the other.
        in_other: Which letters of the other stand in this one: the same, in the same order.
    """
    before = np.concatenate(([0], np.cumsum(found)))  # letters found, at each letter
    places = np.flatnonzero(in_other)  # of those in the other text
    ends = np.concatenate(([0], np.cumsum([len(one.letters) for one in some], dtype=np.int64)))
    best, first = HeardRun(), 0
    for number in range(len(some) + 1):
        begin, end = int(ends[first]), int(ends[number])
        if number < len(some) and found[end : ends[number + 1]].mean() < FOUND:
            continue  # the run goes on
        if number > first:
            there = int(before[begin]), int(before[end])
            low = places[there[0] - 1] + 1 if there[0] else 0
            high = places[there[1]] if there[1] < len(places) else len(in_other)
            instead = int(high - low) - (there[1] - there[0])
            lost = int(end - begin) - (there[1] - there[0])
            letters = lost - min(instead, MISHEARD)
            if letters > best.letters:
                best = HeardRun(words=[one.text for one in some[first:number]], letters=letters)
        first = number + 1
    return best
