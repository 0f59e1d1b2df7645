"""Journals on their way into the database: those of this process, and of dead ones."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import sqlite3
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from agent.records.call_records import CallRecords, RecordFilter
from agent.records.events import JournalLine
from agent.records.journals import journal_folder, loader
from agent.records.journals.journal_file import JournalFile
from agent.records.journals.journal_names import NAME, file_name, new_journal
from agent.records.journals.lines import LONGEST
from agent.records.journals.loader import RecordLoader
from agent.records.journals.old_transcripts import StillWrittenError, lines_of
from agent.records.journals.spool import Spool
from agent.records.journals.writer import RecordWriter
from agent.records.seals import NoSeal
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.store.errors import StoreError
from agent.store.store import opened
from tests.databases import FILE

NOW = datetime.now(UTC)
CALL = {"call_id": "c1", "agent": "reception", "started": NOW.isoformat()}


@dataclass
class Stored:
    """A database of lines: a list, with failures of one's choice."""

    lines: list[JournalLine] = field(default_factory=list)
    fails: Callable[[Sequence[JournalLine]], bool] = lambda _: False

    async def add(self, lines: Sequence[JournalLine]) -> None:
        if self.fails(lines):
            raise StoreError("no")
        known = {(one.journal, one.line) for one in self.lines}
        self.lines += [one for one in lines if (one.journal, one.line) not in known]

    def kinds(self) -> list[str]:
        return [line.kind for line in self.lines]


@dataclass
class Desk:
    """A folder, who writes into it and who loads it."""

    folder: Path
    spool: Spool
    stored: Stored
    loader: RecordLoader

    def lie(self, name: str, content: bytes) -> Path:
        """Put a file there."""
        self.spool.folder.mkdir(parents=True, exist_ok=True)
        path = self.spool.folder / name
        path.write_bytes(content)
        return path

    @property
    def left(self) -> list[str]:
        return sorted(path.name for path in self.spool.folder.iterdir())


def at_desk(
    folder: Path, work: Callable[[Desk], Coroutine[Any, Any, None]], *, keep: bool = False
) -> Stored:
    """Do something with a loader; return what was stored in the end."""

    async def main() -> Stored:
        spool = Spool(folder / "journals")
        stored = Stored()
        desk = Desk(
            folder,
            spool,
            stored,
            RecordLoader(spool, stored, NoSeal(), keep=folder if keep else None),
        )
        await work(desk)
        await desk.loader.aclose()
        return stored

    return asyncio.run(main())


def named(call_id: str = "c1") -> str:
    return file_name(new_journal(NOW), call_id)


