"""``python -m tests.benchmarks.record_search [CALLS [DATABASE]]``: how fast calls are found.

Among 100,000, on SQLite, and on a PostgreSQL of its own where one is installed. They are stored as
the service does, through the same code; what is said has the frequencies of real speech (Zipf's law
over 20,000 words). It prints and asserts nothing.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

from sqlalchemy import text

from agent.records.call_records import CallRecords, Place, RecordFilter
from agent.records.events import JournalLine
from agent.records.seals import NoSeal
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.store import schema
from agent.store.engine import SqlDatabase
from tests.benchmarks.database import show
from tests.databases import WANTED, postgresql

CALLS, DAY = 100_000, 86_400.0
AGENTS = ("reception", "orders", "support", "sales", "after-hours")
REASONS = ("the caller hung up",) * 12 + ("the agent hung up",) * 6 + ("failed", "interrupted")
COMMON = [
    "the",
    "you",
    "a",
    "I",
    "to",
    "is",
    "it",
    "and",
    "of",
    "for",
    "we",
    "that",
    "at",
    "do",
    "on",
    "are",
    "have",
    "in",
    "please",
    "table",
]
TIMES = 20

QUESTIONS = {
    "a rare word": RecordFilter(words="zanzibar"),
    "a word that is in every call": RecordFilter(words="the"),
    "a common and a rare word": RecordFilter(words="the zanzibar"),
    "three common words": RecordFilter(words="you please table"),
    "a phrase of common words": RecordFilter(words='"is it"'),
    "a phrase": RecordFilter(words='"book a table"'),
    "the beginning of a word": RecordFilter(words="zanz*"),
    "a word that nobody said": RecordFilter(words="xylophone"),
    "a common word of one caller": RecordFilter(words="the", caller="+15550000042"),
    "a common word and how it ended": RecordFilter(words="please", outcome="failed"),
    "a phrase, an agent, a week": RecordFilter(
        words='"book a table"', agent="orders", since=50 * DAY, before=57 * DAY
    ),
    "a common word, before half of them": RecordFilter(words="the", before=50 * DAY),
    "no word: the latest": RecordFilter(),
    "no word: one caller": RecordFilter(caller="+15550000042"),
    "no word: agent and outcome": RecordFilter(agent="sales", outcome="failed"),
}


def sentences() -> Iterator[str]:
    """Yield what is said, for ever, always the same."""
    chance = random.Random(16)
    syllables = [a + b for a in "bdfgklmnprstvw" for b in "aeiou"]
    words = COMMON + [
        "".join(chance.choices(syllables, k=chance.choice((2, 2, 3, 3, 4)))) for _ in range(20_000)
    ]
    weights = list(accumulate(1 / (n + 1) for n in range(len(words))))
    while True:
        yield " ".join(chance.choices(words, cum_weights=weights, k=chance.randint(3, 20)))


def call(number: int, calls: int, said: Iterator[str]) -> list[JournalLine]:
    """Return the journal of a call: six things said by each, over a hundred days in all."""
    chance, name = random.Random(number), f"{number:032x}"
    started = number * 100 * DAY / calls
    about = {
        "id": name, "call_id": f"sinch-{number}", "agent": chance.choice(AGENTS), "language": "en",
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="milliseconds"),
        "caller": f"+1555{chance.randrange(20_000):07d}", "called": "+15559999999",
        "direction": chance.choice(("incoming", "incoming", "outgoing")),
    }  # fmt: skip
    lines: list[tuple[str, float | None, dict[str, Any]]] = [("call", None, about)]
    for turn, words in enumerate(islice(said, 12)):
        extra = " book a table" if chance.random() < 0.02 else ""
        extra += " zanzibar" if chance.random() < 0.0002 else ""
        kind = "agent" if turn % 2 == 0 else "caller"
        lines.append((kind, turn * 5.0, {"turn": turn // 2, "text": words + extra}))
        if kind == "agent":
            timing = {"turn": turn // 2, "speech_end": turn * 5.0 - 0.7, "heard": turn * 5.0}
            lines.append(("timing", turn * 5.0, timing))
    lines.append(("ended", 60.0, {"reason": chance.choice(REASONS)}))
    return [
        JournalLine(journal=name, line=n, kind=kind, at=at, fields=fields)
        for n, (kind, at, fields) in enumerate(lines)
    ]


async def fill(database: SqlDatabase, calls: int) -> None:
    """Store calls as the loader does, fifty at once."""
    stored, said, began = StoredRecords(database, NoSeal()), sentences(), time.perf_counter()
    lines = 0
    for first in range(0, calls, 50):
        batch = [line for n in range(first, first + 50) for line in call(n, calls, said)]
        lines += len(batch)
        await stored.add(batch)
    seconds = time.perf_counter() - began
    print(f"{calls} calls, {lines} lines stored in {seconds:.0f} s: {lines / seconds:.0f} a second")


async def ask(name: str, records: CallRecords) -> None:
    """Time each question: its first page, and its tenth if there are as many."""
    for what, wanted in QUESTIONS.items():
        after: Place | None = None
        for page in range(1, 11):
            taken, found = [], []
            for _ in range(TIMES if page in (1, 10) else 1):
                began = time.perf_counter()
                found = await records.find(wanted, after=after)
                taken.append(1000 * (time.perf_counter() - began))
            if page in (1, 10):
                show(f"{name}: {what}, page {page} ({len(found)})", taken)
            if len(found) < 50:
                break
            after = (found[-1].started, found[-1].number)
    page_of_all = await records.find(RecordFilter())
    began = time.perf_counter()
    await records.answer_times(page_of_all)
    print(f"{name}: answer times of a page {1000 * (time.perf_counter() - began):.1f} ms")


async def measure(url: DatabaseUrl, calls: int) -> None:
    """Fill a database, and ask it."""
    database = SqlDatabase(url, within=60.0)
    await schema.upgrade(database)
    await fill(database, calls)
    if url.is_postgresql:  # which its autovacuum does within a minute
        await database.write(lambda c: c.execute(text("ANALYZE")))
    name = "PostgreSQL" if url.is_postgresql else "SQLite"
    await ask(name, CallRecords(database, NoSeal()))
    await database.aclose()


def main() -> None:
    """Measure both, or the one that is named."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else CALLS
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    if only in ("", "sqlite"):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "records.db"
            asyncio.run(measure(DatabaseUrl(f"sqlite:///{file}"), calls))
            print(f"SQLite: {file.stat().st_size / 1e6:.0f} MB")
    if only in ("", "postgresql"):
        with postgresql() as server:
            if server is None:
                print(WANTED)
                return
            asyncio.run(measure(DatabaseUrl(server.new_database()), calls))


if __name__ == "__main__":
    main()
