"""The topics of an agent file, made searchable.

A topic is all ways of asking one question. What was said is compared with each way, word by word:
words that few topics have weigh more (BM25's idf), a stem in common counts in full, a word that
callers use for the same thing for a little less. A score runs from 0 to 1 and is low if either side
holds much that the other does not, so one threshold fits agent files of any size.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace

from rapidfuzz import fuzz, process

from pipelines.providers.lookup.languages import LANGUAGES
from pipelines.providers.lookup.vocabulary import ASKED, ASKING, DAY, ContentWord, Vocabulary
from pipelines.providers.lookup.words import consonants, plain_words

# These were chosen on one half of tests/benchmarks/lookup, one after the other, for right answers
# less four times the wrong ones; none is critical: a tenth more or less changes three of 268.
SYNONYM = 0.85
"""What a word that is used for the same thing counts, of the word itself."""

UNKNOWN_WORD = 1.15
"""Weight of a word that no topic has, of the weight of one that a single topic has: it is the best
sign that something else is meant."""

LEAST_WEIGHT = 0.2
"""Least weight of a word, which all topics have."""

QUALIFIER = 0.9
"""What a word counts that stands right before one which the topic lacks: "dog" in "dog food"."""

QUALIFIER_OF_UNKNOWN = 0.5
"""The same before one which no topic has: "parking permit"."""

ENOUGH_IN_COMMON = 0.5
"""Weight of the words in common from which a topic is told by them alone; where the wording is the
same, fewer do."""

UNKNOWN_SUBJECT = 2.0
"""Worth of a word that no topic has and that the question is about: "Is the library open?"."""

UNKNOWN_LIGHT_WORD = 0.6
"""What a word of little worth weighs that no topic has, of what it would weigh."""

SAME_WORDING = 0.95
"""Likeness from which a question was asked in the words of the agent file."""


@dataclass(frozen=True, slots=True)
class Match:
    """How near a topic is to what was said."""

    topic: int
    score: float
    """0 to 1; the mean of ``coverage`` and how near the nearest way of asking is."""

    coverage: float
    """0 to 1; the share of what was said that the topic's words account for."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an utterance."""

    text: str
    """Plain words."""

    terms: tuple[ContentWord, ...]
    question: bool


class _WeighedWords:
    """Words that are compared with others, each with its weight."""

    __slots__ = ("alike", "terms", "weight")

    def __init__(self, weighed: Iterable[tuple[ContentWord, float]]) -> None:
        self.terms = {term.stem: (term, weight) for term, weight in weighed}
        self.alike = {number for term, _ in self.terms.values() for number in term.alike}
        self.weight = sum(weight for _, weight in self.terms.values())

    def has(self, term: ContentWord) -> float:
        """Return how far ``term`` is among them, 0 to 1."""
        if term.stem in self.terms:
            return 1.0
        return 0.0 if term.alike.isdisjoint(self.alike) else SYNONYM

    def within(self, others: _WeighedWords) -> float:
        """Return the weight of those that are among ``others``."""
        return sum(weight * others.has(term) for term, weight in self.terms.values())


