"""Transactions on an SQLite file, in threads: one that writes, and some that read.

A transaction runs in one thread from its beginning to its end, so that nobody else waits for the
file while this process's event loop is busy; and it costs one change of threads, where an
asynchronous driver costs one a statement. What was committed stands in a log beside the file, and
is taken into it, and synced, in a thread of its own: no transaction waits for the disk.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

import structlog
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from agent.private_files import make_private_file
from agent.store.errors import StoreError, reason

log = structlog.get_logger()

T = TypeVar("T")

BUSY = 1.0
"""Seconds to wait for another process that writes to the file: less than a transaction may take,
since a thread that waits cannot be stopped."""

READERS = 2
"""Threads that read; one writes."""

LOOKED_AT = 10_000
"""Steps of SQLite's machine between two looks at the time: less than a millisecond."""

MERGED = 500
"""Pages of a full-text index that are merged in one transaction: some milliseconds."""

CHECKPOINTS = 20
"""Times that the log is tried to be emptied; readers are in it for milliseconds."""

LOG_LOOKED_AT_EVERY = 0.5
"""Seconds between two looks whether the log is to be taken into the file, while it is written."""

LOG_BYTES = 4_000_000
"""Size of the log from which on it is: as much as SQLite itself lets come together. It does so
within a transaction, which others wait behind."""

LOG_PAGES_AT_MOST = 16_000
"""Pages of the log (64 MB) with which it is done within a transaction after all."""

AGAIN_AFTER = 0.1
"""Seconds until it is tried again to have the file alone."""


