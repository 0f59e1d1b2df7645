"""The proxy does to a connection what it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from .proxy import SPLIT, Break, Line, Proxy, proxying

ANSWER = bytes(range(256)) * 16

Client = Callable[[Proxy, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def connected(line: Line) -> AsyncIterator[tuple[Proxy, asyncio.StreamReader]]:
    """Connect through a proxy to a server that answers whatever it is sent."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(100):
            writer.write(ANSWER)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, proxying(server.sockets[0].getsockname()[1]) as proxy:
        proxy.line = line
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"Hello?")
        try:
            yield proxy, reader
        finally:
            writer.close()
            await asyncio.sleep(0.01)
        assert proxy.open == 0


def test_everything_arrives_in_single_bytes() -> None:
    """A split answer is whole, and was read in more than a thousand pieces."""

    async def main() -> None:
        async with connected(SPLIT) as (proxy, reader):
            answer, reads = b"", 0
            while len(answer) < len(ANSWER):
                answer += await reader.read(65_536)
                reads += 1
            assert answer == ANSWER
            assert reads > 1000
            assert bytes(proxy.uploaded) == b"Hello?"

    asyncio.run(main())


@pytest.mark.parametrize("how", ["drop", "end", "half_open"])
def test_the_line_breaks_after_so_many_bytes(how: Break) -> None:
    """Not one byte more arrives; then a reset, an end, or nothing at all."""

    async def main() -> None:
        async with connected(Line(breaks=how, after=777)) as (proxy, reader):
            assert await reader.readexactly(777) == ANSWER[:777]
            match how:
                case "drop":
                    with pytest.raises(ConnectionResetError):
                        await reader.read(1)
                case "end":
                    assert await reader.read(1) == b""
                case "half_open":
                    with pytest.raises(TimeoutError):
                        await asyncio.wait_for(reader.read(1), 0.02)
                    assert proxy.open == 1

    asyncio.run(main())


def test_what_is_held_comes_later() -> None:
    """While it is held nothing arrives, and afterwards everything."""

    async def main() -> None:
        async with connected(Line()) as (proxy, reader):
            proxy.hold()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.02)
            proxy.release()
            assert await reader.readexactly(len(ANSWER)) == ANSWER

    asyncio.run(main())


def test_nobody_listens_and_then_somebody_does() -> None:
    """A proxy that refuses breaks what there is; later it listens at the same port."""

    async def main() -> None:
        async with connected(Line()) as (proxy, reader):
            proxy.refuse()
            with pytest.raises(ConnectionResetError):
                await reader.readexactly(len(ANSWER) + 1)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", proxy.port)
            await proxy.listen()
            _, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.close()

    asyncio.run(main())
