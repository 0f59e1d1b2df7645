"""What is known of whether the caller's turn is over.

The judge gathers evidence and is asked what follows from it; when to ask, and what to do, is for
whoever runs the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import structlog

from pipelines.audio import Audio
from pipelines.providers.contracts import ProviderError
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings, TurnModel, silence_needed

log = structlog.get_logger()

MODEL_SECONDS = 8.0
"""Seconds before the pause that the turn model is given: all that it listens to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOfTurn:
    """What ends a turn, or has ended it."""

    by: Literal["silence", "turn model", "words", "provider", "length", "keys", "hang-up"]
    silence: float | None = None
    """Seconds that are needed, or were waited for; None if nothing was waited for."""

    probability: float | None = None
    """The turn model's, that it was over; None if it was not asked, or did not count."""


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
        language: BCP 47 tag.
        model: Hears whether a sentence falls to its end; None if there is none.
        detector: Asked instead of the model, while it says that it can tell.
    """

    def __init__(
        self,
        settings: EndOfTurnSettings,
        language: str,
        model: TurnModel | None,
        detector: TurnDetector,
    ) -> None:
        self._settings = settings
        self._language = language
        self._model = model
        self._detector = detector
        self._probability: float | None = None
        self._provider_told = False

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
                self._provider_told = self._detector.detects_turns
                if self._provider_told:
                    self._probability = float(await self._detector.turn_over())
                elif self._model is not None:
                    self._probability = await self._model.complete(_last(MODEL_SECONDS, audio))
        except (ProviderError, TimeoutError) as error:
            log.warning("nobody heard whether the turn is over", error=type(error).__name__)
            return False
        return True

    def weigh(self, transcript: str, *, heard_end: bool) -> EndOfTurn | None:
        """Return how much silence ends the turn, and what says so; None if nothing is known.

        Args:
            transcript: What was said so far; ``""`` while it is not known.
            heard_end: Whether the transcriber has heard the end of the turn itself.
        """
        probability = 1.0 if heard_end else self._probability
        words, settings, language = transcript or None, self._settings, self._language
        needed = silence_needed(settings, probability, words, language)
        if needed is None:
            return None
        told = heard_end or self._provider_told
        if probability is None or silence_needed(settings, None, words, language) is not None:
            return EndOfTurn(by="words", silence=needed, probability=None if told else probability)
        if told:
            return EndOfTurn(by="provider", silence=needed)
        return EndOfTurn(by="turn model", silence=needed, probability=probability)


def _last(seconds: float, audio: Sequence[Audio]) -> bytes:
    """Return the last pieces that hold at least ``seconds``; all if they hold less."""
    held, first = 0.0, len(audio)
    while first and held < seconds:
        first -= 1
        held += audio[first].seconds
    return b"".join(piece.pcm for piece in audio[first:])
