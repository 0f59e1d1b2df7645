"""What a caller's audio costs: how long one frame takes the loop, looked at now and then."""

from __future__ import annotations

import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from agent.stream.line import Line
from pipelines.audio import frame_bytes
from pipelines.histogram import Histogram
from pipelines.reply.playout import PACING

EVERY = 64
"""Messages of a call of which one is looked at: by the others it costs a call of a function."""

BOUNDS = (2e-5, 4e-5, 6e-5, 1e-4, 1.5e-4, 2e-4, 3e-4, 5e-4, 1e-3, 2e-3, 5e-3, 2e-2, 0.1)
"""Seconds; 60 microseconds is what a frame may cost among many calls."""


@dataclass(frozen=True, slots=True)
class FrameCosts:
    """What frames of all calls of a process have cost."""

    seconds: Histogram = field(default_factory=lambda: Histogram(BOUNDS))
    """Of the wall clock, for each frame of 20 ms, from the message to when the next is asked for:
    protocol, voice, keys, the gate, the table, and the commands that leave at once."""

    pacing: Histogram = field(default_factory=lambda: Histogram(PACING))
    """Of audio: how late each message left, of those that had to wait for their time."""

    def measured(self, line: Line, rate: int) -> Line:
        """Return ``line``, whose frames at ``rate`` hertz are looked at."""
        return _MeasuredLine(line, self.seconds, frame_bytes(rate))


class _MeasuredLine:
    """A line; every so often it is noted how long it takes until the next message is asked for."""

    __slots__ = ("_frame", "_line", "_seconds", "_since", "_until")

    def __init__(self, line: Line, seconds: Histogram, frame: int) -> None:
        self._line, self._seconds, self._frame = line, seconds, frame
        self._until = EVERY
        self._since: tuple[float, int] | None = None  # when one came, and its frames

    def receive(self) -> Coroutine[Any, Any, str | bytes | None]:
        """See :class:`~agent.stream.line.Line`."""
        if self._since is not None:
            began, frames = self._since
            self._since = None
            self._seconds.note((time.perf_counter() - began) / frames)
        self._until -= 1
        return self._line.receive() if self._until else self._looked_at()

    async def _looked_at(self) -> str | bytes | None:
        self._until = EVERY
        message = await self._line.receive()
        if isinstance(message, bytes):
            self._since = time.perf_counter(), max(1, len(message) // self._frame)
        return message

    def send(self, message: str | bytes) -> Coroutine[Any, Any, None]:
        """See :class:`~agent.stream.line.Line`."""
        return self._line.send(message)

    def close(self, code: int, reason: str = "") -> Coroutine[Any, Any, None]:
        """See :class:`~agent.stream.line.Line`."""
        return self._line.close(code, reason)
