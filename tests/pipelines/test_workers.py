"""Threads of a model: what waits for one is measured, and what is given up is not begun."""

from __future__ import annotations

import asyncio
import threading

import pytest

from pipelines.workers import WorkerThreads
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
