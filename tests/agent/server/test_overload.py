"""Overload: when calls are turned away, when they come in again, and how many at once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack, aclosing
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from structlog.testing import capture_logs

from agent.call.call import Call
from agent.records.journals.writer import RecordWriter
from agent.server import providers
from agent.server.load.capacity import Capacity
from agent.server.load.loop_load import PROVEN_AFTER, LoopLoad
from agent.server.load.machine import (
    LOCAL_A_CORE,
    LOCAL_AT_ONCE_A_CORE,
    Room,
    bound,
    cores,
    room,
)
from agent.server.load.overload import (
    CALM_FOR,
    LIMITED_FOR,
    Overload,
    Reading,
    readings,
    workers_of,
)
from agent.server.load.watchdog import LoopLag
from agent.server.registry import CallRegistry
from agent.settings import Settings
from agent.sinch.contracts import ExpectedCall
from pipelines.clock import now
from pipelines.providers import piper
from pipelines.providers.contracts import Synthesizer
from pipelines.providers.transport.failures import again, refused
from pipelines.stages.lineup import Providers
from pipelines.stages.pool import ProviderPool
from pipelines.workers import OnThisMachine
from tests.agent.conversation import voice
from tests.agent.loopback import command, declined, dialled, running, until
from tests.agent.personas.inline import InlineThreads
from tests.agent.server.test_app import CONNECT
from tests.virtual_time import run


def reading(share: float) -> Reading:
    return Reading(what="a measure", value=share * 0.5, limit=0.5)


def judged(shares: list[float]) -> list[bool]:
    """Return after each look, half a second apart, whether calls are turned away."""
    overload = Overload(list)
    told = []
    for n, share in enumerate(shares):
        overload.judge([reading(0.0), reading(share)], n / 2)
        told.append(bool(overload.reason))
    return told


def test_it_begins_with_the_second_look_and_ends_after_a_while_of_calm() -> None:
    """A moment's spike is none; what is between the two limits changes nothing."""
    assert judged([0, 1.5, 0.9, 1.5, 0.9]) == [False] * 5
    assert judged([0, 1.0, 1.0, 0.6, 0.9, 0.6]) == [False, False, True, True, True, True]
    calm = [0.1] * int(2 * CALM_FOR)
    assert judged([1.0, 1.0, *calm, 0.1])[-2:] == [True, False]
    assert judged([1.0, 1.0, *calm[1:], 0.7, *calm[1:], 0.1])[-1] is True


def test_it_does_not_flap() -> None:
    """Whatever is measured, it takes longer than a turn from one end to the next."""
    for seed in range(20):
        walk = random.Random(seed)
        told = judged([walk.choice((0.1, 0.4, 0.6, 0.9, 1.1, 3)) for _ in range(500)])
        ends = [n / 2 for n, (a, b) in enumerate(pairwise(told)) if a and not b]
        assert all(b - a >= CALM_FOR for a, b in pairwise(ends))


def test_the_log_has_a_line_when_it_begins_and_one_when_it_ends() -> None:
    """With what was measured, and for how long."""
    with capture_logs() as logs:
        judged([2.0] * 10 + [0.0] * 20)
    assert [(e["event"].partition(":")[0], e["log_level"]) for e in logs] == [
        ("overload", "warning"),
        ("overload is over", "info"),
    ]
    assert (logs[0]["reason"], logs[0]["value"], logs[0]["limit"]) == ("a measure", 1.0, 0.5)


def test_the_reason_is_what_is_too_much_now() -> None:
    """Which may be another than it began with; while nothing is, it stays until the end."""
    overload, told = Overload(list), []
    for at, (late, wait) in enumerate([(2, 0), (2, 0), (0, 2), (0, 0.7), *[(0, 0)] * 10]):
        overload.judge(
            [
                Reading(what="late", value=late, limit=1.0),
                Reading(what="wait", value=wait, limit=1.0),
            ],
            float(at),
        )
        told.append(overload.reason)
    assert told == ["", *["late"], *["wait"] * 7, *[""] * 5]


def providers_of(*names: str) -> Providers:
    return voice(llm=[object() for _ in names])


