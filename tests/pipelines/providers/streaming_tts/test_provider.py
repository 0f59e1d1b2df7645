"""What comes out of the engine, with a small protocol of the tests' own, on loopback."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.audio import Audio
from pipelines.providers.contracts import ProviderError, Timing
from pipelines.providers.streaming_tts.protocol import (
    SynthesisLimits,
)
from pipelines.providers.streaming_tts.provider import StreamingTts
from tests.pipelines.providers.streaming_tts.plain import (
    RATE,
    Line,
    Server,
    listen,
    serving,
    speak,
    until,
    voice,
)

pytestmark = pytest.mark.usefixtures("nothing_left")


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
