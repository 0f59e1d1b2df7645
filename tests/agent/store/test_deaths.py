"""Who has died, and what they have left; on both databases."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from agent.settings.database import DatabaseUrl
from agent.store import process_identity, schema, tables
from agent.store.arrivals import Looking
from agent.store.engine import SqlDatabase
from agent.store.heartbeats import WATCHED, Heartbeats
from agent.store.store import Store, store_in


@asynccontextmanager
async def unkept(url: DatabaseUrl) -> AsyncIterator[Store]:
    """Open a database for one whose heart beats when it is told to, and at no other moment."""
    database = SqlDatabase(url)
    try:
        await schema.upgrade(database)
        store = store_in(database, Looking())
        await store.live_calls.beat()
        yield store
    finally:
        await database.aclose()


def test_dead_is_who_has_not_beaten_while_we_watched() -> None:
    """By our own clock, whatever theirs says; one that beats again lives."""
    watch = Heartbeats()
    assert watch.look({"a": 5.0, "b": 5.0}, 0.0) == []
    assert watch.look({"a": 5.0, "b": 9.0}, WATCHED - 1) == []
    assert watch.look({"a": 5.0, "b": 9.0}, WATCHED) == ["a"]
    assert watch.look({"a": 6.0, "b": 9.0}, WATCHED + 1) == []


def test_when_the_database_was_away_the_watch_begins_anew() -> None:
    """Nobody could beat."""
    watch = Heartbeats()
    watch.look({"a": 5.0}, 0.0)
    watch.begin_anew()
    assert watch.look({"a": 5.0}, WATCHED + 1) == []
    assert watch.look({"a": 5.0}, 2 * WATCHED + 1) == ["a"]


@given(st.lists(st.tuples(st.floats(0, WATCHED * 0.99), st.booleans())))
def test_who_beats_is_never_dead(steps: list[tuple[float, bool]]) -> None:
    """However irregularly we look, as long as there was a beat in between."""
    watch, now, beat = Heartbeats(), 0.0, 0.0
    for wait, _ in steps:
        now, beat = now + wait, beat + 1.0
        assert watch.look({"a": beat}, now) == []


def test_a_process_of_this_machine_is_known_to_have_ended() -> None:
    """At once, also while its parent has not asked for its status; no other is taken for it."""
    code = "from agent.store.process_identity import own; import json; print(json.dumps(own()))"
    command = [sys.executable, "-c", f"{code}; input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        known: dict[str, Any] = json.loads(process.stdout.readline())
        assert known["place"]
        assert not process_identity.has_ended(known)
        assert process_identity.has_ended(known | {"born": "1"})  # another of that id
        assert not process_identity.has_ended(known | {"place": "elsewhere"})
        process.kill()
        while not process_identity.has_ended(known):
            pass  # a zombie, then
    assert process_identity.has_ended(known)
    for unknown in (None, {}, {"pid": "x"}, {"host": "a", "pid": 1}, known | {"place": ""}):
        assert not process_identity.has_ended(unknown)


def test_the_calls_of_the_dead_go_to_one_of_the_living(database_url: DatabaseUrl) -> None:
    """Whole, once, with whether they were held; orders to them are thrown away."""

    async def main() -> None:
        database = SqlDatabase(database_url)
        async with (
            unkept(database_url) as one,
            unkept(database_url) as other,
            unkept(database_url) as third,
        ):
            third.live_calls.began("c1", "reception")
            third.live_calls.announced("c2", "reception")
            await third.live_calls.beat()
            await one.orders.leave("c1", {"kind": "hang up"})
            gone = third.live_calls.process
            assert await one.live_calls.died() == {}
            row = tables.processes.update().where(tables.processes.c.id == gone)
            ended = process_identity.own() | {"born": "1"}
            await database.write(lambda c: c.execute(row.values(value=ended)))
            (at,) = (await one.live_calls.died()).values()
            both = await asyncio.gather(
                one.live_calls.inherit(gone, at), other.live_calls.inherit(gone, at)
            )
            assert sorted(map(len, both)) == [0, 2]
            calls = [call for found in both for call in found]
            assert sorted((call.name, call.held) for call in calls) == [
                ("c1", True),
                ("c2", False),
            ]
            assert all(0 <= call.age < 30 for call in calls)
            assert not await one.live_calls.alive(gone)
            assert await one.orders.take(["c1"]) == []
            heir = one if both[0] else other
            heir.live_calls.began("c2", "reception")  # it has come
            for name in ("c1", "c2"):
                await heir.live_calls.settled(name)
            await heir.live_calls.beat()
            assert await one.live_calls.where("c1") is None
            assert await one.live_calls.where("c2") == heir.live_calls.process
        await database.aclose()

    asyncio.run(main())


def test_whoever_takes_over_and_dies_is_taken_over(database_url: DatabaseUrl) -> None:
    """What was not settled is left to the next."""

    async def main() -> None:
        database = SqlDatabase(database_url)
        ended = process_identity.own() | {"born": "1"}

        async def kill(process: str) -> None:
            row = tables.processes.update().where(tables.processes.c.id == process)
            await database.write(lambda c: c.execute(row.values(value=ended)))

        async with unkept(database_url) as one, unkept(database_url) as other:
            one.live_calls.began("c1", "reception")
            await one.live_calls.beat()
            await kill(one.live_calls.process)
            assert await taken_over(other) == ["c1"]
            await kill(other.live_calls.process)
            async with unkept(database_url) as third:
                assert await taken_over(third) == ["c1"]
        await database.aclose()

    asyncio.run(main())


async def taken_over(heir: Store) -> list[str]:
    """Return the names of the calls of all who have died."""
    dead = await heir.live_calls.died()
    found = [await heir.live_calls.inherit(process, at) for process, at in dead.items()]
    return [call.name for calls in found for call in calls]


def test_who_rings_is_left_to_another(database_url: DatabaseUrl) -> None:
    """By a process that has died, that has stopped, and by one that had inherited it and stops."""

    async def main() -> None:
        async with unkept(database_url) as watcher, unkept(database_url) as first:
            calls = first.live_calls
            calls.announced("p1", "", 31.0)
            calls.announced("p2", "", 31.0)
            calls.began("d1", "reception")
            calls.ended("p2")
            await calls.beat()
            await calls.leave()
            for heir in (watcher.live_calls, calls):
                process = calls.process if heir is not calls else watcher.live_calls.process
                beat = await watcher.database.read(
                    lambda c, its=process: c.execute(  # type: ignore[misc]
                        select(tables.processes.c.at).where(tables.processes.c.id == its)
                    ).scalar()
                )
                (left,) = await heir.inherit(process, beat)
                assert (left.name, left.held, left.rings_for) == ("p1", False, 31.0)
                await heir.beat()
                await heir.leave()

    asyncio.run(main())
