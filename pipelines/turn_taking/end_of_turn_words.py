"""What the words so far say about whether more will come."""

from __future__ import annotations

import enum
import re

from pipelines.turn_taking.words_by_language import (
    WORDS_BY_LANGUAGE,
    LanguageWords,
    primary,
    spoken_words,
)


class Ending(enum.Enum):
    """How a transcript ends."""

    UNKNOWN = enum.auto()
    """Words tell nothing: there are none, the language is not known, or they are like any."""

    WHOLE = enum.auto()
    """They are all that such a turn consists of: "yes", "no thank you", "goodbye"."""

    TRAILING = enum.auto()
    """Sentences seldom end so: "I would like to book a table for"."""

    OPEN = enum.auto()
    """They cannot be all: "my number is", half a telephone number, half a spelling."""


_GROUPED = 7
"""Digits from which a dictated number may be whole: the shortest telephone numbers."""

_DICTATED = 3
"""Digits from which somebody is dictating, rather than saying how many."""


def ending(transcript: str, language: str) -> Ending:
    """Return how ``transcript`` ends.

    Args:
        transcript: As a speech-to-text gives it; case and punctuation do not matter, but for a
            mark that says that the sentence goes on.
        language: BCP 47 tag.
    """
    known = WORDS_BY_LANGUAGE.get(primary(language))
    # A full stop is no evidence: transcribers put one before any silence.
    text = " ".join(spoken_words(transcript))
    if known is None or not text:
        return Ending.UNKNOWN
    if known.whole.fullmatch(text):
        return Ending.WHOLE
    if _ends(known.announced, text) or _half_dictated(text, known):
        return Ending.OPEN
    asked = transcript.rstrip().endswith("?") and _ends(known.strandable, text)
    if (_ends(known.trailing, text) and not asked) or transcript.rstrip().endswith(
        (",", "-", "—", "...", "…")
    ):
        return Ending.TRAILING
    return Ending.UNKNOWN


def _ends(pattern: re.Pattern[str], text: str) -> bool:
    """Return whether the last words of ``text``, at most five, are what ``pattern`` describes."""
    words = text.split()[-5:]
    return any(pattern.fullmatch(" ".join(words[at:])) for at in range(len(words)))


def _half_dictated(text: str, known: LanguageWords) -> bool:
    """Return whether the text ends in a few digits or letters, said one by one."""
    count = spelled = 0
    for word in reversed(text.split()):
        if word.isdigit():
            count += len(word)
        elif known.digits.fullmatch(word):
            count += 1
        elif len(word) == 1 and word not in ("a", "i"):
            spelled += 1
        else:
            break
    return _DICTATED <= count < _GROUPED or spelled == 2
