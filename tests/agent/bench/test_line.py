"""Servers that are none, or go wrong: each is told in a clear line, and in time."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web

from agent.bench import level, line, metrics
from agent.bench.frames import accept_of
from agent.bench.level import Bench
from agent.bench.line import CallNotAnsweredError, CallRefusedError, Target, UnreachableError, dial

Answers = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Talks = Callable[[web.WebSocketResponse], Awaitable[None]]


@asynccontextmanager
async def raw(answers: Answers) -> AsyncIterator[Target]:
    """Listen on a socket."""

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answers(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        yield Target(url=f"ws://127.0.0.1:{port}/s?token=geheim", headers={})
    finally:
        server.close()


@asynccontextmanager
async def streams(talks: Talks) -> AsyncIterator[Target]:
    """Serve websockets, by a library that is not ours."""

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        assert '"connect"' in (await socket.receive_str())
        await talks(socket)
        return socket

    app = web.Application()
    app.router.add_get("/s", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield Target(url=f"ws://127.0.0.1:{runner.addresses[0][1]}/s", headers={})
    finally:
        await runner.cleanup()


def says(text: bytes) -> Answers:
    """Return a server that answers that, whatever it is asked."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(text)
        await writer.drain()

    return answer


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        (b"HTTP/1.1 503 Busy\r\n\r\n", CallRefusedError, "HTTP 503, it takes no more calls"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", UnreachableError, "HTTP 404"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", UnreachableError, "HTTP 200"),
        (b"HTTP/1.1 \r\n\r\n", UnreachableError, "no HTTP"),
        (b"HTTP/1.1 101 Yes\r\n\r\n", UnreachableError, "no websocket"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", UnreachableError, "no HTTP"),
        (b"\x00\xff\x00", UnreachableError, "no HTTP"),
        (b"HTTP/1.1 101 " + b"x" * 20_000, UnreachableError, "never ends"),
        (b"", CallNotAnsweredError, "closed the connection"),
    ],
)
def test_what_is_no_stream_server_is_told_so(
    text: bytes, error: type[CallNotAnsweredError], said: str
) -> None:
    """In one line, which does not quote the address: there may be a token in it."""

    async def story() -> None:
        async with raw(says(text)) as target:
            with pytest.raises(error, match=said) as caught:
                await dial(target, 1, 1)
            assert "geheim" not in str(caught.value)
            assert "\n" not in str(caught.value)

    asyncio.run(story())


def test_nobody_there_is_said_at_once() -> None:
    """With the host and port, and a question."""

    async def story() -> None:
        target = Target(url="ws://127.0.0.1:9/s?token=geheim", headers={})
        with pytest.raises(UnreachableError, match=r"does a server run at 127\.0\.0\.1:9"):
            await dial(target, 1, 1)

    asyncio.run(story())


