"""Background work: nothing fails in silence, and what must not stop does not."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from structlog.testing import capture_logs

from pipelines.background import AGAIN_FIRST, AGAIN_LONGEST, BackgroundTasks
from pipelines.backoff import longer
from pipelines.clock import now
from tests.virtual_time import run


class Watch:
    """Work that must not stop, and does as its script says: how long it runs, and how it ends."""

    def __init__(self, *script: tuple[float, Exception | None]) -> None:
        self.script = list(script)
        self.began: list[float] = []

    async def run(self) -> None:
        self.began.append(now())
        seconds, error = self.script.pop(0) if self.script else (1e6, None)
        await asyncio.sleep(seconds)
        if error is not None:
            raise error


def watched(watch: Watch, seconds: float) -> tuple[list[float], list[str]]:
    """Return when the work began, and what was logged."""

    async def story() -> None:
        tasks = BackgroundTasks()
        tasks.keep_running(watch.run, "watch")
        await asyncio.sleep(seconds)
        await tasks.aclose()
        assert len(asyncio.all_tasks()) == 1

    with capture_logs() as logs:
        run(story())
    return watch.began, [line["event"] for line in logs]


def test_work_that_must_not_stop_begins_again_whatever_it_raised() -> None:
    """After any exception, not only those that somebody thought of; each is logged as a bug."""
    began, logged = watched(Watch((0.0, ValueError("odd")), (0.0, KeyError("x"))), 10.0)
    assert began == [0.0, 1.0, 3.0]
    assert logged == ["background work failed: this is a bug"] * 2


def test_work_that_must_not_stop_begins_again_when_it_returns() -> None:
    """An end without an error is an end all the same."""
    began, logged = watched(Watch((5.0, None)), 10.0)
    assert began == [0.0, 6.0]
    assert logged == ["background work ended, and must not: this is a bug"]


def test_waits_grow_to_a_bound_and_start_over_after_a_good_run() -> None:
    """Work that fails for ever is tried once a minute; one good run forgives all."""
    fails: tuple[float, Exception | None] = (0.0, ValueError("odd"))
    good: tuple[float, Exception | None] = (AGAIN_LONGEST + 1, ValueError("odd"))
    began, _ = watched(Watch(*[fails] * 8, good), 400.0)
    waits = [round(b - a, 3) for a, b in itertools.pairwise(began)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, AGAIN_LONGEST + 1 + AGAIN_FIRST]


def test_work_that_fails_once_is_logged_and_closing_waits_for_the_rest() -> None:
    """What is nearly done finishes; what is not is cancelled; what is to come never starts."""
    done: list[str] = []

    async def work(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        done.append(name)

    async def fail() -> None:
        raise ValueError("odd")

    async def story() -> None:
        tasks = BackgroundTasks()
        tasks.start(fail(), "fails")
        tasks.start(work("short", 1.0), "short")
        tasks.start(work("long", 100.0), "long")
        tasks.start_later(0.5, lambda: work("soon", 0.2), "soon")
        tasks.start_later(50.0, lambda: work("never", 0.0), "never")
        await asyncio.sleep(0.6)
        await tasks.aclose(within=2.0)
        assert now() == 2.6
        assert len(asyncio.all_tasks()) == 1

    with capture_logs() as logs:
        run(story())
    assert done == ["soon", "short"]
    assert [line["work"] for line in logs] == ["fails"]


def test_nothing_is_begun_again_once_closed() -> None:
    """A failure in the last moment does not outlive its owner."""
    watch = Watch((1.0, ValueError("odd")))

    async def story() -> None:
        tasks = BackgroundTasks()
        tasks.keep_running(watch.run, "watch")
        await tasks.aclose(within=5.0)
        await asyncio.sleep(100.0)

    with capture_logs() as logs:
        run(story())
    assert watch.began == [0.0]
    assert len(logs) == 1


def test_work_that_was_cancelled_from_within_begins_again() -> None:
    """A future that it waits for may be cancelled by anybody; only its owner ends the work."""
    began: list[float] = []

    async def work() -> None:
        began.append(now())
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(1.0, future.cancel)
        await future

    async def story() -> None:
        tasks = BackgroundTasks()
        tasks.keep_running(work, "watch")
        await asyncio.sleep(3.0)
        await tasks.aclose()

    with capture_logs() as logs:
        run(story())
    assert began == [0.0, 2.0]
    assert [line["event"] for line in logs] == [
        "background work ended, and must not: this is a bug"
    ]


def test_work_that_cannot_be_made_again_is_tried_again() -> None:
    """Also when it fails before there is a coroutine to run."""
    tries: list[float] = []

    async def fine() -> None:
        await asyncio.sleep(1e6)

    def make() -> Coroutine[Any, Any, None]:
        tries.append(now())
        if len(tries) < 3:
            raise KeyError("odd")
        return fine()

    async def story() -> None:
        tasks = BackgroundTasks()
        tasks.keep_running(make, "watch")
        await asyncio.sleep(10.0)
        await tasks.aclose()

    with capture_logs() as logs:
        run(story())
    assert tries == [0.0, 1.0, 3.0]
    assert len(logs) == 2


def test_work_that_does_not_stop_is_left_behind_and_named() -> None:
    """Whoever closes waits for four seconds, not for ever."""

    async def story() -> None:
        gate = asyncio.Event()

        async def work() -> None:
            while not gate.is_set():
                with suppress(asyncio.CancelledError):
                    await gate.wait()

        tasks = BackgroundTasks()
        task = tasks.start(work(), "stubborn")
        await asyncio.sleep(0)
        await tasks.aclose()
        assert now() == 4.0
        gate.set()
        await asyncio.wait([task])

    with capture_logs() as logs:
        run(story())
    assert [line["works"] for line in logs] == [["stubborn"]]


def test_what_is_started_after_the_end_still_runs() -> None:
    """A closed provider that is asked to speak answers by an error of its own, from its task."""
    done: list[str] = []

    async def work() -> None:
        done.append("late")

    async def story() -> None:
        tasks = BackgroundTasks()
        await tasks.aclose()
        await asyncio.wait([tasks.start(work(), "late")])

    run(story())
    assert done == ["late"]


def test_each_wait_is_twice_the_last_within_bounds() -> None:
    """First, doubled, longest."""
    assert longer(0.0, first=0.5, longest=3.0) == 0.5
    assert longer(0.5, first=0.5, longest=3.0) == 1.0
    assert longer(2.0, first=0.5, longest=3.0) == 3.0
