"""The line of a call over a real socket: how it closes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from agent.call.ending import GOING_AWAY, INTERNAL_ERROR, NORMAL
from agent.settings.calls import LineSettings
from agent.stream.budget import Meter, before_the_answer
from agent.stream.counted_websocket import (
    CLOSE_TIMEOUT,
    CLOSE_WORDS,
    LONGEST_REASON,
    CountedWebSocket,
)
from agent.stream.line import LineError
from agent.stream.websocket import WebSocketLine
from pipelines.clock import now

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@asynccontextmanager
async def far_end(
    serve: Callable[[WebSocketLine], Awaitable[None]],
) -> AsyncIterator[asyncio.StreamReader]:
    """Serve one line on this machine; yield its far end, which reads no more than it has to."""

    async def handle(request: web.Request) -> web.WebSocketResponse:
        meter = Meter(before_the_answer())
        socket = CountedWebSocket(meter, 1 << 20)
        await socket.prepare(request)
        await serve(WebSocketLine(socket, meter, LineSettings(send_timeout=0.5)))
        if request.transport is not None:
            request.transport.abort()
        return socket

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        reader, writer = await asyncio.open_connection(*runner.addresses[0][:2])
        writer.write(UPGRADE)
        yield reader
        writer.transport.abort()
    finally:
        await runner.cleanup()


async def fill(line: WebSocketLine) -> None:
    """Send until nothing goes any more."""
    while True:
        await line.send(bytes(1 << 20))


@pytest.mark.parametrize(
    ("code", "reason", "words"),
    [
        (1000, "the agent hung up", "the agent hung up"),
        (1000, "", "the call is over"),
        (1001, "", "the service stops"),
        (1003, "", "codec or sample rate cannot be served"),
        (1008, "", "not admitted"),
        (1009, "", "the message is too big"),
        (1011, "", "something is wrong here"),
        (1013, "", "no room for another call now"),
        (1000, "é" * 100, "é" * 61),
        (4000, "", ""),
    ],
)
def test_a_close_code_comes_with_words(code: int, reason: str, words: str) -> None:
    """Those given, as far as a close frame has room for them, or else those of the code."""

    async def main() -> bytes:
        async with (
            far_end(lambda line: line.close(code, reason)) as reader,
            asyncio.timeout(60),
        ):
            await reader.readuntil(b"\r\n\r\n")
            _, length = await reader.readexactly(2)
            return await reader.readexactly(length)

    assert asyncio.run(main()) == code.to_bytes(2, "big") + words.encode()


def test_what_every_code_of_ours_says_has_room_in_a_frame() -> None:
    """And no code that we close with is without words."""
    assert all(0 < len(words) <= LONGEST_REASON for words in CLOSE_WORDS.values())
    assert {NORMAL, GOING_AWAY, INTERNAL_ERROR} <= CLOSE_WORDS.keys()


@pytest.mark.parametrize("full", [False, True])
def test_a_line_closes_in_time_whether_or_not_the_far_end_reads(full: bool) -> None:
    """And closing it again changes nothing: the first code is what the far end is told."""

    async def main() -> float:
        took: asyncio.Future[float] = asyncio.get_running_loop().create_future()

        async def serve(line: WebSocketLine) -> None:
            if full:
                with pytest.raises(LineError):
                    await fill(line)
            began = now()
            await line.close(1001)
            await line.close(1000)
            took.set_result(now() - began)

        async with far_end(serve) as reader, asyncio.timeout(60):
            if not full:
                await reader.readuntil(b"\r\n\r\n")
                assert await reader.readexactly(4) == b"\x88\x13\x03\xe9"
                assert await reader.readexactly(17) == b"the service stops"
            return await took

    assert asyncio.run(main()) <= CLOSE_TIMEOUT + 5.0  # a loaded machine is given its time
