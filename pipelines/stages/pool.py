"""The providers of a stage, in the order in which they are wanted; the next one when one fails.

All within the same turn: the next provider is given what the failed one was given, and goes on
where that one stopped, so that nothing is said twice. What counts as a failure:

- an error of the provider's;
- a deadline: the stage's, or ``Budgets.patience`` while another provider is left to try;
- an empty reply, no audio.

A quick failure is tried once more at the same provider, on a fresh connection: most are a
connection that had died unnoticed. One that is not retryable is not, nor one that timed out while
there is another provider. A provider that failed cools down, and comes last until it has worked
again (:meth:`ProviderPool.to_probe`).
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

import structlog

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.conversation import GO_ON, Brief, Message, Tokens, ToolCall
from pipelines.listening.utterance import Utterance
from pipelines.providers.contracts import (
    LanguageModel,
    Piece,
    PlainTranscriptionSession,
    ProviderError,
    Speech,
    Stage,
    Synthesizer,
    Timing,
    Transcriber,
    TranscriptionSession,
)
from pipelines.stages.usage import Usage
from pipelines.text.sentences import SentenceCutter

log = structlog.get_logger()

P = TypeVar("P")
T = TypeVar("T")

FIRST_COOLDOWN = 10.0
"""Seconds that a provider cools down after a failure. Short: most faults are a moment's."""

LONGEST_COOLDOWN = 300.0
"""Seconds between two probes of one that stays away."""

CHARACTERS_A_SECOND = 14.0
"""How fast voices speak: 150 words a minute of 5.7 letters, space included. To guess how much of a
sentence was spoken by one that broke off without telling."""

_GO_ON = Message("user", GO_ON)

CLOSE_WITHIN = 1.0
"""Seconds for the connection of a failed provider to be closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """Seconds that a stage may take before it has failed."""

    transcript: float = 5.0
    """From the end of the utterance to its transcript."""

    first_token: float = 8.0
    """From the transcript to the first piece of the reply."""

    next_token: float = 5.0
    first_audio: float = 5.0
    """From a sentence to the first of its audio."""

    next_audio: float = 2.0
    """Within a sentence: nothing can be said in the meantime, so this is silence."""

    patience: float = 2.0
    """For any of these at the most, while another provider is left to try: about when a caller
    hears a filler. The last provider gets the whole budget."""


@dataclass(slots=True, kw_only=True)
class DraftCost:
    """What a reply has used so far."""

    tokens: int = 0
    """Pieces that the language model wrote; with most, a piece is a token."""

    audio: float = 0.0
    """Seconds synthesized."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the caller turned out to say; empty if it was not speech."""

    text: str
    turn_over: bool = False
    """Whether the provider heard the end of the turn itself, before anybody told it."""


@dataclass(slots=True, kw_only=True, eq=False)
class Candidate(Generic[P]):
    """A provider of a line-up, and how it has been."""

    name: str
    provider: P
    requests: int = 0
    failures: int = 0
    first_results: float = 0.0
    """Seconds to the first result, summed over ``answered`` requests."""

    answered: int = 0
    cooldown: float = 0.0
    """Seconds of the cooldown it is in; 0 while it is healthy."""

    cooldown_until: float = field(default=0.0, repr=False)
    """When the cooldown is over, by the event loop's clock."""

    probing: bool = False

    @property
    def status(self) -> Literal["ok", "unused", "cooling down"]:
        """How it is, for whoever looks."""
        if not self.healthy:
            return "cooling down"
        return "ok" if self.answered else "unused"

    @property
    def healthy(self) -> bool:
        """Whether it worked when it was last asked."""
        return not self.cooldown


