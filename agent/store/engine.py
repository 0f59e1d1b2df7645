"""A database by its address: transactions with a deadline, on SQLite or PostgreSQL.

What is done in a transaction is a plain function of a connection, which may run statements and
nothing else. It runs in a task of its own: whoever waits for it waits no longer than the deadline,
whatever the database does, and may be cancelled at any time. A transaction is done whole or not at
all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.util import find_spec
from typing import Protocol, TypeVar

import structlog
from sqlalchemy import Connection

from agent.settings.database import DatabaseUrl
from agent.store.errors import StoreError, UnreadableRowError
from agent.store.sqlite import SqliteEngine
from pipelines.background import BackgroundTasks
from pipelines.clock import now

log = structlog.get_logger()

T = TypeVar("T")
Work = Callable[[Connection], T]

WITHIN = 2.0
"""Seconds for a transaction: a caller hears nothing meanwhile, and the platform waits for 5."""


OVER_AFTER = 3.0
"""Seconds without a failure until failures are over."""


TOLD_EVERY = 30.0
"""Seconds between two lines about one failure whose reason changes."""


class Database(Protocol):
    """Where transactions run."""

    async def read(self, work: Work[T]) -> T:
        """Return what ``work`` returns, which changes nothing.

        Raises:
            StoreError: If the database fails, or does not answer in time.
        """
        ...

    async def write(self, work: Work[T]) -> T:
        """Return what ``work`` returns, its changes kept; none are if it raises.

        Nobody else writes meanwhile what ``work`` has locked: on SQLite nothing at all, on
        PostgreSQL the rows that it has selected for update.

        Raises:
            StoreError: If the database fails, or does not answer in time; it may be done all the
                same.
        """
        ...

    async def scrub(self) -> None:
        """Have what was deleted be gone from the files, too. It may take seconds; others can write.

        Raises:
            StoreError: If the database fails, or somebody has read in it all the time: then it is
                gone once this is done again.
        """
        ...


class Engine(Protocol):
    """How transactions are run with one kind of database; each raises StoreError if it fails."""

    async def transact(self, work: Work[T], *, writes: bool) -> T:
        """Run ``work`` in a transaction."""
        ...

    async def run_alone(self, work: Work[T]) -> T:
        """Run ``work`` in a transaction while no other process does the same. It may take long."""
        ...

    async def scrub(self) -> None:
        """See :meth:`Database.scrub`."""
        ...

    async def aclose(self) -> None:
        """Disconnect."""
        ...


class SqlDatabase:
    """A database. Close it in the end.

    Its failures are logged once, when they begin, and once when they are over: when something works
    :data:`OVER_AFTER` seconds after the last of them, since some things may work while others fail.

    Args:
        url: Where it is.
        within: Seconds that a transaction may take.
        quiet: Whether failures are not logged, because whoever asks tells of them.

    Raises:
        StoreError: If the address is none, its driver is not installed, or an SQLite file cannot
            be made.
    """

    def __init__(self, url: DatabaseUrl, within: float = WITHIN, *, quiet: bool = False) -> None:
        self._engine = _engine(url, within)
        self._within = within
        self._tasks = BackgroundTasks()
        self._failed_at: float | None = None
        """When something failed last; None if that is over."""

        self._told, self._told_at = "", 0.0
        self._quiet = quiet

    async def read(self, work: Work[T]) -> T:
        """See :class:`Database`."""
        return await self._run(work, writes=False)

    async def write(self, work: Work[T]) -> T:
        """See :class:`Database`."""
        return await self._run(work, writes=True)

    async def run_alone(self, work: Work[T]) -> T:
        """Run ``work`` while no other process does the same; there is no deadline.

        Raises:
            StoreError: If the database fails.
        """
        return await self._engine.run_alone(work)

    async def scrub(self) -> None:
        """See :class:`Database`."""
        await self._engine.scrub()

    async def settle(self) -> None:
        """Let transactions end, also those that nobody waits for any more, in their time."""
        await self._tasks.settle(self._within)

    async def aclose(self) -> None:
        """Let transactions end in the time that they have, then disconnect."""
        await self._tasks.aclose(self._within)
        await self._engine.aclose()

    async def _run(self, work: Work[T], *, writes: bool) -> T:
        outcome: list[T | StoreError | UnreadableRowError] = []
        task = self._tasks.start(self._transact(work, outcome, writes=writes), "a transaction")
        await asyncio.wait([task], timeout=self._within)
        if not task.done():
            task.cancel()
            outcome = [StoreError(f"no answer within {self._within:g} s")]
        elif not task.cancelled() and (bug := task.exception()) is not None:
            raise bug
        result = outcome[0] if outcome else StoreError("closed")
        if isinstance(result, StoreError):
            self._note(str(result))
            raise result
        self._note("")
        if isinstance(result, UnreadableRowError):
            raise result
        return result

    async def _transact(
        self,
        work: Work[T],
        outcome: list[T | StoreError | UnreadableRowError],
        *,
        writes: bool,
    ) -> None:
        try:
            outcome.append(await self._engine.transact(work, writes=writes))
        except (StoreError, UnreadableRowError) as error:
            outcome.append(error)

    def _note(self, error: str) -> None:
        if self._quiet:
            return
        last, at = self._failed_at, now()
        if error:
            # Or when it fails for another reason than before, now and then.
            if last is None or (error != self._told and at - self._told_at > TOLD_EVERY):
                log.critical("the database fails; calls in progress go on", error=error)
                self._told, self._told_at = error, at
            self._failed_at = at
        elif last is not None and at - last > OVER_AFTER:
            log.warning("the database works again")
            self._failed_at = None


def _engine(url: DatabaseUrl, within: float) -> Engine:
    address = url.get_secret_value()
    if not url.is_postgresql:
        return SqliteEngine(address, within)
    if find_spec("asyncpg") is None:
        raise StoreError('PostgreSQL needs asyncpg: pip install "sinch-voice-agent[postgresql]"')
    from agent.store.postgresql import PostgresqlEngine  # noqa: PLC0415 - an extra

    return PostgresqlEngine(address, within)
