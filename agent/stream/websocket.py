"""A call's line as it is: one websocket, with limits on what may come in and how long we wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from aiohttp import WSMsgType

from agent.settings.calls import LineSettings
from agent.stream.budget import Meter, of_a_call
from agent.stream.counted_websocket import CLOSE_TIMEOUT, CountedWebSocket
from agent.stream.line import HungUpError, LineError

_DATA = WSMsgType.BINARY, WSMsgType.TEXT  # members of an enumeration are looked up each time


class WebSocketLine:
    """The line of one call over a websocket.

    Args:
        socket: Prepared, and read by nobody else.
        meter: The socket's.
        settings: What it may ask of us.
    """

    def __init__(self, socket: CountedWebSocket, meter: Meter, settings: LineSettings) -> None:
        self.socket = socket
        self._meter = meter
        self._settings = settings
        self._rate = 0
        self._pieces: list[bytes] = []

    def carry(self, rate: int) -> None:
        """Allow audio at ``rate`` hertz, from now on."""
        self._rate = rate
        self._meter.allow(of_a_call(self._settings, rate))

    async def receive(self) -> str | bytes | None:
        """Return the next message, long audio in pieces; None once either side has closed.

        Cancelling is safe: no message is lost.

        Raises:
            LineError: If a message is too big or no message at all, if too much comes too fast, or
                the far end closes for an error.
        """
        while True:
            if self._pieces:
                await asyncio.sleep(0)
                return self._pieces.pop()
            # No deadline: Call watches for a line that carries nothing, and may be half-open.
            message = await self.socket.receive()
            if message.type in _DATA:
                return self._first_piece(message.data)
            match message.type:
                case WSMsgType.PING:
                    await self._sent(self.socket.pong(message.data))
                case WSMsgType.CLOSE | WSMsgType.CLOSING | WSMsgType.CLOSED | WSMsgType.ERROR:
                    if fault := self.socket.fault:
                        raise LineError(fault)
                    return None

    async def send(self, message: str | bytes) -> None:
        """Send a message.

        Raises:
            LineError: If the far end has left, or does not read.
        """
        if isinstance(message, str):
            sent = await self._sent(self.socket.send_str(message))
        else:
            sent = await self._sent(self.socket.send_bytes(message))
        if not sent:
            raise LineError(fault) if (fault := self.socket.fault) else HungUpError

    async def close(self, code: int, reason: str = "", within: float = CLOSE_TIMEOUT) -> None:
        """Close the socket, which hangs up; nothing happens the second time.

        Returns ``within`` so many seconds, whether or not the far end reads.
        """
        # In a task: where a send was given up, aiohttp cancels whoever closes the socket next.
        closing = asyncio.ensure_future(self.socket.close(code=code, message=reason.encode()))
        try:
            await asyncio.wait([closing], timeout=within)
        finally:
            closing.cancel()

    def _first_piece(self, message: str | bytes) -> str | bytes:
        """Return what comes first of a message, half a second of audio at the most."""
        if isinstance(message, bytes) and 0 < self._rate < len(message):
            starts = range(0, len(message), self._rate)
            self._pieces = [message[at : at + self._rate] for at in reversed(starts)]
            return self._pieces.pop()
        return message

    async def _sent(self, sending: Awaitable[None]) -> bool:
        """Return whether something was sent, and not whether the far end has left.

        Raises:
            LineError: If the far end does not read.
        """
        try:
            async with asyncio.timeout(self._settings.send_timeout):
                await sending
        except TimeoutError:
            raise LineError("the far end does not read") from None
        except (ConnectionError, RuntimeError):  # the second: aiohttp, on a closed websocket
            return False
        return True
