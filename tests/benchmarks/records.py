"""``python -m tests.benchmarks.records [ROWS]``: what records cost the calls, and how fast they go.

Lines a second into journals, and out of them into SQLite and a PostgreSQL of its own where one is
installed; microseconds on the event loop a line and a turn; how long call control waits behind a
transaction of ours, and how late the loop is meanwhile; a million rows, unless ``ROWS`` says other.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import text

from agent.records.loader import RecordLoader
from agent.records.seals import NoSeal
from agent.records.spool import Spool
from agent.records.stored_records import StoredRecords
from agent.records.writer import MOST_WAITING, RecordWriter
from agent.settings.database import DatabaseUrl
from agent.store.store import Store, opened
from tests.databases import WANTED, postgresql

A_TURN: list[tuple[str, dict[str, object]]] = [
    ("caller", {"text": "What time do you open on Sunday?", "until": 9.1, "turn": 3,
                "decided": {"by": "turn model", "silence": 0.3, "probability": 0.93}}),
    ("timing", {"turn": 3, "speech_end": 9.1, "decided": 9.4, "transcript": 9.5,
                "first_token": 9.7, "first_sentence": 9.8, "first_audio": 9.9, "heard": 9.95}),
    ("heard", {"turn": 3, "text": "On Sunday we open at ten in the morning.", "until": 12.4}),
    ("heard", {"turn": 3, "text": "We close at eight in the evening.", "until": 14.4}),
    ("agent", {"turn": 3, "cut_off": False, "text": "On Sunday we open at ten in the morning. "
               "We close at eight in the evening."}),
]  # fmt: skip
"""What a turn of a conversation writes."""

TURNS = 8
"""Of a call."""

LINES = TURNS * len(A_TURN) + 2


async def a_call(writer: RecordWriter, number: int) -> float:
    """Write the journal of one; return the seconds on the loop of its turns."""
    now = datetime.now(UTC)
    record = writer.begin(f"{number}-4c89d187", now)
    record.add(
        "call",
        call_id=f"{number}-4c89d187",
        agent="reception",
        caller=f"+1555{number % 9973:07}",
        called="+15550000002",
        direction="incoming",
        started=now.isoformat(),
    )
    began = time.perf_counter()
    for _ in range(TURNS):
        for kind, fields in A_TURN:
            record.add(kind, at=9.0, **fields)
    took = time.perf_counter() - began
    record.add("ended", at=60.0, reason="the caller hung up")
    await record.aclose()
    return took


async def write(spool: Spool, calls: int) -> None:
    """Write so many journals."""
    writer, on_loop, began = RecordWriter(spool), 0.0, time.perf_counter()
    for number in range(calls):
        on_loop += await a_call(writer, number)
    await writer.aclose()
    took = time.perf_counter() - began
    print(f"journals: {calls * LINES / took:,.0f} lines/s into {calls} files, synced at the end")
    turn = 1e6 * on_loop / (calls * TURNS)
    print(f"on the event loop: {turn:.0f} us a turn of {len(A_TURN)} lines")
    assert spool.lines_dropped == 0
    assert LINES < MOST_WAITING


async def load(name: str, spool: Spool, store: Store) -> None:
    """Load them."""
    loader = RecordLoader(spool, StoredRecords(store.database, NoSeal()), NoSeal())
    waits: list[float] = []
    lags: list[float] = []

    async def others() -> None:
        """What call control does, a hundred times a second or so."""
        while True:
            began = time.perf_counter()
            await store.database.write(lambda c: c.execute(text("SELECT 1")))
            waits.append(1000 * (time.perf_counter() - began))
            await asyncio.sleep(0.01)

    async def lag() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.002)
            lags.append(1000 * (time.perf_counter() - began) - 2)

    tasks = [asyncio.get_running_loop().create_task(work) for work in (others(), lag())]
    began, cpu = time.perf_counter(), time.process_time()
    await loader.load()
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    for task in tasks:
        task.cancel()
    await loader.aclose()
    stored = spool.lines_stored
    print(f"{name}: {stored:,} lines loaded in {took:.0f} s: {stored / took:,.0f}/s, two thirds of "
          f"the time left to others; {1e6 * cpu / stored:.0f} us CPU a line")  # fmt: skip
    print(f"{name}: longest transaction of ours {1000 * spool.longest_store:.0f} ms; "
          f"another waits p50 {np.percentile(waits, 50):.1f}, p99 {np.percentile(waits, 99):.1f}, "
          f"max {max(waits):.0f} ms; loop late p99 {np.percentile(lags, 99):.1f}, "
          f"max {max(lags):.0f} ms")  # fmt: skip


async def measure(name: str, url: DatabaseUrl, rows: int) -> None:
    """Write and load so many rows."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened(url) as store:
            spool = Spool(Path(folder))
            await write(spool, max(1, rows // LINES))
            await load(name, spool, store)
            asked = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            if url.is_postgresql:
                asked = "SELECT pg_database_size(current_database())"
            size = await store.database.read(lambda c: c.execute(text(asked)).scalar())
            print(f"{name}: {int(size or 0) / 1e6:,.0f} MB")


def main(rows: int) -> None:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure("SQLite", DatabaseUrl(f"sqlite:///{folder}/b.db"), rows))
    with postgresql() as server:
        if server is None:
            print(WANTED)
            return
        asyncio.run(measure("PostgreSQL", DatabaseUrl(server.new_database()), rows))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
