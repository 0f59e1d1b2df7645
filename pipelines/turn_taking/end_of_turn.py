"""Has the caller finished, or only paused? How long to wait is decided by the evidence.

Three voices: the silence so far, counted by :mod:`pipelines.listening.gate`; an acoustic model of
the last seconds, which hears whether a sentence falls to its end; and the words, which may want
more. Each says less or more silence; :func:`silence_needed` weighs them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from pydantic import Field

from pipelines.settings import Section
from pipelines.turn_taking.end_of_turn_words import Ending, ending


class EndOfTurnSettings(Section):
    """How long a silence ends a turn, by the evidence; without any, it is ``vad.end_after``.

    The defaults are chosen by ``tests.benchmarks.endpoints`` on 75 prompts: of whole utterances the
    model gives 95 % more than 0.1 and two thirds more than 0.85, of pauses inside them 56 % and
    28 %.
    """

    shortest: float = Field(
        0.35,
        ge=0.1,
        le=5,
        description="Seconds, sure that they finished: by the turn model, or a whole answer (yes).",
    )
    """Longer than the pause at a comma ("Thanks, goodbye."), 0.2 to 0.32 s in Piper's speech; and a
    draft by providers that take 0.5 s is not ready before it anyway."""

    middle: float = Field(
        0.8, ge=0.1, le=5, description="Seconds, when the turn model is not sure."
    )
    """A fifth of whole utterances wait for it, and the answer to them still comes within a
    second."""

    long: float = Field(
        1.8,
        ge=0.1,
        le=10,
        description="Seconds, when the turn model or the words (a last `and`) expect more.",
    )
    longest: float = Field(
        2.2,
        ge=0.1,
        le=10,
        description="Seconds, when both do, or the words cannot be all (`my number is`).",
    )
    """Nobody is kept waiting for longer."""

    finished_from: float = Field(
        0.85,
        ge=0,
        le=1,
        description="Probability from which the turn model is sure that they finished.",
    )
    going_on_below: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Probability below which it is sure that they did not.",
    )


class TurnModel(Protocol):
    """Hears whether a turn is over. One object serves every call at once."""

    async def start(self) -> None:
        """Load and warm the model; called once, before any use.

        Raises:
            ProviderError: If it does not load.
        """
        ...

    async def aclose(self) -> None:
        """Let go of what it holds."""
        ...

    async def complete(self, pcm: bytes) -> float:
        """Return the probability that the turn is over after ``pcm``.

        Args:
            pcm: The turn so far at :data:`pipelines.audio.SPEECH_RATE`, its silence included;
                earlier audio than the last 8 s makes no difference.

        Raises:
            ProviderError: If it cannot tell. Cancelling is safe.
        """
        ...


class ScriptedTurnModel:
    """Answers with the next probability of a script: for tests.

    Args:
        probabilities: In order; the last is repeated.
        delay: Seconds each takes.
    """

    def __init__(self, probabilities: Sequence[float], *, delay: float = 0.0) -> None:
        self._probabilities = probabilities
        self._delay = delay
        self._next = 0

    async def start(self) -> None:
        """Be ready."""

    async def aclose(self) -> None:
        """Hold nothing."""

    async def complete(self, pcm: bytes) -> float:  # noqa: ARG002 - a script does not listen
        """Return the next probability."""
        self._next += 1
        await asyncio.sleep(self._delay)
        return self._probabilities[min(self._next, len(self._probabilities)) - 1]


def silence_needed(
    settings: EndOfTurnSettings, probability: float | None, transcript: str | None, language: str
) -> float | None:
    """Return the seconds of silence that end the turn, by what is known; None if nothing is.

    Args:
        settings: The limits.
        probability: The turn model's; None while it is not known.
        transcript: What was said so far; None while it is not known.
        language: BCP 47 tag.
    """
    words = Ending.UNKNOWN if transcript is None else ending(transcript, language)
    if words is Ending.OPEN:
        return settings.longest
    if words is Ending.WHOLE:
        return settings.shortest
    if probability is None:
        return settings.long if words is Ending.TRAILING else None
    if probability < settings.going_on_below:
        return settings.longest if words is Ending.TRAILING else settings.long
    if words is Ending.TRAILING:
        return settings.long
    return settings.shortest if probability >= settings.finished_from else settings.middle
