"""The engine of streaming text-to-speech, with a small protocol of the tests' own, on loopback."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from pipelines.audio import Audio
from pipelines.providers.contracts import ProviderError, Timing
from pipelines.providers.streaming_tts.protocol import (
    Address,
    AudioChunk,
    MessageToSend,
    SynthesisEnded,
    SynthesisEvent,
    SynthesisLimits,
    WordsTimed,
)
from pipelines.providers.streaming_tts.provider import StreamingTts
from pipelines.providers.transport.http import Http
from pipelines.providers.voice_rate import voice_rate

RATE = 8_000
LIMITS = SynthesisLimits(contexts=3, confirms=True, idle=60.0, age=60.0)

pytestmark = pytest.mark.usefixtures("nothing_left")


@dataclass(slots=True)
class Plain:
    """The tests' protocol: one JSON object a message, audio in hexadecimal."""

    limits: SynthesisLimits = LIMITS

    def rate(self, line: int) -> int:
        return voice_rate((8_000, 16_000), line)

    def address(self, rate: int) -> Address:
        return Address("/", (("rate", str(rate)),))

    def protocol(self) -> PlainProtocol:
        return PlainProtocol()


class PlainProtocol:
    """One connection of it."""

    def speak(self, context: str, text: str, rate: int) -> Sequence[str]:
        return (json.dumps({"speak": text, "context": context, "rate": rate}),)

    def cancel(self, context: str) -> Sequence[str]:
        return (json.dumps({"cancel": context}),)

    def read(self, message: str | bytes) -> Iterator[SynthesisEvent]:
        said = json.loads(message)
        context = said.get("context")
        if "thanks" in said:
            yield MessageToSend(json.dumps({"thanked": said["thanks"]}))
        if "pcm" in said:
            yield AudioChunk(context, bytes.fromhex(said["pcm"]))
        if "ends" in said:
            yield WordsTimed(context, tuple(said["ends"]))
        if "end" in said:
            yield SynthesisEnded(context)
        if "fail" in said:
            yield SynthesisEnded(context, ProviderError("tts", said["fail"]))


class Line:
    """One connection, as the server has it."""

    def __init__(self, socket: web.WebSocketResponse, rate: int) -> None:
        self.socket = socket
        self.rate = rate
        self.contexts: list[str] = []
        """Spoken, or cancelled and not ended."""

        self.texts: list[str] = []
        self.cancelled: list[str] = []
        self.thanked: list[str] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def say(self, context: str, **what: object) -> None:
        if not self.socket.closed:
            await self.socket.send_json({"context": context, **what})

    async def end(self, context: str) -> None:
        if context in self.contexts:
            self.contexts.remove(context)
        await self.say(context, end=True)


Speak = Callable[[Line, str, str], Coroutine[Any, Any, None]]
"""Speaks a text for a context."""


@dataclass(slots=True)
class Server:
    """Keeps every connection that it ever had."""

    speak: Speak
    most: int = 0
    """Contexts that were on one connection at once."""

    lines: list[Line] = field(default_factory=list)

    @property
    def open(self) -> list[Line]:
        return [line for line in self.lines if not line.socket.closed]

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        line = Line(socket, int(request.query["rate"]))
        self.lines.append(line)
        try:
            async for message in socket:
                self.take(line, json.loads(message.data))
        finally:
            for task in line.tasks:
                task.cancel()
        return socket

    def take(self, line: Line, message: dict[str, Any]) -> None:
        if "thanked" in message:
            line.thanked.append(message["thanked"])
        elif "cancel" in message:
            line.cancelled.append(message["cancel"])
        else:
            assert message["rate"] == line.rate
            line.contexts.append(message["context"])
            line.texts.append(message["speak"])
            self.most = max(self.most, len(line.contexts))
            task = asyncio.create_task(self.speak(line, message["context"], message["speak"]))
            line.tasks.add(task)


