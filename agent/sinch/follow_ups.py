"""What is done for calls once a callback is answered: nobody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

from agent.sinch.refusals import CallControlError, UnavailableError
from agent.store.errors import StoreError
from pipelines.background import BackgroundTasks, Work
from pipelines.backoff import longer
from pipelines.clock import now

log = structlog.get_logger()

T = TypeVar("T")

FINISH_WITHIN = 3.0
"""Seconds that work for calls has when the process stops."""

AGAIN_FIRST, AGAIN_LONGEST = 1.0, 15.0
"""Seconds until work that must be done is tried again, while the database or Sinch is away:
somebody may sit in a silent conference meanwhile."""

TRIED_FOR = 600.0
"""Seconds after which even that is given up: hardly anybody waits in silence for longer."""


class FollowUps:
    """Work for calls, now or later. Close it in the end.

    That the platform refuses something, or the database fails, is no bug, and is logged where it
    happens. Anything else that work raises is logged as the bug that it is.
    """

    def __init__(self) -> None:
        self._tasks = BackgroundTasks()

    def start(self, work: Work, name: str) -> None:
        """Do it now.

        Args:
            work: What to do.
            name: What it is, for the log.
        """
        self._tasks.start(_unattended(work), name)

    def insist(self, work: Callable[[], Work], name: str, *, after: float = 0.0) -> None:
        """Do it, and do it again while the database or Sinch fails, for :data:`TRIED_FOR`.

        For what leaves somebody alone on the line if it is not done. It has to bear being done
        twice: what has failed may have been done.

        Args:
            work: Returns what to do.
            name: What it is, for the log.
            after: Seconds from now; nothing is done then if this is closed before.
        """
        if after:
            self._tasks.start_later(after, lambda: _insisted(work, name), name)
        else:
            self._tasks.start(_insisted(work, name), name)

    async def finish(
        self,
        work: Callable[[], Coroutine[Any, Any, T]],
        name: str,
        otherwise: T,
        late: Callable[[T], object] | None = None,
    ) -> T:
        """Do it now, to the end, though whoever waits for it is cancelled; return what it gives.

        For the rest of what was begun by a change of the database that cannot be made twice. If the
        database fails, it is done again, as :meth:`insist` does, and nobody waits for that.

        Args:
            work: Returns what to do.
            name: What it is, for the log.
            otherwise: Is returned at once if the database fails.
            late: Is given what the work gives, once nobody waits for that any more.
        """
        told: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        async def attempt() -> None:
            given, done = otherwise, False
            try:
                given, done = await work(), True
            finally:
                if not told.done():
                    told.set_result(given)
                elif done and late is not None:
                    late(given)

        self._tasks.start(_insisted(attempt, name), name)
        return await told

    def start_later(self, seconds: float, work: Callable[[], Work], name: str) -> None:
        """Do it ``seconds`` from now, unless this is closed before."""
        self._tasks.start_later(seconds, lambda: _unattended(work()), name)

    async def aclose(self) -> None:
        """Finish what was begun on behalf of calls, in a few seconds; then let it be."""
        await self._tasks.aclose(FINISH_WITHIN)


async def _unattended(work: Work) -> None:
    try:
        await work
    except (CallControlError, StoreError):
        return  # logged where it was raised


async def _insisted(work: Callable[[], Work], name: str) -> None:
    wait, until = 0.0, now() + TRIED_FOR
    while True:
        try:
            await work()
        except (StoreError, UnavailableError):
            wait = longer(wait, first=AGAIN_FIRST, longest=AGAIN_LONGEST)
        except CallControlError:
            return  # logged where it was raised
        else:
            return
        if now() + wait > until:
            log.error("the database or Sinch is away: work for a call is given up", work=name)
            return
        await asyncio.sleep(wait)
