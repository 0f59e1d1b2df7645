"""What is done for calls once a callback is answered: nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable

from agent.sinch.contracts import CallControlError
from agent.store.errors import StoreError
from pipelines.background import BackgroundTasks, Work

FINISH_WITHIN = 3.0
"""Seconds that work for calls has when the process stops."""


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
