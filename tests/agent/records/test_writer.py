"""Records in a thread: in order, whole at the end, and no call waits for a disk."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import ANY

import pytest
from structlog.testing import capture_logs

from agent.records.journals import journal_sync, writer
from agent.records.journals.writer import RecordWriter
from tests.journals import lines_of

STARTED = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def lines(folder: Path) -> list[dict[str, object]]:
    (path,) = folder.iterdir()
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.usefixtures("nothing_left")
def test_a_record_is_whole_when_it_is_closed(tmp_path: Path) -> None:
    """Each line in its order; the platform's among them, or in a journal of its own."""

    async def main() -> None:
        records = RecordWriter(tmp_path)
        record = records.begin("c1", STARTED)
        record.add("call", call_id="c1")
        for n in range(500):
            record.add("caller", n=n)
        records.platform_line("c1", {"result": "ANSWERED"})
        await record.aclose()
        first, *others, last = lines(tmp_path)
        assert first == {"kind": "call", "id": record.id, "call_id": "c1"}
        assert [line["n"] for line in others] == list(range(500))
        assert last["result"] == "ANSWERED"
        records.platform_line("c1", {"result": "AGAIN"})
        records.add_later("summary", "c1", {"text": "Hm."}, record=record.id)
        await records.aclose()
        records.platform_line("c1", {"result": "too late"})
        record.add("caller", n="too late")

    asyncio.run(main())
    late = lines_of(tmp_path)[502:]  # of two journals, of one millisecond perhaps
    assert sorted(late, key=lambda line: str(line["kind"])) == [
        {"kind": "platform", "call_id": "c1", "result": "AGAIN"},
        {"kind": "summary", "call_id": "c1", "id": ANY, "text": "Hm."},
    ]


@pytest.mark.usefixtures("nothing_left")
def test_a_disk_that_hangs_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines wait, in bounded number, and are dropped aloud beyond that; the end waits a moment."""
    monkeypatch.setattr(writer, "WRITTEN_WITHIN", 0.1)
    monkeypatch.setattr(writer, "MOST_WAITING", 100)
    answers = threading.Event()

    def hang() -> None:
        answers.wait()

    async def main() -> int:
        records = RecordWriter(tmp_path)
        record = records.begin("c1", STARTED)
        records.do(hang)
        for n in range(200):
            record.add("caller", n=n)
        record.add("ended", reason="done")
        async with asyncio.timeout(10):
            await record.aclose()
        answers.set()
        monkeypatch.setattr(writer, "WRITTEN_WITHIN", 30)
        await records.aclose()
        return records.spool.lines_dropped

    with capture_logs() as logs:
        lost = asyncio.run(main())
    assert [entry["event"] for entry in logs] == ["records cannot be written"]
    *kept, dropped, ended = lines(tmp_path)
    assert [line["n"] for line in kept] == list(range(200 - lost))
    assert 98 <= len(kept) <= 100
    assert dropped == {"kind": "dropped", "lines": lost}
    assert ended["kind"] == "ended"


def broken() -> None:
    raise ZeroDivisionError


def test_a_bug_in_one_line_is_told(tmp_path: Path) -> None:
    """The lines after it are written."""

    async def main() -> None:
        records = RecordWriter(tmp_path)
        record = records.begin("c1", STARTED)
        records.do(broken)
        record.add("caller", n=1)
        await record.aclose()
        await records.aclose()

    with capture_logs() as logs:
        asyncio.run(main())
    assert [entry["event"] for entry in logs] == ["a record is incomplete: this is a bug"]
    assert lines(tmp_path) == [{"kind": "caller", "n": 1}]


@pytest.mark.usefixtures("nothing_left")
def test_what_has_changed_is_synced_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file once, and the folder when it has a new one; a hanging disk holds no line up."""
    synced: list[int] = []
    answers, asked = threading.Event(), threading.Event()

    def sync(descriptor: int) -> None:
        asked.set()
        answers.wait()
        synced.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(journal_sync, "_sync", sync)
    monkeypatch.setattr(writer, "SYNCED_EVERY", 0.01)

    async def main() -> None:
        records = RecordWriter(tmp_path)
        keeping = asyncio.get_running_loop().create_task(records.keep())
        record = records.begin("c1", STARTED)
        for n in range(50):
            record.add("caller", n=n)
        async with asyncio.timeout(10):
            assert await asyncio.to_thread(asked.wait)
            record.add("caller", n=50)
            await record.aclose()
        assert len(lines(tmp_path)) == 51
        assert not synced
        answers.set()
        keeping.cancel()
        await records.aclose()

    asyncio.run(main())
    (path,) = tmp_path.iterdir()
    assert synced == [path.stat().st_ino] * 2  # some of the lines; then all
