"""Which journals there are in a folder, and how much of it is full."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.records.journals import journal_folder
from agent.records.journals.journal_file import JournalFile
from agent.records.journals.journal_folder import JournalFolder
from agent.records.journals.journal_names import new_journal
from agent.records.journals.spool import Spool
from agent.records.seals import NoSeal

NOW = datetime.now(UTC)


def begun(spool: Spool, call_id: str = "c1") -> JournalFile:
    """Begin a journal."""
    file = JournalFile(spool, new_journal(NOW), call_id, NoSeal())
    file.add("call", {"id": "r1", "call_id": call_id, "agent": "a", "started": NOW.isoformat()})
    return file


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spool:
    """Return a spool that is loaded, and whose folder is looked into each time."""
    monkeypatch.setattr(journal_folder, "LOOK_EVERY", 0.0)
    tmp_path.joinpath("journals").mkdir()
    return Spool(tmp_path / "journals", own={})


def meanwhile(monkeypatch: pytest.MonkeyPatch, work: object) -> None:
    """Have something done by the thread that writes, while the folder is being looked into."""
    look = os.scandir
    todo = [work]

    @contextmanager
    def scandir(path: Path) -> Iterator[object]:
        with look(path) as entries:
            found = list(entries)
        if todo:
            todo.pop()()  # type: ignore[operator]
            with look(path) as entries:
                found = list(entries)
        yield iter(found)

    monkeypatch.setattr(os, "scandir", scandir)


def kinds(folder: JournalFolder) -> list[str]:
    """Load what there is; return the kinds of its lines."""
    taken = folder.take(100)
    folder.settle(taken)
    return [line.kind for one in taken for line in one.lines]


def test_a_journal_that_is_begun_while_the_folder_is_looked_into_is_ours(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is loaded, and let go of, as any other of this process."""
    files: list[JournalFile] = []
    folder = JournalFolder(spool, NoSeal(), None)
    meanwhile(monkeypatch, lambda: files.append(begun(spool)))
    folder.take(100)
    (file,) = files
    assert kinds(folder) == ["call"]
    file.add("ended", {"at": 2.0, "reason": "the caller hung up"})
    file.close()
    assert file._own.descriptor is not None
    assert kinds(folder) == ["ended"]
    assert file._own.descriptor is None
    assert not list(spool.folder.iterdir())
    assert folder._held == 0


def test_what_is_written_while_the_folder_is_looked_into_is_counted(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the one look or the next: the limit holds."""
    file = begun(spool)
    folder = JournalFolder(spool, NoSeal(), None)
    look = os.scandir

    @contextmanager
    def scandir(path: Path) -> Iterator[object]:
        with look(path) as entries:
            found = list(entries)
            for entry in found:
                entry.stat(follow_symlinks=False)  # it is as large as this from now on
        file.add("caller", {"at": 1.0, "text": "Hello. " * 100})
        yield iter(found)

    monkeypatch.setattr(os, "scandir", scandir)
    folder._look()
    size = file.path.stat().st_size
    spool.limit = size + 10
    assert spool.has_room(10, needed=False)
    assert not spool.has_room(11, needed=False)
    file.close()
    folder.close()


def test_damaged_journals_count_and_have_a_share(spool: Spool) -> None:
    """Of those beyond it, the oldest go: calls to come need the room."""
    for n in range(3):
        (spool.folder / f"20260101T00000{n}.000-0000000{n}-c.jsonl.damaged").write_bytes(b"?" * 50)
    (spool.folder / "notes.txt").write_bytes(b"mine" * 100)
    spool.limit = 1000
    JournalFolder(spool, NoSeal(), None)._look()
    names = sorted(path.name for path in spool.folder.iterdir())
    assert [name[:16] for name in names] == ["20260101T000001.", "20260101T000002.", "notes.txt"]
    assert spool.has_room(900, needed=False)
    assert not spool.has_room(901, needed=False)
