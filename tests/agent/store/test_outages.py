"""A database that goes away, hangs or is locked: told once, waited for no longer than a moment."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from agent.settings.database import DatabaseUrl
from agent.store import tables
from agent.store.engine import OVER_AFTER, TOLD_EVERY, WITHIN, SqlDatabase
from agent.store.errors import StoreError
from agent.store.live_calls import BEAT_EVERY, DEAD_AFTER
from agent.store.sqlite import LOG_BYTES, LOG_PAGES_AT_MOST
from agent.store.store import Store, opened
from tests.databases import FILE, PostgresqlServer
from tests.patience import PATIENCE

pytestmark = pytest.mark.usefixtures("nothing_left")
AWAY, BACK = "the database fails; calls in progress go on", "the database works again"


async def fails(store: Store, times: int = 3) -> list[float]:
    """Ask for something, so often; return how long each took to fail."""
    taken = []
    for number in range(times):
        began = time.perf_counter()
        with pytest.raises(StoreError):
            await store.claims.claim(f"a number: +15550000001, {number}")
        taken.append(time.perf_counter() - began)
    return taken


async def works(store: Store) -> None:
    """Wait until it does again, and that is told."""
    async with asyncio.timeout(PATIENCE):
        worked_at = 0.0
        while not worked_at or time.monotonic() < worked_at + OVER_AFTER + 0.5:
            try:
                await store.legs.put("x", {})
            except StoreError:
                worked_at = 0.0
            else:
                worked_at = worked_at or time.monotonic()
            await asyncio.sleep(0.1)


def told(logs: list[Any]) -> list[str]:
    """Return what was logged of the database."""
    assert "+15550000001" not in str(logs)
    return [line["event"] for line in logs if "database" in line["event"]]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Write to an SQLite file, without an end."""
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_a_server_that_stops_and_starts(postgresql_server: PostgresqlServer) -> None:
    """Whoever asks is told at once; then it works again by itself, and orders are heard."""

    async def main() -> None:
        async with opened(url) as store, opened(url) as other:
            await store.legs.put("x", {})
            with capture_logs() as logs:
                await asyncio.to_thread(postgresql_server.stop)
                try:
                    assert max(await fails(store)) < WITHIN + 1
                    assert max(await fails(other)) < WITHIN + 1
                finally:
                    await asyncio.to_thread(postgresql_server.start)
                await works(store)
                await works(other)
                await store.orders.leave("c1", {"n": 1})
                async with asyncio.timeout(PATIENCE):
                    while not await other.orders.take(["c1"]):
                        await other.orders.arrivals.wait()
            # Each of them tells it once.
            assert sorted(told(logs)) == [AWAY, AWAY, BACK, BACK]

    url = DatabaseUrl(postgresql_server.new_database())
    asyncio.run(main())


def test_a_server_that_hangs_is_not_waited_for(postgresql_server: PostgresqlServer) -> None:
    """Neither by whoever asks, nor by the event loop; nor when the service stops meanwhile."""

    async def main() -> None:
        async with AsyncExitStack() as stack, opened(url) as store:
            other = await stack.enter_async_context(opened(url))
            await asyncio.gather(store.legs.put("x", {}), *(other.legs.get("x") for _ in range(5)))
            pids = postgresql_server.processes()
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            try:
                with capture_logs() as logs:
                    taken = await asyncio.gather(*(fails(store, 1) for _ in range(20)))
                    assert max(seconds for (seconds,) in taken) < WITHIN + 0.5
                    began = time.perf_counter()
                    await stack.aclose()
                    assert time.perf_counter() - began < 5 * WITHIN
                assert told(logs) == [AWAY, AWAY]
            finally:
                for pid in pids:
                    os.kill(pid, signal.SIGCONT)
            await works(store)

    url = DatabaseUrl(postgresql_server.new_database())
    asyncio.run(main())


def test_a_file_that_is_locked_is_not_waited_for(tmp_path: Path) -> None:
    """What only reads goes on; it is written again as soon as it can be."""

    async def main() -> None:
        async with opened(DatabaseUrl(f"sqlite:///{FILE}")) as store:
            await store.legs.put("x", {"a": 1})
            with capture_logs() as logs:
                with locked(tmp_path):
                    assert max(await fails(store, 2)) < WITHIN + 0.5
                    assert await store.legs.get("x") == {"a": 1}
                    await store.legs.get("x")
                    await fails(store, 1)
                await works(store)
            assert told(logs) == [AWAY, BACK]

    asyncio.run(main())


def test_the_event_loop_is_free_meanwhile(tmp_path: Path) -> None:
    """Others are served while a thread waits for the file."""

    async def main() -> None:
        async with opened(DatabaseUrl(f"sqlite:///{FILE}")) as store:
            with locked(tmp_path):
                asking = asyncio.ensure_future(fails(store, 1))
                turns = 0
                while not asking.done():
                    await asyncio.sleep(0.005)
                    turns += 1
            await asking
            assert turns > 50

    asyncio.run(main())


