"""Records in a thread: in order, whole at the end, and no call waits for a disk."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.records import writer
from agent.records.writer import RecordWriter

STARTED = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def lines(folder: Path) -> list[dict[str, object]]:
    (path,) = folder.iterdir()
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.usefixtures("nothing_left")
def test_a_record_is_whole_when_it_is_closed(tmp_path: Path) -> None:
    """Each line in its order; the platform's behind it, also from a process that does not know."""

    async def main() -> None:
        records = RecordWriter(tmp_path)
        record = records.begin("c1", STARTED)
        for n in range(500):
            record.add("caller", n=n)
        await record.aclose()
        assert [line["n"] for line in lines(tmp_path)] == list(range(500))
        records.platform_line("c1", {"result": "ANSWERED"})
        records.add_later("summary", "c1", {"result": "A table was booked."})
        await records.aclose()
        records.platform_line("c1", {"result": "too late"})
        record.add("caller", n="too late")
        another = RecordWriter(tmp_path)
        another.platform_line("c1", {"result": "AGAIN"})
        await another.aclose()

    asyncio.run(main())
    assert [line.get("result") for line in lines(tmp_path)[500:]] == [
        "ANSWERED",
        "A table was booked.",
        "AGAIN",
    ]


@pytest.mark.usefixtures("nothing_left")
def test_a_disk_that_hangs_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines wait, in bounded number, and are dropped aloud beyond that; the end waits a moment."""
    monkeypatch.setattr(writer, "WRITTEN_WITHIN", 0.1)
    monkeypatch.setattr(writer, "MOST_WAITING", 100)
    answers = threading.Event()

    def hang() -> None:
        answers.wait()

    async def main() -> None:
        records = RecordWriter(tmp_path)
        record = records.begin("c1", STARTED)
        records.do(hang)
        for n in range(200):
            record.add("caller", n=n)
        async with asyncio.timeout(10):
            await record.aclose()
        answers.set()
        monkeypatch.setattr(writer, "WRITTEN_WITHIN", 30)
        await records.aclose()

    with capture_logs() as logs:
        asyncio.run(main())
    assert [entry["log_level"] for entry in logs] == ["error"]
    kept = [line["n"] for line in lines(tmp_path)]
    assert kept == list(range(len(kept)))
    assert 90 < len(kept) <= 100


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
