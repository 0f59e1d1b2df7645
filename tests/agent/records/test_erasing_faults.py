"""Erasure that fails half-way, or has to be done with records that are not as most are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from agent.records.access_log import AccessLog
from agent.records.call_records import CallRecords, RecordFilter
from agent.records.erasing import Erasing, InProgressError
from agent.records.events import CallRecord, JournalLine
from agent.records.recordings.buckets import BucketError
from agent.records.retention import DAY, Retention
from agent.records.seals import KeySeal, NoSeal, Seal, SealError
from agent.records.search.word_search import fact
from agent.records.stored_records import StoredRecords
from agent.server.erasure import RecordErasure
from agent.settings.database import DatabaseUrl
from agent.settings.privacy import PrivacySettings
from agent.store.errors import StoreError
from agent.store.store import opened
from tests.agent.records.test_erasing import NUMBER, STARTED, WORDS, lines_of, raw
from tests.agent.records.test_seals import NEW, OLD

PLATFORM = {"call_id": "sinch-a", "about": {"caller": NUMBER, "called": "+15550000002"}, "price": 1}


@pytest.mark.parametrize("seal", [NoSeal(), KeySeal([NEW])], ids=["plain", "sealed"])
def test_a_number_is_gone_wherever_it_stood(database_url: DatabaseUrl, seal: Seal) -> None:
    """In what the platform told behind the end of a call, and in what words are searched with."""

    async def main() -> None:
        async with opened(database_url) as store:
            stored = StoredRecords(store.database, seal)
            late = JournalLine(journal="late", line=0, kind="platform", at=None, fields=PLATFORM)
            await stored.add([*lines_of("a"), late])
            await stored.add(
                [
                    JournalLine(
                        journal="x",
                        line=0,
                        kind="platform",
                        at=None,
                        fields=PLATFORM | {"call_id": "nobody"},
                    )
                ]
            )
            records = CallRecords(store.database, seal)
            indexed = text("SELECT CAST(words AS TEXT) FROM call_words")
            caller = fact("caller", seal.look_up(NUMBER))
            before = await store.database.read(lambda c: c.execute(indexed).scalars().all())
            assert any(caller in words for words in before)
            assert len(await records.find(RecordFilter(caller=NUMBER, words=WORDS))) == 1
            erasing = Erasing(store.database, seal, Path("nowhere"))
            settings = PrivacySettings(keep_numbers=1)
            kept = Retention(settings, store.database, seal, Path("nowhere"), erasing)
            now = max(one.started for one in await records.find(RecordFilter())) + 2 * DAY
            assert (await kept.sweep(now))["numbers"] == 2
            for record in await records.find(RecordFilter()):
                known: list[Any] = [dict(one.fields) for one in await records.events(record)]
                assert NUMBER not in json.dumps([*known, dict(record.data)])
                assert record.data["platform"]["price"] == 1
            left = await store.database.read(lambda c: c.execute(indexed).scalars().all())
            assert len(left) == len(before)
            assert not any(caller in words for words in left)
            found = RecordFilter(words=WORDS, agent="reception", direction="incoming")
            assert [one.id for one in await records.find(found)] == ["a"]

    asyncio.run(main())


@pytest.mark.parametrize(
    "error", [BucketError("away"), InProgressError("written"), PermissionError(13, "no")], ids=repr
)
def test_a_record_that_cannot_be_erased_keeps_no_other(tmp_path: Path, error: Exception) -> None:
    """The oldest is let be, also where more fail than a sweep has patience for."""

    async def delete(record: CallRecord) -> int:
        if record.id < "c":
            raise error
        return 1

    async def main() -> None:
        async with opened(DatabaseUrl(f"sqlite:///{tmp_path}/voice-agent.db")) as store:
            stored = StoredRecords(store.database, NoSeal())
            for n, name in enumerate("abcd"):
                await stored.add(lines_of(name, started=f"2026-05-28T20:26:4{n}+00:00"))
            records = CallRecords(store.database, NoSeal())
            now = (await records.find(RecordFilter()))[0].started + 9 * DAY
            erasing = Erasing(store.database, NoSeal(), tmp_path, delete)
            for settings, what in (
                (PrivacySettings(keep_recordings=1), "recordings"),
                (PrivacySettings(keep_records=1), "records"),
            ):
                kept = Retention(settings, store.database, NoSeal(), tmp_path, erasing)
                assert (await kept.sweep(now))[what] == 2
                assert (await kept.sweep(now))[what] == 0
            assert [one.id for one in await records.find(RecordFilter())] == ["b", "a"]
            await stored.add(lines_of("e", started="2026-05-28T20:26:49+00:00"))
            kept = Retention(settings, store.database, NoSeal(), tmp_path, erasing, most_failed=2)
            counts = [(await kept.sweep(now))["records"] for _ in range(4)]
            assert counts == [0, 1, 0, 0]

    asyncio.run(main())


def test_what_was_erased_before_a_failure_is_gone_from_the_bytes(tmp_path: Path) -> None:
    """Over REST and by a sweep."""

    async def main() -> None:
        async with opened(DatabaseUrl(f"sqlite:///{tmp_path}/voice-agent.db")) as store:
            stored = StoredRecords(store.database, NoSeal())
            fails = text(
                "CREATE TRIGGER fails BEFORE DELETE ON call_records "
                "BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
            await store.database.write(lambda c: c.execute(fails))
            erasing = Erasing(store.database, NoSeal(), tmp_path / "transcripts")
            rest = RecordErasure(erasing, AccessLog(store.database, "token"))
            settings = PrivacySettings(keep_records=1)
            kept = Retention(settings, store.database, NoSeal(), tmp_path, erasing)
            erases: tuple[Callable[[], Awaitable[object]], ...] = (
                lambda: rest.erase("a"),
                lambda: kept.sweep(STARTED + 9 * DAY),
            )
            for erase in erases:
                await stored.add(lines_of("a"))
                with pytest.raises(StoreError):
                    await erase()
                assert f'"text": "{WORDS} 7"'.encode() not in raw(
                    tmp_path
                )  # its index stays with the row
                assert not erasing.unfinished

    asyncio.run(main())


def test_a_record_is_erased_by_the_name_of_a_call_that_we_placed(database_url: DatabaseUrl) -> None:
    """By which it is shown, too; what is no name is none."""

    async def main() -> None:
        async with opened(database_url) as store:
            stored = StoredRecords(store.database, NoSeal())
            call, *rest = lines_of("a")
            fields = {**call.fields, "dialled": "our-name"}
            placed = JournalLine(journal="a", line=0, kind="call", at=None, fields=fields)
            await stored.add([placed, *rest])
            erasing = Erasing(store.database, NoSeal(), Path("nowhere"))
            for name in ("\0", "a\0", "\udc80", "'", "x" * 5000, "nobody"):
                assert await erasing.get(name) is None
            erasure = RecordErasure(erasing, AccessLog(store.database, "token"))
            assert (await erasure.erase("our-name"))["lines"] == 13
            assert await erasing.get("a") is None

    asyncio.run(main())


def test_a_record_without_its_key_is_listed_all_the_same(database_url: DatabaseUrl) -> None:
    """So that it can be erased; what asks for its words is told, and nothing takes it for a bug."""

    async def main() -> None:
        async with opened(database_url) as store:
            await StoredRecords(store.database, KeySeal([OLD])).add(lines_of("a"))
            await StoredRecords(store.database, KeySeal([NEW])).add(lines_of("b"))
            records = CallRecords(store.database, KeySeal([NEW]))
            found = await records.find(RecordFilter())
            assert [(one.id, bool(one.data)) for one in found] == [("b", True), ("a", False)]
            assert found[1].outcome == "caller hung up"
            assert set((await records.answer_times(found)).values()) == {None}
            with capture_logs() as logs, pytest.raises(SealError):
                await records.get("a")
            assert logs == []

    asyncio.run(main())
