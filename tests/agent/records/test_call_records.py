"""Records in the database, on SQLite and PostgreSQL: written line by line, listed, read."""

from __future__ import annotations

import asyncio
from typing import Any

from agent.records.call_records import CallRecords, RecordFilter
from agent.records.events import JournalLine
from agent.records.seals import NoSeal
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.store.store import opened


def journal(name: str, started: str = "2026-11-26T10:00:00.000+00:00") -> list[JournalLine]:
    """Return the lines of a short call."""
    lines: list[tuple[str, float | None, dict[str, Any]]] = [
        (
            "call",
            None,
            {
                "id": name,
                "call_id": f"sinch-{name}",
                "direction": "incoming",
                "caller": "+15550000001",
                "called": "+15550000002",
                "agent": "reception",
                "started": started,
            },
        ),
        ("agent", 0.1, {"text": "Hello.", "cut_off": False}),
        ("caller", 2.0, {"text": "Is it open? \U0001f600\0"}),
        ("ended", 5.5, {"reason": "the caller hung up"}),
    ]
    return [
        JournalLine(journal=name, line=n, kind=kind, at=at, fields=fields)
        for n, (kind, at, fields) in enumerate(lines)
    ]


def test_lines_are_stored_once_in_their_order(database_url: DatabaseUrl) -> None:
    """However often, and in whatever pieces they come."""

    async def main() -> None:
        async with opened(database_url) as store:
            records = CallRecords(store.database, NoSeal())
            stored = StoredRecords(store.database, NoSeal())
            lines = journal("a")
            await stored.add(lines[:2])
            (record,) = await records.find(RecordFilter(outcome="in progress"))
            assert (record.id, record.agent, record.ended) == ("a", "reception", None)
            await stored.add(lines[1:])
            await stored.add(lines)
            found = await records.get("sinch-a")
            assert found is not None
            assert found.outcome == "caller hung up"
            assert found.ended == found.started + 5.5
            assert found.data["ended"]["reason"] == "the caller hung up"
            events = await records.events(found)
            assert [(e.kind, e.at, e.fields) for e in events] == [
                (one.kind, one.at, one.fields) for one in lines
            ]
            assert await records.events(found, after=events[2].id) == events[3:]

    asyncio.run(main())


def test_records_are_listed_by_pages_the_latest_first(database_url: DatabaseUrl) -> None:
    """Each once, however many began in the same moment."""

    async def main() -> None:
        async with opened(database_url) as store:
            records = CallRecords(store.database, NoSeal())
            stored = StoredRecords(store.database, NoSeal())
            for n in range(7):
                await stored.add(journal(f"call-{n}"))
            await stored.add(journal("early", "2026-11-25T10:00:00+00:00"))
            pages, after = [], None
            while page := await records.find(RecordFilter(), after=after, limit=3):
                pages.append([one.id for one in page])
                after = (page[-1].started, page[-1].number)
            assert [len(page) for page in pages] == [3, 3, 2]
            assert [one for page in pages for one in page] == [
                *(f"call-{n}" for n in range(6, -1, -1)),
                "early",
            ]
            assert await records.find(RecordFilter(caller="+15550000001", agent="other")) == []
            assert len(await records.find(RecordFilter(caller="+15550000001"))) == 8

    asyncio.run(main())
