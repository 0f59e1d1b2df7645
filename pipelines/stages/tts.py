"""Text to speech, by the first provider that can."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.clock import now
from pipelines.providers.contracts import ProviderError, Speech, Synthesizer, Timing
from pipelines.stages.attempts import Attempts
from pipelines.stages.budgets import Budgets
from pipelines.stages.deadlines import ResultPace, with_deadlines
from pipelines.stages.pool import ProviderPool
from pipelines.stages.usage import Usage
from pipelines.text.words import words

CHARACTERS_A_SECOND = 14.0
"""How fast voices speak: 150 words a minute of 5.7 letters, space included. To guess how much of a
sentence was spoken by one that broke off without telling."""

USUAL_SIGN = 0.25
"""Seconds that any character takes which is no letter of an alphabet: a syllable of Chinese, a
digit."""

NO_LESS = 1.0
"""Seconds that a voice has for the first audio of a sentence, however long it owes others theirs:
it may be their sentences that it cannot speak. Callers who say "Hello?" to a voice that hangs wait
for so much longer at the most."""

LONGEST_LETTER, LONGEST_SIGN, LONGEST_BESIDES = 0.2, 0.6, 3.0
"""Seconds of audio that a letter of an alphabet may take, any other character (a syllable of
Chinese, a digit, an abbreviation), and pauses besides. Three times what slow voices take: Piper's
needs 0.07 for a letter, and a slow syllable of Chinese is 0.3."""


ROUNDING = 1e-6
"""Seconds by which sums of pieces may miss the end of a word that ends with them."""


class EndlessError(ProviderError):
    """A voice went on for longer than its text can take; what was to be said has been said."""


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
        Times of words come just before the audio in which these end, never ahead of it: those of a
        voice that breaks off are not true of the next.

        Raises:
            EndlessError: If it was spoken, and the voice did not end.
            ProviderError: If it cannot be spoken, or not to its end.
        """
        attempts = Attempts(self._pool, self._usage)
        spoken = _Progress(words=words(text))
        while rest := "".join(spoken.rest()):
            used = self._usage.of("tts", attempts.candidate.name)
            if timing := spoken.catch_up():
                yield timing
            used.characters += len(rest)
            try:
                async with aclosing(self._attempt(attempts, rest, rate)) as pieces:
                    async for piece in pieces:
                        for one in spoken.add(piece):
                            yield one
            except EndlessError as error:
                attempts.left(error)
                raise
            except ProviderError as error:
                attempts.failed(error)
                spoken.broke_off()
            else:
                attempts.worked()
                return

    async def _attempt(
        self, attempts: Attempts[Synthesizer], text: str, rate: int
    ) -> AsyncGenerator[Speech, None]:
        budgets, silent = self._budgets, True
        first = attempts.patience(budgets.first_audio, budgets.patience)
        attempts.asked()
        # Whoever was asked before waits for the same voice: it is silent since then.
        waited = now() - attempts.candidate.silent_since
        first = max(first - waited, min(first, NO_LESS))
        after = attempts.patience(budgets.next_audio, budgets.patience)
        pace = ResultPace[Speech](first=first, behind=after, seconds=seconds_of)
        source = attempts.candidate.provider.speak(text, rate)
        with attempts.waiting():
            async with aclosing(in_time(source, text, pace)) as pieces:
                async for piece in pieces:
                    if silent and seconds_of(piece):
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
    """When the first words have been spoken, or will be, as far as it is known."""

    told: int = 0
    """How many of those whoever plays it knows of."""

    def rest(self) -> list[str]:
        """Return the words that are to be spoken."""
        return self.words[self.done :]

    def add(self, piece: Speech) -> Iterator[Speech]:
        """Take what the present voice gives; yield it as a part of the whole sentence."""
        if isinstance(piece, Timing):
            self.ends += (self.before + end for end in piece.ends)
            yield self._reached()  # none, perhaps: that is known, and not to be guessed
            return
        self.seconds += piece.seconds
        if (timing := self._reached()).ends:
            yield timing
        yield piece

    def _reached(self) -> Timing:
        """Return the times that the audio has come to."""
        told, self.told = self.told, bisect_right(self.ends, self.seconds + ROUNDING, lo=self.told)
        return Timing(tuple(self.ends[told : self.told]))

    def broke_off(self) -> None:
        """Decide how many words the present voice has spoken."""
        if len(self.ends) > self.done:
            del self.ends[self.told :]  # of what did not come
            self.done = min(max(self.done, self.told), len(self.words))
        else:
            left = self.seconds - self.before + ROUNDING
            while self.done < len(self.words) and left >= usual(self.words[self.done]):
                left -= usual(self.words[self.done])
                self.done += 1
        self.before = self.seconds

    def catch_up(self) -> Timing | None:
        """Return the time of words that are taken for spoken, and are not told of yet.

        Of none, perhaps: half a word was spoken then, and those after it are not where one would
        guess them to be. None if nothing was spoken.
        """
        if not self.before:
            return None
        timing = Timing((self.before,) * (self.done - len(self.ends)))
        self.ends += timing.ends
        self.told = len(self.ends)
        return timing


async def in_time(
    source: AsyncGenerator[Speech, None], text: str, pace: ResultPace[Speech]
) -> AsyncGenerator[Speech, None]:
    """Yield what a voice gives, as long as it keeps ``pace``, and is not longer than its text.

    Where it falls behind, it is gathered for a moment: the caller hears one pause instead of one
    after each piece. What was gathered when it fails was not heard.

    Raises:
        EndlessError: If it does not end.
        ProviderError: If it breaks off, or is too slow.
    """
    left = longest(text)
    gathered: list[Speech] = []
    async with aclosing(with_deadlines(source, pace, "tts")) as pieces:
        async for piece in pieces:
            gathered.append(_first(left, piece))
            left -= seconds_of(piece)
            if pace.refilling and left > 0:
                continue
            for one in gathered:
                yield one
            gathered.clear()
            if left <= 0:
                raise EndlessError("tts", f"more than {longest(text):.1f} s for its text")
    for one in gathered:
        yield one


def usual(word: str) -> float:
    """Return the seconds of audio that voices take for ``word`` and what divides it from others."""
    word = word.rstrip()
    signs = sum(map(_is_sign, word))
    return (len(word) - signs + 1) / CHARACTERS_A_SECOND + signs * USUAL_SIGN


def _is_sign(one: str) -> bool:
    return one.isdigit() or ord(one) >= _SYLLABLES


def longest(text: str) -> float:
    """Return the seconds of audio that a voice can take for ``text``, and twice as much."""
    letters = sum(one.isalpha() and ord(one) < _ALPHABETS for one in text)
    return LONGEST_BESIDES + letters * LONGEST_LETTER + (len(text) - letters) * LONGEST_SIGN


_SYLLABLES = 0x2E80
"""Scripts from here on (Chinese, Japanese, Korean) have a syllable, or more, in a letter."""

_ALPHABETS = 0x0E00
"""Scripts from here on (Thai, Chinese, Japanese, Korean) may have a syllable, or more, in one."""


def _first(seconds: float, piece: Speech) -> Speech:
    if not isinstance(piece, Audio) or piece.seconds <= seconds:
        return piece
    return Audio(piece.pcm[: 2 * round(seconds * piece.rate)], piece.rate)


def seconds_of(piece: Speech) -> float:
    """Return how long a piece sounds; 0 if it is no audio."""
    return piece.seconds if isinstance(piece, Audio) else 0.0
