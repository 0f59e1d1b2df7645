"""Records whose process has died are closed by another."""

from __future__ import annotations

import json
import multiprocessing
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.records.interrupted import TAIL, close_interrupted
from agent.records.transcript import Transcript, add_platform_line

NOW = datetime.now(UTC)


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def begin(folder: Path, call_id: str = "c1", started: datetime = NOW) -> Transcript:
    transcript = Transcript(folder, call_id, started)
    transcript.add("call", call_id=call_id, agent="reception")
    transcript.add("caller", at=2.5, text="Hello? \U0001f600")
    return transcript


def _die(folder: Path, text: str) -> None:
    transcript = begin(folder)
    assert transcript._file is not None
    transcript._file.write(text)
    transcript._file.flush()
    os._exit(9)


def die(folder: Path, text: str = "") -> Path:
    """Have a process die in the middle of a call; return its record."""
    process = multiprocessing.get_context("fork").Process(target=_die, args=(folder, text))
    process.start()
    process.join()
    (path,) = folder.glob("*.jsonl")
    return path


def test_a_record_is_closed_once_its_process_has_died(tmp_path: Path) -> None:
    """Behind its last line, once."""
    path = die(tmp_path)
    assert close_interrupted(tmp_path, NOW) == 1
    assert read(path)[-1] == {"kind": "ended", "at": 2.5, "reason": "interrupted"}
    assert close_interrupted(tmp_path, NOW) == 0


@pytest.mark.parametrize("half", ['{"kind": "agent", "at": 3.0, "te', "{", '{"kind": "ended"'])
def test_a_line_that_was_cut_off_stays_a_line_of_its_own(tmp_path: Path, half: str) -> None:
    """What comes behind it can be read."""
    path = die(tmp_path, half)
    assert close_interrupted(tmp_path, NOW) == 1
    *_, cut_off, last = path.read_text().splitlines()
    assert cut_off == half
    assert json.loads(last)["reason"] == "interrupted"


def test_records_of_calls_in_progress_are_let_be(tmp_path: Path) -> None:
    """Here or in another process, whatever is in them; and those that nobody has to close."""
    held = begin(tmp_path)
    begun = Transcript(tmp_path, "c2", NOW)
    closed = begin(tmp_path, "c3")
    closed.add("ended", at=3.0, reason="the caller hung up")
    closed.close()
    add_platform_line(tmp_path, "c4", result="NOANSWER")
    old = begin(tmp_path, "c5", NOW - timedelta(days=2))
    old.close()
    (tmp_path / "notes.txt").write_text("mine")
    assert close_interrupted(tmp_path, NOW) == 0
    held.close()
    begun.close()
    assert close_interrupted(tmp_path, NOW) == 1  # whoever let go of it without an end
    assert close_interrupted(tmp_path / "none", NOW) == 0


def test_the_end_is_found_behind_a_long_line(tmp_path: Path) -> None:
    """A tool may have given back a lot."""
    transcript = begin(tmp_path)
    transcript.add("tool", at=3.0, result="x" * 2 * TAIL)
    transcript.close()
    assert close_interrupted(tmp_path, NOW) == 1
    assert json.loads(transcript.path.read_text().splitlines()[-1])["kind"] == "ended"


@given(st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_may_lie_there(tmp_path: Path, content: bytes) -> None:
    """Nothing that is in it stops a start."""
    (tmp_path / f"{NOW:%Y%m%dT%H%M%S}.000-c.jsonl").write_bytes(content)
    close_interrupted(tmp_path, NOW)
