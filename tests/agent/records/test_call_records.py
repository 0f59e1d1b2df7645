"""Records in the database, on SQLite and PostgreSQL: written line by line, listed, read."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from agent.records.call_records import CallRecords, RecordFilter
from agent.records.events import DISCLOSED, JournalLine
from agent.records.journals.lines import read
from agent.records.seals import NoSeal
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.store import schema
from agent.store.engine import SqlDatabase, T, Work
from agent.store.errors import StoreError
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


def told(name: str, *cut_off: bool) -> list[JournalLine]:
    """Return the lines of a call in which its agent said so often that it is a machine."""
    first, *middle, last = journal(name)
    said = [
        JournalLine(journal=name, line=10 + n, kind="disclosed", at=0.5, fields={"cut_off": True})
        if cut
        else JournalLine(journal=name, line=10 + n, kind="disclosed", at=0.5, fields={})
        for n, cut in enumerate(cut_off)
    ]
    return [first, *middle, *said, replace(last, line=20)]


def test_calls_are_found_by_whether_it_was_told_that_a_machine_talks(
    database_url: DatabaseUrl,
) -> None:
    """Heard once in full is heard; of a call that goes on, or had no agent, nobody knows better."""

    async def main() -> None:
        async with opened(database_url) as store:
            records = CallRecords(store.database, NoSeal())
            stored = StoredRecords(store.database, NoSeal())
            await stored.add(told("full", False))
            await stored.add(told("again", True, False))
            await stored.add(told("twice", False, True))
            await stored.add(told("broken", True))
            await stored.add(told("never"))
            await stored.add(told("goes-on")[:-1])
            await stored.add([later("p", "platform", call_id="nobody", result="NOANSWER")])
            found = {
                how: {one.id for one in await records.find(RecordFilter(disclosed=how))}
                for how in DISCLOSED
            }
            assert found == {
                "yes": {"full", "again", "twice"},
                "cut-off": {"broken"},
                "no": {"never"},
            }
            listed = {one.id: one.disclosed for one in await records.find(RecordFilter())}
            by_name = {name: how for how, names in found.items() for name in names}
            assert listed == by_name | {"goes-on": None, "p": None}
            both = RecordFilter(disclosed="yes", agent="other")
            assert await records.find(both) == []

    asyncio.run(main())


def later(journal: str, kind: str, **fields: Any) -> JournalLine:
    """Return a line of a journal of its own."""
    return JournalLine(journal=journal, line=0, kind=kind, at=None, fields=fields)


def test_what_comes_later_belongs_to_the_latest_record_of_its_call(
    database_url: DatabaseUrl,
) -> None:
    """Or to the one whose id it has, however often it comes; in one batch with it, or alone."""

    async def main() -> None:
        async with opened(database_url) as store:
            records = CallRecords(store.database, NoSeal())
            stored = StoredRecords(store.database, NoSeal())
            told = later("p", "platform", call_id="sinch-a", result="ANSWERED")
            await stored.add([*journal("a"), told])
            await stored.add([told, later("s", "summary", id="a", call_id="?", text="Hm.")])
            await stored.add([later("x", "summary", id="gone", call_id="?", text="Hm.")])
            record = await records.get("a")
            assert record is not None
            assert record.data["platform"]["result"] == "ANSWERED"
            assert record.data["summary"]["text"] == "Hm."
            assert record.outcome == "caller hung up"
            kinds = [event.kind for event in await records.events(record)]
            assert kinds == ["call", "agent", "caller", "ended", "platform", "summary"]
            assert len(await records.find(RecordFilter())) == 1

    asyncio.run(main())


def test_a_call_without_a_stream_has_a_record_of_what_the_platform_says(
    database_url: DatabaseUrl,
) -> None:
    """If its stream was elsewhere, and its journal comes after that, they become one."""

    async def main() -> None:
        async with opened(database_url) as store:
            records = CallRecords(store.database, NoSeal())
            stored = StoredRecords(store.database, NoSeal())
            name = "20261126T100500.250-0123abcd"
            told = later(name, "platform", call_id="sinch-a", result="NOANSWER")
            await stored.add([told])
            await stored.add([told])
            (record,) = await records.find(RecordFilter(outcome="not answered"))
            assert (record.id, record.started, record.ended) == (name, *[1795687500.25] * 2)
            await stored.add(journal("a"))
            (record,) = await records.find(RecordFilter())
            assert (record.id, record.outcome, record.agent) == ("a", "caller hung up", "reception")
            assert record.data["platform"]["result"] == "NOANSWER"
            assert len(await records.events(record)) == 5

    asyncio.run(main())


def test_a_call_that_nobody_answered_is_found_by_the_name_it_was_dialled_as(
    database_url: DatabaseUrl,
) -> None:
    """The name that `voice-agent dial` prints; there is nothing of it but the platform's word."""

    async def main() -> None:
        async with opened(database_url) as store:
            about = {"dialled": "d1", "direction": "outgoing"}
            told = later(
                "20261126T100500.250-0123abcd",
                "platform",
                call_id="sinch-a",
                result="NOANSWER",
                about=about,
            )
            await StoredRecords(store.database, NoSeal()).add([told])
            record = await CallRecords(store.database, NoSeal()).get("d1")
            assert record is not None
            assert record.outcome == "not answered"

    asyncio.run(main())


