"""The pipeline: what the caller says goes in, what the agent says comes out.

One chain of async generators, pulled by whoever plays the audio: nothing runs ahead of it but what
a provider does on its own, and closing or cancelling it closes every request beneath it. Each stage
has its deadline; past it the stage counts as failed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from pipelines.audio import Audio, Chunker, Resampler, frame_bytes
from pipelines.providers import base
from pipelines.providers.base import (
    Brief,
    Message,
    ProviderError,
    Stage,
    ToolCall,
    Voice,
)
from pipelines.speakable import speakable
from pipelines.text import sentences

T = TypeVar("T")

KEYS = re.compile("[0-9*#A-Dw]{1,32}").fullmatch
"""What can be pressed; ``w`` is half a second of waiting."""


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


@dataclass(frozen=True, slots=True)
class Heard:
    """What the caller turned out to say; empty if it was not speech."""

    text: str
    turn_over: bool = False
    """Whether the provider heard the end of the turn itself, before anybody told it."""


@dataclass(frozen=True, slots=True)
class Saying:
    """The sentence that the audio after this one speaks."""

    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """All audio of the sentence has come."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call once everything said so far has been heard."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Pass the caller on once everything said so far has been heard."""

    to: str
    """Name of a :class:`~pipelines.providers.base.Destination`."""


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys once everything said so far has been heard."""

    keys: str


Step = Heard | Saying | Audio | Said | HangUp | Transfer | Press


@dataclass(slots=True, kw_only=True)
class Spent:
    """What a reply has used so far."""

    tokens: int = 0
    """Pieces that the language model wrote; with most, a piece is a token."""

    audio: float = 0.0
    """Seconds synthesized."""


class Utterance:
    """What the caller is saying, as it is said.

    Args:
        before: What the caller said just before, to which nobody has replied.
        text: What it is, if that is known without hearing it: keys that were pressed.
    """

    def __init__(self, before: Iterable[Audio] = (), text: str = "") -> None:
        self.text = text
        self.audio = list(before)
        """What was said, and what is said after it was closed."""

        self._closed = False
        self._closed_at = 0
        self._changed = asyncio.Event()
        self._bound: asyncio.Timeout | None = None
        self._budget = 0.0

    @property
    def seconds(self) -> float:
        """How long it is so far."""
        return sum(audio.seconds for audio in self.audio)

    @property
    def closed(self) -> bool:
        """Whether the caller is done."""
        return self._closed

    def add(self, audio: Audio) -> None:
        """Take the next piece."""
        self.audio.append(audio)
        self._changed.set()

    def close(self) -> None:
        """Note that the caller is done. Nothing happens the second time."""
        if self._closed:
            return
        self._closed, self._closed_at = True, len(self.audio)
        self._changed.set()
        self._start_deadline()

    async def listen(self) -> AsyncGenerator[Audio, None]:
        """Yield the audio from its beginning; return when the caller is done."""
        heard = 0
        while True:
            while heard < (self._closed_at if self._closed else len(self.audio)):
                heard += 1
                yield self.audio[heard - 1]
            if self._closed:
                return
            await self._wait_for_change()

    async def wait_closed(self) -> None:
        """Return when the caller is done."""
        while not self._closed:
            await self._wait_for_change()

    @asynccontextmanager
    async def answered_within(self, seconds: float) -> AsyncIterator[None]:
        """Bound what runs inside: it may take ``seconds`` from when the caller is done.

        Raises:
            TimeoutError: If it takes longer.
        """
        async with asyncio.timeout(None) as bound:
            self._bound, self._budget = bound, seconds
            self._start_deadline()
            try:
                yield
            finally:
                self._bound = None

    def _start_deadline(self) -> None:
        if self._closed and self._bound is not None:
            self._bound.reschedule(asyncio.get_running_loop().time() + self._budget)

    async def _wait_for_change(self) -> None:
        # No deadline: the call closes every utterance, for its length if for nothing else.
        self._changed.clear()
        await self._changed.wait()


async def answer(
    voice: Voice,
    brief: Brief,
    conversation: Sequence[Message],
    utterance: Utterance,
    budgets: Budgets,
    spent: Spent,
) -> AsyncGenerator[Step, None]:
    """Hear the caller out, then reply. Adds nothing to ``conversation``.

    A stage that fails before it gave anything is tried once more.

    Raises:
        ProviderError: If a provider failed. What was yielded still stands.
    """
    if utterance.text:
        heard = Heard(utterance.text)
    else:
        heard = await _transcribe(voice, utterance, budgets)
    yield heard
    if not heard.text:
        return
    asked = [*conversation, Message("user", heard.text)]
    end: list[Step] = []

    def reply() -> AsyncGenerator[str | ToolCall, None]:
        source = voice.llm.reply(brief, asked)
        return _substantial(_punctual(source, budgets.first_token, budgets.next_token, "llm"))

    text = _words(_retried(reply), end, spent, brief)
    spoken = False
    async with aclosing(say(voice, brief, text, budgets, spent)) as steps:
        async for step in steps:
            spoken = spoken or isinstance(step, Said)
            yield step
    if not spoken and not end:
        raise ProviderError("llm", "nothing of the reply can be read out")
    for step in end:
        yield step


