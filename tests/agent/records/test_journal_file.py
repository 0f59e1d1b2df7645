"""The journal: whatever is added is a line of JSON; a disk that fails costs lines, which it says.

With a real limit of the system on the size of files: writes fail in the middle of a line.
"""

from __future__ import annotations

import json
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from agent.records.journals import spool as spool_file
from agent.records.journals.journal_file import JournalFile
from agent.records.journals.journal_names import NAME, began, new_journal
from agent.records.journals.lines import LONGEST, read, written
from agent.records.journals.spool import Spool
from agent.records.seals import KeySeal, NoSeal
from tests.agent.records.test_seals import NEW

STARTED = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
any_text = st.text(st.characters())
"""Halves of characters as well, which JSON can hold."""


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]


def journal(folder: Path | Spool, call_id: str = "call-1") -> JournalFile:
    spool = folder if isinstance(folder, Spool) else Spool(folder)
    return JournalFile(spool, new_journal(STARTED), call_id, NoSeal())


@given(any_text, any_text)
def test_any_text_is_kept_as_it_is(call_id: str, text: str) -> None:
    """Whatever a caller, a provider or the platform sends, half a character as well."""
    with TemporaryDirectory() as folder:
        file = journal(Path(folder), call_id)
        file.add("caller", {"at": 1.5, "text": text})
        assert file.close()
        kept = json.loads(json.dumps(text))  # which joins two halves that belong together
        assert lines(file.path) == [{"kind": "caller", "at": 1.5, "text": kept}]
        found = NAME.fullmatch(file.path.name)
        assert found is not None
        assert began(found["journal"]) == STARTED.timestamp()


@given(any_text)
def test_what_is_sealed_can_be_read_with_the_key_alone(text: str) -> None:
    """But for kind and time."""
    key = KeySeal([NEW])
    line = written(key, "caller", {"text": text, "at": 2})
    assert json.loads(line).keys() == {"kind", "at", "sealed"}
    (kind, at, fields) = read(key, line) or ("", None, {})
    plain = read(NoSeal(), written(NoSeal(), "caller", {"text": text, "at": 2}))
    assert (kind, at, fields) == plain


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b'{"kind": 1}', b'{"kind": "a"}\xff', b"\0" * 50, b'{"kind": "x", "n": NaN}',
     b'{"kind": "' + b"k" * 100 + b'"}', b'{"kind": "a", "sealed": "no"}', b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_line_is_told_apart(line: bytes) -> None:
    """Cut off, binary, too deep, or somebody else's."""
    assert read(NoSeal(), line) is None


class Odd:
    """Nothing that JSON has."""

    def __repr__(self) -> str:
        raise RuntimeError("not even this")


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("-inf"), {1, 2}, b"bytes", Odd(), {"a": Odd()}, {(1, 2): 3}, 10**5000],
    ids=["nan", "inf", "set", "bytes", "odd", "odd inside", "odd key", "huge"],
)
def test_whatever_is_added_is_a_line(tmp_path: Path, value: object) -> None:
    """What JSON does not have is described; the rest of the line is kept."""
    file = journal(tmp_path)
    file.add("tool", {"name": "look", "result": value})
    file.add("tool", {"name": "nested", "arguments": nested()})
    file.add("tool", {"name": "long", "result": "x" * 2 * LONGEST})
    file.add("ended", {"reason": "done"})
    file.close()
    first, second, third, last = lines(file.path)
    assert (first["kind"], first["name"]) == ("tool", "look")
    assert second["name"] == "nested"
    assert 10_000 < len(str(third["result"])) < LONGEST
    assert last == {"kind": "ended", "reason": "done"}


def nested() -> list[object]:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    return value


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond ``size`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handled = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handled)


def test_a_disk_that_is_full_costs_the_lines_that_do_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of them is half there; how many are missing is said where, once there is room again."""
    monkeypatch.setattr(spool_file, "OVER_AFTER", 0.0)
    spool = Spool(tmp_path)
    file = journal(spool)
    with capture_logs() as logs:
        file.add("call", {"call_id": "c"})
        with files_up_to(file.path.stat().st_size + 10):
            file.add("caller", {"at": 1.0, "text": "one"})
            file.add("agent", {"at": 2.0, "text": "two"})
        file.add("caller", {"at": 3.0, "text": "three"})
        file.close()
    assert lines(file.path) == [
        {"kind": "call", "call_id": "c"},
        {"kind": "dropped", "at": 3.0, "lines": 2},
        {"kind": "caller", "at": 3.0, "text": "three"},
    ]
    assert spool.lines_dropped == 2
    assert [entry["event"] for entry in logs] == [
        "records cannot be written",
        "records are written again",
    ]
    assert logs[1]["lines_dropped"] == 2


def test_the_first_and_the_last_line_are_written_when_there_is_room(tmp_path: Path) -> None:
    """Also if the file could not even be made; a call without them cannot be listed."""
    spool = Spool(tmp_path / "journals")
    (tmp_path / "journals").write_text("in the way")
    file = journal(spool)
    file.add("call", {"call_id": "c"})
    file.add("caller", {"text": "one"})
    file.add("ended", {"at": 5.0, "reason": "done"})
    assert not file.close()
    assert spool.warning
    (tmp_path / "journals").unlink()
    assert file.close()
    assert lines(file.path) == [
        {"kind": "call", "call_id": "c"},
        {"kind": "dropped", "lines": 1},
        {"kind": "ended", "at": 5.0, "reason": "done"},
    ]


def test_the_spool_has_a_limit(tmp_path: Path) -> None:
    """Of which a tenth more is for the lines that a call is listed by."""
    spool = Spool(tmp_path, limit=1000)
    file = journal(spool)
    file.add("call", {"call_id": "c"})
    for _ in range(100):
        file.add("caller", {"text": "x" * 100})
    file.add("ended", {"reason": "done"})
    file.close()
    found = [line["kind"] for line in lines(file.path)]
    assert found == ["call", *["caller"] * (len(found) - 3), "dropped", "ended"]
    assert lines(file.path)[-2]["lines"] == spool.lines_dropped == 100 - len(found) + 3
    assert 800 < file.path.stat().st_size < 1100
    assert "spool_limit" in spool.warning
