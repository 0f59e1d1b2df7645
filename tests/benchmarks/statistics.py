"""``python -m tests.benchmarks.statistics [CALLS [DATABASE]]``: how fast calls are counted.

20,000 of a month, with some thirty lines each, on SQLite, and on a PostgreSQL of its own where one
is installed: the first time, when lines are read, and again, when they are known; how late the
event loop is meanwhile, what a transaction of the calls waits, and how much memory it keeps. It
prints and asserts nothing.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from agent.records.call_records import RecordFilter
from agent.records.events import JournalLine
from agent.records.seals import KeySeal, NoSeal, Seal
from agent.records.statistics.call_figures import CallFigures
from agent.records.statistics.call_statistics import CallStatistics
from agent.records.statistics.periods import period
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.settings.sealing_keys import SealingKey
from agent.store import schema
from agent.store.engine import SqlDatabase
from tests.benchmarks.database import lateness, show
from tests.databases import WANTED, postgresql

CALLS, DAYS, DAY = 20_000, 30, 86_400.0
FIRST, LAST = date(2026, 10, 28), date(2026, 11, 26)
NOW = datetime(2026, 11, 26, 23, 59, tzinfo=UTC).timestamp()
REASONS = ("the caller hung up",) * 12 + ("the agent hung up",) * 6 + ("failed", "interrupted")
TIMES = 10


def call(number: int, calls: int) -> list[JournalLine]:
    """Return the journal of a call: seven turns, three providers, thirty lines."""
    chance, name = random.Random(number), f"{number:032x}"
    started = NOW - DAYS * DAY + (number + 0.5) * DAYS * DAY / calls
    about = {
        "id": name, "call_id": f"sinch-{number}", "agent": chance.choice(("reception", "orders")),
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="milliseconds"),
        "caller": f"+1555{chance.randrange(2_000):07d}", "called": "+15559999999",
        "direction": "incoming", "language": "en",
    }  # fmt: skip
    lines: list[tuple[str, float | None, dict[str, Any]]] = [("call", None, about)]
    for turn in range(1, 8):
        at, waited = turn * 8.0, chance.lognormvariate(-0.3, 0.5)
        lines.append(("caller", at, {"turn": turn, "text": "What time do you open on Sunday?"}))
        timing = {"turn": turn, "speech_end": at, "decided": at + 0.3, "heard": at + waited}
        lines.append(("timing", at + waited, timing))
        lines.append(("agent", at + waited, {"turn": turn, "text": "On Sunday we open at ten."}))
        if chance.random() < 0.1:
            lines.append(("barge_in", at + 3.0, {"turn": turn, "by": "words"}))
    if chance.random() < 0.05:
        left = {"stage": "llm", "provider": "openai", "to": "local", "error": "timeout"}
        lines.append(("failover", 9.0, left))
    for stage in ("stt", "llm", "tts"):
        used = {"stage": stage, "provider": "openai", "cost": 0.004, "currency": "USD"}
        lines.append(("usage", 70.0, used))
    lines.append(("ended", 70.0, {"reason": chance.choice(REASONS)}))
    return [
        JournalLine(journal=name, line=n, kind=kind, at=at, fields=fields)
        for n, (kind, at, fields) in enumerate(lines)
    ]


def sizes(one: CallFigures) -> int:
    """Return the bytes of what is kept of a call, without what many have in common."""
    own = (one, one.waits, one.amounts, one.failures)
    return sum(map(sys.getsizeof, own))


async def fill(database: SqlDatabase, seal: Seal, calls: int) -> None:
    """Store calls as the loader does, fifty at once."""
    stored, began = StoredRecords(database, seal), time.perf_counter()
    for first in range(0, calls, 50):
        await stored.add(
            [line for n in range(first, min(first + 50, calls)) for line in call(n, calls)]
        )
    print(f"{calls} calls stored in {time.perf_counter() - began:.0f} s", flush=True)


async def measure(name: str, url: DatabaseUrl, seal: Seal, calls: int) -> None:
    """Fill a database, and count."""
    database = SqlDatabase(url, within=60.0)
    await schema.upgrade(database)
    await fill(database, seal, calls)
    if url.is_postgresql:  # which its autovacuum does within a minute
        await database.write(lambda c: c.execute(text("ANALYZE")))
    statistics = CallStatistics(database, seal)
    month = period(FIRST, LAST, ZoneInfo("Europe/Berlin"), NOW)
    waits: list[float] = []

    async def others() -> None:
        """What call control does meanwhile."""
        while True:
            began = time.perf_counter()
            await database.write(lambda c: c.execute(text("SELECT 1")))
            waits.append(1000 * (time.perf_counter() - began))
            await asyncio.sleep(0.01)

    async def asked(what: str, wanted: RecordFilter, times: int) -> None:
        taken: list[float] = []
        late: list[float] = []
        for _ in range(times):
            began = time.perf_counter()
            asking = asyncio.ensure_future(statistics.of(wanted, month.spans))
            late += [one async for one in lateness(asking)]
            taken.append(1000 * (time.perf_counter() - began))
        show(f"{name}: {what} ({(await asking)[-1].read} read)", taken)
        show(f"{name}: the loop is late by, meanwhile", late)

    idle = asyncio.ensure_future(asyncio.sleep(3.0))
    show(f"{name}: the loop is late by, before", [one async for one in lateness(idle)])
    meanwhile = asyncio.ensure_future(others())
    await asked("a month, the first time", RecordFilter(), 1)
    show(f"{name}: a transaction of others, meanwhile", waits)
    waits.clear()
    await asked("a month, again", RecordFilter(), TIMES)
    show(f"{name}: a transaction of others, meanwhile", waits)
    await asked("one caller, a month", RecordFilter(number="+15550000042"), TIMES)
    meanwhile.cancel()
    kept = statistics._kept
    size = sum(map(sys.getsizeof, kept.values())) + sum(sizes(one) for _, one in kept.values())
    print(f"{name}: {size / len(kept):.0f} bytes are kept a call")
    await database.aclose()


def main() -> None:
    """Measure both, or the one that is named; SQLite sealed besides."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else CALLS
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    for name, seal in (
        ("sqlite", NoSeal()),
        ("sealed", KeySeal([SealingKey(name="a", secret=bytes(32))])),
    ):
        if only in ("", name):
            with tempfile.TemporaryDirectory() as folder:
                url = DatabaseUrl(f"sqlite:///{folder}/records.db")
                asyncio.run(measure(f"SQLite, {name}", url, seal, calls))
    if only in ("", "postgresql"):
        with postgresql() as server:
            if server is None:
                print(WANTED)
                return
            url = DatabaseUrl(server.new_database())
            asyncio.run(measure("PostgreSQL", url, NoSeal(), calls))


if __name__ == "__main__":
    main()
