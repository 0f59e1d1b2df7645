"""Threads that a model of this machine runs in, and how long its work waits for one.

The wait is the first that grows when a machine has too much to do, long before the event loop is
late: a model computes without the interpreter's lock, and callers are answered later and later.
They are less urgent than the threads that carry calls: on Linux, the scheduler gives a core to the
event loop first (``python -m tests.benchmarks.models_beside_calls``).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar, runtime_checkable

from pipelines.priority import lower_thread_priority

T = TypeVar("T")

LATELY = 5.0
"""Seconds over which :attr:`WorkerThreads.wait` looks back: about a turn of a conversation."""

NICE = 5
"""How nice models are to calls, where 0 is as urgent and 19 hardly ever runs: beside an event loop
that wants all of a core they get a quarter of it, so that an answer comes while it matters."""

VOICE_NICE = 2
"""How nice a voice is: a model that hears or judges late answers later, but a voice that is late
leaves a hole in a word. Beside others it has twice the core that each of them has."""

OVERTAKEN = 1.0
"""Seconds that work counts as having waited which newer work has overtaken: longer than anybody
waits for it, so that a machine that drops most of it is seen to have too much to do."""


class OvertakenError(Exception):
    """Work was not done: too much that is newer waits for the threads."""


class WorkerThreads:
    """The threads of one model. They start with the first work; close them in the end.

    Args:
        threads: Pieces of work done at once; others wait, in the order in which they came.
        name: Of the threads.
        most_waiting: Pieces of work that wait at the most. One more, and the oldest is not done any
            more: its future raises :class:`OvertakenError`. None for as many as come.
        nice: How much less urgent than calls they are.
    """

    def __init__(
        self, threads: int, name: str, *, most_waiting: int | None = None, nice: int = NICE
    ) -> None:
        self._pool = ThreadPoolExecutor(threads, name, lower_thread_priority, (nice,))
        self._most_waiting = most_waiting
        self._waiting: dict[int, float] = {}  # since when, by :func:`time.monotonic`
        self._waited: deque[tuple[float, float]] = deque(maxlen=1000)  # when, and for how long
        self._count = 0

    def run(self, work: Callable[..., T], *arguments: object) -> asyncio.Future[T]:
        """Do ``work`` in a thread. Cancelling the future is safe: it is then not begun any more."""
        self._count += 1
        ticket = self._count
        self._waiting[ticket] = time.monotonic()
        self._overtake()

        def begin() -> T:
            at = time.monotonic()
            since = self._waiting.pop(ticket, None)
            if since is None:
                raise OvertakenError
            self._waited.append((at, at - since))
            return work(*arguments)

        def forget(_future: asyncio.Future[T]) -> None:
            self._waiting.pop(ticket, None)  # it was cancelled

        # By the loop, not by the pool: one in virtual time has to know of work in threads.
        future = asyncio.get_running_loop().run_in_executor(self._pool, begin)
        future.add_done_callback(forget)
        return future

    def _overtake(self) -> None:
        """Let go of the oldest that wait, if they are too many."""
        if self._most_waiting is None:
            return
        for ticket in list(self._waiting.copy())[: -self._most_waiting]:
            if self._waiting.pop(ticket, None) is not None:  # not begun by a thread meanwhile
                self._waited.append((time.monotonic(), OVERTAKEN))

    @property
    def wait(self) -> float:
        """Seconds that work waits for a thread, of late: the median, or what waits now if longer.

        0 if there was none.
        """
        at = time.monotonic()
        longest = max((at - since for since in self._waiting.copy().values()), default=0.0)
        lately = sorted(waited for when, waited in self._waited.copy() if at - when < LATELY)
        return max(longest, lately[len(lately) // 2] if lately else 0.0)

    async def aclose(self) -> None:
        """End the threads, once what was given to them is done. Later work raises RuntimeError.

        Its queue is not cancelled: that would raise CancelledError in tasks that nobody cancelled.
        """
        await asyncio.to_thread(self._pool.shutdown)


@runtime_checkable
class OnThisMachine(Protocol):
    """A model that computes here, and so competes with calls for the cores."""

    workers: WorkerThreads
