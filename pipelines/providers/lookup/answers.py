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
from pipelines.providers.lookup.topic_thread import TopicThread
from pipelines.providers.lookup.vocabulary import ASKED, ContentWord
from pipelines.providers.lookup.words import plain_words
from pipelines.settings import Section

_MOST_ANSWERS = 3
"""Answers to one utterance."""

_MOST_PARTS = 8
"""Parts of an utterance that are looked up by themselves; the last ones, which is where people come
to the point."""

_SHARE_OF_A_PART = 0.9
"""What the score of a part counts, where more was said."""

_SHARE_OF_A_STATEMENT = 0.75
"""The same of a part that tells something, where another asks."""

_SAME_WORDING = 0.99
"""Score of a way of asking that was said word by word: no other topic needs to be far."""

_TIME = f"{ASKED}time"

_ONE_QUESTION = 0.8
"""Share of what was said that one topic accounts for, from which it was one question."""


class Thresholds(Section):
    """When an answer is near enough. Scores run from 0 to 1."""

    threshold: float = Field(
        0.62,
        ge=0,
        le=1,
        description="score from which a question is answered: of what callers may say to three"
        " agents, 151 of 185 questions are answered right, and 6 of 228 utterances wrong, in the"
        " half of the texts that it was not chosen by; lower answers more, of both",
    )
    ask_back: float = Field(
        0.45,
        ge=0,
        le=1,
        description="score from which the agent asks 'do you mean ...' instead of being unsure:"
        " 18 more of those 185 are offered right then",
    )
    margin: float = Field(
        0.05,
        ge=0,
        le=1,
        description="lead in score over the next question without which the agent asks back"
        " which of the two is meant",
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
        self._topic_thread = TopicThread(language)

    def with_content(self, clauses: Sequence[str]) -> list[str]:
        """Return those clauses that tell of a topic at all."""
        return [clause for clause in clauses if self._index.content_words(clause)]

    def offered(self, last: str) -> list[Question]:
        """Return the questions that our last sentence asked the caller to choose from."""
        if not last.startswith((self._say.which, self._say.this_one)):
            return []
        return [topic for topic in self._topics if topic.asked[0] in last]

    def chosen(
        self, said: str, talk: frozenset[Talk], offered: Sequence[Question]
    ) -> Sequence[Question]:
        """Return those of the questions offered that the caller wants, if any.

        Whoever takes leave wants none, whatever else was said: "Yes, bye" ends the call. "Great"
        is a yes, but with thanks it is the end of the matter; "yes, thanks" is a yes.
        """
        words = " ".join(plain_words(said))
        if not talk.isdisjoint({Talk.GOODBYE, Talk.NO, Talk.WRONG_ANSWER}):
            return []
        agreed = Talk.YES in talk or (
            Talk.THANKS not in talk and not talk.isdisjoint({Talk.OKAY, Talk.DONE})
        )
        match offered:
            case [_]:
                return offered if agreed else []
            case [_, _] if re.search(self._say.both, words):
                return offered
            case [_, second] if re.search(self._say.second, words):
                return [second]
            case [first, _] if re.search(self._say.first, words):
                return [first]
        return []

    def asked_about(
        self, clauses: Sequence[str], before: Sequence[ContentWord]
    ) -> list[ContentWord]:
        """Return what tells of the topic that is asked for, which may be that of ``before``."""
        terms = self._index.content_words(" ".join(clauses))
        return self._topic_thread.joined(before, terms) if self.is_follow_up(clauses) else terms

    def is_question(self, clauses: Sequence[str]) -> bool:
        """Say whether something is asked, and not only told."""
        return any(part.question for clause in clauses for part in self._index.parts(clause))

    def is_follow_up(self, clauses: Sequence[str]) -> bool:
        """Say whether what was said may go on with the last topic."""
        return self._topic_thread.follows(clauses, self._index.content_words(" ".join(clauses)))

    def search(
        self,
        clauses: Sequence[str],
        offered: Sequence[Question],
        before: Sequence[ContentWord] = (),
    ) -> list[Question]:
        """Return what was asked, with its answers, or a question back; nothing if neither is near.

        A question back is of no topic: nothing asks for it.

        Args:
            clauses: What was said, with content.
            offered: What we have just asked back: that is not asked again.
            before: What was asked for before, if this may go on with it.
        """
        joints = [
            self._index.content_words(joint)
            for clause in clauses
            for joint in re.split(self._say.joints, clause)
            if not self._topic_thread.refers([joint])
        ]
        clear = [self._clear(self._index.find(terms)) for terms in joints if terms]
        answers = list({topic.answer: topic for topic in clear if topic}.values())
        whole = self._index.find(self._index.content_words(" ".join(clauses)))
        covered = (
            bool(whole) and whole[0].coverage > _ONE_QUESTION
        )  # one question, said with an "and"
        if len(answers) > 1 and all(clear) and not covered:
            return answers[:_MOST_ANSWERS]
        near = self._of_follow_up(clauses, before)
        refers = bool(before) and self._topic_thread.refers(clauses)
        if not (self._clear(near) and refers):
            own = _best(*self._of_parts(clauses), whole)
            near = _best(near, self._asked_of_all(clauses, own) if refers else own)
        if topic := self._clear(near):
            return [topic]
        return [Question(asked=(), answer=text) for text in self._ask_back(near, offered)]

    def _asked_of_all(self, clauses: Sequence[str], own: Sequence[Match]) -> Sequence[Match]:
        """Return matches that are to be asked back: "How much is that?" is not about any meal."""
        named = any(
            term.worth >= 1 for clause in clauses for term in self._index.content_words(clause)
        )
        return own if named else _lessened(own, 0.99 * self._thresholds.threshold)

    def _of_parts(self, clauses: Sequence[str]) -> list[list[Match]]:
        """Return the topics near to each part, where there are several: a question counts most."""
        parts = [part for clause in clauses for part in self._index.parts(clause)][-_MOST_PARTS:]
        if len(parts) < 2:
            return []
        asked = any(part.question for part in parts)
        days = self._topic_thread.interchangeable([term for part in parts for term in part.terms])
        return [
            _lessened(
                self._index.find(self._with_days(part.terms, days)),
                _SHARE_OF_A_PART if part.question or not asked else _SHARE_OF_A_STATEMENT,
            )
            for part in parts
        ]

    def _with_days(
        self, terms: Sequence[ContentWord], days: Sequence[ContentWord]
    ) -> Sequence[ContentWord]:
        """Return what is asked, on the days that were named elsewhere if it asks for a time."""
        asks = any(term.stem == _TIME for term in terms)
        return self._topic_thread.joined(days, terms) if asks else terms

    def _of_follow_up(self, clauses: Sequence[str], before: Sequence[ContentWord]) -> list[Match]:
        """Return the topics near to what is asked if it goes on with what was asked before."""
        now = self._index.content_words(" ".join(clauses))
        if not before or not now:
            return []
        told = {match.topic for match in self._index.find(now) if match.coverage >= 0.5}
        joined = self._index.find(self._topic_thread.joined(before, now))
        return [match for match in joined if match.topic in told]

    def _clear(self, matches: Sequence[Match]) -> Question | None:
        """Return the topic that is near enough and nearer than any other."""
        match matches:
            case [best, *_] if best.score < self._thresholds.threshold:
                return None
            case [best]:
                return self._topics[best.topic]
            case [best, second, *_] if best.score - second.score >= self._thresholds.margin:
                return self._topics[best.topic]
            case [best, second, *_] if best.score > _SAME_WORDING >= second.score:
                return self._topics[best.topic]
        return None

    def _ask_back(self, matches: Sequence[Match], offered: Sequence[Question]) -> list[str]:
        near = [m for m in matches if m.score >= self._thresholds.ask_back]
        near = [m for m in near if near[0].score - m.score < self._thresholds.margin]
        topics = [self._topics[m.topic] for m in near[:2]]
        if not all(can_be_asked_back(topic.asked[0]) for topic in topics) or topics == offered:
            return []
        match topics:
            case [only]:
                return [self._say.this_one, only.asked[0]]
            case [first, second]:
                return [self._say.which, first.asked[0], self._say.alternatively, second.asked[0]]
        return []


def _lessened(matches: Sequence[Match], share: float) -> list[Match]:
    return [Match(match.topic, share * match.score, match.coverage) for match in matches]


def _best(*found: Sequence[Match]) -> list[Match]:
    """Return the best match of each topic, best first."""
    best: dict[int, Match] = {}
    for matches in found:
        for match in matches:
            if match.topic not in best or best[match.topic].score < match.score:
                best[match.topic] = match
    return sorted(best.values(), key=lambda match: -match.score)


def can_be_asked_back(question: str) -> bool:
    """Return whether ``question`` can be spoken as it stands: a question, and not a long one."""
    return question.endswith("?") and len(question.split()) <= 12
