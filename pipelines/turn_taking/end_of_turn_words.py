"""What the words so far say about whether more will come."""

from __future__ import annotations

import enum
import re

from pipelines.turn_taking.words_by_language import spoken_words, words_in


class Ending(enum.Enum):
    """How a transcript ends."""

    UNKNOWN = enum.auto()
    """Words tell nothing: there are none, the language is not known, or they are like any."""

    WHOLE = enum.auto()
    """They are all that such a turn consists of: "yes", "no thank you", "goodbye"."""

    TRAILING = enum.auto()
    """Sentences seldom end so: "I would like to book a table for"."""

    OPEN = enum.auto()
    """They cannot be all: "my number is". (Of numbers and spellings it is counted how far they are:
    :mod:`pipelines.turn_taking.dictation`.)"""


def ending(transcript: str, language: str) -> Ending:
    """Return how ``transcript`` ends.

    Args:
        transcript: As a speech-to-text gives it; case and punctuation do not matter, but for a
            mark that says that the sentence goes on.
        language: BCP 47 tag.
    """
    known = words_in(language)
    # A full stop is no evidence: transcribers put one before any silence.
    text = " ".join(spoken_words(transcript))
    if known is None or not text:
        return Ending.UNKNOWN
    if known.whole.fullmatch(text):
        return Ending.WHOLE
    if _ends(known.announced, text):
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


def opens(transcript: str, language: str, *, asked: bool) -> bool:
    """Return whether a whole answer may as well be the first word of a longer one.

    After an open question, "yes", "okay" and their like are, and a greeting is after any; a goodbye
    or thanks are not.

    Args:
        transcript: One that is :attr:`Ending.WHOLE`.
        language: BCP 47 tag.
        asked: Whether an open question was asked.
    """
    known = words_in(language)
    if known is None:
        return False
    said = " ".join(spoken_words(transcript))
    greeted = known.hellos.search(said) and not known.greetings.sub("", said)
    return bool(greeted) or (asked and not known.closing.search(said))


def is_digit(word: str, language: str) -> bool:
    """Return whether a word in lower case is one digit, as numbers are dictated.

    Args:
        word: It.
        language: BCP 47 tag.
    """
    known = words_in(language)
    return known is not None and bool(known.digits.fullmatch(word))