@asynccontextmanager
async def serving(
    speak: Speak, limits: SynthesisLimits = LIMITS, most: int = 4
) -> AsyncIterator[tuple[StreamingTts, Server]]:
    """Yield the engine and its server; check that nothing is left of both."""
    before = asyncio.all_tasks()
    server = Server(speak)
    app = web.Application()
    app.router.add_get("/", server.serve)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    engine = StreamingTts(Plain(limits), most)
    host, port = runner.addresses[0]
    await engine.connect_by(Http("tts", f"http://{host}:{port}"), {})
    try:
        yield engine, server
    finally:
        await engine.aclose()
        await runner.cleanup()
        await asyncio.sleep(0.01)
        assert asyncio.all_tasks() <= before


async def listen(engine: StreamingTts, text: str, line: int = RATE) -> bytes:
    """Return all audio of ``text``."""
    async with aclosing(engine.speak(text, line)) as results:
        return b"".join([each.pcm async for each in results if isinstance(each, Audio)])


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(2):
        while not true():  # noqa: ASYNC110 - it looks at what sets no event
            await asyncio.sleep(0.001)


def voice(text: str) -> bytes:
    """Return the audio of ``text``: nothing like that of any other."""
    number = int(text.split(maxsplit=1)[0])
    return bytes([number, 255 - number]) * 500


async def speak(line: Line, context: str, text: str) -> None:
    """Speak ``text`` in ten pieces, which cut samples in two; then end it."""
    pcm = voice(text)
    for at in range(0, len(pcm), 101):
        await line.say(context, pcm=pcm[at : at + 101].hex())
        await asyncio.sleep(0)
    await line.end(context)


async def say_nothing(line: Line, context: str, text: str) -> None:
    """Speak nothing, ever."""
    await asyncio.Event().wait()


async def begin_all_end_ones(line: Line, context: str, text: str) -> None:
    """Begin at once; end only texts that begin with 1."""
    await line.say(context, pcm="0102")
    if text.startswith("1"):
        await line.end(context)
    else:
        await asyncio.Event().wait()


# What comes out.


def test_audio_comes_in_whole_samples_however_it_is_cut() -> None:
    """No piece has half a sample, and all of them together are what was sent."""

    async def main() -> None:
        async with (
            serving(speak) as (engine, _),
            aclosing(engine.speak("7 words", RATE)) as results,
        ):
            pieces = [each async for each in results if isinstance(each, Audio)]
        assert {each.rate for each in pieces} == {RATE}
        assert not any(len(each.pcm) % 2 for each in pieces)
        assert b"".join(each.pcm for each in pieces) == voice("7")

    asyncio.run(main())


def test_word_ends_never_go_back_and_are_no_more_than_words() -> None:
    """A server that times words twice, or backwards, does not confuse the ledger."""

    async def timed(line: Line, context: str, text: str) -> None:
        await line.say(context, pcm="0102", ends=[0.5, 0.25])
        await line.say(context, ends=[0.75, 1.0, 1.25])
        await line.say(context, ends=[1.5])
        await line.end(context)

    async def main() -> None:
        async with (
            serving(timed) as (engine, _),
            aclosing(engine.speak("1 2 3", RATE)) as results,
        ):
            ends = [each.ends async for each in results if isinstance(each, Timing)]
        assert ends == [(0.5, 0.5), (0.75,)]

    asyncio.run(main())


def test_nothing_is_sent_for_a_blank_text() -> None:
    """There is nothing to speak, and no connection is opened for it."""

    async def main() -> None:
        async with serving(speak) as (engine, server):
            assert await listen(engine, " \n") == b""
            assert not server.lines

    asyncio.run(main())


def test_a_sentence_without_audio_has_failed() -> None:
    """Its end alone is no speech: the caller would hear nothing."""

    async def main() -> None:
        async with serving(lambda line, context, _: line.end(context)) as (engine, _):
            with pytest.raises(ProviderError, match="no audio"):
                await listen(engine, "1")

    asyncio.run(main())


def test_a_sentence_that_does_not_end_has_failed() -> None:
    """Audio without end would fill the memory."""

    async def babble(line: Line, context: str, text: str) -> None:
        second = (b"\0" * 2 * RATE).hex()
        while True:
            await line.say(context, pcm=second)

    async def main() -> None:
        async with serving(babble) as (engine, _):
            with pytest.raises(ProviderError, match="does not end"):
                await listen(engine, "1")

    asyncio.run(main())


