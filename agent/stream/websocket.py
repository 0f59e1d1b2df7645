"""A call's line as it is: one websocket, with limits on what may come in and how long we wait."""

from __future__ import annotations

import asyncio

from aiohttp import WSMsgType, web

from agent.settings.calls import LineSettings
from agent.stream.line import LineError
from pipelines.clock import now

EARLY_BYTES = 65_536
"""What may come in before the call is answered: a ``connect`` and a little impatience."""

EARLY_SECONDS = 2.0
"""How far the messages of an eager platform may run ahead before any clock can be set."""

MESSAGES_A_SECOND = 500
"""Ten times what 20 ms frames need; 2 ms frames would still pass."""

CLOSE_TIMEOUT = 2.0
"""Seconds to wait for the far end's close frame; whoever prepares the socket sets it."""


class WebSocketLine:
    """The line of one call over an aiohttp websocket.

    Args:
        socket: Prepared, and read by nobody else.
        settings: What it may ask of us.
    """

    def __init__(self, socket: web.WebSocketResponse, settings: LineSettings) -> None:
        self._socket = socket
        self._settings = settings
        self._bytes = self._messages = 0
        self._allowed_bytes = EARLY_BYTES
        self._bytes_a_second = 0
        self._since = now()

    def carry(self, rate: int) -> None:
        """Allow audio at ``rate`` hertz, from now on."""
        self._since = now()
        self._bytes_a_second = 2 * rate
        self._allowed_bytes = EARLY_BYTES + int(self._settings.burst * self._bytes_a_second)

    async def receive(self) -> str | bytes | None:
        """Return the next message; None once either side has closed.

        Cancelling is safe: no message is lost.

        Raises:
            LineError: If a message is too big or no message at all, or too much comes too fast.
        """
        # No deadline: Call watches for a line that carries nothing, and may be half-open.
        message = await self._socket.receive()
        if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
            return None
        if message.type is WSMsgType.ERROR:
            raise LineError(f"the line broke: {message.data}")
        data: str | bytes = message.data
        self._count(len(data))
        return data

    async def send(self, message: str | bytes) -> None:
        """Send a message.

        Raises:
            LineError: If the socket is closed, or the far end does not read.
        """
        try:
            async with asyncio.timeout(self._settings.send_timeout):
                if isinstance(message, str):
                    await self._socket.send_str(message)
                else:
                    await self._socket.send_bytes(message)
        except TimeoutError:
            raise LineError("the far end does not read") from None
        except (ConnectionError, RuntimeError):  # the second: aiohttp, on a closed websocket
            raise LineError("the line is closed") from None

    async def close(self, code: int) -> None:
        """Close the socket, which hangs up. Nothing happens the second time.

        Returns within :data:`CLOSE_TIMEOUT`, whether or not the far end reads.
        """
        # In a task: where a send was given up, aiohttp cancels whoever closes the socket next.
        closing = asyncio.ensure_future(self._socket.close(code=code))
        try:
            await asyncio.wait([closing], timeout=CLOSE_TIMEOUT)
        finally:
            closing.cancel()

    def _count(self, size: int) -> None:
        self._bytes += size
        self._messages += 1
        seconds = now() - self._since
        if self._bytes > self._allowed_bytes + seconds * self._bytes_a_second:
            raise LineError("audio came much faster than real time")
        if self._messages > MESSAGES_A_SECOND * (self._settings.burst + EARLY_SECONDS + seconds):
            raise LineError("too many messages")
