"""The machines of a call by themselves, and what they are given to play."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.call.history import History
from agent.call.player import ReplyPlayer
from agent.call.reply import Reply
from agent.settings.calls import CallSettings
from agent.stream.channel import Channel
from agent.stream.protocol import StreamProtocol
from pipelines.audio import Audio
from pipelines.clock import now
from pipelines.providers.contracts import ProviderError
from pipelines.reply.playout import Playout
from pipelines.reply.steps import SentenceEnded, SentenceStarted, Step
from pipelines.stages.lineup import Providers
from pipelines.tools.tool import CallInfo
from pipelines.tools.toolbox import Toolbox
from tests.agent.conversation import CONNECT, RATE, SCRIPT, Notes, voice


@dataclass
class Line:
    """A far end that sends what it is given, and keeps what it is sent and when."""

    gives: list[str | bytes] = field(default_factory=list)
    full: float = 0.0
    """Seconds that a command waits until it is sent."""

    sent: list[tuple[float, str | bytes]] = field(default_factory=list)

    async def receive(self) -> str | bytes | None:
        return self.gives.pop(0) if self.gives else None

    async def send(self, message: str | bytes) -> None:
        self.sent.append((round(now(), 3), message))
        if isinstance(message, str):
            await asyncio.sleep(self.full)

    async def close(self, code: int, reason: str = "") -> None: ...

    def audio(self, since: float = 0.0) -> list[tuple[float, bytes]]:
        return [(at, m) for at, m in self.sent if isinstance(m, bytes) and at >= since]

    def seconds(self, since: float = 0.0) -> float:
        """Audio that was sent since then."""
        return sum(Audio(pcm, RATE).seconds for _, pcm in self.audio(since))


def channel_on(line: Line) -> Channel:
    protocol = StreamProtocol()
    protocol.receive(CONNECT)
    protocol.answer()
    return Channel(line, protocol, RATE)


class Parts:
    """What plays in one call; made within a running loop."""

    def __init__(
        self, settings: CallSettings | None = None, providers: Providers | None = None
    ) -> None:
        self.settings = settings or CallSettings()
        self.line = Line()
        self.channel = channel_on(self.line)
        self.notes = Notes()
        self.lineup = (providers or voice()).lineup()
        self.history = History(self.notes, self.lineup.usage, self.settings.pricing)
        toolbox = Toolbox(
            (),
            CallInfo(call_id="c1"),
            spawn=asyncio.create_task,
            on_kept=self.history.tool_gave,
            on_done=self.history.record.tool,
        )
        self.player = ReplyPlayer(
            self.lineup, SCRIPT, toolbox, self.channel, self.history, self.settings
        )
        self.speaker = self.player.speaker


def says(sentence: str, seconds: float) -> tuple[Step, ...]:
    """A sentence, with as much silence for a voice."""
    return (
        SentenceStarted(sentence, len(sentence.split())),
        Audio(bytes(2 * round(RATE * seconds)), RATE),
        SentenceEnded(sentence),
    )


def reply_of(*steps: Step | float | ProviderError, **fields: Any) -> Reply:
    """A reply of these steps; a number is a wait, and an error is raised."""
    reply = Reply(playout=Playout(1.0), **fields)
    reply.steps = _each(steps)
    return reply


async def _each(steps: Sequence[Step | float | ProviderError]) -> AsyncGenerator[Step, None]:
    for step in steps:
        if isinstance(step, ProviderError):
            raise step
        if isinstance(step, float):
            await asyncio.sleep(step)
        else:
            yield step
