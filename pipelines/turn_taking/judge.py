"""What is known of whether the caller's turn is over, and of what they say over our words.

The judge gathers evidence and is asked what follows from it; when to ask, and what to do, is for
whoever runs the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from pipelines.audio import Audio
from pipelines.providers.contracts import ProviderError
from pipelines.text.words import word_count
from pipelines.turn_taking.annotations import words_of
from pipelines.turn_taking.backchannels import is_backchannel
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings, TurnModel, silence_needed
from pipelines.turn_taking.settings import TurnSettings

log = structlog.get_logger()

MODEL_SECONDS = 8.0
"""Seconds before the pause that the turn model is given: all that it listens to."""


class TurnDetector(Protocol):
    """A transcriber of one call that may know itself when the caller has finished."""

    @property
    def detects_turns(self) -> bool:
        """Whether it does."""
        ...

    @property
    def so_far(self) -> str:
        """What has been heard of the utterance by now; ``""`` if that is not known."""
        ...

    async def turn_over(self) -> bool:
        """Wait until it is known whether the utterance was all; return whether it was.

        Raises:
            ProviderError: If that will not be known.
        """
        ...


class TurnJudge:
    """The evidence on one caller's turn.

    Args:
        settings: How much silence ends a turn, by the evidence.
        turns: Whose turn it is.
        language: BCP 47 tag.
        model: Hears whether a sentence falls to its end; None if there is none.
        detector: Asked instead of the model, while it says that it can tell.
    """

    def __init__(
        self,
        settings: EndOfTurnSettings,
        turns: TurnSettings,
        language: str,
        model: TurnModel | None,
        detector: TurnDetector,
    ) -> None:
        self._settings = settings
        self._language = language
        self._model = model
        self._detector = detector
        self._confirm_after = turns.confirm_after
        self._probability: float | None = None

    @property
    def can_ask(self) -> bool:
        """Whether anybody can be asked by :meth:`ask`."""
        return self._model is not None or self._detector.detects_turns

    def forget(self) -> None:
        """Forget the evidence: the caller goes on, or the turn has ended."""
        self._probability = None

    async def ask(self, audio: Sequence[Audio]) -> bool:
        """Ask who can tell whether the turn is over; return whether anything new is known.

        Cancel it when the caller goes on. It takes no longer than any turn is waited for.

        Args:
            audio: The turn so far, its silence included.
        """
        try:
            async with asyncio.timeout(self._settings.longest):
                if self._detector.detects_turns:
                    self._probability = float(await self._detector.turn_over())
                elif self._model is not None:
                    self._probability = await self._model.complete(_last(MODEL_SECONDS, audio))
        except (ProviderError, TimeoutError) as error:
            log.warning("nobody heard whether the turn is over", error=type(error).__name__)
            return False
        return True

    def silence_needed(self, transcript: str, *, heard_end: bool) -> float | None:
        """Return the seconds of silence that end the turn; None if nothing is known.

        Args:
            transcript: What was said so far; ``""`` while it is not known.
            heard_end: Whether the transcriber has heard the end of the turn itself.
        """
        probability = 1.0 if heard_end else self._probability
        return silence_needed(self._settings, probability, transcript or None, self._language)

    def is_barge_in(self, spoken: float) -> bool:
        """Return whether a sound over our words is meant to stop us, by its length or its words.

        Args:
            spoken: Seconds of it so far.
        """
        if spoken >= self._confirm_after:
            return True
        words = self._detector.so_far
        # Two at least: the first guess at an "mm-hm" is often another word.
        return word_count(words) > 1 and self.wants_answer(words)

    def wants_answer(self, words: str) -> bool:
        """Return whether words over ours are more than an "uh-huh"."""
        return bool(words_of(words)) and not is_backchannel(words, self._language)


def _last(seconds: float, audio: Sequence[Audio]) -> bytes:
    """Return the last pieces that hold at least ``seconds``; all if they hold less."""
    held, first = 0.0, len(audio)
    while first and held < seconds:
        first -= 1
        held += audio[first].seconds
    return b"".join(piece.pcm for piece in audio[first:])
