"""What is known of whether the caller's turn is over.

The judge gathers evidence and is asked what follows from it; when to ask, and what to do, is for
whoever runs the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from pipelines.audio import Audio
from pipelines.conversation import Brief
from pipelines.providers.contracts import ProviderError
from pipelines.turn_taking.end_of_turn import (
    Decider,
    EndOfTurnSettings,
    Evidence,
    TurnModel,
    silence_needed,
)
from pipelines.turn_taking.expectation import AnswerKind, expectation, expected_by
from pipelines.turn_taking.floor import WaitsFor
from pipelines.turn_taking.pauses import CallerPauses
from pipelines.turn_taking.text_completeness import text_completeness

log = structlog.get_logger()

MODEL_SECONDS = 8.0
"""Seconds before the pause that the turn model is given: all that it listens to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOfTurn:
    """What ends a turn, or has ended it."""

    by: Decider
    silence: float | None = None
    """Seconds that are needed, or were waited for; None if nothing was waited for."""

    probability: float | None = None
    """The turn model's, that it was over, all its answers combined; None if it was not asked."""

    asked: int = 0
    """How often the turn model was asked."""

    complete: float | None = None
    """Probability that what was said was all, as text; None if nothing could tell."""

    words: str = ""
    """What the words said beside that, as of :class:`~pipelines.turn_taking.end_of_turn.Weighed`;
    ``""`` for nothing."""

    expected: AnswerKind = AnswerKind.NOTHING
    """What the agent had asked for."""

    extra: float = 0.0
    """Seconds that were added for how this caller pauses."""

    late: float = 0.0
    """Seconds of the silence that were waited for words alone: all else was sooner decided."""


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
        usual: Seconds of silence that end it while nothing is known.
        brief: Says the language, and what answers to the agent look like: by itself, and by the
            tools that it has.
        model: Hears whether a sentence falls to its end; None if there is none.
        detector: Asked instead of the model, while it says that it can tell.
    """

    def __init__(
        self,
        settings: EndOfTurnSettings,
        usual: float,
        brief: Brief,
        model: TurnModel | None,
        detector: TurnDetector,
    ) -> None:
        self._settings = settings
        self._usual = usual
        self._language = brief.language
        self._declared = (*brief.expects, *expected_by(brief.tools))
        self._model = model
        self._detector = detector
        self._heard: list[float] = []
        self._told: bool | None = None
        self.pauses = CallerPauses()
        """How this caller pauses; to be told of each pause."""

    @property
    def can_ask(self) -> bool:
        """Whether anybody can be asked by :meth:`ask`."""
        return self._model is not None or self._detector.detects_turns

    @property
    def can_ask_again(self) -> bool:
        """Whether the same question may get another answer a moment later: from a turn model."""
        return bool(self._heard)

    def forget(self) -> None:
        """Forget the evidence: the caller goes on, or the turn has ended."""
        self._heard, self._told = [], None

    async def ask(self, audio: Sequence[Audio]) -> bool:
        """Ask who can tell whether the turn is over; return whether anything new is known.

        Cancel it when the caller goes on. It takes no longer than any turn is waited for.

        Args:
            audio: The turn so far, its silence included.
        """
        try:
            async with asyncio.timeout(self._settings.longest):
                if self._detector.detects_turns:
                    self._told = await self._detector.turn_over()
                elif self._model is not None:
                    self._heard.append(await self._model.complete(_last(MODEL_SECONDS, audio)))
        except (ProviderError, TimeoutError) as error:
            log.warning("nobody heard whether the turn is over", error=type(error).__name__)
            return False
        return True

    def weigh(
        self,
        transcript: str | None,
        *,
        asked: str = "",
        heard_end: bool = False,
        words_to_come: bool = False,
        waits_for: WaitsFor = "",
    ) -> EndOfTurn:
        """Return how much silence ends the turn, and what says so.

        Args:
            transcript: What was said so far; None while it is not known: then it is what the
                transcriber has so far.
            asked: What the caller has heard of the agent last.
            heard_end: Whether the transcriber has heard the end of the turn itself.
            words_to_come: Whether the transcript is being made: no turn is over before it is known
                what was said, as long as a caller can be kept waiting at all.
            waits_for: What it is waited with for on a line of several.
        """
        said = self._detector.so_far if transcript is None else transcript
        complete = text_completeness(said, self._language) if said else None
        expected = expectation(asked, self._language, self._declared)
        pauses = self.pauses
        evidence = Evidence(
            said=said,
            heard=tuple(self._heard),
            told=True if heard_end else self._told,
            complete=complete,
            expected=expected,
            extra=pauses.extra,
            pauses=pauses.count,
            longest_pause=pauses.longest,
            waits_for=waits_for,
        )
        weighed = silence_needed(self._settings, evidence, self._language)
        silence = self._usual + pauses.extra if weighed is None else weighed.seconds
        return EndOfTurn(
            by="silence" if weighed is None else weighed.by,
            silence=max(silence, self._settings.longest) if words_to_come else silence,
            probability=None if weighed is None else weighed.probability,
            asked=len(self._heard),
            complete=complete,
            words="" if weighed is None else weighed.words,
            expected=expected.asked,
            extra=pauses.extra,
        )


def _last(seconds: float, audio: Sequence[Audio]) -> bytes:
    """Return the last pieces that hold at least ``seconds``; all if they hold less."""
    held, first = 0.0, len(audio)
    while first and held < seconds:
        first -= 1
        held += audio[first].seconds
    return b"".join(piece.pcm for piece in audio[first:])
