"""What processes share, on SQLite and on PostgreSQL: claims, entries, orders, and who is alive."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Table, Update

from agent.settings.database import DatabaseUrl
from agent.store import tables
from agent.store.engine import SqlDatabase
from agent.store.entries import Entry
from agent.store.live_calls import DEAD_AFTER
from agent.store.store import opened
from agent.store.sweep import AT_ONCE, KEPT, sweep
from tests.databases import alter

STRANGE = "a/../b\0\ud800"
"""What comes from outside may be anything."""


def test_a_claim_is_made_once_and_told_its_age(database_url: DatabaseUrl) -> None:
    """By any process; it can be given back."""

    async def main() -> None:
        async with opened(database_url) as one, opened(database_url) as other:
            assert await one.claims.find(STRANGE) is None
            assert await one.claims.claim(STRANGE, {"a": STRANGE}) is None
            claim = await other.claims.claim(STRANGE)
            assert claim is not None
            assert 0 <= claim.age < 10
            assert (claim.owner, claim.value) == (one.live_calls.process, {"a": STRANGE})
            assert await one.claims.find(STRANGE) is not None
            await other.claims.release(STRANGE)
            assert await one.claims.claim(STRANGE) is None

    asyncio.run(main())


def test_several_claims_are_made_at_once(database_url: DatabaseUrl) -> None:
    """Those that were made before come back, with what was left with them."""

    async def main() -> None:
        async with opened(database_url) as one, opened(database_url) as other:
            assert await one.claims.claim_each(["a", "b"]) == []
            await one.claims.leave(["a", "b", "no such"], {"told": 1})
            found = await other.claims.claim_each(["c", "b", "a"])
            assert [claim.value for claim in found] == [{"told": 1}] * 2
            # Whatever the order, nobody waits for somebody who waits for them.
            names = [f"x{n}" for n in range(20)]
            both = [one.claims.claim_each(names), other.claims.claim_each(names[::-1])]
            first, second = await asyncio.gather(*both)
            assert {len(first), len(second)} == {0, 20}

    asyncio.run(main())


def test_an_entry_replaces_what_was_there(database_url: DatabaseUrl) -> None:
    """It is whole, whatever is in it; what is not there is not changed."""

    async def main() -> None:
        async with opened(database_url) as one, opened(database_url) as other:
            assert await one.legs.get(STRANGE) is None
            assert await one.legs.change(STRANGE, lambda entry: (entry, True)) is None
            await one.legs.put(STRANGE, {"a": STRANGE})
            await other.legs.put(STRANGE, {"a": 2})
            assert await one.legs.get(STRANGE) == {"a": 2}
            assert await one.calls.get(STRANGE) is None
            let_be: Callable[[Entry], tuple[Entry, bool] | None] = lambda _entry: None  # noqa: E731 - typed
            assert await one.legs.change(STRANGE, let_be) is None
            assert await one.legs.get(STRANGE) == {"a": 2}

    asyncio.run(main())


def test_an_entry_that_was_cut_off_is_none(tmp_path: Path) -> None:
    """That is no reason for a 500; it can be written again."""

    async def main() -> None:
        async with opened(DatabaseUrl("sqlite:///voice-agent.db")) as store:
            await store.legs.put("x", {"a": 1})
            for broken in ("", "{", "[1]", "7"):
                alter(tmp_path, f"UPDATE legs SET value = '{broken}'")  # noqa: S608 - of this test
                assert await store.legs.get("x") is None
            await store.legs.put("x", {"a": 2})
            assert await store.legs.get("x") == {"a": 2}

    asyncio.run(main())


CHANGES, PROCESSES = 100, 3


def _count(url: str) -> None:
    """Add one to an entry, again and again, some at once."""

    async def main() -> None:
        async with opened(DatabaseUrl(url)) as store:

            async def some() -> None:
                for _ in range(CHANGES // 4):
                    added = await store.legs.change("n", lambda e: ({"n": e["n"] + 1}, True))
                    assert added

            await asyncio.gather(*(some() for _ in range(4)))

    asyncio.run(main())


def test_no_change_is_lost_however_many_make_one(database_url: DatabaseUrl) -> None:
    """What is read to be changed is nobody else's until it is written."""
    url = database_url.get_secret_value()

    async def put_and_get(*, put: bool) -> object:
        async with opened(database_url) as store:
            if put:
                await store.legs.put("n", {"n": 0})
            return await store.legs.get("n")

    asyncio.run(put_and_get(put=True))
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_count, args=(url,)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
        process.close()
    assert asyncio.run(put_and_get(put=False)) == {"n": CHANGES * PROCESSES}


