"""Calls erased, on SQLite and PostgreSQL: nothing of them is left, all of others is."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, text

from agent.records.call_records import CallRecords, RecordFilter
from agent.records.erasing import Erasing, InProgressError
from agent.records.events import CallRecord, JournalLine
from agent.records.journals.journal_file import JournalFile
from agent.records.journals.journal_names import new_journal
from agent.records.journals.record_files import journals_of
from agent.records.journals.spool import Spool
from agent.records.retention import DAY, Retention
from agent.records.seals import KeySeal, NoSeal, Seal
from agent.records.stored_records import StoredRecords
from agent.records.webhooks.outbox import Outbox
from agent.settings.database import DatabaseUrl
from agent.settings.privacy import PrivacySettings
from agent.store.outbox_table import webhook_outbox
from agent.store.record_tables import call_events
from agent.store.store import Store, opened
from tests.agent.records.test_seals import NEW

WORDS = "zanzibar"
"""What nobody says by chance."""

NUMBER = "+12025550123"
STARTED = 1_780_000_000.0


def lines_of(
    name: str, caller: str = NUMBER, *, said: str = WORDS, ended: bool = True, started: str = ""
) -> list[JournalLine]:
    """Return the lines of a call."""
    lines: list[tuple[str, float | None, dict[str, Any]]] = [
        (
            "call",
            None,
            {
                "id": name,
                "call_id": f"sinch-{name}",
                "direction": "incoming",
                "caller": caller,
                "called": "+15550000002",
                "agent": "reception",
                "started": started or "2026-05-28T20:26:40+00:00",
                "headers": {"note": said},
            },
        ),
        *[("caller", 1.0 * n, {"turn": n, "text": f"{said} {n}"}) for n in range(1, 8)],
        ("tool", 8.0, {"name": "look", "arguments": {"q": said}, "result": said, "status": "done"}),
        ("summary", 9.0, {"text": said, "fields": {"name": said}}),
        ("recording", 9.0, {"status": "stored", "file": f"{name}.flac"}),
        ("transfer", 9.5, {"to": "+12025550188", "status": "done"}),
    ]
    if ended:
        lines.append(("ended", 10.0, {"reason": "the caller hung up"}))
    return [
        JournalLine(journal=name, line=n, kind=kind, at=at, fields=fields)
        for n, (kind, at, fields) in enumerate(lines)
    ]


def raw(folder: Path) -> bytes:
    """Return the bytes of all files of a database."""
    return b"".join(path.read_bytes() for path in folder.glob("voice-agent.db*"))


def _index(connection: Connection, words: Sequence[str]) -> None:
    connection.execute(text("CREATE VIRTUAL TABLE IF NOT EXISTS w USING fts5(said)"))
    for place, said in enumerate(words):
        row = {"id": place + 1, "said": said}
        connection.execute(text("INSERT INTO w(rowid, said) VALUES (:id, :said)"), row)


def test_nothing_is_left_in_the_bytes_of_the_files(tmp_path: Path) -> None:
    """Not in SQLite's file, its log, free pages, or the segments of a full-text index."""
    url = DatabaseUrl(f"sqlite:///{tmp_path}/voice-agent.db")

    async def main() -> None:
        async with opened(url) as store:
            stored = StoredRecords(store.database, NoSeal())
            await stored.add(
                [*lines_of("gone"), *lines_of("stays", "+12025550199", said="xylophone")]
            )
            said = [f"{WORDS} one", "xylophone two", f"{WORDS} three"]
            for _ in range(3):  # segments
                await store.database.write(lambda c: c.execute(text("DROP TABLE IF EXISTS w")))
                await store.database.write(lambda c: _index(c, said))
            assert WORDS.encode() in raw(tmp_path)
            erasing = Erasing(store.database, NoSeal(), tmp_path / "transcripts")
            (record,) = await erasing.of_number("(202) 555-0123", "US")
            erased = await erasing.erase(record)
            assert erased.lines == 13
            gone = text("DELETE FROM w WHERE said LIKE :said")
            await store.database.write(lambda c: c.execute(gone, {"said": f"{WORDS}%"}))
            await erasing.finish()
            left = raw(tmp_path)
            assert WORDS.encode() not in left
            assert NUMBER.encode() not in left
            assert NUMBER[1:].encode() not in left
            assert b"sinch-gone" not in left
            assert b"xylophone" in left
            records = CallRecords(store.database, NoSeal())
            assert [one.id for one in await records.find(RecordFilter())] == ["stays"]
            found = text("SELECT rowid FROM w WHERE w MATCH 'xylophone'")
            assert await store.database.read(lambda c: c.execute(found).scalar()) == 2

    asyncio.run(main())