def test_a_late_loop_and_a_provider_that_takes_no_more_are_measured() -> None:
    """The provider's limit counts while nobody else is left to ask, and for as long as that."""

    async def main() -> None:
        lag, hosted = LoopLag(), providers_of("a", "b")

        def shares() -> list[bool]:
            return [each.share >= 1 for each in readings(lag, [], hosted)]

        assert shares() == [False, False, False]
        for _ in range(10):
            lag.note(0.2, now())
        assert shares() == [True, False, False]
        first, second = hosted.llm.candidates
        hosted.llm.failed(first, again(refused("llm", 429)))
        hosted.llm.failed(second, refused("llm", 500))
        assert shares()[2] is False
        hosted.llm.failed(second, refused("llm", 429))
        assert shares()[2] is True
        await asyncio.sleep(LIMITED_FOR)
        assert shares()[2] is False

    run(main())


def spoken_by(synthesizer: Synthesizer) -> ProviderPool[Synthesizer]:
    return ProviderPool("tts", [("piper", synthesizer)])


def in_process(
    room: Room, story: Callable[[CallRegistry, Overload], Coroutine[Any, Any, None]]
) -> None:
    async def prepare(_expected: ExpectedCall) -> None:
        """Do nothing."""

    async def main() -> None:
        records = RecordWriter(Path(), InlineThreads())
        overload = Overload(list)
        registry = CallRegistry(
            capacity=Capacity(room, overload, load=LoopLoad(1000.0)),
            records=records,
            prepare=prepare,
            expected_within=60,
        )
        await story(registry, overload)
        await registry.aclose()

    run(main())


def test_beyond_what_is_safe_calls_come_in_a_few_at_a_time() -> None:
    """Each batch has to have been measured before the next; a burst of any size waits."""

    async def story(registry: CallRegistry, overload: Overload) -> None:
        with ExitStack() as calls:

            def burst() -> int:
                taken = 0
                while taken < 100 and not registry.no_room():
                    calls.enter_context(registry.holding("a", cast("Call", None), "reception"))
                    taken += 1
                return taken

            assert burst() == 20
            assert registry.no_room() == "calls have only begun"
            await asyncio.sleep(PROVEN_AFTER - 1)
            assert burst() == 0
            await asyncio.sleep(1)
            assert burst() == 2
            overload.reason = "the event loop is late"
            await asyncio.sleep(60)
            assert burst() == 0
            assert registry.no_room() == "overload: the event loop is late"
            overload.reason = ""
            for _ in range(10):
                await asyncio.sleep(PROVEN_AFTER)
                burst()
            assert registry.no_room() == "as many calls as may be"
            registry.draining = True
            assert registry.no_room() == "draining"

    in_process(Room(most=30, at_once=20), story)


def test_a_call_that_was_announced_has_its_place() -> None:
    """It counts from then on, and its stream is not sent away for what is measured since."""

    async def story(registry: CallRegistry, overload: Overload) -> None:
        for name in "ab":
            assert not registry.no_room()
            registry.expect(ExpectedCall(call=name, agent="reception", caller="", called=""))
        assert registry.no_room() == "calls have only begun"
        overload.reason = "the event loop is late"
        assert registry.no_room("a") == ""
        with registry.holding("a", cast("Call", None), "reception"):
            assert registry.no_room("b") == ""
            await asyncio.sleep(61)  # the stream of the other did not come
            overload.reason = ""
            assert not registry.no_room()

    in_process(Room(most=3, at_once=2), story)


def test_how_many_calls_follows_from_machine_and_lineup(tmp_path: Path) -> None:
    """A model on this machine takes cores; a hosted line-up takes the loop alone."""
    hosted = voice()
    assert room(None, hosted) == Room(most=bound(), at_once=bound())
    assert room(7, hosted) == Room(most=7, at_once=7)
    local = Providers(
        stt=hosted.stt,
        llm=hosted.llm,
        tts=spoken_by(piper.Synthesizer(piper.Synthesizer.Options())),
    )
    at_once = max(1, int(LOCAL_AT_ONCE_A_CORE * cores()))
    assert room(None, local) == Room(most=max(1, int(LOCAL_A_CORE * cores())), at_once=at_once)
    assert room(1000, local) == Room(most=1000, at_once=at_once)
    assert room(1, local) == Room(most=1, at_once=1)
    # All workers compute on the same cores; each has files of its own.
    assert room(None, local, workers=2) == room(None, local)
    assert room(None, hosted, workers=2).most == 2 * bound(2)
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert cores(tmp_path) == 0.5
    for text in ("max 100000", "", "x y", "1 0"):
        (tmp_path / "cpu.max").write_text(text)
        assert cores(tmp_path) == cores(tmp_path / "nothing") >= 1


