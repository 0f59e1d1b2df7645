"""Has the caller finished, or only paused? How long to wait is decided by the evidence.

Three voices: the silence so far, counted by :mod:`pipelines.listening.gate`; an acoustic model of
the last seconds, which hears whether a sentence falls to its end; and the words, which may want
more. Each says less or more silence; :func:`silence_needed` weighs them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pipelines.turn_taking.end_of_turn_words import Ending, ending


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOfTurnSettings:
    """How much silence ends a turn. Seconds, and probabilities of the turn model.

    The defaults are chosen by ``tests.benchmarks.endpoints`` on 75 prompts: of whole utterances the
    model gives 95 % more than 0.1 and two thirds more than 0.85, of pauses inside them 56 % and
    28 %.
    """

    shortest: float = 0.35
    """When the model is sure that they finished, and the words do not disagree. Longer than the
    pause at a comma ("Thanks, goodbye."), 0.2 to 0.32 s in Piper's speech; and a draft by providers
    that take 0.5 s is not ready before it anyway."""

    middle: float = 0.8
    """When the model is not sure. A fifth of whole utterances wait for it, and the answer to them
    still comes within a second."""

    long: float = 1.8
    """When either the model or the words expect more."""

    longest: float = 2.2
    """When the words cannot be all, or both expect more. Nobody is kept waiting for longer."""

    finished_from: float = 0.85
    """Probability from which the model is sure that they finished."""

    going_on_below: float = 0.1
    """Probability below which it is sure that they did not."""


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