FORMS = (
    "+12025550123", "+1 202 555 0123", "+1 (202) 555-0123", "(202) 555-0123", "202.555.0123",
    "0012025550123", "12025550123", "tel:+12025550123", "sip:+12025550123@example.com",
    " +1-202-555-0123 ",
)  # fmt: skip


@pytest.mark.parametrize("seal", [NoSeal(), KeySeal([NEW])], ids=["plain", "sealed"])
def test_a_number_is_found_in_every_form(seal: Seal, database_url: DatabaseUrl) -> None:
    """However the platform had it, and however somebody writes it who asks to be forgotten."""

    async def main() -> None:
        async with opened(database_url) as store:
            stored = StoredRecords(store.database, seal)
            came = ("+12025550123", "12025550123", "0012025550123", "sip:+12025550123@a.example")
            for n, form in enumerate(came):
                await stored.add(lines_of(f"call-{n}", form))
            await stored.add(lines_of("other", "+12025550124"))
            erasing = Erasing(store.database, seal, Path("nowhere"))
            for form in FORMS:
                found = await erasing.of_number(form, "US")
                assert [one.id for one in found] == [f"call-{n}" for n in range(4)], form
            assert await erasing.of_number("+12025550125") == []
            assert await erasing.of_number("") == []

    asyncio.run(main())


def test_journals_and_recordings_go_and_a_call_in_progress_stays(
    tmp_path: Path, database_url: DatabaseUrl
) -> None:
    """What its process still writes is refused, with its record as it was."""
    deleted: list[str] = []

    async def delete(record: CallRecord) -> int:
        deleted.append(record.data["recording"]["file"])
        return 1

    async def main() -> None:
        async with opened(database_url) as store:
            stored = StoredRecords(store.database, NoSeal())
            now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
            await stored.add(
                [*lines_of("a"), *lines_of("b"), *lines_of("c", ended=False, started=now)]
            )
            for name in ("a", "b"):
                (tmp_path / f"20260528T202640.000-sinch-{name}.jsonl").write_text(WORDS)
            name = new_journal(_at(STARTED + 60))
            writing = JournalFile(Spool(tmp_path / "journals"), name, "sinch-b", NoSeal())
            writing.add("caller", {"text": WORDS})
            erasing = Erasing(store.database, NoSeal(), tmp_path, delete)
            a, b, c = [await erasing.get(name) for name in "abc"]
            assert a is not None
            assert b is not None
            assert c is not None
            assert (await erasing.found(a)).journals == 1
            assert (await erasing.erase(a)).journals == 1
            for record in (b, c):
                with pytest.raises(InProgressError):
                    await erasing.erase(record)
            assert await erasing.get("a") is None
            assert (await erasing.get("b")) == b
            writing.close()
            assert (await erasing.erase(b)).journals >= 1
            assert not journals_of(tmp_path, "a", "sinch-a") + journals_of(tmp_path, "b", "sinch-b")
            assert deleted[0] == "a.flac"

    asyncio.run(main())


def test_what_comes_after_the_erasure_brings_nothing_back(database_url: DatabaseUrl) -> None:
    """Neither price, with its numbers, nor recording, nor summary; and no webhook waits."""

    async def main() -> None:
        async with opened(database_url) as store:
            outbox = Outbox(store.database, {"crm": ("call.ended", "call.summarized")})
            stored = StoredRecords(store.database, NoSeal(), outbox)
            await stored.add([*lines_of("a"), *lines_of("b")])
            rows = select(func.count()).select_from(webhook_outbox)
            before = await store.database.read(lambda c: c.execute(rows).scalar_one())
            erasing = Erasing(store.database, NoSeal(), Path("none"))
            record = await erasing.get("a")
            assert record is not None
            await erasing.erase(record)
            assert before > 0
            assert await store.database.read(lambda c: c.execute(rows).scalar_one()) == before / 2
            told: list[tuple[str, dict[str, Any]]] = [
                ("platform", {"call_id": "sinch-a", "about": {"caller": NUMBER}, "amount": "1"}),
                ("recording", {"id": "a", "call_id": "", "status": "stored", "file": "a.flac"}),
                ("summary", {"id": "a", "call_id": "sinch-a", "text": WORDS}),
            ]
            for n, (kind, fields) in enumerate(told):
                name = new_journal(_at(STARTED + n))
                await stored.add(
                    [JournalLine(journal=name, line=0, kind=kind, at=None, fields=fields)]
                )
            records = CallRecords(store.database, NoSeal())
            assert [one.id for one in await records.find(RecordFilter())] == ["b"]
            lines = select(func.count()).select_from(call_events)
            assert await store.database.read(lambda c: c.execute(lines).scalar_one()) == 13

    asyncio.run(main())


