"""Which journals there are in a folder, and how much of it is full."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.records import journal_folder
from agent.records.journal_file import JournalFile
from agent.records.journal_folder import JournalFolder
from agent.records.journal_names import new_journal
from agent.records.seals import NoSeal
from agent.records.spool import Spool

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