class ProviderPool(Generic[P]):
    """The providers of one stage. One a process.

    Args:
        stage: What they do.
        members: Name and provider of each, the one that is wanted most first; at least one.
    """

    def __init__(self, stage: Stage, candidates: Sequence[tuple[str, P]]) -> None:
        self.stage = stage
        self.candidates = [Candidate(name=name, provider=provider) for name, provider in candidates]

    @property
    def first(self) -> Candidate[P]:
        """Whom to ask first, as things are."""
        return self.order()[0]

    def order(self) -> list[Candidate[P]]:
        """Return whom to ask: the healthy ones, then those that cool down, each as configured."""
        return sorted(self.candidates, key=lambda candidate: not candidate.healthy)

    def worked(self, candidate: Candidate[P]) -> None:
        """Note that a provider has done its job."""
        if not candidate.healthy:
            log.info("provider is back", stage=self.stage, provider=candidate.name)
        candidate.cooldown = 0.0

    def failed(self, candidate: Candidate[P], error: ProviderError) -> None:
        """Let a provider cool down; twice as long each time, until it has worked again."""
        candidate.failures += 1
        candidate.cooldown = min(LONGEST_COOLDOWN, candidate.cooldown * 2 or FIRST_COOLDOWN)
        candidate.cooldown_until = _now() + candidate.cooldown
        log.warning(
            "provider failed",
            stage=self.stage,
            provider=candidate.name,
            error=str(error),
            cooldown=candidate.cooldown,
        )

    def to_probe(self) -> list[Candidate[P]]:
        """Return those whose cooldown is over; one that is alone is asked anyway."""
        if len(self.candidates) == 1:
            return []
        cooling = [candidate for candidate in self.candidates if not candidate.healthy]
        return [candidate for candidate in cooling if _now() >= candidate.cooldown_until]


class Attempts(Generic[P]):
    """Whom to ask, one after the other, for one result.

    Args:
        lineup: Of the stage.
        usage: Of the call.
    """

    def __init__(self, pool: ProviderPool[P], usage: Usage) -> None:
        self._pool = pool
        self._usage = usage
        self._order = pool.order()
        self._again = False  # the present one is being asked for the second time
        self._began = 0.0
        self._count = 0

    @property
    def candidate(self) -> Candidate[P]:
        """Whom to ask now."""
        return self._order[0]

    @property
    def alone(self) -> bool:
        """Whether nobody is left after this one."""
        return len(self._order) == 1

    def patience(self, budget: float, patience: float) -> float:
        """Return the seconds to wait for a result."""
        return budget if self.alone else min(budget, patience)

    def asked(self) -> None:
        """Note that it is being asked now."""
        used = self._usage.of(self._pool.stage, self.candidate.name)
        used.requests += 1
        used.retries += bool(self._count)
        self.candidate.requests += 1
        self._count += 1
        self._began = _now()

    def answered(self, since: float = 0.0) -> None:
        """Note that its first result is there.

        Args:
            since: From when on it could be, if that is later than when it was asked.
        """
        seconds = max(0.0, _now() - max(self._began, since))
        self.candidate.first_results += seconds
        self.candidate.answered += 1
        self._usage.of(self._pool.stage, self.candidate.name).first_results.append(seconds)

    def worked(self) -> None:
        """Note that it has done its job."""
        self._pool.worked(self.candidate)

    def failed(self, error: ProviderError) -> None:
        """Note a failure; afterwards :attr:`candidate` is whom to ask next.

        Raises:
            ProviderError: ``error``, if nobody is left to ask.
        """
        self._usage.of(self._pool.stage, self.candidate.name).failures += 1
        hopeless = not error.retryable or (error.timed_out and not self.alone)
        if not self._again and not hopeless:
            self._again = True
            return
        self._pool.failed(self.candidate, error)
        if self.alone:
            raise error
        self._order = self._order[1:]
        self._again = False