def text(*lines: Mapping[str, Any]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


HELLO = {"kind": "caller", "at": 2.5, "text": "Hello? \U0001f600"}
FIRST = {"kind": "call", **CALL}
ENDED = {"kind": "ended", "at": 4.0, "reason": "the caller hung up"}


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("keep", [False, True])
def test_lines_are_stored_as_they_come_and_the_file_goes(tmp_path: Path, *, keep: bool) -> None:
    """Once the call is closed; or it is kept among the transcripts, platform's word beside it."""

    async def work(desk: Desk) -> None:
        writer = RecordWriter(desk.spool)
        record = writer.begin("c1", NOW)
        record.add("call", **CALL)
        await writer.written()
        await desk.loader.load()
        assert desk.stored.kinds() == ["call"]
        record.add("caller", at=1.0, text="Hello.")
        record.add("ended", at=2.0, reason="done")
        await record.aclose()
        writer.platform_line("c1", {"result": "ANSWERED"})
        await writer.aclose()
        await desk.loader.load()
        assert desk.spool.lines_stored == 4
        assert desk.left == []
        assert desk.spool.waiting.journals == 0

    stored = at_desk(tmp_path, work, keep=keep)
    assert stored.kinds() == ["call", "caller", "ended", "platform"]
    assert [one.line for one in stored.lines] == [0, 1, 2, 0]
    assert len(list(tmp_path.glob("*.jsonl"))) == 2 * keep


def _die(folder: Path, half: str) -> None:
    file = JournalFile(Spool(folder), new_journal(NOW), "c1", NoSeal())
    file.add("call", CALL)
    file.add("caller", {"at": 2.5, "text": "Hello?"})
    os.write(file._descriptor or -1, half.encode())
    os._exit(9)


@pytest.mark.parametrize("half", ["", '{"kind": "agent", "at": 3.0, "te', "{", '{"kind": "ended"'])
def test_a_record_is_closed_once_its_process_has_died(tmp_path: Path, half: str) -> None:
    """Behind its last line, once; a line that was cut off stays a line of its own, aside."""
    process = multiprocessing.get_context("fork").Process(
        target=_die, args=(tmp_path / "journals", half)
    )
    process.start()
    process.join()

    async def work(desk: Desk) -> None:
        await desk.loader.load()
        assert [name.endswith(".damaged") for name in desk.left] == ([True] if half else [])
        for name in desk.left:
            *_, cut_off, last = (desk.spool.folder / name).read_text().splitlines()
            assert cut_off == half
            assert json.loads(last)["reason"] == "interrupted"
        assert desk.spool.damaged == len(desk.left)

    with capture_logs() as logs:
        stored = at_desk(tmp_path, work)
    assert stored.kinds() == ["call", "caller", "ended"]
    assert (stored.lines[-1].at, stored.lines[-1].fields) == (2.5, {"reason": "interrupted"})
    told = [entry.get("line") for entry in logs if entry["log_level"] == "error"]
    assert told == ([3] if half else [])


def test_what_a_process_holds_is_let_be(tmp_path: Path) -> None:
    """Also if it is not ours; and what is being begun. It is loaded once they let go of it."""

    async def work(desk: Desk) -> None:
        another = JournalFile(Spool(desk.spool.folder), new_journal(NOW), "c2", NoSeal())
        another.add("call", CALL)
        desk.lie(named("being-begun"), b"")
        await desk.loader.load()
        assert desk.stored.lines == []
        another.add("ended", {"at": 1.0})
        another.close()

    journal_folder_again = journal_folder.ANOTHERS_AGAIN
    try:
        journal_folder.ANOTHERS_AGAIN = 0.0
        stored = at_desk(tmp_path, work)
    finally:
        journal_folder.ANOTHERS_AGAIN = journal_folder_again
    assert stored.kinds() == ["call", "ended"]
    (left,) = (tmp_path / "journals").iterdir()
    assert left.name.endswith("being-begun.jsonl")


DAMAGE: dict[str, tuple[bytes, list[str]]] = {
    "cut": (text(FIRST) + b'{"kind": "age\n' + text(ENDED), ["call", "ended"]),
    "zeros": (text(FIRST) + bytes(5000) + b"\n" + text(ENDED), ["call", "ended"]),
    "zeros at the end": (text(FIRST) + bytes(5000), ["call", "ended"]),
    "no UTF-8": (text(FIRST) + b'{"kind": "caller", "text": "\xff"}\n', ["call", "ended"]),
    "huge": (
        text(FIRST) + b'{"kind": "' + b"x" * 3 * LONGEST + b'"}\n' + text(ENDED),
        ["call", "ended"],
    ),
    "the first line": (b"\0\0\0\n" + text(HELLO, ENDED), ["call", "caller", "ended"]),
    "no first line": (text(HELLO), ["call", "caller", "ended"]),
}
"""What may stand in a journal, and what is stored of it."""


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_cannot_be_read_costs_itself_alone(tmp_path: Path, damage: str) -> None:
    """It is told once, by its place; the rest is stored, and the file is kept aside."""
    content, kinds = DAMAGE[damage]

    async def work(desk: Desk) -> None:
        path = desk.lie(named(), content)
        desk.lie(named("c2"), text(FIRST, ENDED))
        await desk.loader.load()
        if damage == "no first line":
            assert desk.left == []
        else:
            assert desk.left == [f"{path.name}.damaged"]

    with capture_logs() as logs:
        stored = at_desk(tmp_path, work)
    assert sorted(stored.kinds()) == sorted([*kinds, "call", "ended"])
    told = [entry["line"] for entry in logs if "cannot be read" in entry["event"]]
    assert told == ([] if damage == "no first line" else [1 if "the first" in damage else 2])


def test_whatever_lies_there_stops_nothing(tmp_path: Path) -> None:
    """Directories, links, pipes, files of others; what is not called as journals is not opened."""

    async def work(desk: Desk) -> None:
        outside = tmp_path / "outside"
        outside.write_bytes(text(FIRST))
        lost = desk.lie(named("file"), b"no journal at all\n\xff")
        (desk.spool.folder / named("folder")).mkdir()
        (desk.spool.folder / named("link")).symlink_to(outside)
        (desk.spool.folder / named("dangling")).symlink_to(tmp_path / "nowhere")
        pipe = desk.spool.folder / named("pipe")
        os.mkfifo(pipe)
        os.utime(pipe, (0, 0))  # or it might be one that is being begun
        (desk.spool.folder / "notes.txt").write_text("mine")
        desk.lie("copy of a journal.jsonl", text(FIRST, ENDED))
        desk.lie(named("good"), text(FIRST, ENDED))
        async with asyncio.timeout(20):
            await desk.loader.load()
            await desk.loader.load()
        assert len(desk.left) == 7
        assert desk.spool.not_loaded == 5
        assert desk.spool.warning.startswith("5 journals cannot be loaded")
        assert f"{lost.name}.damaged" in desk.left
        assert outside.read_bytes() == text(FIRST)

    with capture_logs() as logs:
        stored = at_desk(tmp_path, work)
    assert stored.kinds() == ["call", "ended"]
    told = [entry["path"] for entry in logs if entry["log_level"] == "error"]
    assert len(told) == len(set(told)) == 6, told


@given(st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_any_file_may_lie_there(tmp_path: Path, content: bytes) -> None:
    """Nothing that is in it stops what is loaded besides."""

    async def work(desk: Desk) -> None:
        desk.lie(named(), content)
        desk.lie(named("good"), text(FIRST, ENDED))
        await desk.loader.load()

    assert "call" in at_desk(tmp_path, work).kinds()


def test_a_database_that_is_away_holds_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Journals wait, which can be seen; when it is back, each line is there, once."""
    monkeypatch.setattr(loader, "AGAIN_FIRST", 0.0)

    async def work(desk: Desk) -> None:
        desk.stored.fails = lambda _: True
        writer = RecordWriter(desk.spool)
        for n in range(300):  # more than are held open
            record = writer.begin(f"c{n}", NOW)
            record.add("call", **CALL | {"call_id": f"c{n}"})
            record.add("ended", at=1.0)
            await record.aclose()
        await desk.loader.load()
        await desk.loader.load()
        waiting = desk.spool.waiting
        assert (waiting.journals, waiting.bytes > 20_000) == (300, True)
        assert desk.spool.oldest > 0
        assert "300 journals wait" in desk.spool.warning
        writer.do(writer.journals.tick)
        await writer.written()
        await asyncio.to_thread(writer.journals.sync._running.result)  # type: ignore[union-attr]
        desk.stored.fails = lambda _: False
        await desk.loader.load()
        assert desk.spool.warning == ""
        assert desk.left == []
        await writer.aclose()

    stored = at_desk(tmp_path, work)
    assert len(stored.lines) == 600


def test_what_the_database_does_not_take_lets_the_others_pass(tmp_path: Path) -> None:
    """It stays where it is, and is told."""

    async def work(desk: Desk) -> None:
        bad = desk.lie(named("bad"), text(FIRST | {"call_id": "bad"}, ENDED))
        for n in range(5):
            desk.lie(named(f"c{n}"), text(FIRST, ENDED))
        desk.stored.fails = lambda lines: any(one.fields.get("call_id") == "bad" for one in lines)
        await desk.loader.load()
        assert desk.left == [bad.name]

    with capture_logs() as logs:
        stored = at_desk(tmp_path, work)
    assert len(stored.lines) == 10
    errors = [entry["event"] for entry in logs if entry["log_level"] == "error"]
    assert errors == ["a journal cannot be loaded"]


# The version before


def test_the_version_before_is_taken_over(tmp_path: Path) -> None:
    """What its dead processes left open; what they closed stays, and can be imported."""
    stamp = f"{NOW:%Y%m%dT%H%M%S}.000"
    (tmp_path / f"{stamp}-open-1.jsonl").write_bytes(text(FIRST, HELLO))
    (tmp_path / f"{stamp}-closed.jsonl").write_bytes(text(FIRST, HELLO, ENDED))
    platform = {"kind": "platform", "result": "NOANSWER"}
    nobody = {"kind": "call", "call_id": "n", "started": NOW.isoformat()}
    (tmp_path / f"{stamp}-nobody.jsonl").write_bytes(text(nobody, platform))
    held = JournalFile(Spool(tmp_path), new_journal(NOW), "held", NoSeal())
    held.add("call", CALL)

    async def main() -> Stored:
        stored = Stored()
        spool = Spool(tmp_path / "journals")
        loading = RecordLoader(spool, stored, NoSeal(), keep=tmp_path, transcripts=tmp_path)
        running = asyncio.get_running_loop().create_task(loading.run())
        async with asyncio.timeout(20):
            while len(stored.lines) < 3:  # noqa: ASYNC110 - a thread's work
                await asyncio.sleep(0.01)
        running.cancel()
        await loading.aclose()
        return stored

    stored = asyncio.run(main())
    assert stored.kinds() == ["call", "caller", "ended"]
    (kept,) = (path for path in tmp_path.glob("*.jsonl") if path.name.endswith("open-1.jsonl"))
    found = NAME.fullmatch(kept.name)
    assert found is not None
    assert stored.lines[0].journal == found["journal"]
    imported = {
        path.name[20:]: [line.kind for lines, _ in lines_of(path, NoSeal()) for line in lines]
        for path in tmp_path.glob("*closed.jsonl")
    }
    assert list(imported.values()) == [["call", "caller", "ended"]]
    with pytest.raises(StillWrittenError):
        next(lines_of(held.path, NoSeal()))
    held.close()


# A database


def test_faults_of_a_real_file(tmp_path: Path) -> None:
    """Locked by another, read-only, replaced by one without tables: all is stored afterwards."""

    async def main() -> None:
        url = DatabaseUrl(f"sqlite:///{tmp_path}/{FILE}")
        async with opened(url) as store:
            spool = Spool(tmp_path / "journals")
            loading = RecordLoader(spool, StoredRecords(store.database, NoSeal()), NoSeal())
            writer = RecordWriter(spool)

            async def call(name: str) -> None:
                record = writer.begin(name, NOW)
                record.add("call", **CALL | {"call_id": name})
                record.add("ended", at=1.0, reason="the caller hung up")
                await record.aclose()
                await loading.load()

            with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                await call("locked")
                assert "1 journals wait" in spool.warning
                other.execute("ROLLBACK")
                other.execute("ALTER TABLE call_events RENAME TO elsewhere")
                await call("no table")
                assert "no such table" in spool.warning
                other.execute("ALTER TABLE elsewhere RENAME TO call_events")
                other.execute("CREATE TRIGGER t BEFORE INSERT ON call_records BEGIN "
                              "SELECT RAISE(ABORT, 'database or disk is full'); END")  # fmt: skip
                await call("full")
                assert "journals wait" in spool.warning
                other.execute("DROP TRIGGER t")
            await loading.load()
            assert spool.warning == ""
            records = await CallRecords(store.database, NoSeal()).find(RecordFilter())
            assert [one.outcome for one in records] == ["caller hung up"] * 3
            await writer.aclose()
            await loading.aclose()

    asyncio.run(main())
