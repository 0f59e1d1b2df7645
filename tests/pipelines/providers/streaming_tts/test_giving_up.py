"""What happens to a sentence that nobody listens to any more, and to its connection."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from pipelines.providers.contracts import ProviderError
from pipelines.providers.streaming_tts.protocol import (
    SynthesisLimits,
)
from pipelines.providers.streaming_tts.provider import StreamingTts
from pipelines.providers.transport.http import Http
from tests.pipelines.providers.streaming_tts.plain import (
    RATE,
    Line,
    Plain,
    begin_all_end_ones,
    listen,
    say_nothing,
    serving,
    speak,
    until,
    voice,
)

pytestmark = pytest.mark.usefixtures("nothing_left")


def test_giving_up_tells_the_server_at_once_and_waits_for_nothing() -> None:
    """Late audio goes nowhere; the room is taken until the server has ended the sentence."""

    async def main() -> None:
        one = SynthesisLimits(contexts=1, confirms=True, idle=60, age=60)
        async with serving(begin_all_end_ones, one) as (engine, server):
            async with aclosing(engine.speak("0", RATE)) as results:
                await anext(results)
            line = server.lines[0]
            await until(lambda: len(line.cancelled) == 1)
            assert await listen(engine, "1") == b"\1\2"
            assert len(server.lines) == 2, "the first has no room yet"
            await line.say(line.cancelled[0], pcm="0707")
            await line.end(line.cancelled[0])
            await asyncio.sleep(0.01)
            assert await listen(engine, "10") == b"\1\2"
            assert line.texts == ["0", "10"]

    asyncio.run(main())


def test_a_provider_that_confirms_nothing_has_room_at_once() -> None:
    """Its sentences have names: what comes late of one is told from another."""

    async def main() -> None:
        one = SynthesisLimits(contexts=1, confirms=False, idle=60, age=60)
        async with serving(begin_all_end_ones, one) as (engine, server):
            async with aclosing(engine.speak("0", RATE)) as results:
                await anext(results)
            await until(lambda: len(server.lines[0].cancelled) == 1)
            await server.lines[0].say(server.lines[0].cancelled[0], pcm="0707")
            assert await listen(engine, "1") == b"\1\2"
            assert len(server.lines) == 1

    asyncio.run(main())


def test_a_connection_that_never_confirms_is_dropped() -> None:
    """It would have no room for ever."""

    async def main() -> None:
        one = SynthesisLimits(contexts=1, confirms=True, idle=60, age=60, confirmed_within=0.02)
        async with serving(begin_all_end_ones, one) as (engine, server):
            async with aclosing(engine.speak("0", RATE)) as results:
                await anext(results)
            await asyncio.sleep(0.03)
            assert await listen(engine, "1") == b"\1\2"
            await until(lambda: server.lines[0].socket.closed)

    asyncio.run(main())


def test_a_connection_gone_silent_is_dropped_with_what_is_on_it() -> None:
    """Once a sentence waited long in vain and nothing else came either: the others fail, too."""

    async def main() -> None:
        brief = SynthesisLimits(contexts=3, confirms=True, idle=60, age=60, suspect_after=0.05)
        async with serving(say_nothing, brief) as (engine, server):
            other = asyncio.create_task(listen(engine, "0"))
            await asyncio.sleep(0.01)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.06):
                    await listen(engine, "1")
            with pytest.raises(ProviderError, match="silent") as caught:
                await other
            assert caught.value.timed_out
            server.speak = speak
            assert await listen(engine, "2") == voice("2")
            assert server.lines[0].texts == ["0", "1"]

    asyncio.run(main())


def test_a_connection_that_is_silent_to_one_is_kept_for_the_others() -> None:
    """A sentence that was forgotten is no reason to fail those that are heard; but no more come."""

    async def main() -> None:
        async def forget(line: Line, context: str, text: str) -> None:
            while text == "0":
                await line.say(context, pcm="0102")
                await asyncio.sleep(0.005)

        brief = SynthesisLimits(contexts=3, confirms=True, idle=60, age=60, suspect_after=0.03)
        async with serving(forget, brief) as (engine, server):
            async with aclosing(engine.speak("0", RATE)) as heard:
                await anext(heard)
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await listen(engine, "1")
                await anext(heard)
                server.speak = speak
                assert await listen(engine, "2") == voice("2")
                assert [line.texts for line in server.lines] == [["0", "1"], ["2"]]
            await until(lambda: server.lines[0].socket.closed)

    asyncio.run(main())


def test_a_connection_is_passed_over_while_in_doubt() -> None:
    """After a sentence was given up before a word came, until the server says something."""

    async def main() -> None:
        async with serving(say_nothing) as (engine, server):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await listen(engine, "0")
            server.speak = speak
            assert await listen(engine, "1") == voice("1")
            first = server.lines[0]
            await first.end(first.contexts[0])
            await asyncio.sleep(0.01)
            assert await listen(engine, "2") == voice("2")
            assert [line.texts for line in server.lines] == [["0", "2"], ["1"]]

    asyncio.run(main())


def test_a_connection_in_doubt_is_better_than_none() -> None:
    """Where no other may be opened, and somebody still listens on it, it is used."""

    async def main() -> None:
        async with serving(say_nothing, most=1) as (engine, server):
            other = asyncio.create_task(listen(engine, "0"))
            await asyncio.sleep(0.01)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await listen(engine, "1")
            server.speak = speak
            assert await listen(engine, "2") == voice("2")
            assert [line.texts for line in server.lines] == [["0", "1", "2"]]
            other.cancel()
            await asyncio.wait({other})

    asyncio.run(main())


def test_giving_up_on_a_server_that_does_not_read_takes_no_time() -> None:
    """The connection is dropped instead."""

    async def main() -> None:
        async with serving(speak) as (engine, server):
            await engine.warm()
            await until(lambda: bool(server.lines))
            loop = asyncio.get_running_loop()
            server.lines[0].socket._reader._protocol.pause_reading()  # type: ignore[union-attr]
            speaking = asyncio.create_task(listen(engine, "1 " * 8_000_000))
            await asyncio.sleep(0.1)
            begun = loop.time()
            speaking.cancel()
            await asyncio.wait({speaking})
            assert speaking.cancelled()
            assert loop.time() - begun < 0.1
            assert await listen(engine, "2") == voice("2")

    asyncio.run(main())


def test_giving_up_while_it_is_being_opened_closes_it() -> None:
    """Unless another sentence waits for it, too."""

    async def main() -> None:
        accepted: list[asyncio.StreamReader] = []
        gone: list[asyncio.StreamReader] = []

        async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted.append(reader)
            await reader.read()
            gone.append(reader)
            writer.close()

        hanging = await asyncio.start_server(hang, "127.0.0.1", 0)
        host, port = hanging.sockets[0].getsockname()
        engine = StreamingTts(Plain(), 4)
        await engine.connect_by(Http("tts", f"http://{host}:{port}"), {})
        one, two = (asyncio.create_task(listen(engine, text)) for text in "12")
        await until(lambda: len(accepted) == 1)
        one.cancel()
        await asyncio.wait({one})
        await asyncio.sleep(0.02)
        assert not gone
        two.cancel()
        await asyncio.wait({two})
        await until(lambda: gone == accepted)
        await engine.aclose()
        hanging.close()

    asyncio.run(main())
