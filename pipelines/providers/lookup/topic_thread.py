"""What goes on with the last topic: "And on Saturday?", "How much is that?", "No, I meant ..."."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pipelines.providers.lookup.language import QuestionLanguage
from pipelines.providers.lookup.vocabulary import ASKED, ContentWord

FEW = 2
"""Terms up to which an utterance may need the last one to be understood."""

FADED = 0.6
"""What a word of the last utterance weighs, of one of this."""


class TopicThread:
    """How a language goes on with what was asked before. Pure.

    Args:
        language: Its lists of words.
    """

    def __init__(self, language: QuestionLanguage) -> None:
        self._follows = re.compile(rf"^(?:{language.follows})(?!\w)")
        self._refers = re.compile(rf"\b(?:{language.refers})(?!\w)")
        self._instead = [frozenset(line.split()) for line in language.instead.strip().splitlines()]

    def follows(self, clauses: Sequence[str], terms: Sequence[ContentWord]) -> bool:
        """Say whether an utterance may go on with the last topic.

        Args:
            clauses: Plain words.
            terms: Those of them that tell of a topic.
        """
        if len(terms) <= FEW:
            return True
        opens = any(self._follows.search(clause) for clause in clauses[:1])
        return (opens or self.refers(clauses)) and len(terms) <= 2 * FEW

    def refers(self, clauses: Sequence[str]) -> bool:
        """Say whether something stands for what was said before."""
        return any(self._refers.search(clause) for clause in clauses)

    def interchangeable(self, terms: Sequence[ContentWord]) -> list[ContentWord]:
        """Return those that are in a list, one of which words stands for another."""
        return [term for term in terms if any(term.stem in words for words in self._instead)]

    def joined(
        self, before: Sequence[ContentWord], now: Sequence[ContentWord]
    ) -> list[ContentWord]:
        """Return what is asked now, with what it leaves to be understood from before."""
        kinds = {kind for term in now for kind in self._kinds(term)}
        kept = [term for term in before if kinds.isdisjoint(self._kinds(term))]
        named = {term.stem for term in now}
        return [
            *now,
            *(
                # Far before the first word of this one: no word stands next to them.
                replace(term, worth=term.worth * FADED, place=term.place - 1000)
                for term in kept
                if term.stem not in named
            ),
        ]

    def _kinds(self, term: ContentWord) -> set[int]:
        """Return which lists a word is in, one of which words stands for another asked before."""
        kinds = {number for number, words in enumerate(self._instead) if term.stem in words}
        return kinds | {-1} if term.stem.startswith(ASKED) else kinds
