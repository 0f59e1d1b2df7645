"""``voice-agent db import-transcripts``: those of the version before, into the database."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from agent.cli import main
from agent.records.call_records import CallRecords, RecordFilter
from agent.records.events import CallRecord
from agent.records.seals import NoSeal
from agent.settings.database import DatabaseUrl
from agent.store.store import opened

CALL_ID = "eb484273-e835-43a9-80b0-97345c1a7ce2"
FIRST = {
    "kind": "call",
    "call_id": CALL_ID,
    "agent": "reception",
    "started": "2026-11-24T12:30:39.987+00:00",
    "rate": 8000,
}
SAID = {"kind": "caller", "at": 8.8, "text": "What time do you open?"}
ENDED = {"kind": "ended", "at": 19.9, "reason": "the agent hung up"}
PLATFORM = {"kind": "platform", "result": "ANSWERED"}


def records(folder: Path) -> list[CallRecord]:
    """Return those in the database of a folder, the latest first."""

    async def read() -> list[CallRecord]:
        async with opened(DatabaseUrl(f"sqlite:///{folder}/voice-agent.db")) as store:
            found = CallRecords(store.database, NoSeal())
            listed = await found.find(RecordFilter())
            assert [len(await found.events(one)) for one in listed] == [2, 3, 4]
            return listed

    return asyncio.run(read())


def test_transcripts_are_stored_once_and_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """However often; what was never closed counts as interrupted, what nobody answered as that."""
    folder = tmp_path / "old"
    folder.mkdir()

    def lie(name: str, *lines: object) -> None:
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"20261124T12{name}.jsonl").write_text(text)

    lie(f"3039.987-{CALL_ID}", FIRST, SAID, ENDED, PLATFORM)
    lie("3139.987-open", FIRST | {"call_id": "open", "dialled": "d1"}, SAID)
    nobody = {"kind": "call", "call_id": "n", "started": "2026-11-24T12:40:00.000+00:00"}
    lie("4000.000-n", nobody, {"kind": "platform", "result": "NOANSWER"})
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(["db", "upgrade"]) == 0
    capsys.readouterr()
    for _ in range(2):
        assert main(["db", "import-transcripts", str(folder)]) == 0
        assert capsys.readouterr().out == "3 transcripts are in the database, 9 lines\n"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    told = [(one.outcome, one.direction, one.agent) for one in records(tmp_path)]
    assert told == [
        ("not answered", "incoming", ""),
        ("interrupted", "outgoing", "reception"),
        ("agent hung up", "incoming", "reception"),
    ]
    (folder / "20261124T125000.000-bad.jsonl").write_bytes(b"\0\0\n")
    assert main(["db", "import-transcripts", str(folder)]) == 1
    assert "bad.jsonl:1: this cannot be read" in capsys.readouterr().err
    assert main(["db", "import-transcripts", "nowhere"]) != 0