class SqliteEngine:
    """A file. Close it in the end.

    Args:
        address: ``sqlite:///`` and its path.
        within: Seconds after which what only reads is broken off: nobody waits for it any more, and
            others want the thread.

    Raises:
        StoreError: If the address names no file, or the file cannot be made or not be written.
    """

    def __init__(self, address: str, within: float) -> None:
        self._within = within
        self._path = path = _path(address)
        self._file = _made_private(path)
        url = URL.create("sqlite", database=str(path))
        self._writing = _engine(url, "BEGIN IMMEDIATE", connections=1)
        self._reading = _engine(url, "BEGIN", connections=READERS)
        self._writer = ThreadPoolExecutor(1, "database")
        self._readers = ThreadPoolExecutor(READERS, "database")
        self._log = ThreadPoolExecutor(1, "database log")
        self._log_at = 0.0  # when it was looked at last

    async def transact(self, work: Callable[[Connection], T], *, writes: bool) -> T:
        """Run ``work`` in a transaction. If this is cancelled, it may be done all the same.

        Raises:
            StoreError: If the file cannot be read or written.
        """
        threads = self._writer if writes else self._readers
        engine = self._writing if writes else self._reading
        loop = asyncio.get_running_loop()
        try:
            result = await loop.run_in_executor(threads, self._transact, engine, work)
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise StoreError(reason(error)) from None
        if writes and time.monotonic() - self._log_at >= LOG_LOOKED_AT_EVERY:
            self._log_at = time.monotonic()
            with suppress(RuntimeError):  # it is closed this very moment
                self._log.submit(self._shorten_log)
        return result

    async def run_alone(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction, which nobody else can begin meanwhile.

        Raises:
            StoreError: If the file cannot be written.
        """
        loop, told = asyncio.get_running_loop(), False
        while True:
            try:
                # Readers and the writer do not wait for each other then; it is kept in the file.
                await loop.run_in_executor(self._writer, _set_wal, self._writing)
                return await loop.run_in_executor(self._writer, _transact, self._writing, work)
            except (SQLAlchemyError, sqlite3.Error, OSError) as error:
                if not _is_locked(error):
                    raise StoreError(reason(error)) from None
            if not told:
                told = True
                log.warning("the database is locked by another process; waiting for it")
            await asyncio.sleep(AGAIN_AFTER)

    async def scrub(self) -> None:
        """Have what was deleted be gone from the file, its log, and its full-text indexes.

        Raises:
            StoreError: If the file cannot be written, or readers did not let go of the log.
        """
        loop = asyncio.get_running_loop()
        try:
            for table in await loop.run_in_executor(self._writer, _full_text, self._writing):
                more, pages = True, -MERGED  # which is for all segments, however few
                while more:  # a little at a time: nobody else can write meanwhile
                    more = await loop.run_in_executor(
                        self._writer, _merge, self._writing, table, pages
                    )
                    pages = MERGED
                    await asyncio.sleep(0)
            for _ in range(CHECKPOINTS):
                if await loop.run_in_executor(self._writer, _empty_log, self._writing):
                    return
                await asyncio.sleep(AGAIN_AFTER)
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise StoreError(reason(error)) from None
        raise StoreError("others read in it all the time: what was deleted is still in its log")

    async def aclose(self) -> None:
        """Close the file, once what runs has ended; also if this is cancelled."""
        closed = asyncio.wrap_future(self._writer.submit(self._close))
        self._writer.shutdown(wait=False)
        await asyncio.wait([closed])  # does not cancel it
        closed.result()

    def _transact(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        # SQLite would go on with a file that has no name any more, apart from all other processes.
        if _identity(self._path) != self._file:
            raise StoreError("its file was removed or replaced: start the service again")
        if engine is self._reading:
            return _transact(engine, partial(_in_time, work, time.monotonic() + self._within))
        return _transact(engine, work)

    def _shorten_log(self) -> None:
        log_file = Path(f"{self._path}-wal")
        try:
            if log_file.stat().st_size <= LOG_BYTES or _identity(self._path) != self._file:
                return
            with closing(sqlite3.connect(self._path, timeout=0)) as connection:
                # Others read and write meanwhile; what they are still in is left for the next time.
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except (sqlite3.Error, OSError) as error:
            log.debug("the log of the database stays as it is", error=reason(error))

    def _close(self) -> None:
        self._log.shutdown(cancel_futures=True)
        self._readers.shutdown(cancel_futures=True)
        for engine in (self._reading, self._writing):
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
        connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
        connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES_AT_MOST}")
        connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")  # once all of it is taken

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _transact(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.begin() as connection:
        return work(connection)


def _in_time(work: Callable[[Connection], T], until: float, connection: Connection) -> T:
    """Run ``work``, or break it off: SQLite says then that it was interrupted."""
    driver = cast("sqlite3.Connection", connection.connection.driver_connection)
    driver.set_progress_handler(lambda: time.monotonic() > until, LOOKED_AT)
    try:
        return work(connection)
    finally:
        driver.set_progress_handler(None, LOOKED_AT)


def _set_wal(engine: Engine) -> None:
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()


def _full_text(engine: Engine) -> list[str]:
    """Return the names of the tables that are full-text indexes."""
    found = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%using fts5%'"
    with engine.connect() as connection:
        return list(connection.exec_driver_sql(found).scalars())


def _merge(engine: Engine, table: str, pages: int) -> bool:
    """Merge some segments of a full-text index, which keep words that were deleted until then.

    Returns:
        Whether there is more to merge: https://www.sqlite.org/fts5.html#the_merge_command
    """
    with engine.begin() as connection:
        count = "SELECT total_changes()"
        before = connection.exec_driver_sql(count).scalar_one()
        merge = f'INSERT INTO "{table}"("{table}", rank) VALUES (\'merge\', {pages})'  # noqa: S608
        connection.exec_driver_sql(merge)
        return int(connection.exec_driver_sql(count).scalar_one() - before) >= 2


def _empty_log(engine: Engine) -> bool:
    """Take the log into the file, and cut it to nothing; return whether nobody read in it."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy, *_ = cursor.fetchone() or (1,)
        return not busy
    finally:
        connection.close()


def _is_locked(error: Exception) -> bool:
    """Return whether the file is another process's for the moment."""
    cause = getattr(error, "orig", None) or error
    return getattr(cause, "sqlite_errorname", "").startswith("SQLITE_BUSY")


def _path(address: str) -> Path:
    """Return the path that an address names.

    Raises:
        StoreError: If it names none, or something else than a file.
    """
    name = address.removeprefix("sqlite:///")
    if not name or name == ":memory:" or "?" in name:
        raise StoreError("sqlite:/// takes the path of a file, and no options")
    path = Path(name)
    if path.exists() and not path.is_file():
        raise StoreError("this is no file")
    return path


def _made_private(path: Path) -> tuple[int, int] | None:
    """Have the file be there, for its owner alone: it holds numbers. Its journals follow it.

    Returns:
        What tells it from another of that name.

    Raises:
        StoreError: If it cannot be made, or not be written.
    """
    try:
        make_private_file(path)
        return _identity(path)
    except OSError as error:
        raise StoreError(error.strerror or str(error)) from None


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells the file there from another of that name; None if there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
