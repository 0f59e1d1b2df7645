"""``python -m tests.benchmarks.webhooks [CALLS] [KILLS]``: how fast, and that nothing is lost.

On SQLite, and on a PostgreSQL of its own where one is installed. First: messages a second from one
process to one endpoint on loopback, and what a transaction of the call path takes meanwhile. Then:
processes that send are killed (kill -9) at random moments, until all is sent; every message has to
come, those of one call in their order, and what comes twice has the same id.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median

from agent.records.webhooks import delivery
from agent.records.webhooks.outbox import LEASE
from agent.settings.database import DatabaseUrl
from agent.store.engine import SqlDatabase
from agent.store.store import Store, opened
from pipelines.background import BackgroundTasks
from tests.agent.records.webhooks.receiver import (
    TOLD,
    Receiver,
    later,
    process,
    receiving,
    short_call,
)
from tests.databases import WANTED, postgresql

MOST_SENT_TWICE = delivery.AT_ONCE
"""Of each process that is killed: what was on its way."""


async def send(url: str, receiver: str) -> None:
    """Send what is in a database, for good: what a process that is killed does."""
    database = SqlDatabase(DatabaseUrl(url))
    background = BackgroundTasks()
    process(database, {"crm": receiver}).webhooks.run_in(background)
    await asyncio.Event().wait()


async def backlog(store: Store, receiver: Receiver) -> int:
    """Return how many messages are in the database."""
    found = await process(store.database, {"crm": receiver.url}).outbox.backlog()
    return found["crm"].waiting if found else 0


async def speed(store: Store, calls: int) -> None:
    """Print messages a second, and what else is written meanwhile."""
    async with receiving() as receiver:
        one = process(store.database, {"crm": receiver.url})
        for n in range(calls):
            await one.stored.add(short_call(f"speed-{n}"))
        background, waits = BackgroundTasks(), list[float]()
        began = time.monotonic()
        one.webhooks.run_in(background)
        while len(receiver.came) < calls * len(TOLD):
            asked = time.monotonic()
            await store.claims.claim(f"token-{asked}")
            waits.append(time.monotonic() - asked)
            await asyncio.sleep(0.05)
        seconds = time.monotonic() - began
        await background.aclose(1.0)
        print(
            f"  {calls * len(TOLD) / seconds:6.0f} messages/s; a claim meanwhile:"
            f" median {1000 * median(waits):.1f} ms, worst {1000 * max(waits):.1f} ms",
            flush=True,
        )


async def kills(store: Store, url: str, calls: int, times: int) -> None:
    """Kill those who send, and print what came."""
    chance = random.Random(1)
    async with receiving() as receiver:
        one = process(store.database, {"crm": receiver.url})
        killed = 0
        for n in range(calls):
            await one.stored.add(short_call(f"kill-{n}"))
        while await backlog(store, receiver):
            sender = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.benchmarks.webhooks", "send", url, receiver.url
            )
            before = len(receiver.came)
            while len(receiver.came) == before and await backlog(store, receiver):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.01)
            await asyncio.sleep(chance.uniform(0, 0.3) if killed < times else 5)
            sender.send_signal(signal.SIGKILL)
            await sender.wait()
            killed += 1
            await later(store.database, LEASE + 1)
        names = [name for name, _, _ in receiver.came]
        missing = calls * len(TOLD) - len(set(names))
        wrong = 0
        for n in range(calls):
            events = receiver.events(f"kill-{n}")
            first = sorted(set(events), key=events.index)
            wrong += first != TOLD
        print(
            f"  {killed} processes killed: {len(set(names))} messages, {missing} missing,"
            f" {len(names) - len(set(names))} came twice, {wrong} calls out of order",
            flush=True,
        )
        assert not missing
        assert not wrong
        assert len(names) - len(set(names)) <= killed * MOST_SENT_TWICE


async def urls(folder: Path) -> AsyncIterator[str]:
    """Yield the address of an empty database of each kind."""
    yield f"sqlite:///{folder}/webhooks.db"
    with postgresql() as server:
        if server is None:
            print(WANTED)
        else:
            yield server.new_database()


async def main(calls: int, times: int) -> None:
    """Measure on each database."""
    with tempfile.TemporaryDirectory() as folder:
        async for url in urls(Path(folder)):
            print(url.partition(":")[0], flush=True)
            async with opened(DatabaseUrl(url)) as store:
                await speed(store, calls)
                await kills(store, url, calls, times)


if __name__ == "__main__":
    if sys.argv[1:2] == ["send"]:
        asyncio.run(send(*sys.argv[2:4]))
    else:
        given = [int(one) for one in sys.argv[1:3]]
        asyncio.run(main(*(given + [200, 10][len(given) :])))