class FailoverTranscriber:
    """Speech to text for one call, by the first provider that can.

    Args:
        lineup: Who.
        budgets: How long.
        usage: Is added to.
    """

    def __init__(self, pool: ProviderPool[Transcriber], budgets: Budgets, usage: Usage) -> None:
        self._pool = pool
        self._budgets = budgets
        self._usage = usage
        self._sessions: dict[Candidate[Transcriber], TranscriptionSession] = {}
        self._counted: list[Audio] = []  # of the utterance, what is in the usage
        self._current = self._open(pool.first)

    @property
    def detects_turns(self) -> bool:
        """Whether whoever hears now knows when the caller has finished."""
        return self._current.detects_turns

    @property
    def so_far(self) -> str:
        """What has been heard of the utterance by now; ``""`` if that is not known."""
        return self._current.so_far

    async def turn_over(self) -> bool:
        """Wait until whoever hears knows whether the utterance was all; return whether it was.

        Raises:
            ProviderError: If that will not be known.
        """
        return await self._current.turn_over()

    async def transcribe(self, utterance: Utterance) -> Heard:
        """Hear the caller out.

        Raises:
            ProviderError: If nobody could.
        """
        attempts = Attempts(self._pool, self._usage)
        while True:
            try:
                heard = await self._attempt(attempts, utterance)
            except ProviderError as error:
                await self._drop(attempts.candidate)
                alone = attempts.alone
                attempts.failed(error)
                if alone:
                    # Nobody would take the words before, and a fault may be over by then.
                    await utterance.wait_closed()
            else:
                attempts.worked()
                return heard

    async def aclose(self) -> None:
        """Close the connections of the call."""
        for candidate in list(self._sessions):
            await self._drop(candidate)

    def _open(self, candidate: Candidate[Transcriber]) -> TranscriptionSession:
        if candidate not in self._sessions:
            self._sessions[candidate] = candidate.provider.open_session()
        return self._sessions[candidate]

    async def _drop(self, candidate: Candidate[Transcriber]) -> None:
        open_session = self._sessions.pop(candidate, None)
        if open_session is not None:
            try:
                async with asyncio.timeout(CLOSE_WITHIN):
                    await open_session.aclose()
            except TimeoutError:
                log.warning("a connection was not closed", provider=candidate.name)

    async def _attempt(self, attempts: Attempts[Transcriber], utterance: Utterance) -> Heard:
        budget = attempts.patience(self._budgets.transcript, self._budgets.patience)
        attempts.asked()
        try:
            self._current = open_session = self._open(attempts.candidate)
            async with utterance.answered_within(budget):
                async with aclosing(
                    self._counting(utterance, attempts.candidate, open_session)
                ) as speech:
                    text = (await open_session.transcribe(speech)).strip()
                turn_over = bool(text) and not utterance.closed
                if not text:
                    await utterance.wait_closed()
        except TimeoutError:
            raise ProviderError(
                "stt", f"no transcript within {budget:g} s", timed_out=True
            ) from None
        attempts.answered(utterance.closed_at if utterance.closed_at is not None else _now())
        return Heard(text, turn_over)

    async def _counting(
        self,
        utterance: Utterance,
        candidate: Candidate[Transcriber],
        open_session: TranscriptionSession,
    ) -> AsyncGenerator[Audio, None]:
        """Yield the utterance; count what is sent of it, which a streaming one is sent once."""
        used = self._usage.of("stt", candidate.name)
        known = self._counted
        self._counted = counted = list[Audio]()
        async with aclosing(utterance.listen()) as speech:
            async for piece in speech:
                again = len(counted) < len(known) and known[len(counted)] is piece
                if isinstance(open_session, PlainTranscriptionSession) or not again:
                    used.seconds += piece.seconds
                counted.append(piece)
                yield piece


