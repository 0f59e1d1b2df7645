"""What a sound over our words means: a barge-in, an answer, a listener's "uh-huh", or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

from pipelines.text.words import word_count
from pipelines.turn_taking.annotations import words_of
from pipelines.turn_taking.backchannels import is_backchannel
from pipelines.turn_taking.greetings import is_greeting
from pipelines.turn_taking.judge import TurnDetector
from pipelines.turn_taking.settings import TurnSettings

AT_THE_END = 0.5
"""Seconds of a reply that are left to hear, from which on any words are an answer: people begin to
answer a question up to that long before its end, as they know what it will be."""

OF_A_QUESTION = 1.0
"""The same, if the reply ends in a question that wants yes or no: "yeah" is one."""

PICKING_UP = 3.0
"""Times ``confirm_after`` that a sound over the beginning of a greeting takes to be meant by its
length: whoever picks up says a greeting of their own, and all of ours is still to come."""

Meaning = Literal[
    "noise", "background", "greeting", "backchannel", "words", "length", "answer", "end of ours"
]
"""What a sound over our words is, or what makes it a barge-in: the last four."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverWords:
    """Where in our words a sound began, and whose voice it can be."""

    left: float = inf
    """Seconds of our words that were left to hear; infinite while more of them are being made."""

    asks: bool = False
    """Whether the sentence that they heard is a question that wants yes or no, and was all but
    said."""

    ends_asking: bool = False
    """Whether our words end in such a question."""

    greeting: bool = False
    """Whether they were the beginning of our greeting."""

    faint: bool = False
    """Whether it is much fainter than the caller."""


class BargeInJudge:
    """Decides on what a caller says over our words.

    Args:
        turns: How long a sound is that is meant.
        language: BCP 47 tag.
        transcriber: Knows what was heard so far.
        outgoing: Whether we have dialled.
    """

    def __init__(
        self,
        turns: TurnSettings,
        language: str,
        transcriber: TurnDetector,
        *,
        outgoing: bool = False,
    ) -> None:
        self._confirm_after = turns.confirm_after
        self._transcriber = transcriber
        self._language = language
        self._outgoing = outgoing

    def so_far(self, spoken: float, over: OverWords) -> Meaning | None:
        """Return what a sound over our words is by now; None while that is open.

        Args:
            spoken: Seconds of it so far.
            over: What it is over.
        """
        long = spoken >= self._confirm_after
        if over.faint:
            return "background" if long else None
        words = self._transcriber.so_far
        # Two at least: the first guess at an "mm-hm" is often another word.
        if word_count(words) > 1 and (found := self.meaning(words, over)) in _STOPS:
            return found
        long = long and not (over.greeting and spoken < PICKING_UP * self._confirm_after)
        return "length" if long else None

    def meaning(self, words: str, over: OverWords) -> Meaning:
        """Return what words over ours mean."""
        if not words_of(words):
            return "noise"
        if over.faint:
            return "background"
        if over.left <= AT_THE_END:
            return "end of ours"
        if over.asks or (over.ends_asking and over.left <= OF_A_QUESTION):
            return "answer"
        if over.greeting and is_greeting(words, self._language, picked_up=self._outgoing):
            return "greeting"
        return "backchannel" if is_backchannel(words, self._language) else "words"


_STOPS = frozenset[Meaning]({"words", "answer", "end of ours"})
"""Words that stop us."""
