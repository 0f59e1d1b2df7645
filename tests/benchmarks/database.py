"""``python -m tests.benchmarks.database``: what the database costs a call, and a sweep the loop.

On SQLite, and on a PostgreSQL of its own where one is installed.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert

from agent.call.orders import HangUp
from agent.settings.database import DatabaseUrl
from agent.sinch.legs.directory import CallDirectory
from agent.sinch.legs.leg_kinds import LegFacts, PlacedLeg
from agent.sinch.legs.leg_tables import LegEvent
from agent.sinch.legs.processes import OtherProcesses
from agent.sinch.tokens import Claims, StreamTokens
from agent.store import tables
from agent.store.engine import SqlDatabase
from agent.store.store import Store, opened
from agent.store.sweep import KEPT, sweep
from tests.databases import WANTED, postgresql

TIMES, ROWS = 300, 100_000
LEG = PlacedLeg(
    name="d1",
    version="v1",
    to="+15550000001",
    agent="reception",
    variables={"name": "Ann"},
    caller_id="+15550100",
    max_seconds=3600,
    machine="talk",
    message="",
    conference="c1",
)


def show(what: str, milliseconds: list[float]) -> None:
    """Print p50, p95, p99 and the worst."""
    p50, p95, p99 = np.percentile(milliseconds, [50, 95, 99])
    worst, n = max(milliseconds), len(milliseconds)
    print(
        f"{what:50s} p50 {p50:7.2f}  p95 {p95:7.2f}  p99 {p99:7.2f}  max {worst:7.2f} ms  n={n}",
        flush=True,
    )


async def timed(what: str, ask: Callable[[int], Awaitable[object]], at_once: int = 1) -> None:
    """Print how long something takes, so many at once."""
    room, taken = asyncio.Semaphore(at_once), list[float]()

    async def one(number: int) -> None:
        async with room:
            began = time.perf_counter()
            await ask(number)
            taken.append(1000 * (time.perf_counter() - began))

    await asyncio.gather(*(one(number) for number in range(TIMES)))
    show(what, taken)


async def transactions(name: str, store: Store, other: Store) -> None:
    """Time what a call waits for."""
    tokens, directory = StreamTokens(b"k" * 32, store.claims), CallDirectory(store)
    for at_once in (1, 20):

        async def redeem(number: int, at_once: int = at_once) -> None:
            call = f"{at_once}-{number}"
            token = tokens.mint(Claims(call=call, agent="reception", rate=8000, expires=1))
            await tokens.redeem(token, 0)

        await timed(f"{name}: redeem a token, {at_once} at once", redeem, at_once)
    await directory.add_leg(LEG)
    facts = LegFacts(call_id="p1")
    await directory.advance(LEG, LegEvent.ANSWERED, facts)
    await timed(
        f"{name}: read and change a leg, one transaction",
        lambda _number: directory.advance(LEG, LegEvent.ANSWERED, facts),
    )
    await timed(f"{name}: look at a leg", lambda _number: directory.leg("d1"))
    here, there = OtherProcesses(store), OtherProcesses(other)

    arrived: asyncio.Queue[object] = asyncio.Queue()

    async def carry() -> None:  # as a process with calls does
        while True:
            await there.orders_arrive()
            for order in await there.take_orders(["c1"]):
                arrived.put_nowait(order)

    async def order(number: int) -> None:
        await asyncio.sleep(0.0137 * (number % 10))  # not in step with whoever looks
        began = time.perf_counter()
        await here.leave_order("c1", HangUp(goodbye=True))
        await arrived.get()
        taken.append(1000 * (time.perf_counter() - began))

    carrying, taken = asyncio.ensure_future(carry()), list[float]()
    for number in range(100):
        await order(number)
    carrying.cancel()
    show(f"{name}: an order, left to carried out elsewhere", taken)


def old_rows(connection: Connection) -> None:
    """Make rows that are due to be swept."""
    at = time.time() - KEPT - 3600
    for start in range(0, ROWS, 10_000):
        rows = [
            {"name": tables.digest(str(n)), "owner": "x", "value": {"svaml": {}}, "at": at}
            for n in range(start, start + 10_000)
        ]
        connection.execute(insert(tables.claims), rows)


async def lateness(during: asyncio.Future[Any]) -> AsyncIterator[float]:
    """Yield by how many milliseconds the loop is late, each millisecond until something is done."""
    while not during.done():
        asked = time.perf_counter()
        await asyncio.sleep(0.001)
        yield 1000 * (time.perf_counter() - asked - 0.001)


async def swept(name: str, url: DatabaseUrl, store: Store) -> None:
    """Time the event loop while a hundred thousand rows are swept, and what a call waits then."""
    database = SqlDatabase(url, within=120.0)
    await database.write(old_rows)
    idle = asyncio.ensure_future(asyncio.sleep(5.0))
    show(f"{name}: the loop is late by, before", [late async for late in lateness(idle)])
    sweeping = asyncio.ensure_future(sweep(database))
    redeemed = list[float]()

    async def ask() -> None:
        number = 0
        while not sweeping.done():
            began = time.perf_counter()
            await store.claims.claim(f"meanwhile {number}")
            redeemed.append(1000 * (time.perf_counter() - began))
            number += 1
            await asyncio.sleep(0.02)

    asking = asyncio.ensure_future(ask())
    began = time.perf_counter()
    late = [late async for late in lateness(sweeping)]
    seconds = time.perf_counter() - began
    await asking
    print(f"{name}: {await sweeping} rows swept in {seconds:.1f} s")
    show(f"{name}: the loop is late by, meanwhile", late)
    show(f"{name}: a claim, meanwhile", redeemed)
    await database.aclose()


async def measure(name: str, url: DatabaseUrl) -> None:
    """Measure one database."""
    began = time.perf_counter()
    async with opened(url) as store, opened(url) as other:
        print(f"{name}: opened in {1000 * (time.perf_counter() - began):.0f} ms, twice")
        await transactions(name, store, other)
        await swept(name, url, store)
    began = time.perf_counter()
    async with opened(url):
        print(f"{name}: opened again in {1000 * (time.perf_counter() - began):.0f} ms")


def databases() -> None:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "voice-agent.db"
        asyncio.run(measure("SQLite", DatabaseUrl(f"sqlite:///{file}")))
    with postgresql() as server:
        if server is None:
            print(WANTED)
        else:
            asyncio.run(measure("PostgreSQL", DatabaseUrl(server.new_database())))


if __name__ == "__main__":
    databases()