def test_whatever_is_in_a_line_can_be_stored(database_url: DatabaseUrl) -> None:
    """Half characters, zeros, what is too long for its column, times that there are not."""
    odd = "\ud83d \0 " + "x" * 500

    async def main() -> None:
        async with opened(database_url) as store:
            records = CallRecords(store.database, NoSeal())
            stored = StoredRecords(store.database, NoSeal())
            fields = dict.fromkeys(
                ("id", "call_id", "agent", "caller", "called", "direction", "started"), odd
            )
            lines = [
                JournalLine(journal="j", line=0, kind="call", at=None, fields=fields),
                JournalLine(journal="j", line=1, kind="usage", at=1e14, fields={odd: odd}),
                JournalLine(journal="j", line=2, kind="ended", at=1.0, fields={"reason": 7}),
            ]
            for _ in range(2):
                await stored.add(lines)
            (record,) = await records.find(RecordFilter())
            assert (record.id, record.outcome, record.direction) == ("j", "failed", "incoming")
            assert len(record.data["usage"]) == 1
            assert len(await records.events(record)) == 3

    asyncio.run(main())


def test_several_store_at_once(database_url: DatabaseUrl) -> None:
    """The same lines, and others of the same records: each is there once."""

    async def main() -> None:
        async with opened(database_url) as store:
            # A busy machine may take longer than calls have.
            one, other = (SqlDatabase(database_url, within=60.0) for _ in range(2))
            stores = [StoredRecords(each, NoSeal()) for each in (one, other, one)]
            lines = [line for n in range(20) for line in journal(f"c{n}")]
            await asyncio.gather(
                *(each.add(lines[n * 10 : n * 10 + 20]) for n in range(7) for each in stores),
                return_exceptions=True,  # of a deadlock one is the victim; a loader asks again
            )
            for each in stores:
                await each.add(lines)
            records = CallRecords(store.database, NoSeal())
            found = await records.find(RecordFilter())
            assert len(found) == 20
            for record in found:
                assert len(await records.events(record)) == 4
                assert record.outcome == "caller hung up"
            await one.aclose()
            await other.aclose()

    asyncio.run(main())


FOR_EVER = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
)


def test_a_question_that_takes_too_long_holds_up_nobody(tmp_path: Path) -> None:
    """It is broken off in SQLite itself: the threads that read are free for others."""

    async def main() -> None:
        database = SqlDatabase(DatabaseUrl(f"sqlite:///{tmp_path}/a.db"), within=0.2, quiet=True)

        async def ask_for_ever() -> None:
            with pytest.raises(StoreError):
                await database.read(lambda c: c.execute(FOR_EVER).scalar())

        for _ in range(2):
            await asyncio.gather(*(ask_for_ever() for _ in range(2)))
        async with asyncio.timeout(10):
            while True:  # its thread notices a moment later than whoever waits
                try:
                    assert await schema.state(database) == "empty"
                    break
                except StoreError:
                    await asyncio.sleep(0.02)
        await database.aclose()

    asyncio.run(main())


