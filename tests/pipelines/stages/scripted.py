"""Providers that do what a script says, request by request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.conversation import Brief, Message
from pipelines.providers.contracts import Piece, ProviderError, Speech
from pipelines.providers.scripted import Transcriber, TranscriberOptions
from pipelines.stages.budgets import Budgets
from pipelines.stages.pool import ProviderPool

BUDGETS = Budgets(
    transcript=4.0, first_token=4.0, next_token=1.0, first_audio=4.0, next_audio=1.0, patience=2.0
)
ASKED = [Message("user", "When do you open?")]
SECOND = bytes(2 * SPEECH_RATE)


class Model:
    """Do what a script says, request by request: text, a piece, seconds to wait, an error."""

    def __init__(self, *requests: Sequence[Any]) -> None:
        self._requests = list(requests)
        self.asked: list[Sequence[Message]] = []
        self.closed = 0

    async def warm(self) -> None: ...

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        self.asked.append(list(conversation))
        try:
            for step in self._requests.pop(0) if len(self._requests) > 1 else self._requests[0]:
                if isinstance(step, float):
                    await asyncio.sleep(step)
                elif isinstance(step, ProviderError):
                    raise step
                else:
                    yield step
        finally:
            self.closed += 1


class Voice(Model):
    """The same for text-to-speech; a number of words is that many seconds of audio."""

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        async with aclosing(self.reply(Brief(), [Message("user", text)])) as steps:
            async for step in steps:
                seconds: Any = step
                yield Audio(SECOND * seconds, SPEECH_RATE) if isinstance(seconds, int) else seconds

    @property
    def read(self) -> list[str]:
        return [conversation[0].text for conversation in self.asked]


def broken(**how: bool) -> ProviderError:
    return ProviderError("llm", "it broke", **how)


def pool(*providers: Any, stage: Any = "llm") -> ProviderPool[Any]:
    return ProviderPool(stage, [(f"p{number}", one) for number, one in enumerate(providers, 1)])


def transcriber(*lines: str, **options: Any) -> Transcriber:
    return Transcriber(TranscriberOptions(lines=lines, **options))
