"""One answered stream: what the caller's side sends, and what we send it, in order."""

from __future__ import annotations

import structlog

from agent.stream.line import Line
from agent.stream.protocol import CallerAudio, Ignored, StreamProtocol
from agent.stream.tap import NO_TAP, Tap
from pipelines.clock import now
from pipelines.listening.echo import EchoGuard

log = structlog.get_logger()

IGNORED_LOGGED = 5
"""Ignored messages that are logged one by one; the rest are counted."""


class Channel:
    """A line, with the protocol that is spoken on it.

    Commands wait in an outbox and leave before any audio that is sent after them, so that whoever
    decides on them need not wait for the line.

    Args:
        line: Where to.
        protocol: Answered.
        rate: Hertz of the audio, both ways.
        tap: Told of all that passes.
    """

    def __init__(self, line: Line, protocol: StreamProtocol, rate: int, tap: Tap = NO_TAP) -> None:
        self.rate = rate
        self.tap, self.echo = tap, EchoGuard(rate)
        self._line = line
        self._protocol = protocol
        self._outbox: list[str] = []
        self._sent_at = now()
        self._ignored = 0

    async def receive(self) -> bytes | None:
        """Return the next audio of the caller, 16-bit PCM of any length; None once it has closed.

        ``b""`` is a message that says nothing. Cancelling is safe: nothing is lost.

        Raises:
            LineError: If the line broke.
        """
        # No deadline: whoever runs the call watches for a line that carries nothing.
        message = await self._line.receive()
        if message is None:
            return None
        match self._protocol.receive(message):
            case CallerAudio(pcm):
                self.tap.received(pcm)
                return pcm
            case Ignored(reason):
                self._ignored += 1
                if self._ignored <= IGNORED_LOGGED:
                    log.warning("message ignored", reason=reason)
        return b""

    def clear(self) -> None:
        """Have the platform drop what it has not played yet. Returns at once; it leaves next."""
        self._outbox.append(self._protocol.clear())
        self.tap.cleared()
        self.echo.cleared()

    async def send(self, pcm: bytes) -> None:
        """Send audio, behind the commands that wait.

        Raises:
            LineError: If the line is dead.
        """
        await self.flush()
        self._sent_at = now()
        self.tap.sent(pcm)
        self.echo.sent(pcm)
        await self._line.send(pcm)

    async def flush(self) -> None:
        """Send the commands that wait.

        Raises:
            LineError: If the line is dead.
        """
        while self._outbox:
            self._sent_at = now()
            await self._line.send(self._outbox.pop(0))

    async def hang_up(self, code: int, reason: str) -> None:
        """Close the line with a code of RFC 6455 and a reason in words, within a few seconds."""
        self.tap.cleared()
        await self._line.close(code, reason)

    async def keep_alive(self, after: float) -> None:
        """Send the commands that wait, or a heartbeat if nothing was sent for so many seconds.

        Raises:
            LineError: If the line is dead.
        """
        if now() - self._sent_at >= after:
            self._outbox.append(self._protocol.heartbeat())
        await self.flush()
