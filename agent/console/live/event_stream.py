"""Answers that last: events that are pushed to a browser, and audio, to so many at once.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from agent.server.connections import lasts
from pipelines.clock import now

BEAT_EVERY = 10.0
"""Seconds without an event, after which a comment says that we are there: and whether they are."""

TAKEN_WITHIN = 10.0
"""Seconds for a browser to take what is written; one that does not is left."""

RETRY_MS = 1000
"""Milliseconds until a browser comes again, whose stream has ended."""

MOST_VIEWERS = 100
"""Streams of a process at once: each has a connection, of which there are 128 beside the calls'."""


class TooManyViewersError(Exception):
    """There are as many streams as there may be."""


class Viewers:
    """Counts those who look."""

    def __init__(self) -> None:
        self._count = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count one, until the block is left.

        Raises:
            TooManyViewersError: If there are :data:`MOST_VIEWERS` already.
        """
        if self._count >= MOST_VIEWERS:
            raise TooManyViewersError
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1


class LastingAnswer:
    """An answer without an end of its own, each piece of it with a deadline. :meth:`begin` it.

    Args:
        request: Of a browser.
        headers: Of the answer.
    """

    def __init__(self, request: web.Request, headers: Mapping[str, str]) -> None:
        self._request = request
        self._response = web.StreamResponse(headers={"cache-control": "no-store", **headers})

    async def begin(self) -> None:
        """Send the head of the answer."""
        lasts(self._request)
        transport = self._request.transport
        sock = transport.get_extra_info("socket") if transport is not None else None
        if sock is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            # A host that has vanished acknowledges nothing, which nobody would notice for hours.
            within = round(2 * TAKEN_WITHIN * 1000)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, within)
        await self._response.prepare(self._request)

    async def write(self, data: bytes) -> None:
        """Send a piece.

        Raises:
            ConnectionError: If they have left.
            TimeoutError: If they do not take it.
        """
        async with asyncio.timeout(TAKEN_WITHIN):
            await self._response.write(data)

    async def finish(self) -> web.StreamResponse:
        """End it, so that it is known to be whole."""
        async with asyncio.timeout(TAKEN_WITHIN):
            await self._response.write_eof()
        return self._response

    def abort(self) -> web.StreamResponse:
        """Leave it, to somebody who has left."""
        if self._request.transport is not None:
            self._request.transport.abort()
        return self._response


AUDIO_HEADERS = {"content-type": "application/octet-stream", "x-accel-buffering": "no"}

EVENT_HEADERS = {
    "content-type": "text/event-stream",
    "x-accel-buffering": "no",  # nginx would hold events back
}


class EventStream:
    """Events, on an answer that lasts.

    Args:
        answer: Not begun.
    """

    def __init__(self, answer: LastingAnswer) -> None:
        self._answer = answer
        self._written = now()

    async def begin(self) -> None:
        """Send the head."""
        await self._answer.begin()
        await self._write(f"retry: {RETRY_MS}\n\n".encode())

    async def send(self, event: str, data: Mapping[str, Any] | str, id_: str = "") -> None:
        """Send an event; raises as :meth:`LastingAnswer.write` does.

        Args:
            event: Its name.
            data: An object, or JSON in one line.
            id_: What the browser tells when it comes again.
        """
        text = data if isinstance(data, str) else json.dumps(data)
        head = f"id: {id_}\n" if id_ else ""
        await self._write(f"{head}event: {event}\ndata: {text}\n\n".encode())

    async def wait(self, happens: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Wait for something to happen. Beats meanwhile."""
        while True:
            try:
                async with asyncio.timeout(max(0.0, self._written + BEAT_EVERY - now())):
                    await happens()
            except TimeoutError:
                await self._write(b":\n\n")
            else:
                return

    async def _write(self, data: bytes) -> None:
        await self._answer.write(data)
        self._written = now()