def test_a_server_that_hangs_is_waited_for_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no longer."""
    monkeypatch.setattr(line, "ANSWERS_WITHIN", 0.1)
    monkeypatch.setattr(line, "CLOSES_WITHIN", 0.1)
    over = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await over.wait()

    async def story() -> None:
        async with raw(hang) as target:
            with pytest.raises(CallNotAnsweredError, match="no answer within"):
                await dial(target, 1, 1)
            over.set()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("message", "error", "said"),
    [
        ('{"command": "busy"}', CallRefusedError, "refused: busy"),
        ('{"command": "reject"}', CallNotAnsweredError, "refused: reject"),
        ("hello", CallNotAnsweredError, "neither answer, busy nor reject"),
        (b"\0\0", CallNotAnsweredError, "audio came before the answer"),
        (None, CallNotAnsweredError, "closed the call, code 1000"),
    ],
)
def test_a_call_that_is_refused_says_how(
    message: str | bytes | None, error: type[CallNotAnsweredError], said: str
) -> None:
    """By ``busy``, ``reject``, or something else."""

    async def talk(socket: web.WebSocketResponse) -> None:
        if isinstance(message, str):
            await socket.send_str(message)
        elif message is not None:
            await socket.send_bytes(message)
        else:
            await socket.close()

    async def story() -> None:
        async with streams(talk) as target:
            with pytest.raises(error, match=said):
                await dial(target, 1, 1)

    asyncio.run(story())


def test_a_call_is_held_and_hung_up() -> None:
    """Frames of ours arrive whole; a ping is answered; the end is told as ours."""
    came: list[bytes] = []
    closed: list[int | None] = []

    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_str('{"command": "answer"}')
        await socket.ping(b"there?")
        came.extend([message.data async for message in socket])
        closed.append(socket.close_code)

    async def story() -> None:
        async with streams(talk) as target:
            call = await dial(target, 1, 1)
            for _ in range(3):
                call.tick(call.caller.heard.until)
            await call.hang_up()
            assert call.over == "hung up"

    asyncio.run(story())
    assert sorted(len(frame) for frame in came) == [6, 320, 320, 320]
    assert b"there?" in came
    assert closed == [1000]


def test_a_server_that_breaks_off_is_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the answer: it closes, or sends what is no websocket."""
    key: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key.append(head.partition("Key: ")[2].partition("\r\n")[0])
        accepted = accept_of(key[-1])
        writer.write(
            f"HTTP/1.1 101 Yes\r\nSec-WebSocket-Accept: {accepted}\r\n\r\n".encode()
            + b"\x81\x15"
            + b'{"command": "answer"}'
        )
        await reader.read(4)
        writer.write(b"GET / HTTP/1.1\r\n" if len(key) == 1 else b"\x88\x02\x03\xf3")
        await reader.read(1000)

    async def story() -> None:
        async with raw(answer) as target:
            for said in ("the server speaks nonsense", "closed the call, code 1011"):
                call = await dial(target, 1, 1)
                call.tick(call.caller.heard.until)
                async with asyncio.timeout(10):
                    await call.closed.wait()
                assert said in call.over

    asyncio.run(story())
    assert all(len(base64.b64decode(one)) == 16 for one in key)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b'\x81\x15{"command": "reject"}\x81\x15{"command": "answer"}', "refused: reject"),
        (b'\x81\x15{"command": "answer"}\x81\x15{"command": "reject"}', ""),
        (b"\x01\x7e\xff\xff" + bytes(65_535) + (b"\x00\x7e\xff\xff" + bytes(65_535)) * 200,
         "a message without end"),
    ],
    ids=["two minds", "a second answer", "no end"],
)  # fmt: skip
def test_what_comes_besides_an_answer_is_borne(sent: bytes, said: str) -> None:
    """What was said first counts; what never ends takes no memory. Nothing goes wrong here."""
    wrong: list[str] = []

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        accepted = accept_of(head.partition("Key: ")[2].partition("\r\n")[0])
        head = f"HTTP/1.1 101 Yes\r\nSec-WebSocket-Accept: {accepted}\r\n\r\n"
        writer.write(head.encode() + sent)
        await reader.read()

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, what: wrong.append(what["message"])
        )
        async with raw(answers) as target:
            if said:
                with pytest.raises(CallNotAnsweredError, match=said):
                    await dial(target, 1, 1)
            else:
                call = await dial(target, 1, 1)
                assert not call.over
                await call.hang_up()

    asyncio.run(story())
    assert not [one for one in wrong if "data_received" in one]


def test_a_server_that_says_nothing_is_no_server_to_measure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It answers the call and hangs: that is found before the first level."""
    monkeypatch.setattr(level, "TRIED_FOR", 0.2)

    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_str('{"command": "answer"}')
        async for _ in socket:
            continue

    async def story() -> None:
        async with streams(talk) as target:
            bench = Bench(target=target, seconds=1.0, seed=1, server=None, providers=None)
            with pytest.raises(CallNotAnsweredError, match="answered, but nothing said"):
                await level.try_out(bench)

    asyncio.run(story())


def test_calls_that_are_refused_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server with room for one: of three calls two are refused, and one is held."""
    monkeypatch.setattr(level, "SETTLE", 0.0)
    monkeypatch.setattr(level, "REST", 0.0)
    monkeypatch.setattr(level, "A_CALL_EVERY", 0.01)
    taken: list[int] = []

    async def talk(socket: web.WebSocketResponse) -> None:
        taken.append(1)
        await socket.send_str('{"command": "answer"}' if len(taken) == 1 else '{"command": "busy"}')
        async for _ in socket:
            continue

    async def story() -> None:
        async with streams(talk) as target:
            bench = Bench(target=target, seconds=0.1, seed=1, server=None, providers=None)
            found = await level.run(bench, 3)
            assert (found.answered, found.refused, found.failed) == (1, 2, {})

    asyncio.run(story())


def test_a_server_that_floods_or_sends_elsewhere_has_no_lag_to_tell() -> None:
    """Its metrics are read to a bound, and asked for where the calls go alone."""
    sample = f'{metrics.LOOP_LAG}_bucket{{le="0.1"}} 4\n'

    async def floods(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):  # it does not want to hear all of it
            for _ in range(40):
                await response.write(bytes(1_000_000))
        return response

    async def redirects(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/elsewhere")

    async def tells(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=sample)

    async def found(answers: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> bool:
        app = web.Application()
        app.router.add_get("/metrics", answers)
        app.router.add_get("/elsewhere", tells)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            target = Target(url=f"ws://127.0.0.1:{runner.addresses[0][1]}/s", headers={})
            return bool(metrics.read(await metrics.ask(target)).counts)
        finally:
            await runner.cleanup()

    async def story() -> list[bool]:
        return [await found(one) for one in (tells, redirects, floods)]

    assert asyncio.run(story()) == [True, False, False]
