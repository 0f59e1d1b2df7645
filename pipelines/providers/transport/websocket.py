"""One websocket to a provider."""

from __future__ import annotations

import asyncio

import aiohttp

from pipelines.connection_errors import explain
from pipelines.encodable import mended_json
from pipelines.providers.contracts import ProviderError, Stage

MAX_MESSAGE = 4 * 1024 * 1024
"""Bytes of one message: a minute of base64 at 24 kHz."""

SEND_WITHIN = 3.0
"""Seconds for the other end to read what was sent before: a packet that was lost is sent again
after one second, a second one after three."""

CLOSE_WITHIN = 0.05
"""Seconds for the other end to answer that it closes, too."""


class Socket:
    """One websocket.

    Args:
        stage: Named in errors.
        socket: Open.
    """

    def __init__(self, stage: Stage, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._stage = stage
        self._socket = socket

    @property
    def closed(self) -> bool:
        """Whether it is of no use any more."""
        return self._socket.closed

    async def send(self, message: str | bytes) -> None:
        """Send one message; returns at once unless the other end does not read.

        Raises:
            ProviderError: If the connection is lost, or the other end has not read for long.
        """
        try:
            async with asyncio.timeout(SEND_WITHIN):
                if isinstance(message, str):
                    await self._socket.send_str(message)
                else:
                    await self._socket.send_bytes(message)
        except TimeoutError:
            raise ProviderError(self._stage, "the server does not read", timed_out=True) from None
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            raise ProviderError(self._stage, explain(error)) from None

    async def receive(self, within: float | None = None) -> str | bytes:
        """Return the next message. Cancelling is safe: none is lost.

        A text, which is JSON with every provider, holds no halves of characters.

        Args:
            within: Seconds; None if the caller has a deadline of its own.

        Raises:
            TimeoutError: If none comes in time.
            ProviderError: If the connection is closed or lost.
        """
        async with asyncio.timeout(within):
            message = await self._socket.receive()
        match message.type:
            case aiohttp.WSMsgType.TEXT:
                return mended_json(str(message.data))
            case aiohttp.WSMsgType.BINARY:
                return bytes(message.data)
            case aiohttp.WSMsgType.CLOSE:
                raise ProviderError(self._stage, f"the server closed the socket ({message.data})")
        raise ProviderError(self._stage, "the connection is lost")

    async def aclose(self) -> None:
        """Close it. Does not wait for a server that does not answer."""
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                await self._socket.close()
        except TimeoutError:
            # Without its answer the connection is dropped, which is all there is to do.
            response = self._socket._response  # noqa: SLF001 - aiohttp offers no other way
            response.close()