def _at(unix: float) -> Any:
    from datetime import UTC, datetime  # noqa: PLC0415

    return datetime.fromtimestamp(unix, UTC)


async def _stored(store: Store, seal: Seal, names: str) -> CallRecords:
    stored = StoredRecords(store.database, seal)
    for name in names:
        await stored.add(lines_of(name))
    return CallRecords(store.database, seal)


def _retention(settings: PrivacySettings, store: Store, seal: Seal, folder: Path) -> Retention:
    erasing = Erasing(store.database, seal, folder)
    return Retention(settings, store.database, seal, folder, erasing)


@pytest.mark.parametrize("seal", [NoSeal(), KeySeal([NEW])], ids=["plain", "sealed"])
def test_words_go_and_the_rest_stays(tmp_path: Path, database_url: DatabaseUrl, seal: Seal) -> None:
    """Who called when, and how it went, is known as long as the record is."""

    async def main() -> None:
        async with opened(database_url) as store:
            records = await _stored(store, seal, "ab")
            settings = PrivacySettings(keep_words=30)
            started = (await records.find(RecordFilter()))[0].started
            day_before = started + 29 * DAY
            for now, gone in ((day_before, 0), (started + 31 * DAY, 2), (started + 32 * DAY, 0)):
                retention = _retention(settings, store, seal, tmp_path)  # as after a restart
                assert (await retention.sweep(now))["words"] == gone
            (record, _) = await records.find(RecordFilter(caller=NUMBER))
            events = await records.events(record)
            assert WORDS not in json.dumps([dict(one.fields) for one in events])
            assert WORDS not in json.dumps(dict(record.data))
            assert (events[1].kind, events[1].at, events[1].fields) == ("caller", 1.0, {"turn": 1})
            assert record.data["caller"] == NUMBER
            assert record.data["recording"]["file"] == "b.flac"
            assert record.outcome == "caller hung up"

    asyncio.run(main())


def test_numbers_and_recordings_go_each_in_its_time(
    tmp_path: Path, database_url: DatabaseUrl
) -> None:
    """What was said stays meanwhile, if it is kept for longer."""

    async def main() -> None:
        async with opened(database_url) as store:
            records = await _stored(store, NoSeal(), "a")
            settings = PrivacySettings(keep_numbers=1, keep_recordings=2, keep_words=9)
            started = (await records.find(RecordFilter()))[0].started
            retention = _retention(settings, store, NoSeal(), tmp_path)
            swept = await retention.sweep(started + 1.5 * DAY)
            assert (swept["numbers"], swept["recordings"], swept["words"]) == (1, 0, 0)
            (record,) = await records.find(RecordFilter())
            everything = json.dumps([dict(one.fields) for one in await records.events(record)])
            assert NUMBER not in everything + json.dumps(dict(record.data))
            assert "+12025550188" not in everything
            assert WORDS in everything
            assert await records.find(RecordFilter(caller=NUMBER)) == []
            swept = await retention.sweep(started + 2.5 * DAY)
            assert (swept["numbers"], swept["recordings"]) == (0, 1)
            (record,) = await records.find(RecordFilter())
            assert "file" not in record.data["recording"]

    asyncio.run(main())


def test_records_go_whole_and_so_do_kept_journals(
    tmp_path: Path, database_url: DatabaseUrl
) -> None:
    """Those of calls that are not over are let be, and so is what is younger."""

    async def main() -> None:
        async with opened(database_url) as store:
            records = await _stored(store, NoSeal(), "abc")
            old = tmp_path / "20260528T202640.000-sinch-a.jsonl"
            young = tmp_path / "20260628T202640.000-sinch-x.jsonl"
            old.write_text(WORDS)
            young.write_text(WORDS)
            started = (await records.find(RecordFilter()))[0].started
            retention = _retention(PrivacySettings(keep_records=10), store, NoSeal(), tmp_path)
            assert not any((await retention.sweep(started + 9 * DAY)).values())
            swept = await retention.sweep(started + 11 * DAY)
            assert swept["records"] == 3
            assert await records.find(RecordFilter()) == []
            assert (old.exists(), young.exists()) == (False, True)

    asyncio.run(main())
