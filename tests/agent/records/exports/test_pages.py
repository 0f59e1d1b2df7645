"""Calls read page by page, on SQLite and PostgreSQL: each once, damaged ones too."""

from __future__ import annotations

import asyncio
import io
import json
from contextlib import aclosing

import pytest
from sqlalchemy import delete, update

from agent.records.call_records import RecordFilter
from agent.records.events import JournalLine
from agent.records.exports import pages
from agent.records.exports.formats import JsonLines
from agent.records.exports.pages import WholeCall, call_named, calls_matching
from agent.records.seals import NoSeal, SealError
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.store.record_tables import call_events, call_records
from agent.store.store import opened
from tests.agent.records.exports.calls import all_of, journal


def ids(calls: list[WholeCall]) -> list[str]:
    return [call.record.id for call in calls]


@pytest.mark.parametrize("characters", [1, 2000, 10**6])
def test_each_call_comes_once_the_latest_first(
    database_url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch, characters: int
) -> None:
    """However large the pages are; none that begins meanwhile, and none that is erased."""
    monkeypatch.setattr(pages, "PAGE", 3)
    monkeypatch.setattr(pages, "PAGE_CHARACTERS", characters)

    async def main() -> None:
        async with opened(database_url) as store:
            stored = StoredRecords(store.database, NoSeal())
            assert await all_of(store.database) == []
            for n in range(8):
                await stored.add(journal(f"call-{n}"))
            found = calls_matching(store.database, NoSeal(), RecordFilter())
            async with aclosing(found):
                calls = [await anext(found)]
                await stored.add(journal("late", "2026-11-20T10:00:00+00:00"))
                gone = delete(call_records).where(call_records.c.id == "call-2")
                await store.database.write(lambda c: c.execute(gone))
                calls += [call async for call in found]
            assert ids(calls) == [f"call-{n}" for n in (7, 6, 5, 4, 3, 1, 0)]
            assert {len(call.events) for call in calls} == {13}
            assert "late" in ids(await all_of(store.database))

    asyncio.run(main())


def test_filters_are_those_of_the_list(database_url: DatabaseUrl) -> None:
    """And a call is known by our id or the platform's."""

    async def main() -> None:
        async with opened(database_url) as store:
            stored = StoredRecords(store.database, NoSeal())
            await stored.add(journal("a"))
            await stored.add(journal("b", "2026-11-27T10:00:00+00:00", caller="+15550000009"))
            for wanted, there in (
                (RecordFilter(caller="+15550000009"), ["b"]),
                (RecordFilter(called="+15550000002"), ["b", "a"]),
                (RecordFilter(before=1795687200.0), []),
                (RecordFilter(before=1795687200.1), ["a"]),
                (RecordFilter(since=1795687200.1, agent="reception"), ["b"]),
                (RecordFilter(outcome="caller hung up", direction="incoming"), ["b", "a"]),
                (RecordFilter(outcome="failed"), []),
            ):
                assert ids(await all_of(store.database, wanted)) == there
            for name in ("a", "sinch-a"):
                found = await call_named(store.database, NoSeal(), name)
                assert found is not None
                assert found.record.id == "a"
            assert await call_named(store.database, NoSeal(), "sinch") is None

    asyncio.run(main())


def test_an_export_that_is_stored_again_is_the_same(database_url: DatabaseUrl) -> None:
    """Nothing of a call is lost in JSON Lines, half a character neither."""

    def text_of(calls: list[WholeCall]) -> bytes:
        file = io.BytesIO()
        export = JsonLines(file)
        for call in calls:
            export.add(call)
        return file.getvalue()

    async def main() -> None:
        async with opened(database_url) as store:
            stored = StoredRecords(store.database, NoSeal())
            await stored.add(journal("a"))
            await stored.add(journal("b", "2026-11-27T10:00:00+00:00")[:4])  # it is in progress
            text = text_of(await all_of(store.database))
            for table in (call_records, call_events):
                await store.database.write(lambda c, table=table: c.execute(delete(table)))  # type: ignore[misc]
            for call in map(json.loads, text.splitlines()):
                lines = [
                    JournalLine(
                        journal=call["id"],
                        line=n,
                        kind=event["kind"],
                        at=event.get("at"),
                        fields={k: v for k, v in event.items() if k not in ("kind", "at")},
                    )
                    for n, event in enumerate(call["events"])
                ]
                await stored.add(lines)
            assert text_of(await all_of(store.database)) == text

    asyncio.run(main())


class OneIsSealed(NoSeal):
    """Has no key for what mentions a name."""

    def show(self, stored: str, place: str = "") -> str:
        del place
        if "sealed" in stored:
            raise SealError("no key")
        return stored


def test_of_what_is_damaged_the_rest_is_exported(database_url: DatabaseUrl) -> None:
    """A row that is no JSON, one whose key is gone; of a line, or of the record itself."""

    async def main() -> None:
        async with opened(database_url) as store:
            stored = StoredRecords(store.database, NoSeal())
            for name in ("a", "b", "c"):
                await stored.add(journal(name))
            events, records = call_events.c, call_records.c
            for broken in (
                update(call_events)
                .where(events.journal == "a", events.line.in_([1, 2]))
                .values(data='{"text": '),
                update(call_events)
                .where(events.journal == "a", events.line == 3)
                .values(data="[" * 100_000),
                update(call_records).where(records.id == "b").values(data='{"sealed": 1}'),
            ):
                await store.database.write(lambda c, broken=broken: c.execute(broken))  # type: ignore[misc]
            calls = {
                call.record.id: call for call in await all_of(store.database, seal=OneIsSealed())
            }
            damaged = {name: (one.damaged, len(one.events)) for name, one in calls.items()}
            assert damaged == {"a": (3, 10), "b": (1, 13), "c": (0, 13)}
            assert (calls["b"].record.outcome, calls["b"].record.data) == ("caller hung up", {})

    asyncio.run(main())
