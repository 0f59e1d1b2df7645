"""``python -m tests.benchmarks.records [ROWS]``: what records cost the calls, and how fast they go.

Lines a second into journals, and out of them into SQLite and a PostgreSQL of its own where one is
installed; microseconds on the event loop a line, and a turn of 9 s, recorded and not; how long call
control waits behind a transaction of ours, and how late the loop is meanwhile: beside how late it
is on this machine with nothing to do, and how much of it other threads of ours have worked. A
million rows, unless ``ROWS`` says other.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np
from sqlalchemy import text

from agent.call import turn_record
from agent.call.reply import Reply
from agent.records.journals.loader import RecordLoader
from agent.records.journals.spool import Spool
from agent.records.journals.writer import MOST_WAITING, RecordWriter
from agent.records.recordings import recorder
from agent.records.recordings.audio_log import LogHead
from agent.records.recordings.recording_files import RecordingWriter
from agent.records.seals import NoSeal
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.store.store import Store, opened
from pipelines import clock
from pipelines.audio import Audio
from pipelines.reply.playout import Playout
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

RATE = 8000
"""Hertz of a recorded call."""

SAID = "On Sunday we open at ten in the morning, and close at eight in the evening."
"""A sentence of three seconds."""

Lateness = list[tuple[float, float]]
"""Milliseconds that the loop was late, and of these, for how long other threads of ours worked."""


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


def a_turn(*, recorded: bool) -> float:
    """Return the microseconds that the record of a turn of 9 s costs the call path.

    It is looked at ten times a second; with each frame, if it is recorded.
    """
    at = [0.0]
    turn_record.now = recorder.now = lambda: at[0]  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        files = RecordingWriter(Path(folder), NoSeal(), limit_mb=1e6, min_free_mb=0)
        keeps = recorder.Recorder(
            RATE, 0.0, lambda first: files.begin("a.flac", LogHead(rate=RATE, begin=first))
        )
        if recorded:
            keeps.begin()
        writer = RecordWriter(Path(folder))
        record = turn_record.TurnRecord(writer.begin("a", datetime.now(UTC)))
        reply = Reply(playout=Playout(0.5))
        reply.started_at = 0.0
        for _ in range(3):
            reply.playout.begin(SAID)
            reply.playout.put(Audio(bytes(3 * 2 * RATE), RATE))
            reply.playout.finish()
        took, silence = 0.0, bytes(2 * RATE // 50)
        for frame in range(9 * 50):
            at[0] = frame / 50
            while reply.playout.pending and reply.playout.wait(at[0]) <= 0:
                reply.playout.take(at[0])
            began = time.perf_counter()
            if recorded:
                keeps.received(silence)
                keeps.sent(silence)
            if frame % 5 == 0:
                record.heard(reply)
            took += time.perf_counter() - began
        keeps.stop(keep=False)
        asyncio.run(writer.aclose())
        asyncio.run(files.aclose())
    return 1e6 * took


async def lateness(lags: Lateness) -> None:
    """Note how late the loop is, until cancelled."""
    while True:
        began, others = time.perf_counter(), time.process_time() - time.thread_time()
        await asyncio.sleep(0.002)
        late = 1000 * (time.perf_counter() - began) - 2
        ours = 1000 * (time.process_time() - time.thread_time() - others)
        lags.append((late, min(late, ours)))


def told(lags: Lateness) -> str:
    """Return it in words."""
    late, ours = np.array(lags).T
    return (f"late p99 {np.percentile(late, 99):.1f}, max {late.max():.0f} ms (other threads of "
            f"ours: p99 {np.percentile(ours, 99):.1f}, max {ours.max():.0f} ms)")  # fmt: skip


async def at_rest() -> None:
    """Print how late a loop with nothing to do is here: what the machine does to it."""
    lags: Lateness = []
    task = asyncio.get_running_loop().create_task(lateness(lags))
    await asyncio.sleep(5.0)
    task.cancel()
    print(f"a loop with nothing to do is {told(lags)}")


async def load(name: str, spool: Spool, store: Store) -> None:
    """Load them."""
    loader = RecordLoader(spool, StoredRecords(store.database, NoSeal()), NoSeal())
    waits: list[float] = []
    lags: Lateness = []

    async def others() -> None:
        """What call control does, a hundred times a second or so."""
        while True:
            began = time.perf_counter()
            await store.database.write(lambda c: c.execute(text("SELECT 1")))
            waits.append(1000 * (time.perf_counter() - began))
            await asyncio.sleep(0.01)

    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(work) for work in (others(), lateness(lags))]
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
          f"max {max(waits):.0f} ms; the loop is {told(lags)}")  # fmt: skip


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
    """Measure all of it."""
    for recorded in (False, True):
        turn = median(a_turn(recorded=recorded) for _ in range(15))
        print(f"call path: {turn:.0f} us a turn of 9 s, {'' if recorded else 'not '}recorded")
    turn_record.now = recorder.now = clock.now  # type: ignore[attr-defined]
    asyncio.run(at_rest())
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure("SQLite", DatabaseUrl(f"sqlite:///{folder}/b.db"), rows))
    with postgresql() as server:
        if server is None:
            print(WANTED)
            return
        asyncio.run(measure("PostgreSQL", DatabaseUrl(server.new_database()), rows))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
