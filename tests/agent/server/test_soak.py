"""Nothing of calls stays; `python -m tests.benchmarks.soak` holds thousands, and on sockets."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import WSCloseCode

from agent.server.load.machine import Room
from tests.agent.conversation import voice
from tests.agent.loopback import command, declined, dialled, running, until
from tests.agent.server.test_app import CONNECT
from tests.agent.service_calls import ServiceCalls
from tests.held_things import Held, held
from tests.virtual_time import run

HUNG_UP_EARLY = ("", ".", "...", "." * 12, "." * 24 + "++")
"""In the greeting, before it, and in the middle of a word."""


@pytest.mark.usefixtures("nothing_left")
def test_nothing_of_calls_stays(tmp_path: Path) -> None:
    """No object of ours, task, thread, file or place, whenever the caller has hung up."""

    async def counted(calls: ServiceCalls) -> Held:
        await asyncio.gather(*(calls.hold() for _ in range(8)))
        await asyncio.gather(*(calls.hold(script) for script in HUNG_UP_EARLY))
        for _ in range(3):  # journals are synced in a thread that virtual time knows nothing of
            await asyncio.sleep(5)
            await asyncio.to_thread(time.sleep, 0.05)
        assert not calls.built.keeping.spool.waiting.journals
        return held()

    async def main() -> None:
        async with ServiceCalls.served(tmp_path, voice(["Hi."], ["We are open all day."])) as calls:
            await counted(calls)  # caches fill
            before, after = await counted(calls), await counted(calls)
            assert after.objects == before.objects
            assert (after.tasks, after.threads) == (before.tasks, before.threads)
            assert after.files <= before.files
            assert not calls.built.registry.in_progress
            assert calls.built.registry.answered == calls.count == 39

    run(main())


def test_many_at_the_last_place_get_it_once(tmp_path: Path) -> None:
    """Also while the answer to the first is being sent, and no call is in progress yet."""

    async def main() -> None:
        async with ServiceCalls.served(tmp_path, voice(["Hi."], ["We are open all day."])) as calls:
            calls.built.registry.capacity.room = Room(most=1, at_once=1)
            codes = await asyncio.gather(*(calls.knock() for _ in range(5)))
            assert sorted(codes) == [WSCloseCode.OK] + [WSCloseCode.TRY_AGAIN_LATER] * 4
            assert calls.built.registry.answered == 1
            assert await calls.knock() == WSCloseCode.OK  # it is free again

    run(main())


@pytest.mark.usefixtures("nothing_left")
def test_a_process_that_is_made_busy_declines_at_once(tmp_path: Path) -> None:
    """By what its loop uses alone; within 0.2 s of its own time, however busy others are."""

    async def keep_busy() -> None:
        while True:
            began = time.thread_time()
            while time.thread_time() - began < 0.005:
                pass
            await asyncio.sleep(0)

    async def main() -> None:
        async with running(tmp_path, alone=False) as server, AsyncExitStack() as calls:
            capacity = server.registry.capacity
            capacity.load.core = 1.0
            first = await calls.enter_async_context(dialled(server.url))
            await first.send_json(CONNECT)
            assert await command(first) == "answer"
            busy = asyncio.create_task(keep_busy())
            await until(lambda: capacity.load.busy > 0.85 and server.registry.no_room(), 60)
            for _ in range(5):
                began = time.process_time()
                assert await declined(server.url) == 503
                assert time.process_time() - began < 0.2
            busy.cancel()
            assert capacity.declined_for["as many calls as the machine carries"] == 5
            assert capacity.declined == 5
            await until(lambda: not server.registry.no_room(), 60)

    asyncio.run(main())
