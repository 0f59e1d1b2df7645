"""Text to speech, by the first provider that can."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.providers.contracts import ProviderError, Speech, Synthesizer, Timing
from pipelines.stages.attempts import Attempts, with_deadlines
from pipelines.stages.budgets import Budgets
from pipelines.stages.pool import ProviderPool
from pipelines.stages.usage import Usage

CHARACTERS_A_SECOND = 14.0
"""How fast voices speak: 150 words a minute of 5.7 letters, space included. To guess how much of a
sentence was spoken by one that broke off without telling."""


class FailoverSynthesizer:
    """Text to speech for one call, by the first provider that can. A Synthesizer itself.

    Args:
        pool: The providers, in the order in which they are wanted.
        budgets: How long each may take.
        usage: The call's; is added to.
    """

    def __init__(self, pool: ProviderPool[Synthesizer], budgets: Budgets, usage: Usage) -> None:
        self._pool = pool
        self._budgets = budgets
        self._usage = usage

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        """Yield ``text`` as audio.

        When a provider breaks off, the next one goes on with the words that were not spoken yet, as
        far as they are known: a word may be said twice, or half. Its audio may have another rate.

        Raises:
            ProviderError: If it cannot be spoken, or not to its end.
        """
        attempts = Attempts(self._pool, self._usage)
        spoken = _Progress(words=text.split())
        while True:
            used = self._usage.of("tts", attempts.candidate.name)
            rest = " ".join(spoken.rest())
            if not rest:
                return
            if timing := spoken.catch_up():
                yield timing
            used.characters += len(rest)
            try:
                async with aclosing(self._attempt(attempts, rest, rate)) as pieces:
                    async for piece in pieces:
                        yield spoken.add(piece)
            except ProviderError as error:
                attempts.failed(error)
                spoken.broke_off()
            else:
                attempts.worked()
                return

    async def _attempt(
        self, attempts: Attempts[Synthesizer], text: str, rate: int
    ) -> AsyncGenerator[Speech, None]:
        budgets = self._budgets
        first = attempts.patience(budgets.first_audio, budgets.patience)
        attempts.asked()
        source = attempts.candidate.provider.speak(text, rate)
        silent = True
        after = attempts.patience(budgets.next_audio, budgets.patience)
        pieces = with_deadlines(source, first, after, "tts", _is_audio)
        async with aclosing(pieces):
            async for piece in pieces:
                if silent and _is_audio(piece):
                    attempts.answered()
                    silent = False
                yield piece
        if silent:
            raise ProviderError("tts", "no audio came")


@dataclass(slots=True, kw_only=True)
class _Progress:
    """How far a sentence has been spoken, perhaps by several voices."""

    words: list[str]
    seconds: float = 0.0
    before: float = 0.0
    """Seconds by those that broke off."""

    done: int = 0
    """Words that those have spoken."""

    ends: list[float] = field(default_factory=list)
    """When the first words have been spoken, as far as it is known."""

    def rest(self) -> list[str]:
        """Return the words that are to be spoken."""
        return self.words[self.done :]

    def add(self, piece: Speech) -> Speech:
        """Take what the present voice gives; return it as a part of the whole sentence."""
        if isinstance(piece, Timing):
            timing = Timing(tuple(self.before + end for end in piece.ends))
            self.ends += timing.ends
            return timing
        self.seconds += piece.seconds
        return piece

    def broke_off(self) -> None:
        """Decide how many words the present voice has spoken."""
        if len(self.ends) > self.done:
            # Times may come before the audio that they are about.
            spoken = bisect_right(self.ends, self.seconds)
            self.done = min(max(self.done, spoken), len(self.words))
        else:
            letters = (self.seconds - self.before) * CHARACTERS_A_SECOND
            while self.done < len(self.words) and letters >= len(self.words[self.done]) + 1:
                letters -= len(self.words[self.done]) + 1
                self.done += 1
        self.before = self.seconds

    def catch_up(self) -> Timing | None:
        """Return the time of words that are taken for spoken, if it has not been told."""
        missing = self.done - len(self.ends)
        if missing <= 0:
            return None
        timing = Timing((self.before,) * missing)
        self.ends += timing.ends
        return timing


def _is_audio(piece: Speech) -> bool:
    return isinstance(piece, Audio) and bool(piece.pcm)
