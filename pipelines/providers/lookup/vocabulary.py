"""The words of a language as they are compared: what is asked for, stems, words that are alike."""

from __future__ import annotations

import functools
import itertools
import re
from dataclasses import dataclass

import Stemmer

from pipelines.providers.lookup.language import QuestionLanguage

ASKED = "="
"""Begins a word that stands for what is asked for: ``=time`` for "when" and "how late"."""


@dataclass(frozen=True, slots=True)
class ContentWord:
    """A word that tells of a topic."""

    stem: str
    alike: frozenset[int]
    """The lines of words like it in the language's list."""

    worth: float
    """How much it can tell of a topic at all, 0 to 1; more if the question is about it alone."""

    place: int
    """Which word of the utterance it is; words that stand together have numbers in a row."""


LIGHT = 0.4
"""Worth of words that most topics could have."""

DAY = 0.6
"""Worth of a day: what is wanted on that day says more."""

DECISIVE = 1.5
"""Worth of words that make another matter of what they are said of."""

ASKING = 0.6
"""Worth of what is asked for."""


class Vocabulary:
    """How one language's words are compared. Pure.

    Args:
        language: Its lists.
    """

    def __init__(self, language: QuestionLanguage) -> None:
        self._stemmer = Stemmer.Stemmer(language.stemmer, 0)
        self.stem = functools.lru_cache(maxsize=8192)(self._stemmer.stemWord)
        self._idle = frozenset(language.idle.split())
        self._worth = {
            self.stem(word): worth
            for words, worth in (
                (language.light, LIGHT),
                (language.instead, DAY),
                (language.decisive, DECISIVE),
            )
            for word in words.split()
        }
        self._asks = [
            (re.compile(rf"\b(?:{how})(?!\w)"), f" {words} ")
            for words, how in [
                *language.phrases.items(),
                *((_named(what), how) for what, how in language.asks.items()),
            ]
        ]
        self._alike: dict[str, set[int]] = {}
        for number, line in enumerate(language.alike.strip().splitlines()):
            for word in line.split():
                self._alike.setdefault(self.stem(word), set()).add(number)
        self._subject = re.compile(rf"\b(?:{language.subject})(?!\w)")
        self._questions = re.compile(rf"\b(?:{language.questions})(?!\w)")
        self._begins = re.compile(rf"\b(?:{language.questions}|{language.tells})(?!\w)")

    def marked(self, text: str) -> str:
        """Return plain words with what is asked for put in place of how it is asked for."""
        for pattern, name in self._asks:
            text = pattern.sub(name, text)
        return text

    def subjects(self, text: str) -> set[str]:
        """Return the words that questions in plain words are about, as far as that is plain."""
        return set(self._subject.findall(text))

    def is_idle(self, word: str) -> bool:
        """Say whether ``word`` says nothing of a topic."""
        return word in self._idle

    def is_telling(self, word: str) -> bool:
        """Say whether ``word`` tells so much of a topic that another may be taken for it."""
        return not word.startswith(ASKED) and self._worth.get(self.stem(word), 1.0) > LIGHT

    def content_word(self, stem: str, place: int) -> ContentWord:
        """Return a stem as a word that tells of a topic."""
        if stem.startswith(ASKED):
            return ContentWord(stem, frozenset(), ASKING, place)
        return ContentWord(
            stem, frozenset(self._alike.get(stem, ())), self._worth.get(stem, 1.0), place
        )

    def parts(self, text: str) -> list[str]:
        """Cut plain words before each beginning of a question or a wish."""
        starts = [0, *(found.start() for found in self._begins.finditer(text)), len(text)]
        pieces = [text[a:b].strip() for a, b in itertools.pairwise(starts)]
        return [piece for piece in pieces if piece]

    def is_question(self, part: str) -> bool:
        """Say whether a part begins as a question does."""
        return bool(self._questions.match(part))


def _named(what: str) -> str:
    first, *rest = what.split()
    return " ".join([f"{ASKED}{first}", *rest])
