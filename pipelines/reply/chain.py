"""The pipeline: what the caller says goes in, what the agent says comes out.

One chain of async generators, pulled by whoever plays the audio: nothing runs ahead of it but what
a provider does on its own, and closing or cancelling it closes every request beneath it. Whom each
stage asks, for how long, and who takes over is in :mod:`pipelines.stages`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Protocol

from pipelines import conversation
from pipelines.audio import Audio, Chunker, Resampler, frame_bytes
from pipelines.conversation import Brief, Message, ToolCall, ToolResult
from pipelines.listening.utterance import Utterance
from pipelines.providers.contracts import ProviderError, Timing
from pipelines.stages.lineup import Lineup
from pipelines.stages.stt import Heard
from pipelines.stages.usage import DraftCost
from pipelines.text.speakable import speakable

KEYS = re.compile("[0-9*#A-Dw]{1,32}").fullmatch
"""What can be pressed; ``w`` is half a second of waiting."""


@dataclass(frozen=True, slots=True)
class SentenceStarted:
    """The sentence that the audio after this one speaks."""

    text: str

    words: int
    """Of the text that the voice was given: amounts and dates have more of them than as written."""


@dataclass(frozen=True, slots=True)
class SentenceEnded:
    """All audio of the sentence has come."""

    text: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call once everything said so far has been heard."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Pass the caller on once everything said so far has been heard."""

    to: str
    """Name of a :class:`~pipelines.conversation.Destination`."""


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys once everything said so far has been heard."""

    keys: str


@dataclass(frozen=True, slots=True)
class ToolsStarted:
    """Tools are about to run: what follows comes after them."""

    filler: str
    """What to say if they take long; ``""`` for one of the agent's own."""


@dataclass(frozen=True, slots=True)
class ToolsEnded:
    """What the tools gave back, as it stands in the conversation."""

    message: Message


Step = (
    Heard
    | SentenceStarted
    | Audio
    | Timing
    | SentenceEnded
    | ToolsStarted
    | ToolsEnded
    | HangUp
    | Transfer
    | Press
)

MOST_ROUNDS = 5
"""Times that a model may use tools within one reply; then it has to answer in words. Lookups that
build on each other take two or three; more is a loop, and the caller waits."""


class Tools(Protocol):
    """The tools of one call."""

    def slow_filler(self, calls: Sequence[ToolCall]) -> str:
        """Return what to say while they take long; ``""`` if they have nothing of their own."""
        ...

    async def run_all(self, calls: Sequence[ToolCall]) -> tuple[ToolResult, ...]:
        """Run them side by side, each within its deadline; return a result for each, in order.

        Never raises: a tool that fails has a result that says so. When cancelled, it lets go of
        those that can be, and lets the others run on.
        """
        ...


