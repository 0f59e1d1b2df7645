"""Threads of a model: what waits for one is measured, and what is given up is not begun."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import pytest

from pipelines.providers import moonshine, piper
from pipelines.workers import NICE, OVERTAKEN, OvertakenError, WorkerThreads
from tests.agent.loopback import until

pytestmark = pytest.mark.usefixtures("nothing_left")


def test_the_wait_grows_while_the_threads_are_taken_and_goes_with_it() -> None:
    """The oldest counts while it waits, the median afterwards; what is cancelled is forgotten."""

    async def main() -> None:
        workers, free = WorkerThreads(1, "test"), threading.Event()
        begun: list[str] = []
        assert workers.wait == 0
        first = workers.run(free.wait)
        given_up = workers.run(begun.append, "given up")
        await until(lambda: workers.wait > 0.2)
        given_up.cancel()
        await until(lambda: workers.wait < 0.2)
        last = workers.run(begun.append, "last")
        await until(lambda: workers.wait > 0.2)
        free.set()
        await asyncio.gather(first, last)
        assert begun == ["last"]
        await workers.aclose()
        with pytest.raises(RuntimeError):
            workers.run(begun.append, "closed")

    asyncio.run(main())


def test_what_work_raises_is_raised() -> None:
    """And the thread goes on."""

    async def main() -> None:
        workers = WorkerThreads(1, "test")
        with pytest.raises(ZeroDivisionError):
            await workers.run(lambda: 1 // 0)
        assert await workers.run(lambda: 1) == 1
        await workers.aclose()

    asyncio.run(main())


def test_of_too_many_that_wait_the_oldest_is_not_done() -> None:
    """It says so, and counts as having waited for long: a machine that drops work is too slow."""

    async def main() -> None:
        workers, free = WorkerThreads(1, "test", most_waiting=2), threading.Event()
        begun: list[int] = []
        started = threading.Event()

        def busy() -> None:
            started.set()
            free.wait()

        first = workers.run(busy)
        await asyncio.to_thread(started.wait)
        later = [workers.run(begun.append, number) for number in range(4)]
        assert workers.wait == OVERTAKEN
        free.set()
        await first
        ends = await asyncio.gather(*later, return_exceptions=True)
        assert [type(end) for end in ends] == [OvertakenError] * 2 + [type(None)] * 2
        assert begun == [2, 3]
        await workers.aclose()

    asyncio.run(main())


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority on Linux alone")
def test_threads_of_a_model_are_less_urgent_than_calls() -> None:
    """And the thread that has started them stays as it was."""

    async def main() -> None:
        here = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        workers = WorkerThreads(1, "test")
        assert await workers.run(lambda: os.getpriority(os.PRIO_PROCESS, 0)) == NICE
        assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == here < NICE
        await workers.aclose()

    asyncio.run(main())


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority on Linux alone")
def test_a_voice_is_more_urgent_than_what_hears() -> None:
    """A late transcript is a late answer; late audio is a hole in a word."""

    async def main() -> None:
        voice = piper.Synthesizer(piper.Synthesizer.Options()).workers
        hearing = moonshine.Transcriber(moonshine.Transcriber.Options()).workers
        here = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        found = [
            await one.run(lambda: os.getpriority(os.PRIO_PROCESS, 0)) for one in (voice, hearing)
        ]
        assert here < found[0] < found[1]
        for one in (voice, hearing):
            await one.aclose()

    asyncio.run(main())