async def say(
    voice: Voice,
    brief: Brief,
    text: AsyncGenerator[str, None],
    budgets: Budgets,
    spent: Spent,
) -> AsyncGenerator[Step, None]:
    """Speak ``text`` sentence by sentence, as it is written; skip what nobody can read out.

    Raises:
        ProviderError: If the text broke off or could not be spoken.
    """
    async with aclosing(sentences(text)) as spoken:
        async for sentence in spoken:
            words = speakable(sentence, brief.language, brief.pronounce)
            if not words:
                continue
            yield Saying(sentence)

            def speak(words: str = words) -> AsyncGenerator[Audio, None]:
                source = voice.tts.speak(words)
                return _punctual(source, budgets.first_audio, budgets.next_audio, "tts")

            async with aclosing(_retried(speak)) as pieces:
                async for piece in pieces:
                    spent.audio += piece.seconds
                    yield piece
            yield Said()


async def at_line_rate(steps: AsyncGenerator[Step, None], rate: int) -> AsyncGenerator[Step, None]:
    """Yield ``steps`` with their audio at ``rate`` hertz, in whole 20 ms frames, several at a time.

    The resampler runs through from one sentence to the next; the last frame is filled up with
    silence.
    """
    frames = Chunker(frame_bytes(rate))
    resampler: Resampler | None = None
    source = 0
    async with aclosing(steps):
        async for step in steps:
            if not isinstance(step, Audio):
                yield step
                continue
            tail = b""
            if resampler is None or source != step.rate:
                tail = resampler.flush() if resampler else b""
                resampler, source = Resampler(step.rate, rate), step.rate
            if whole := b"".join(frames.feed(tail + resampler.feed(step.pcm))):
                yield Audio(whole, rate)
    if resampler is not None:
        rest = b"".join(frames.feed(resampler.flush())) + frames.flush()
        if rest:
            yield Audio(rest, rate)


async def _transcribe(voice: Voice, utterance: Utterance, budgets: Budgets) -> Heard:
    try:
        return await _transcribe_once(voice, utterance, budgets)
    except ProviderError:
        await utterance.wait_closed()
        return await _transcribe_once(voice, utterance, budgets)


async def _transcribe_once(voice: Voice, utterance: Utterance, budgets: Budgets) -> Heard:
    try:
        async with utterance.answered_within(budgets.transcript):
            async with aclosing(utterance.listen()) as speech:
                text = (await voice.stt.transcribe(speech)).strip()
            turn_over = bool(text) and not utterance.closed
            if not text:
                await utterance.wait_closed()
            return Heard(text, turn_over)
    except TimeoutError:
        raise ProviderError("stt", f"no transcript within {budgets.transcript:g} s") from None


async def _words(
    pieces: AsyncGenerator[str | ToolCall, None], end: list[Step], spent: Spent, brief: Brief
) -> AsyncGenerator[str, None]:
    """Yield the words of a reply; put what to do after them into ``end``.

    Raises:
        ProviderError: If the reply asks for something that cannot be done.
    """
    async with aclosing(pieces):
        async for piece in pieces:
            spent.tokens += 1
            if isinstance(piece, str):
                yield piece
            else:
                end.append(_asked_for(piece, brief))


def _asked_for(call: ToolCall, brief: Brief) -> Step:
    match call.name, dict(call.arguments):
        case base.END_CALL, _:
            return HangUp()
        case base.TRANSFER_CALL, {"to": to} if to in {d.name for d in brief.destinations}:
            return Transfer(str(to))
        case base.PRESS_KEYS, {"keys": str(keys)} if brief.may_press_keys and KEYS(keys):
            return Press(keys)
    raise ProviderError("llm", "asked for a tool that does not exist, or not in this way")


async def _substantial(
    source: AsyncGenerator[str | ToolCall, None],
) -> AsyncGenerator[str | ToolCall, None]:
    """Yield what ``source`` yields, from the first that is not blank.

    Raises:
        ProviderError: If nothing else comes: an empty reply is no answer.
    """
    blank = True
    async with aclosing(source):
        async for piece in source:
            blank = blank and isinstance(piece, str) and not piece.strip()
            if not blank:
                yield piece
    if blank:
        raise ProviderError("llm", "the reply is empty")


async def _retried(make: Callable[[], AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
    """Yield what ``make()`` yields; if it fails before that is anything, make it once more.

    Raises:
        ProviderError: If it fails twice, or half-way.
    """
    given = False
    try:
        async with aclosing(make()) as source:
            async for item in source:
                given = True
                yield item
    except ProviderError:
        if given:
            raise
    else:
        return
    async with aclosing(make()) as source:
        async for item in source:
            yield item


async def _punctual(
    source: AsyncGenerator[T, None], first: float, after: float, stage: Stage
) -> AsyncGenerator[T, None]:
    """Yield what ``source`` yields, as long as it comes in time; close it in any case.

    Raises:
        ProviderError: If it does not.
    """
    budget = first
    async with aclosing(source):
        while True:
            try:
                async with asyncio.timeout(budget):
                    item = await anext(source)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise ProviderError(stage, f"nothing came for {budget:g} s") from None
            yield item
            budget = after
