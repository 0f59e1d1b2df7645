"""Transactions on an SQLite file, in threads: one that writes, and some that read.

A transaction runs in one thread from its beginning to its end, so that nobody else waits for the
file while this process's event loop is busy; and it costs one change of threads, where an
asynchronous driver costs one a statement.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from agent.private_files import make_private_file
from agent.store.errors import StoreError, reason

T = TypeVar("T")

BUSY = 1.0
"""Seconds to wait for another process that writes to the file: less than a transaction may take,
since a thread that waits cannot be stopped."""

READERS = 2
"""Threads that read; one writes."""

AGAIN_AFTER = 0.1
"""Seconds until it is tried again to have the file alone."""


class SqliteEngine:
    """A file. Close it in the end.

    Args:
        address: ``sqlite:///`` and its path.

    Raises:
        StoreError: If the address is none, or the file cannot be made or not be written.
    """

    def __init__(self, address: str) -> None:
        try:
            url = make_url(address)
        except ArgumentError:
            raise StoreError("this is no address of a database") from None
        _make_private(url)
        self._writing = _engine(url, "BEGIN IMMEDIATE", connections=1)
        self._reading = _engine(url, "BEGIN", connections=READERS)
        self._writer = ThreadPoolExecutor(1, "database")
        self._readers = ThreadPoolExecutor(READERS, "database")

    async def transact(self, work: Callable[[Connection], T], *, writes: bool) -> T:
        """Run ``work`` in a transaction. If this is cancelled, it may be done all the same.

        Raises:
            StoreError: If the file cannot be read or written.
        """
        threads = self._writer if writes else self._readers
        engine = self._writing if writes else self._reading
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(threads, _transact, engine, work)
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise StoreError(reason(error)) from None

    async def run_alone(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction, which nobody else can begin meanwhile.

        Raises:
            StoreError: If the file cannot be written.
        """
        loop = asyncio.get_running_loop()
        while True:
            try:
                # Readers and the writer do not wait for each other then; it is kept in the file.
                await loop.run_in_executor(self._writer, _set_wal, self._writing)
                return await loop.run_in_executor(self._writer, _transact, self._writing, work)
            except (SQLAlchemyError, sqlite3.Error, OSError) as error:
                if not _is_locked(error):
                    raise StoreError(reason(error)) from None
            await asyncio.sleep(AGAIN_AFTER)

    async def aclose(self) -> None:
        """Close the file, once what runs has ended."""
        await asyncio.to_thread(self._aclose)

    def _aclose(self) -> None:
        for threads in (self._writer, self._readers):
            threads.shutdown(cancel_futures=True)
        for engine in (self._writing, self._reading):
            engine.dispose()


def _engine(url: URL, begin: str, *, connections: int) -> Engine:
    """Return an engine whose transactions begin with ``begin``.

    ``synchronous = NORMAL`` keeps what was committed when a process dies; only a host that loses
    power may lose the last moments, whose calls it has lost as well.
    """
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=connections,
        max_overflow=0,
        connect_args={"timeout": BUSY, "isolation_level": None, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous = NORMAL")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _transact(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.begin() as connection:
        return work(connection)


def _set_wal(engine: Engine) -> None:
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()


def _is_locked(error: Exception) -> bool:
    """Return whether the file is another process's for the moment."""
    cause = getattr(error, "orig", None) or error
    return getattr(cause, "sqlite_errorname", "").startswith("SQLITE_BUSY")


def _make_private(url: URL) -> None:
    """Have the file be there, for its owner alone: it holds numbers. Its journals follow it."""
    try:
        make_private_file(Path(url.database or ""))
    except OSError as error:
        raise StoreError(error.strerror or str(error)) from None
