"""Work that nobody waits for: kept, logged when it fails, and begun again if it must not stop.

A bare task that fails is silent until it is collected, and one that nobody holds may be collected
while it runs. Whatever is not a part of a call, or of a connection to a provider, is started here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from pipelines.backoff import longer
from pipelines.clock import now

log = structlog.get_logger()

Work = Coroutine[Any, Any, None]

AGAIN_FIRST = 1.0
"""Seconds until work that must not stop is begun again: a moment's fault is over by then."""

AGAIN_LONGEST = 60.0
"""Seconds between two tries of work that keeps failing: often enough to come back by itself, and
one traceback a minute in the log."""


CANCEL_WITHIN = 2.0
"""Seconds for work to end that was cancelled; a call and all that is its own are gone within 5."""

CANCEL_TRIES = 2


class BackgroundTasks:
    """The background work of one owner, who closes it in the end.

    Nothing here raises what the work raises: a failure is logged with its traceback, once each
    time, as the bug that it is. Work that may fail for reasons that are no bug catches them itself.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self._closing = False

    @property
    def closing(self) -> bool:
        """Whether what runs is being ended, or was."""
        return self._closing

    def start(self, work: Work, name: str) -> asyncio.Task[None]:
        """Run ``work`` once, now; return its task, which may be cancelled at any time.

        Args:
            work: What to do.
            name: What it is, for the log.
        """
        return self._start(work, name, lambda task: self._log_failure(task, name))

    def start_later(self, seconds: float, work: Callable[[], Work], name: str) -> None:
        """Run ``work()`` once, ``seconds`` from now, unless this is closed before."""
        self._call_later(seconds, lambda: self.start(work(), name))

    def keep_running(self, work: Callable[[], Work], name: str) -> None:
        """Run ``work()`` for good: begin it again whenever it fails, or returns.

        The wait before that is :data:`AGAIN_FIRST`, and twice as long each time up to
        :data:`AGAIN_LONGEST`; it starts over once the work has run for longer than that.
        """
        self._keep_running(work, name, 0.0)

    async def settle(self, within: float) -> None:
        """Let what runs now finish for ``within`` seconds. Nothing is cancelled."""
        if self._tasks and within:
            await asyncio.wait(self._tasks, timeout=within)

    async def aclose(self, within: float = 0.0) -> None:
        """Begin nothing again, let what runs finish for ``within`` seconds, then cancel the rest.

        Returns once nothing runs any more, or a task has passed over two cancellations of
        :data:`CANCEL_WITHIN` each. Cancelling is safe. Work that is started afterwards still runs,
        so that whoever asks a closed owner for something has an error of its own from it; nobody
        ends it any more.
        """
        self._closing = True
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        await self.settle(within)
        for _ in range(CANCEL_TRIES):
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=CANCEL_WITHIN)
        if self._tasks:
            names = sorted(task.get_name() for task in self._tasks)
            log.error("background work does not stop: this is a bug", works=names)

    def _keep_running(self, work: Callable[[], Work], name: str, last: float) -> None:
        began = now()

        def ended(task: asyncio.Task[None]) -> None:
            failed = self._log_failure(task, name)
            if self._closing:
                return
            # Also if it was cancelled: nobody else may end it, and a future that it waits for can.
            if not failed:
                log.error("background work ended, and must not: this is a bug", work=name)
            waited = 0.0 if now() - began > AGAIN_LONGEST else last
            again = longer(waited, first=AGAIN_FIRST, longest=AGAIN_LONGEST)
            self._call_later(again, lambda: self._keep_running(work, name, again))

        async def begin() -> None:
            await work()

        self._start(begin(), name, ended)

    def _start(
        self, work: Work, name: str, ended: Callable[[asyncio.Task[None]], object]
    ) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(ended)
        return task

    def _call_later(self, seconds: float, start: Callable[[], object]) -> None:
        if self._closing:
            return

        def due() -> None:
            self._timers.discard(timer)
            start()

        timer = asyncio.get_running_loop().call_later(seconds, due)
        self._timers.add(timer)

    @staticmethod
    def _log_failure(task: asyncio.Task[None], name: str) -> bool:
        """Log why a task failed; return whether it did."""
        if task.cancelled() or (error := task.exception()) is None:
            return False
        log.error("background work failed: this is a bug", work=name, exc_info=error)
        return True