class Index:
    """The topics of one agent file, made searchable.

    Args:
        topics: The ways of asking each question; a fact is asked for by its own words.
        language: Whose lists of words and stems to use, by its primary subtag.
    """

    def __init__(self, topics: Sequence[Sequence[str]], language: str) -> None:
        self._language = _vocabulary(language)
        texts = [[self._language.marked(" ".join(plain_words(w))) for w in ways] for ways in topics]
        words = {w for ways in texts for way in ways for w in way.split() if not self._is_idle(w)}
        self._known = words
        self._vocabulary = sorted(word for word in words if self._language.is_telling(word))
        self._likely_stems = functools.lru_cache(maxsize=4096)(self._stems_of)
        self._sounds = {word: consonants(word) for word in self._vocabulary}
        self._stems = {self._language.stem(word) for word in words}
        self._alike: set[int] = set()
        for stem in self._stems:
            self._alike |= self._language.content_word(stem, 0).alike
        asked = [[self.terms(way.split()) for way in ways] for ways in texts]
        self._places: dict[str | int, set[int]] = {}
        self._weights: dict[str, float] = self._weighed(
            [[t for way in ways for t in way] for ways in asked]
        )
        self._ways = [[_WeighedWords(self._with_weights(way)) for way in ways] for ways in asked]
        self._topics = [
            _WeighedWords(self._with_weights([term for way in ways for term in way]))
            for ways in asked
        ]

    def _with_weights(self, terms: Iterable[ContentWord]) -> list[tuple[ContentWord, float]]:
        return [(term, self._weight(term)) for term in terms]

    def _weighed(self, topics: Sequence[Sequence[ContentWord]]) -> dict[str, float]:
        """Return by stem what it weighs: the more topics have it or its like, the less."""
        terms: dict[str, ContentWord] = {}
        for number, topic in enumerate(topics):
            for term in topic:
                terms[term.stem] = term
                for key in _keys(term):
                    self._places.setdefault(key, set()).add(number)
        most = math.log(1 + (len(topics) - 0.5) / 1.5)
        weights = {}
        for stem, term in terms.items():
            count = len(self._having([term]))
            idf = math.log(1 + (len(topics) - count + 0.5) / (count + 0.5))
            weights[stem] = LEAST_WEIGHT + (1 - LEAST_WEIGHT) * (idf / most if most else 1.0)
        return weights

    def _is_idle(self, word: str) -> bool:
        return self._language.is_idle(word)

    def parts(self, text: str) -> list[Part]:
        """Cut plain words before each beginning of a question or a wish.

        What tells of no topic by itself, as "how much" and "is it ready", is no part of its own.
        """
        parts: list[Part] = []
        rest = ""
        for piece in self._language.parts(text):
            rest = f"{rest} {piece}".strip()
            terms = self.content_words(rest)
            if any(term.worth >= DAY for term in terms if not term.stem.startswith(ASKED)):
                parts.append(Part(rest, tuple(terms), self._language.is_question(rest)))
                rest = ""
        if rest and parts:
            last = parts.pop()
            text = f"{last.text} {rest}"
            parts.append(Part(text, tuple(self.content_words(text)), last.question))
        elif rest and (terms := self.content_words(rest)):
            parts.append(Part(rest, tuple(terms), self._language.is_question(rest)))
        return parts

    def terms(self, words: Sequence[str]) -> list[ContentWord]:
        """Return what tells of a topic in words that were marked; see ``Vocabulary.marked``."""
        found: list[ContentWord] = []
        for place, word in enumerate(self._joined(words)):
            if not self._is_idle(word):
                found += (
                    self._language.content_word(stem, place) for stem in self._likely_stems(word)
                )
        return found

    def content_words(self, text: str) -> list[ContentWord]:
        """Return what tells of a topic in plain words."""
        terms = self.terms(self._language.marked(text).split())
        about = {self._language.stem(word) for word in self._language.subjects(text)}
        return [
            replace(term, worth=UNKNOWN_SUBJECT)
            if term.stem in about and self._is_foreign(term)
            else term
            for term in terms
        ]

    def _is_foreign(self, term: ContentWord) -> bool:
        return (
            term.worth >= 1
            and term.stem not in self._weights
            and term.alike.isdisjoint(self._alike)
        )

    def find(self, terms: Sequence[ContentWord]) -> list[Match]:
        """Return the nearest topics, best first; none if no word is known."""
        said = _WeighedWords(self._with_weights(terms))
        strange = {stem for stem in said.terms if stem not in self._weights}
        matches = []
        for number in self._having(terms):
            counted = _counted(self._topics[number], said, strange)
            if counted:
                common = sum(weight for _, weight in counted)
                coverage = common / said.weight
                near = max(_likeness(way, said, counted) for way in self._ways[number])
                score = (coverage + near) / 2
                if near < SAME_WORDING:
                    score *= min(1.0, common / ENOUGH_IN_COMMON)
                matches.append(Match(number, score, coverage))
        return sorted(matches, key=lambda match: -match.score)

    def _having(self, terms: Sequence[ContentWord]) -> list[int]:
        """Return the topics that have a word of these or one like it."""
        keys = {key for term in terms for key in _keys(term)}
        return sorted({number for key in keys for number in self._places.get(key, ())})

    def _weight(self, term: ContentWord) -> float:
        known = self._weights.get(term.stem)
        if known is None:
            known = 1.0 if not term.alike.isdisjoint(self._alike) else UNKNOWN_WORD
            known *= UNKNOWN_LIGHT_WORD if term.worth < ASKING else 1.0
        return known * term.worth

    def _joined(self, words: Sequence[str]) -> list[str]:
        """Write as one what the agent file writes as one: "wheel chair"."""
        joined: list[str] = []
        for word in words:
            if joined and joined[-1] + word in self._known:
                joined[-1] += word
            else:
                joined.append(word)
        return joined

    def _stems_of(self, word: str) -> list[str]:
        """Return the stems of what was probably said: mostly those of the word itself."""
        if word.startswith(ASKED):
            return [word]
        stem = self._language.stem(word)
        if stem in self._stems or not self._language.content_word(stem, 0).alike.isdisjoint(
            self._alike
        ):
            return [stem]
        for cut in range(3, len(word) - 1):  # "takeaway"
            first, second = word[:cut], word[cut:]
            if first in self._known and (second in self._known or self._is_idle(second)):
                return [self._language.stem(w) for w in (first, second) if w in self._known]
        return [self._language.stem(self._misheard(word) or word)]

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


def _keys(term: ContentWord) -> Iterator[str | int]:
    """Yield by what the topics that have a word are found."""
    yield term.stem
    yield from term.alike


def _counted(
    topic: _WeighedWords, said: _WeighedWords, strange: Set[str]
) -> list[tuple[ContentWord, float]]:
    """Return those words said that the topic has, with what they count.

    Args:
        topic: Its words.
        said: What was said.
        strange: Stems that no topic has.
    """
    shares = [(term, weight, topic.has(term)) for term, weight in said.terms.values()]
    lacks = {
        term.place: QUALIFIER_OF_UNKNOWN if term.stem in strange else QUALIFIER
        for term, weight, share in shares
        if not share and term.worth >= 1
    }
    return [
        (term, weight * share * lacks.get(term.place + 1, 1.0))
        for term, weight, share in shares
        if share
    ]


def _likeness(
    way: _WeighedWords, said: _WeighedWords, counted: Sequence[tuple[ContentWord, float]]
) -> float:
    """Return the weight that a way of asking and the words said share (Dice), 0 to 1."""
    common = sum(weight for term, weight in counted if way.has(term))
    return (common + way.within(said)) / (said.weight + way.weight)


@functools.cache
def _vocabulary(language: str) -> Vocabulary:
    """Return the vocabulary of a language, by its primary subtag: the same one each time."""
    return Vocabulary(LANGUAGES[language])


@functools.lru_cache(maxsize=32)
def indexed(topics: tuple[tuple[str, ...], ...], language: str) -> Index:
    """Return the index of some topics, the same one for the same ways of asking.

    Args:
        topics: The ways of asking each. Answers are no part of the key: they may hold the time of
            day, and each minute would make an index of its own.
        language: By its primary subtag.
    """
    return Index(topics, language)