def test_a_slow_listener_holds_up_nobody_else() -> None:
    """What comes of a sentence waits in memory; the next sentence is read past it."""

    async def main() -> None:
        async with (
            serving(speak, SynthesisLimits(contexts=9, confirms=True, idle=60, age=60)) as (
                engine,
                server,
            ),
            aclosing(engine.speak("1", RATE)) as slow,
        ):
            first = await anext(slow)
            assert await listen(engine, "2") == voice("2")
            assert len(server.lines) == 1
            rest = [each.pcm async for each in slow if isinstance(each, Audio)]
            assert isinstance(first, Audio)
            assert first.pcm + b"".join(rest) == voice("1")

    asyncio.run(main())


def test_what_the_protocol_wants_answered_is_answered() -> None:
    """A reply goes out on the same connection."""

    async def main() -> None:
        async def ask(line: Line, context: str, text: str) -> None:
            await line.say(context, pcm="0102", thanks=text)
            await line.end(context)

        async with serving(ask) as (engine, server):
            await listen(engine, "9")
            await until(lambda: server.lines[0].thanked == ["9"])

    asyncio.run(main())


@dataclass(frozen=True, slots=True)
class Wish:
    """A sentence that somebody wants, and how they listen to it."""

    after: int
    """Milliseconds."""

    take: int | None
    """Results after which they have enough; None for all."""

    slow: bool


WISHES = st.lists(
    st.builds(Wish, st.integers(0, 12), st.none() | st.integers(0, 12), st.booleans()),
    min_size=1,
    max_size=14,
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(WISHES, st.integers(0, 2**16), st.lists(st.integers(1, 25), max_size=3), st.booleans())
def test_every_sentence_is_heard_as_itself(
    wishes: list[Wish], seed: int, losses: list[int], confirms: bool
) -> None:
    """Sentences at once, some given up, on connections that may be lost, are never mixed up.

    Each is heard whole, or as far as it was wanted, or fails after a beginning of its own; and no
    connection ever has more of them than it may.
    """

    async def main() -> None:
        chance = random.Random(seed)

        async def lose(server: Server, after: int) -> None:
            await asyncio.sleep(after / 1000)
            if server.open:
                await chance.choice(server.open).socket.close()

        limits = SynthesisLimits(contexts=3, confirms=confirms, idle=60, age=60)
        async with serving(partial(chatter, chance), limits) as (engine, server):
            async with asyncio.timeout(10), asyncio.TaskGroup() as group:
                for after in losses:
                    group.create_task(lose(server, after))
                for number, wish in enumerate(wishes):
                    group.create_task(fulfil(engine, str(number), wish, may_fail=bool(losses)))
            assert server.most <= 3 or not confirms
            assert len(server.open) <= 4

    asyncio.run(main())


async def chatter(chance: random.Random, line: Line, context: str, text: str) -> None:
    """Speak in pieces of any size, late, and go on after it was cancelled."""
    pcm = voice(text)
    at = 0
    while at < len(pcm):
        size = chance.choice((1, 77, 300))
        await line.say(context, pcm=pcm[at : at + size].hex())
        at += size
        await asyncio.sleep(chance.choice((0, 0, 0.001)))
    await line.end(context)


async def fulfil(engine: StreamingTts, text: str, wish: Wish, *, may_fail: bool) -> None:
    """Listen as was wished; check that nothing else is heard."""
    await asyncio.sleep(wish.after / 1000)
    heard, whole = b"", False
    try:
        async with aclosing(engine.speak(text, RATE)) as results:
            for _ in range(1_000_000 if wish.take is None else wish.take):
                if (result := await anext(results, None)) is None:
                    whole = True
                    break
                assert isinstance(result, Audio)
                heard += result.pcm
                await asyncio.sleep(0.001 if wish.slow else 0)
    except ProviderError:
        assert may_fail
    assert heard == voice(text) if whole else voice(text).startswith(heard)


# Connections.


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


# Nobody listens any more.


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
