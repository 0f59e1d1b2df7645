"""``python -m tests.agent.records.dying FOLDER DATABASE``: calls, until it is killed.

Each line that is in its journal for sure is printed: ``journal``, the id of the record, a number.
"""

from __future__ import annotations

import asyncio
import random
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from agent.records.journals.loader import RecordLoader
from agent.records.journals.spool import Spool
from agent.records.journals.writer import RecordWriter
from agent.records.seals import NoSeal
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.store.store import opened
from pipelines.background import BackgroundTasks

AT_ONCE = 8


async def call(writer: RecordWriter, number: int) -> None:
    """Hold one, of some lines."""
    started = datetime.now(UTC)
    record = writer.begin(f"call-{number}", started)
    record.add(
        "call",
        call_id=f"{record.id}-its",
        agent="reception",
        started=started.isoformat(),
        number=0,
    )
    lines = random.randint(1, 12)
    for n in range(1, lines):
        record.add("caller", at=n / 10, text="Is it open? " * 5, number=n)
        await writer.written()
        print("journal", record.id, n, flush=True)
        await asyncio.sleep(random.random() * 0.02)
    record.add("ended", at=lines / 10, reason="the caller hung up", number=lines)
    await record.aclose()
    print("journal", record.id, lines, flush=True)
    writer.platform_line(f"{record.id}-its", {"result": "ANSWERED"})


async def main(folder: Path, url: DatabaseUrl) -> None:
    """Hold calls for good."""
    spool = Spool(folder)
    async with opened(url) as store:
        loader = RecordLoader(spool, StoredRecords(store.database, NoSeal()), NoSeal())
        writer = RecordWriter(spool)
        background = BackgroundTasks()
        background.keep_running(writer.keep, "syncing")
        background.keep_running(loader.run, "loading")
        numbers = count()

        async def one_after_another() -> None:
            while True:
                await call(writer, next(numbers))

        await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), DatabaseUrl(sys.argv[2])))
