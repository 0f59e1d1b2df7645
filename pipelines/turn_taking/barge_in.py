"""What a sound over our words means: a barge-in, a listener's "uh-huh", or nothing."""

from __future__ import annotations

from typing import Literal

from pipelines.text.words import word_count
from pipelines.turn_taking.annotations import words_of
from pipelines.turn_taking.backchannels import is_backchannel
from pipelines.turn_taking.judge import TurnDetector
from pipelines.turn_taking.settings import TurnSettings


class BargeInJudge:
    """Decides on what a caller says over our words.

    Args:
        turns: How long a sound is that is meant.
        language: BCP 47 tag.
        transcriber: Knows what was heard so far.
    """

    def __init__(self, turns: TurnSettings, language: str, transcriber: TurnDetector) -> None:
        self._confirm_after = turns.confirm_after
        self._transcriber = transcriber
        self._language = language

    def barge_in_by(self, spoken: float) -> Literal["", "length", "words"]:
        """Return what of a sound over our words says that it is to stop us; ``""`` for nothing.

        Args:
            spoken: Seconds of it so far.
        """
        if spoken >= self._confirm_after:
            return "length"
        words = self._transcriber.so_far
        # Two at least: the first guess at an "mm-hm" is often another word.
        return "words" if word_count(words) > 1 and self.wants_answer(words) else ""

    def wants_answer(self, words: str) -> bool:
        """Return whether words over ours are more than an "uh-huh"."""
        return bool(words_of(words)) and not is_backchannel(words, self._language)