def test_who_is_cancelled_leaves_nothing_half_done(database_url: DatabaseUrl) -> None:
    """A transaction that was begun is done or not, and the next one is not kept waiting."""

    async def main() -> None:
        async with opened(database_url) as store:
            for number in range(30):
                asking = asyncio.ensure_future(store.legs.put("x", {"n": number}))
                await asyncio.sleep(0.0003 * number)
                asking.cancel()
                await asyncio.wait([asking])
            found = await store.legs.get("x")
            assert found is None or found["n"] in range(30)
            await store.legs.put("y", {"n": 99})
            assert await store.legs.get("y") == {"n": 99}

    asyncio.run(main())


def test_a_transaction_that_nobody_waits_for_is_settled(tmp_path: Path) -> None:
    """What is asked for afterwards comes after it: leaving, after a last heartbeat."""

    async def main() -> None:
        url = DatabaseUrl(f"sqlite:///{FILE}")
        # Whoever waits for a lock gives up after a second, and busy machines take longer.
        database, begun, go_on = SqlDatabase(url, within=60), Event(), Event()
        mark = tables.claims.insert().values(name="n", owner="o", at=time.time())  # none to sweep

        def write(connection: Connection) -> None:
            begun.set()
            assert go_on.wait(60)
            connection.execute(mark)

        async with opened(url):
            writing = asyncio.ensure_future(database.write(write))
            assert await asyncio.to_thread(begun.wait, 60)
            writing.cancel()
            await asyncio.wait([writing])
            settling = asyncio.ensure_future(database.settle())
            await asyncio.wait([settling], timeout=0.05)
            assert not settling.done()
            go_on.set()
            await settling
            found = await database.read(lambda c: c.execute(tables.claims.select()).all())
            assert [row.name for row in found] == ["n"]
        await database.aclose()

    asyncio.run(main())


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_was_removed_is_noticed(tmp_path: Path, replaced: bool) -> None:
    """SQLite would go on with what has no name any more, apart from all other processes."""

    async def main() -> None:
        async with opened(DatabaseUrl(f"sqlite:///{FILE}")) as store:
            await store.legs.put("x", {})
            with capture_logs() as logs:
                (tmp_path / FILE).rename(tmp_path / "elsewhere")
                if replaced:
                    (tmp_path / FILE).touch()
                with pytest.raises(StoreError, match="removed or replaced"):
                    await store.legs.get("x")
                await fails(store, 1)
            assert told(logs) == [AWAY]

    asyncio.run(main())


@pytest.mark.timeout(60)
def test_the_log_is_taken_into_the_file_beside_transactions(tmp_path: Path) -> None:
    """SQLite would do it within one that others wait behind, and have the disk sync it there."""
    log_file = tmp_path / f"{FILE}-wal"

    async def main() -> None:
        async with opened(DatabaseUrl(f"sqlite:///{FILE}")) as store:
            row = 0
            while not log_file.exists() or log_file.stat().st_size <= LOG_BYTES:
                await store.legs.put(f"{(row := row + 1)}", {"x": "x" * 200_000})
                within = await store.database.write(
                    lambda c: c.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar()
                )
                assert within == LOG_PAGES_AT_MOST
            while log_file.stat().st_size > LOG_BYTES:  # cut by the first write behind it
                await store.legs.put("y", {})
                await asyncio.sleep(0.05)

    asyncio.run(main())


def test_another_reason_is_told_too(tmp_path: Path) -> None:
    """Whoever mends the first finds the second in the log; but not each time that they change."""

    async def main() -> None:
        database = SqlDatabase(DatabaseUrl(f"sqlite:///{FILE}"))
        reasons = ["one", "one", "two", "one", "two"]
        with capture_logs() as logs:
            for number, reason in enumerate(reasons):
                database._note(reason)
                if number == 1:
                    database._told_at -= TOLD_EVERY + 1
        assert [line["error"] for line in logs] == ["one", "two"]
        await database.aclose()

    asyncio.run(main())


def test_a_silent_heart_is_no_proof_while_the_database_fails(database_url: DatabaseUrl) -> None:
    """Calls of others are unknown then, not over; until they, too, had the time to beat again."""

    async def main() -> None:
        async with opened(database_url) as one, opened(database_url) as other:
            other.live_calls.began("c1", "reception")
            await other.live_calls.beat()
            assert [call.name for call in await one.live_calls.others()] == ["c1"]
            assert one.live_calls._beat_at is not None
            one.live_calls._beat_at -= DEAD_AFTER + 1
            asked = (
                one.live_calls.others,
                lambda: one.live_calls.where("c1"),
                lambda: one.live_calls.alive(other.live_calls.process),
            )
            for ask in asked:
                with pytest.raises(StoreError, match="not known"):
                    await ask()
            await one.live_calls.beat()
            with pytest.raises(StoreError, match="not known"):
                await one.live_calls.others()
            one.live_calls._sees_from -= BEAT_EVERY
            assert [call.name for call in await one.live_calls.others()] == ["c1"]

    asyncio.run(main())
