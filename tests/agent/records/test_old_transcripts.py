"""Transcripts that lie about as files: whose they are is seen without a key."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.records.journals.journal_file import JournalFile
from agent.records.journals.journal_names import new_journal
from agent.records.journals.old_transcripts import adopt, lines_of
from agent.records.journals.spool import Spool
from agent.records.seals import KeySeal, Seal
from tests.agent.records.test_seals import NEW

NOW = datetime.now(UTC)
CALL = {"call_id": "c1", "agent": "reception", "started": NOW.isoformat()}


def kept(folder: Path, seal: Seal) -> Path:
    """Leave a transcript as ``records.keep_files`` does."""
    file = JournalFile(Spool(folder), new_journal(NOW), "c1", seal)
    file.add("call", {"id": "r1", **CALL})
    file.add("caller", {"at": 1.0, "text": "Hello."})
    file.add("ended", {"at": 2.0, "reason": "the caller hung up"})
    file.close()
    return file.path


def left(folder: Path) -> Path:
    """Leave a transcript of the version before, whose process has died."""
    path = folder / f"{NOW:%Y%m%dT%H%M%S}.123-open.jsonl"
    path.write_text(json.dumps({"kind": "call", **CALL}) + "\n")
    return path


def test_a_sealed_transcript_that_is_kept_is_no_old_one(tmp_path: Path) -> None:
    """Nor does it keep those from being taken that the version before has left."""
    path = kept(tmp_path, KeySeal([NEW]))
    old = left(tmp_path)
    assert adopt(tmp_path, tmp_path / "journals", NOW) == 1
    assert path.exists()
    assert not old.exists()


def test_a_sealed_transcript_is_imported(tmp_path: Path) -> None:
    """By whoever has its key."""
    path = kept(tmp_path, KeySeal([NEW]))
    lines = [line for some, _ in lines_of(path, KeySeal([NEW])) for line in some]
    assert [line.kind for line in lines] == ["call", "caller", "ended"]
    assert path.name.startswith(lines[0].journal)


@pytest.mark.usefixtures("nfs")
def test_transcripts_on_nfs_are_taken_and_imported(tmp_path: Path) -> None:
    """A file that is only read cannot be locked there."""
    path = kept(tmp_path, KeySeal([NEW]))
    left(tmp_path)
    assert len(list(lines_of(path, KeySeal([NEW])))) == 1
    assert adopt(tmp_path, tmp_path / "journals", NOW) == 1
