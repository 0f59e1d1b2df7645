"""Connections: shared, lost, replaced, closed; and what of ours fails on them."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from pipelines.providers.contracts import ProviderError
from pipelines.providers.streaming_tts.protocol import (
    SynthesisLimits,
)
from pipelines.providers.transport.http import Http
from tests.pipelines.providers.streaming_tts.plain import (
    Line,
    listen,
    say_nothing,
    serving,
    speak,
    until,
    voice,
)

pytestmark = pytest.mark.usefixtures("nothing_left")


def test_sentences_share_a_connection_as_far_as_it_goes() -> None:
    """Three on the first, the fourth on another; they are kept, and used again."""

    async def main() -> None:
        async with serving(speak) as (engine, server):
            for _ in range(3):
                await asyncio.gather(*(listen(engine, str(number)) for number in range(4)))
            assert len(server.lines) == 2
            assert server.most == 3

    asyncio.run(main())


def test_when_all_connections_are_full_a_sentence_waits() -> None:
    """No more are opened than may be; the next sentence goes where one has ended."""

    async def main() -> None:
        one = SynthesisLimits(contexts=1, confirms=True, idle=60, age=60)
        async with serving(speak, one, most=2) as (engine, server):
            heard = await asyncio.gather(*(listen(engine, str(number)) for number in range(8)))
            assert heard == [voice(str(number)) for number in range(8)]
            assert len(server.lines) == 2

    asyncio.run(main())


def test_a_lost_connection_fails_what_was_on_it_and_nothing_else() -> None:
    """Sentences on another connection go on; the next one finds a fresh connection."""

    async def main() -> None:
        async with serving(say_nothing) as (engine, server):
            tasks = [asyncio.create_task(listen(engine, str(number))) for number in range(6)]
            await until(lambda: [len(line.texts) for line in server.lines] == [3, 3])
            await server.lines[0].socket.close()
            done, pending = await asyncio.wait(tasks, timeout=0.1)
            assert len(done) == 3
            assert all(isinstance(task.exception(), ProviderError) for task in done)
            server.speak = speak
            assert await listen(engine, "7") == voice("7")
            for task in pending:
                task.cancel()
            await asyncio.wait(pending)

    asyncio.run(main())


def test_a_sentence_that_fails_alone_leaves_its_connection() -> None:
    """An error of one sentence is no reason to fail others."""

    async def main() -> None:
        async def refuse(line: Line, context: str, text: str) -> None:
            if text == "0":
                line.contexts.remove(context)
                await line.say(context, fail="not this one")
            else:
                await speak(line, context, text)

        async with serving(refuse) as (engine, server):
            bad, good = await asyncio.gather(
                listen(engine, "0"), listen(engine, "1"), return_exceptions=True
            )
            assert isinstance(bad, ProviderError)
            assert "not this one" in str(bad)
            assert good == voice("1")
            assert len(server.open) == 1

    asyncio.run(main())


def test_what_cannot_be_read_ends_the_connection() -> None:
    """Its sentences fail, in words of ours; a fresh connection is open for the next."""

    async def main() -> None:
        async def babble(line: Line, context: str, text: str) -> None:
            if text == "0":
                await line.socket.send_str("{secret words")
            else:
                await speak(line, context, text)

        async with serving(babble) as (engine, server):
            with pytest.raises(ProviderError, match="cannot be read") as caught:
                await listen(engine, "0")
            assert "secret" not in str(caught.value)
            await until(lambda: len(server.open) == 1 and len(server.lines) == 2)
            assert await listen(engine, "1") == voice("1")
            assert len(server.lines) == 2

    asyncio.run(main())


def test_rates_have_connections_of_their_own() -> None:
    """A line of another rate gets its audio at that; an idle connection makes room for it."""

    async def main() -> None:
        async with serving(speak, most=1) as (engine, server):
            for line in (8_000, 16_000, 8_000):
                assert await listen(engine, "1", line) == voice("1")
            assert [line.rate for line in server.lines] == [8_000, 16_000, 8_000]
            await until(lambda: len(server.open) == 1)

    asyncio.run(main())


def test_warming_opens_one_connection_at_the_rate_of_the_last_sentence() -> None:
    """Once it is open, nothing more is opened, by warming or by the sentence that follows."""

    async def main() -> None:
        async with serving(speak) as (engine, server):
            await engine.warm()
            await listen(engine, "1", 8_000)
            for _ in range(2):
                await engine.warm()
            await listen(engine, "1", 8_000)
            assert [line.rate for line in server.lines] == [16_000, 8_000]

    asyncio.run(main())


def test_a_connection_is_closed_for_idling_and_replaced_once() -> None:
    """The next sentence of a call finds one open; a process without calls has none in the end."""

    async def main() -> None:
        brief = SynthesisLimits(contexts=3, confirms=True, idle=0.05, age=60)
        async with serving(speak, brief) as (engine, server):
            await listen(engine, "1")
            await until(lambda: len(server.lines) == 2)
            assert len(server.open) == 1
            await until(lambda: not server.open)
            await asyncio.sleep(0.1)
            assert len(server.lines) == 2

    asyncio.run(main())


def test_a_server_that_closes_an_idle_connection_is_forestalled_next_time() -> None:
    """It is noticed when it happens, not when the next sentence is sent."""

    async def main() -> None:
        async with serving(speak) as (engine, server):
            await listen(engine, "1")
            await server.lines[0].socket.close()
            await until(lambda: len(server.open) == 1)
            assert await listen(engine, "2") == voice("2")
            assert len(server.lines) == 2

    asyncio.run(main())


def test_an_old_connection_is_given_no_more_sentences() -> None:
    """Those on it are heard to their end; then it is closed."""

    async def main() -> None:
        async def wait(line: Line, context: str, text: str) -> None:
            await line.say(context, pcm="0102")
            await asyncio.sleep(0.1 if text == "0" else 0)
            await speak(line, context, text)

        brief = SynthesisLimits(contexts=3, confirms=True, idle=60, age=0.05)
        async with serving(wait, brief) as (engine, server):
            old = asyncio.create_task(listen(engine, "0"))
            await asyncio.sleep(0.06)
            assert await listen(engine, "1") == b"\1\2" + voice("1")
            assert len(server.lines) == 2
            assert await old == b"\1\2" + voice("0")
            await until(lambda: server.lines[0].socket.closed)

    asyncio.run(main())


def test_a_connection_is_given_so_many_sentences_a_minute() -> None:
    """The third goes elsewhere where two are allowed, though nothing else is on the first."""

    async def main() -> None:
        two = SynthesisLimits(contexts=1, confirms=True, idle=60, age=60, a_minute=2)
        async with serving(speak, two) as (engine, server):
            for number in range(5):
                await listen(engine, str(number))
            assert [line.texts for line in server.lines] == [["0", "1"], ["2", "3"], ["4"]]

    asyncio.run(main())


def test_closing_fails_what_is_under_way_and_what_comes_later() -> None:
    """Whether it is being spoken, or waits for a connection."""

    async def main() -> None:
        one = SynthesisLimits(contexts=1, confirms=True, idle=60, age=60)
        async with serving(say_nothing, one, most=1) as (engine, server):
            tasks = [asyncio.create_task(listen(engine, str(number))) for number in range(2)]
            await until(lambda: bool(server.lines and server.lines[0].texts))
            await engine.aclose()
            for task in tasks:
                with pytest.raises(ProviderError, match="closed"):
                    await task
            with pytest.raises(ProviderError, match="closed"):
                await listen(engine, "3")
            await engine.warm()

    asyncio.run(main())


def test_a_bug_of_ours_in_a_dialect_is_loud() -> None:
    """The log has its traceback; the sentences do not hang meanwhile, and the next may try."""

    async def main() -> None:
        async def confuse(line: Line, context: str, text: str) -> None:
            await line.say(context, ends=5)  # tuple(5) is a TypeError

        with capture_logs() as logs:
            async with serving(confuse) as (engine, server):
                with pytest.raises(ProviderError):
                    await listen(engine, "1")
                await until(lambda: bool(logs))
                server.speak = speak
                assert await listen(engine, "2") == voice("2")
        assert [type(entry["exc_info"]) for entry in logs] == [TypeError]

    asyncio.run(main())


def test_a_connection_whose_pings_are_not_answered_is_lost() -> None:
    """A socket is told to be dead by itself, without anything being sent on it."""

    async def main() -> None:
        async def serve(request: web.Request) -> web.WebSocketResponse:
            socket = web.WebSocketResponse(autoping=False)
            await socket.prepare(request)
            async for _ in socket:
                continue
            return socket

        app = web.Application()
        app.router.add_get("/", serve)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        http = Http("tts", f"http://{host}:{port}")
        await http.start({})
        socket = await http.socket("/", heartbeat=0.04)
        with pytest.raises(ProviderError):
            await socket.receive(2)
        await socket.aclose()
        await http.aclose()
        await runner.cleanup()

    asyncio.run(main())