class NoTools:
    """For an agent that has none."""

    def slow_filler(self, calls: Sequence[ToolCall]) -> str:  # noqa: ARG002 - Tools' signature
        """Say nothing."""
        return ""

    async def run_all(self, calls: Sequence[ToolCall]) -> tuple[ToolResult, ...]:
        """Refuse all of them."""
        return tuple(ToolResult(call, "There is no such tool.", failed=True) for call in calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRequest:
    """What a reply is made from."""

    lineup: Lineup
    brief: Brief
    conversation: Sequence[Message]
    rate: int
    """Hertz of the line, which voices are asked for."""

    tools: Tools = field(default_factory=NoTools)
    released: asyncio.Event
    """Set once the reply is no draft any more: no tool runs before."""

    spent: DraftCost


async def answer(request: ReplyRequest, utterance: Utterance) -> AsyncGenerator[Step, None]:
    """Hear the caller out, then reply. Adds nothing to the conversation.

    Raises:
        ProviderError: If a stage has failed, with all of its providers. What was yielded still
            stands.
    """
    heard = (
        Heard(utterance.text) if utterance.text else await request.lineup.stt.transcribe(utterance)
    )
    yield heard
    if not heard.text:
        return
    history = [*request.conversation, Message("user", heard.text)]
    end: list[Step] = []
    spoken = False
    for round_ in range(MOST_ROUNDS + 1):
        brief = replace(request.brief, may_call_tools=round_ < MOST_ROUNDS)
        this = _Round(replace(request, brief=brief, conversation=history))
        async with aclosing(this.speak()) as steps:
            async for step in steps:
                spoken = spoken or isinstance(step, SentenceEnded)
                yield step
        end += this.end
        if not this.to_run or not brief.may_call_tools:  # some servers do not mind that
            break
        yield ToolsStarted(request.tools.slow_filler(this.to_run))
        await request.released.wait()
        got = Message("assistant", "", results=await this.run())
        yield ToolsEnded(got)
        history.append(replace(got, text=" ".join(this.said)))
    if not spoken and not end:
        raise ProviderError("llm", "nothing of the reply can be read out")
    for step in end:
        yield step


class _Round:
    """One request to the language model, and what it asks for.

    Args:
        request: With the conversation so far.
    """

    def __init__(self, request: ReplyRequest) -> None:
        self._request = request
        self._calls: list[ToolCall] = []
        self._controls: dict[int, ToolResult] = {}
        self.said: list[str] = []
        self.end: list[Step] = []
        """What to do once all was heard."""

    async def speak(self) -> AsyncGenerator[Step, None]:
        """Say the words; gather the rest."""
        async with aclosing(say(self._request, self._sentences())) as steps:
            async for step in steps:
                if isinstance(step, SentenceEnded):
                    self.said.append(step.text)
                yield step

    @property
    def to_run(self) -> list[ToolCall]:
        """The tools to run before the model goes on; none if it has said all.

        A mistake in call control is one of them: the model is told, and may mend it.
        """
        mistaken = any(result.failed for result in self._controls.values())
        return self._calls if mistaken or len(self._controls) < len(self._calls) else []

    async def run(self) -> tuple[ToolResult, ...]:
        """Run them; return a result for each, in order."""
        others = [call for at, call in enumerate(self._calls) if at not in self._controls]
        results = iter(await self._request.tools.run_all(others)) if others else iter(())
        return tuple(
            self._controls[at] if at in self._controls else next(results)
            for at in range(len(self._calls))
        )

    async def _sentences(self) -> AsyncGenerator[str, None]:
        request = self._request
        reply = request.lineup.llm.reply(request.brief, request.conversation, request.spent)
        async with aclosing(reply) as pieces:
            async for piece in pieces:
                if isinstance(piece, str):
                    yield piece
                else:
                    self._take(piece)

    def _take(self, call: ToolCall) -> None:
        if call.name in CONTROLS:
            step = _control(call, self._request.brief)
            if isinstance(step, str):
                self._controls[len(self._calls)] = ToolResult(call, step, failed=True)
            else:
                self.end.append(step)
                self._controls[len(self._calls)] = ToolResult(call, "Done once you have spoken.")
        self._calls.append(call)


async def say(
    request: ReplyRequest, sentences: AsyncGenerator[str, None]
) -> AsyncGenerator[Step, None]:
    """Speak sentence by sentence, as they come; skip what nobody can read out.

    Raises:
        ProviderError: If the text broke off or could not be spoken.
    """
    brief = request.brief
    async with aclosing(sentences):
        async for sentence in sentences:
            words = speakable(sentence, brief.language, brief.pronounce)
            if not words:
                continue
            yield SentenceStarted(sentence, len(words.split()))
            async with aclosing(request.lineup.tts.speak(words, request.rate)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Audio):
                        request.spent.audio += piece.seconds
                    yield piece
            yield SentenceEnded(sentence)


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


CONTROLS = frozenset({conversation.END_CALL, conversation.TRANSFER_CALL, conversation.PRESS_KEYS})


def _control(call: ToolCall, brief: Brief) -> Step | str:
    """Return what to do with the call once all was heard, or what is wrong with that."""
    match call.name, dict(call.arguments):
        case conversation.END_CALL, _:
            return HangUp()
        case conversation.TRANSFER_CALL, {"to": to}:
            known = [destination.name for destination in brief.destinations]
            if to in known:
                return Transfer(str(to))
            return f"There is no such destination. There are: {', '.join(known) or 'none'}."
        case conversation.PRESS_KEYS, {"keys": str(keys)} if brief.may_press_keys and KEYS(keys):
            return Press(keys)
    return "That cannot be done in this call, or not with these arguments."
