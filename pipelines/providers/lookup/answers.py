"""Which of the topics of an agent file the caller means, and what there is to say to it.

A topic is a question with its answer, in all ways of asking it: a frequent question, a fact, or a
wish to be passed on to somebody. Pure: the same words have the same answers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import Field

from pipelines.conversation import Question
from pipelines.providers.lookup.index import Match, indexed
from pipelines.providers.lookup.language import QuestionLanguage, Talk
from pipelines.providers.lookup.words import plain_words
from pipelines.settings import Section

_MOST_ANSWERS = 3
"""Answers to one utterance."""


class Thresholds(Section):
    """When an answer is near enough. Scores run from 0 to 1."""

    threshold: float = Field(
        0.6,
        ge=0,
        le=1,
        description="score from which a question is answered; with the agent that ships, 104 of"
        " 112 questions to the point reach it, and 4 of 70 on other matters",
    )
    ask_back: float = Field(
        0.45,
        ge=0,
        le=1,
        description="score from which the agent asks 'do you mean ...' instead of being unsure;"
        " 1 of those 112 and 50 of those 70 are below it",
    )
    margin: float = Field(
        0.05,
        ge=0,
        le=1,
        description="lead in score over the next question without which the agent asks back;"
        " right answers lead by less in 1 of 112 tries",
    )


class Answers:
    """The answers of one agent file.

    Args:
        topics: What can be asked, with its answers.
        thresholds: When one is near enough.
        language: How to ask back.
        tag: The language, by its primary subtag.
    """

    def __init__(
        self,
        topics: Sequence[Question],
        thresholds: Thresholds,
        language: QuestionLanguage,
        tag: str,
    ) -> None:
        self._topics = topics
        self._thresholds = thresholds
        self._say = language
        self._index = indexed(tuple(topic.asked for topic in topics), tag)

    def with_content(self, clauses: Sequence[str]) -> list[str]:
        """Return those clauses that tell of a topic at all."""
        return [clause for clause in clauses if self._index.has_content(clause.split())]

    def offered(self, last: str) -> list[Question]:
        """Return the questions that our last sentence asked the caller to choose from."""
        if not last.startswith((self._say.which, self._say.this_one)):
            return []
        return [topic for topic in self._topics if topic.asked[0] in last]

    def chosen(
        self, said: str, talk: frozenset[Talk], offered: Sequence[Question]
    ) -> Question | None:
        """Return the one of those that were offered which the caller wants; None if neither."""
        words = " ".join(plain_words(said))
        match offered:
            case [only] if Talk.YES in talk and Talk.NO not in talk:
                return only
            case [first, second]:
                if re.search(self._say.second, words):
                    return second
                return first if re.search(self._say.first, words) else None
        return None

    def search(self, clauses: Sequence[str], offered: Sequence[Question]) -> list[str]:
        """Return the answers to what was asked, or a question back; nothing if neither is near.

        Args:
            clauses: What was said, with content.
            offered: What we have just asked back: that is not asked again.
        """
        whole = self._index.find(" ".join(clauses).split())
        parts = self._parts(clauses)
        answers = list(dict.fromkeys(part.answer for part in parts if part))
        covered = bool(whole) and whole[0].coverage > 0.9  # one question, said with an "and"
        if len(answers) > 1 and all(parts) and not covered:
            return answers[:_MOST_ANSWERS]
        if clear := self._clear(whole):
            return [clear.answer]
        if answers:
            return answers[:1]
        return self._ask_back(whole, offered)

    def _parts(self, clauses: Sequence[str]) -> list[Question | None]:
        """Return the topic of each part of the utterance; None for one that is not clear."""
        parts = [
            words
            for clause in clauses
            for part in re.split(self._say.joints, clause)
            if self._index.has_content(words := part.split())
        ]
        return [self._clear(self._index.find(words)) for words in parts]

    def _clear(self, matches: Sequence[Match]) -> Question | None:
        """Return the topic that is near enough and nearer than any other."""
        match [m for m in matches if m.score >= self._thresholds.threshold]:
            case [best]:
                return self._topics[best.topic]
            case [best, second, *_] if best.score - second.score >= self._thresholds.margin:
                return self._topics[best.topic]
        return None

    def _ask_back(self, matches: Sequence[Match], offered: Sequence[Question]) -> list[str]:
        near = [m for m in matches if m.score >= self._thresholds.ask_back]
        near = [m for m in near if near[0].score - m.score < self._thresholds.margin]
        topics = [self._topics[m.topic] for m in near]
        if not all(can_be_asked_back(topic.asked[0]) for topic in topics) or topics == offered:
            return []
        match topics:
            case [only]:
                return [self._say.this_one, only.asked[0]]
            case [first, second]:
                return [self._say.which, first.asked[0], self._say.alternatively, second.asked[0]]
        return []


def can_be_asked_back(question: str) -> bool:
    """Return whether ``question`` can be spoken as it stands: a question, and not a long one."""
    return question.endswith("?") and len(question.split()) <= 12
