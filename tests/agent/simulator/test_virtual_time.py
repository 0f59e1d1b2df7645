"""The clock that jumps: over sleep, never over work in a thread or a message on a socket."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.simulator.virtual_time import VirtualTimeLoop, run
from pipelines.clock import now
from pipelines.workers import WorkerThreads


def test_an_hour_of_sleep_takes_no_time() -> None:
    """And the clock says that it was an hour."""

    async def main() -> float:
        await asyncio.sleep(3600)
        return now()

    began = time.monotonic()
    assert run(main()) == pytest.approx(3600)
    assert time.monotonic() - began < 60


def test_no_timer_is_passed_over_while_a_thread_works() -> None:
    """The thread ends when the loop has seen a short timer fire; a long one does not."""

    async def main() -> list[str]:
        free, order = threading.Event(), []
        workers = WorkerThreads(1, "test")

        async def timer(seconds: float, name: str) -> None:
            await asyncio.sleep(seconds)
            order.append(name)
            free.set()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(timer(0.02, "short timer"))
            late = tasks.create_task(timer(1000, "long timer"))
            await workers.run(free.wait)
            order.append("work")
            assert 0.02 <= now() < 1000
            await late
        await workers.aclose()
        return order

    assert run(main()) == ["short timer", "work", "long timer"]


def test_work_takes_what_it_took() -> None:
    """By the clock that jumps, as by the wall's."""

    async def main() -> tuple[float, float]:
        before, began = now(), time.monotonic()
        await asyncio.to_thread(time.sleep, 0.05)
        return now() - before, time.monotonic() - began

    virtual, real = run(main())
    assert 0.05 <= virtual <= real + 0.001


def test_what_is_given_up_is_not_waited_for() -> None:
    """The clock jumps on, though its thread is not done."""

    async def main() -> None:
        free = threading.Event()
        workers = WorkerThreads(1, "test")
        work = workers.run(free.wait)
        work.cancel()
        await asyncio.sleep(3600)
        free.set()
        await workers.aclose()

    run(main())


def test_work_can_be_declared_to_take_a_time() -> None:
    """However long it computes; results come in the order of their requests, timers in theirs."""

    async def once() -> list[tuple[str, float]]:
        seen: list[tuple[str, float]] = []
        threads = ThreadPoolExecutor(3)

        async def work(name: str, computes: float) -> None:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(threads, time.sleep, computes)
            seen.append((name, now()))

        async def timer(seconds: float) -> None:
            await asyncio.sleep(seconds)
            seen.append(("timer", now()))

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(work("slow", 0.05))
            tasks.create_task(work("fast", 0.0))
            tasks.create_task(timer(0.2))
            tasks.create_task(timer(0.3))
        threads.shutdown()
        return seen

    first = run(once(), work_takes=0.25)
    assert [name for name, _ in first] == ["timer", "slow", "fast", "timer"]
    assert [at for _, at in first] == pytest.approx([0.2, 0.25, 0.25, 0.3], abs=1e-5)
    assert run(once(), work_takes=0.25) == first


def test_what_work_raises_is_raised_in_declared_time_too() -> None:
    """And a cancelled request has no result."""

    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        work = asyncio.get_running_loop().run_in_executor(None, str)
        work.cancel()
        await asyncio.wait([work])
        assert work.cancelled()

    run(main(), work_takes=1.0)


def test_an_open_socket_makes_it_the_clock_of_the_wall() -> None:
    """A message may come at any moment: no timer is passed over while one can."""

    async def main() -> None:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        began, real = now(), time.monotonic()
        later = threading.Timer(0.05, theirs.send, [b"x"])
        later.start()
        async with asyncio.timeout(30):
            assert await reader.read(1) == b"x"
        assert now() - began == pytest.approx(time.monotonic() - real, abs=0.02)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        assert loop.ever_connected
        later.join()
        writer.close()
        await writer.wait_closed()
        theirs.close()

    run(main())


def test_nothing_to_wait_for_is_an_error() -> None:
    """Not a process that hangs."""

    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="deadlock"):
        run(main())