def test_orders_reach_the_process_that_has_the_call(database_url: DatabaseUrl) -> None:
    """In their order, once; the rest wait."""

    async def main() -> None:
        async with opened(database_url) as one, opened(database_url) as other:
            for number in range(3):
                await one.orders.leave(STRANGE, {"n": number})
            await one.orders.leave("c2", {"n": 9})
            assert await other.orders.take([]) == []
            taken = await other.orders.take([STRANGE, "c3"])
            assert taken == [(STRANGE, {"n": n}) for n in range(3)]
            assert await other.orders.take([STRANGE]) == []
            assert await one.orders.take(["c2"]) == [("c2", {"n": 9})]

    asyncio.run(main())


def test_an_order_is_given_to_one_process(database_url: DatabaseUrl) -> None:
    """Though all that ask for it ask at once."""

    async def main() -> None:
        async with opened(database_url) as one, opened(database_url) as other:
            for number in range(40):
                await one.orders.leave("c1", {"n": number})
            ways = [store.orders.take(["c1"]) for store in (one, other) * 3]
            taken = [order["n"] for got in await asyncio.gather(*ways) for _, order in got]
            assert sorted(taken) == list(range(40))

    asyncio.run(main())


def test_whoever_waits_for_orders_is_told(database_url: DatabaseUrl) -> None:
    """Within moments of their being left, by another process."""

    async def main() -> None:
        async with opened(database_url) as one, opened(database_url) as other:
            for number in range(3):
                await one.orders.leave("c1", {"n": number})
                async with asyncio.timeout(3):
                    while not (taken := await other.orders.take(["c1"])):
                        await other.orders.arrivals.wait()
                assert taken == [("c1", {"n": number})]

    asyncio.run(main())


def test_a_process_that_beats_no_more_is_dead(database_url: DatabaseUrl) -> None:
    """Whatever it has left; one that stops in order is gone at once."""

    async def main() -> None:
        database = SqlDatabase(database_url)
        async with opened(database_url) as one, opened(database_url) as other:
            process = other.live_calls.process
            for number in range(150):  # more than are written at once
                other.live_calls.began(f"c{number}", "reception")
            async with asyncio.timeout(5):
                while await one.live_calls.where("c149") is None:  # noqa: ASYNC110 - written elsewhere
                    await asyncio.sleep(0.02)
            assert await one.live_calls.where("c0") == process
            assert await one.live_calls.alive(process)
            stale = tables.processes.update().where(tables.processes.c.id == process)
            older = stale.values(at=tables.Now() - DEAD_AFTER - 1)
            await database.write(lambda c: c.execute(older))
            assert not await one.live_calls.alive(process)
            assert await one.live_calls.where("c0") is None
            await other.live_calls.beat()
            assert await one.live_calls.where("c0") == process
            for number in range(150):
                other.live_calls.ended(f"c{number}")
            await other.live_calls.beat()
            await other.live_calls.beat()
            assert await one.live_calls.where("c149") is None
            left = one.live_calls.process
        async with opened(database_url) as third:
            assert not await third.live_calls.alive(process)
            assert not await third.live_calls.alive(left)
        await database.aclose()

    asyncio.run(main())


def _execute(connection: Connection, *, statement: Update) -> None:
    connection.execute(statement)


def _rows(connection: Connection, *, table: Table) -> int:
    return len(connection.execute(table.select()).all())


def test_what_is_old_is_thrown_away(database_url: DatabaseUrl) -> None:
    """After a day, some at a time, in every table; what is younger stays."""

    async def main() -> None:
        database = SqlDatabase(database_url)
        async with opened(database_url) as store:
            await sweep(database)
            store.live_calls.began("old", "reception")
            await store.live_calls.beat()
            await store.legs.put("old", {})
            await store.calls.put("old", {})
            await store.orders.leave("old", {})
            await store.claims.claim_each([f"old {n}" for n in range(AT_ONCE + 1)])
            for table in tables.SWEPT:
                older = table.update().values(at=tables.Now() - KEPT - 1)
                await database.write(partial(_execute, statement=older))
            await store.legs.put("new", {"a": 1})
            assert await sweep(database) == AT_ONCE + 1 + 5
            assert await store.legs.get("new") == {"a": 1}
            for table in tables.SWEPT:
                rows = await database.read(partial(_rows, table=table))
                assert rows == (table is tables.legs), table.name
        await database.aclose()

    asyncio.run(main())