@pytest.mark.usefixtures("nothing_left")
def test_work_that_waits_for_the_embedded_voice_is_an_overload() -> None:
    """Real sentences on its real threads, more than any machine speaks at once; then it is over."""

    async def main() -> None:
        synthesizer = piper.Synthesizer(piper.Synthesizer.Options())
        assert isinstance(synthesizer, OnThisMachine)
        hosted = voice()
        local = Providers(stt=hosted.stt, llm=hosted.llm, tts=spoken_by(synthesizer))
        workers, lag = workers_of(local, object()), LoopLag()
        assert workers == [synthesizer.workers]
        await synthesizer.start()

        async def speak() -> None:
            text = "We are open from ten in the morning until eight, and we look forward to you. "
            async with aclosing(synthesizer.speak(text * 3)) as pieces:
                async for _ in pieces:
                    await asyncio.sleep(0)

        def wait() -> Reading:
            return readings(lag, workers, local)[1]

        assert wait().share < 1
        callers = [asyncio.create_task(speak()) for _ in range(100)]
        await until(lambda: wait().share >= 1, within=60)
        for caller in callers:
            caller.cancel()
        await asyncio.wait(callers)
        await until(lambda: wait().share < 0.5, within=60)
        await synthesizer.aclose()

    asyncio.run(main())


def test_calls_are_turned_away_at_the_door_and_it_shows(tmp_path: Path) -> None:
    """`busy` on the stream; /health and /metrics say why and how many; then calls come in again."""

    async def main() -> None:
        async with running(tmp_path) as server, AsyncExitStack() as calls:
            overload = server.registry.capacity.overload
            overload.reason = "models wait for threads"
            first = await calls.enter_async_context(dialled(server.url))
            await first.send_json(CONNECT)
            assert await command(first) == "answer"  # one is always taken
            assert await declined(server.url) == 503
            base = server.url.replace("ws:", "http:").removesuffix("/stream")
            async with aiohttp.ClientSession() as session:
                async with session.get(f"{base}/health") as answer:
                    assert answer.status == 200
                    said = await answer.json()
                async with session.get(f"{base}/metrics") as answer:
                    metrics = await answer.text()
            assert said["refusing"] == "overload: models wait for threads"
            assert "\nvoice_agent_overloaded 1.0" in metrics
            assert "\nvoice_agent_calls_declined_total 1.0" in metrics
            overload.judge([reading(0.0)], now() - CALM_FOR)  # the next look is calm as well
            await until(lambda: not overload.reason)
            async with dialled(server.url) as socket:
                await socket.send_json(CONNECT)
                assert await command(socket) == "answer"

    asyncio.run(main())


def test_a_burst_on_the_embedded_stack_is_not_answered_whole(tmp_path: Path) -> None:
    """Whatever `max_calls` says: as many as the cores carry; the others are told `busy`."""
    settings = Settings()
    safe = max(1, int(LOCAL_AT_ONCE_A_CORE * cores()))
    burst = safe + 20

    async def call(url: str, until_all: asyncio.Event) -> str:
        try:
            async with dialled(url) as socket:
                await socket.send_json(CONNECT)
                told = await command(socket)
                if told == "answer":
                    await until_all.wait()
                return told
        except aiohttp.WSServerHandshakeError:
            return "busy"

    async def main() -> list[str]:
        async with (
            providers.running(
                settings.providers(), settings.budget, settings.llm, tmp_path / "phrases"
            ) as started,
            running(tmp_path, started, server={"max_calls": 500}) as server,
        ):
            until_all = asyncio.Event()
            calls = [asyncio.create_task(call(server.url, until_all)) for _ in range(burst)]
            await until(
                lambda: server.registry.capacity.declined + server.registry.answered == burst, 60
            )
            until_all.set()
            return await asyncio.gather(*calls)

    told = asyncio.run(main())
    assert told.count("answer") >= safe
    assert told.count("busy") >= 10  # a few more are let in if the burst takes longer than seconds
