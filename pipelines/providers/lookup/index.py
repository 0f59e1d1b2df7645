"""The topics of an agent file, made searchable.

BM25 (bm25s) over stems weighs the topics, a topic being all ways of asking one question; those that
share a word with the caller are then compared way by way. Both comparisons are shares of the words'
BM25 weight, so a score runs from 0 to 1 and one threshold fits agent files of any size.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import bm25s
import Stemmer
from rapidfuzz import fuzz, process

from pipelines.providers.lookup.language import LANGUAGES, QuestionLanguage
from pipelines.providers.lookup.words import consonants, plain_words


@dataclass(frozen=True, slots=True)
class Match:
    """How near a topic is to what was said."""

    topic: int
    score: float
    """0 to 1; the mean of ``coverage`` and how near the nearest way of asking is."""

    coverage: float
    """0 to 1; the share of what was said that the topic's words account for."""


class Index:
    """The topics of one agent file, made searchable.

    Args:
        topics: The ways of asking each question; a fact is asked for by its own words.
        language: Whose idle words and stems to use.
    """

    def __init__(self, topics: Sequence[Sequence[str]], language: QuestionLanguage) -> None:
        self._idle = frozenset(language.idle.split())
        self._stem = functools.lru_cache(maxsize=4096)(Stemmer.Stemmer(language.stemmer).stemWord)
        asked = [[self._content(plain_words(way)) for way in ways] for ways in topics]
        self._vocabulary = sorted({word for ways in asked for way in ways for word in way})
        self._known = frozenset(self._vocabulary)
        self._sounds = {word: consonants(word) for word in self._vocabulary}
        self._ways = [[frozenset(map(self._stem, way)) for way in ways] for ways in asked]
        stems = [sorted(frozenset().union(*ways)) for ways in self._ways]
        # Length is no sign of relevance here (b=0): a topic with more ways of asking is as likely.
        self._bm25 = bm25s.BM25(method="lucene", b=0.0)
        if any(stems):
            self._bm25.index(stems, show_progress=False)
        self._weights = {
            stem: float(self._bm25.get_scores([stem]).max())
            for stem in sorted(frozenset().union(*stems))
        }
        self._unknown_weight = max(self._weights.values(), default=1.0)

    def has_content(self, words: Sequence[str]) -> bool:
        """Say whether any word tells of a topic at all."""
        return any(word not in self._idle for word in words)

    def find(self, words: Sequence[str]) -> list[Match]:
        """Return the nearest topics, best first; none if no word is known."""
        heard = [stems for word in self._content(self._joined(words)) for stems in self._hear(word)]
        known = sorted({stem for stem in heard if stem in self._weights})
        if not known:
            return []
        total = sum(self._weights[stem] for stem in known)
        total += self._unknown_weight * len({stem for stem in heard if stem not in self._weights})
        scores = self._bm25.get_scores(known)
        matches = [
            self._compare(int(topic), float(scores[topic]) / total, known, total)
            for topic in scores.nonzero()[0]
        ]
        return sorted(matches, key=lambda match: -match.score)

    def _compare(self, topic: int, coverage: float, known: Sequence[str], total: float) -> Match:
        nearest = max(self._likeness(way, known, total) for way in self._ways[topic])
        return Match(topic, (coverage + nearest) / 2, coverage)

    def _likeness(self, way: frozenset[str], known: Sequence[str], total: float) -> float:
        """Return the weight that a way of asking and the words heard share (Dice), 0 to 1."""
        common = sum(self._weights[stem] for stem in known if stem in way)
        return 2 * common / (total + sum(self._weights[stem] for stem in way))

    def _content(self, words: Sequence[str]) -> list[str]:
        return [word for word in words if word not in self._idle]

    def _joined(self, words: Sequence[str]) -> list[str]:
        """Write as one what the agent file writes as one: "wheel chair"."""
        joined: list[str] = []
        for word in words:
            if joined and joined[-1] + word in self._known:
                joined[-1] += word
            else:
                joined.append(word)
        return joined

    def _hear(self, word: str) -> list[str]:
        """Return the stems of what was probably said: mostly those of the word itself."""
        stem = self._stem(word)
        if stem in self._weights:
            return [stem]
        for cut in range(3, len(word) - 2):  # "takeaway"
            if word[:cut] in self._known and word[cut:] in self._known:
                return [self._stem(word[:cut]), self._stem(word[cut:])]
        return [self._stem(self._misheard(word) or word)]

    def _misheard(self, word: str) -> str | None:
        """Return the known word that sounds the same, or is spelt nearly so."""
        if len(word) < 4:
            return None
        sound = consonants(word)
        alike = [
            each for each in self._vocabulary if len(sound) > 2 and self._sounds[each] == sound
        ]
        # 70: gluten and glutton are 77, tyres and dress 60. 88: one letter of eight.
        found = process.extractOne(word, alike, scorer=fuzz.ratio, score_cutoff=70)
        found = found or process.extractOne(
            word, self._vocabulary, scorer=fuzz.ratio, score_cutoff=88
        )
        return found[0] if found else None


@functools.lru_cache(maxsize=32)
def indexed(topics: tuple[tuple[str, ...], ...], language: str) -> Index:
    """Return the index of some topics, the same one for the same ways of asking.

    Args:
        topics: The ways of asking each. Answers are no part of the key: they may hold the time of
            day, and each minute would make an index of its own.
        language: By its primary subtag.
    """
    return Index(topics, LANGUAGES[language])