class FailoverLanguageModel:
    """Text to text for one call, by the first provider that can.

    Args:
        lineup: Who.
        budgets: How long.
        usage: Is added to.
    """

    def __init__(self, pool: ProviderPool[LanguageModel], budgets: Budgets, usage: Usage) -> None:
        self._pool = pool
        self._budgets = budgets
        self._usage = usage

    async def reply(
        self, brief: Brief, conversation: Sequence[Message], spent: DraftCost
    ) -> AsyncGenerator[str | ToolCall, None]:
        """Yield the sentences of the next message, then the tools it asks for.

        A sentence is given when it is whole: so the next provider can go on after it. Tool calls
        are given when the reply is whole: so none is given twice. An empty reply is a failure.

        Raises:
            ProviderError: If there is no reply, or no more of it. What was yielded still stands.
        """
        attempts = Attempts(self._pool, self._usage)
        said: list[str] = []
        known: set[str] = set()  # what a provider that takes over may not say again
        asked = conversation
        while True:
            calls: list[ToolCall] = []
            attempt = self._sentences(attempts, brief, asked, calls, spent)
            try:
                async with aclosing(attempt) as sentences:
                    async for sentence in sentences:
                        if _gist(sentence) not in known:
                            said.append(sentence)
                            yield sentence
            except ProviderError as error:
                attempts.failed(error)
                if said:
                    known = set(map(_gist, said))
                    so_far = Message("assistant", " ".join(said))
                    asked = [*conversation, so_far, _GO_ON]
            else:
                attempts.worked()
                for call in calls:
                    yield call
                return

    async def _sentences(
        self,
        attempts: Attempts[LanguageModel],
        brief: Brief,
        asked: Sequence[Message],
        calls: list[ToolCall],
        spent: DraftCost,
    ) -> AsyncGenerator[str, None]:
        cutter = SentenceCutter()
        async with aclosing(self._attempt(attempts, brief, asked)) as pieces:
            async for piece in pieces:
                match piece:
                    case str():
                        spent.tokens += 1
                        for sentence in cutter.feed(piece):
                            yield sentence
                    case ToolCall():
                        calls.append(piece)
        for sentence in cutter.flush():
            yield sentence

    async def _attempt(
        self, attempts: Attempts[LanguageModel], brief: Brief, asked: Sequence[Message]
    ) -> AsyncGenerator[str | ToolCall, None]:
        budgets, used = self._budgets, self._usage.of("llm", attempts.candidate.name)
        first = attempts.patience(budgets.first_token, budgets.patience)
        attempts.asked()
        source = attempts.candidate.provider.reply(brief, asked)
        blank = True
        after = attempts.patience(budgets.next_token, budgets.patience)
        pieces = with_deadlines(source, first, after, "llm", _substantial)
        async with aclosing(pieces):
            async for piece in pieces:
                if isinstance(piece, Tokens):
                    used.count(piece)
                    continue
                if blank and _substantial(piece):
                    attempts.answered()
                    blank = False
                yield piece
        if blank and asked[-1:] != [_GO_ON]:
            raise ProviderError("llm", "the reply is empty")


class FailoverSynthesizer:
    """Text to speech for one call, by the first provider that can. A Synthesizer itself.

    Args:
        lineup: Who.
        budgets: How long.
        usage: Is added to.
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
        spoken = _Spoken(words=text.split())
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
class _Spoken:
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


async def with_deadlines(
    source: AsyncGenerator[T, None],
    first: float,
    after: float,
    stage: Stage,
    counts: Callable[[T], bool],
) -> AsyncGenerator[T, None]:
    """Yield what ``source`` yields, as long as it comes in time; close it in any case.

    Args:
        source: Gives results.
        first: Seconds to the first that counts, in all.
        after: Seconds between two, from then on.
        stage: Named in the error.
        counts: Whether a piece is a result; a server may send others for ever.

    Raises:
        ProviderError: If it does not.
    """
    budget, begun = first, False
    deadline = _now() + first
    async with aclosing(source):
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    item = await anext(source)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise ProviderError(
                    stage, f"nothing came for {budget:g} s", timed_out=True
                ) from None
            begun = begun or counts(item)
            yield item
            if begun:
                budget = after
                deadline = _now() + after  # from when the next piece is wanted


def _substantial(piece: Piece) -> bool:
    return isinstance(piece, ToolCall) or (isinstance(piece, str) and bool(piece.strip()))


def _is_audio(piece: Speech) -> bool:
    return isinstance(piece, Audio) and bool(piece.pcm)


def _gist(sentence: str) -> str:
    return "".join(filter(str.isalnum, sentence.casefold()))


def _now() -> float:
    return asyncio.get_running_loop().time()