class OneByOne:
    """A database that says whether it was asked several things at once."""

    def __init__(self) -> None:
        self.asked = self.most = 0

    async def read(self, work: Work[T]) -> T:
        del work
        self.asked += 1
        self.most = max(self.most, self.asked)
        await asyncio.sleep(0)
        self.asked -= 1
        raise StoreError("nothing here")

    async def write(self, work: Work[T]) -> T:
        return await self.read(work)

    async def scrub(self) -> None:
        raise StoreError("nothing here")


def test_records_are_read_one_after_the_other() -> None:
    """Of the two threads that read, one is always there for calls."""

    async def main() -> None:
        database = OneByOne()
        records = CallRecords(database, NoSeal())
        asked = (records.get("x"), records.find(RecordFilter()), records.find(RecordFilter()))
        failed = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(one, StoreError) for one in failed)
        assert database.most == 1

    asyncio.run(main())


def test_how_long_callers_waited_is_in_the_record_of_a_call_that_is_over(
    database_url: DatabaseUrl,
) -> None:
    """No line is read to list it; of a call in progress, the lines are."""

    async def main() -> None:
        async with opened(database_url) as store:
            records = CallRecords(store.database, NoSeal())
            stored = StoredRecords(store.database, NoSeal())
            call, *_, ended = journal("a")
            timings = [
                JournalLine(
                    journal="a",
                    line=n,
                    kind="timing",
                    at=1.0 * n,
                    fields={"speech_end": 1.0 * n, "heard": n + waited},
                )
                for n, waited in enumerate((0.5, 2.0, 0.7), 10)
            ]
            await stored.add([call, *timings[:2]])
            (record,) = await records.find(RecordFilter())
            assert await records.answer_times([record]) == {record.number: 1.25}
            last = JournalLine(journal="a", line=20, kind="ended", at=20.0, fields=ended.fields)
            await stored.add([timings[2], last])
            (record,) = await records.find(RecordFilter())
            lines = text("DELETE FROM call_events")
            await store.database.write(lambda c: c.execute(lines))
            assert await records.answer_times([record]) == {record.number: 0.7}

    asyncio.run(main())


@pytest.mark.parametrize(
    "started", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31", "nonsense"]
)
def test_a_time_of_which_no_call_is_counts_as_none(tmp_path: Path, started: str) -> None:
    """The journal says by its name when it was begun; no call ends before that."""
    name = "20261126T100000.000-0123abcd"

    async def main() -> None:
        async with opened(DatabaseUrl(f"sqlite:///{tmp_path}/voice-agent.db")) as store:
            first, *_, last = journal(name, started)
            await StoredRecords(store.database, NoSeal()).add([first, replace(last, at=-1e7)])
            (record,) = await CallRecords(store.database, NoSeal()).find(RecordFilter())
            assert (record.started, record.ended) == (1795687200.0, 1795687200.0)

    asyncio.run(main())
    for at in (b"1e14", b"-1e9", b"1e999", b"9" * 400):
        assert read(NoSeal(), b'{"kind": "ended", "at": %b}' % at) == ("ended", None, {})


@pytest.mark.parametrize("at_once", [True, False])
def test_a_record_ends_once(tmp_path: Path, *, at_once: bool) -> None:
    """Another journal that carries its id adds lines, and changes nothing that is known of it."""
    other = [
        replace(line, journal="b")
        for line in journal("a", "2026-11-27T10:00:00Z")
        if line.kind != "ended"
    ]
    other.append(replace(other[-1], line=9, kind="ended", fields={"reason": "interrupted"}))

    async def main() -> None:
        async with opened(DatabaseUrl(f"sqlite:///{tmp_path}/voice-agent.db")) as store:
            stored = StoredRecords(store.database, NoSeal())
            for lines in ([*journal("a"), *other],) if at_once else (journal("a"), other):
                await stored.add(lines)
            records = CallRecords(store.database, NoSeal())
            (record,) = await records.find(RecordFilter())
            assert (record.outcome, record.ended) == ("caller hung up", 1795687205.5)
            assert record.data["ended"]["reason"] == "the caller hung up"
            assert len(await records.events(record)) == 8

    asyncio.run(main())
