"""Folders, disks and clocks that fail while calls go on: no call is harmed, and it is told."""

from __future__ import annotations

import asyncio
import shutil
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent.records.journals.writer import RecordWriter
from agent.records.recordings.audio_log import ENDING
from agent.records.recordings.encoding import finish
from agent.records.recordings.finishing import RecordingFinisher
from agent.records.recordings.kept import Recordings
from agent.records.recordings.recording_files import RecordingCounts
from agent.records.seals import NoSeal
from tests.agent.loopback import until
from tests.agent.records.test_journal_file import files_up_to
from tests.agent.records.test_loader import CALL, NOW, Desk, at_desk
from tests.agent.records.test_recording_files import write


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("fault", ["removed", "moved", "a file"])
def test_a_folder_that_goes_while_calls_go_on(tmp_path: Path, fault: str) -> None:
    """What was stored stays; what is said from then on is stored, too, on the same record."""

    async def work(desk: Desk) -> None:
        writer, folder = RecordWriter(desk.spool), desk.spool.folder
        record = writer.begin("c1", NOW)
        record.add("call", **CALL)
        record.add("caller", at=1.0, text="Hello.")
        await writer.written()
        await desk.loader.load()
        folder.rename(tmp_path / "elsewhere")
        if fault == "removed":
            shutil.rmtree(tmp_path / "elsewhere")
        if fault == "a file":
            folder.write_text("in the way")
            record.add("caller", at=2.0, text="Anybody there?")
            await writer.written()
            assert desk.spool.warning == "lines of records are dropped: Not a directory"
            await desk.loader.load()
            folder.unlink()
        record.add("caller", at=3.0, text="Hello?")
        record.add("ended", at=4.0, reason="done")
        await record.aclose()
        await writer.aclose()
        await desk.loader.load()
        assert desk.left == []
        first, again = [one for one in desk.stored.lines if one.kind == "call"]
        assert first.fields["id"] == again.fields["id"] == record.id
        assert first.journal != again.journal

    with capture_logs() as logs:
        kinds = at_desk(tmp_path, work).kinds()
    dropped = ["dropped"] if fault == "a file" else []
    assert kinds == ["call", "caller", "call", *dropped, "caller", "ended"]
    told = [line["event"] for line in logs if line["log_level"] == "error"]
    assert told.count("a journal was removed while its call goes on") == 1


def test_a_recording_that_is_finished_while_the_process_ends_is_told_of(tmp_path: Path) -> None:
    """Nobody would find out later: a finished file is not looked at again."""
    write(tmp_path / f"a.flac{ENDING}", NoSeal())
    told: list[str] = []
    go_on = threading.Event()

    class Held(ThreadPoolExecutor):
        def submit(self, work: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            def held() -> Any:
                result = work(*args, **kwargs)
                if (tmp_path / "a.flac").exists():
                    go_on.wait(60)
                return result

            return super().submit(held)

    async def main() -> None:
        finisher = RecordingFinisher(
            Recordings(tmp_path, NoSeal()),
            "flac",
            RecordingCounts(),
            lambda record, fields: told.append(f"{record} {fields['status']}"),
            threads=Held(1),
        )
        running = asyncio.create_task(finisher.run())
        await until((tmp_path / "a.flac").exists, 60)
        running.cancel()
        await asyncio.wait([running])
        assert told == []
        go_on.set()
        await finisher.aclose()
        assert told == ["a stored"]

    asyncio.run(main())


@pytest.mark.parametrize("ending", [".flac", ".opus", ".flac.sealed"])
def test_a_disk_that_fills_up_under_the_codec_leaves_what_there_is(
    tmp_path: Path, ending: str, recwarn: pytest.WarningsRecorder
) -> None:
    """The codec knows of no full disk: it would make a file with a hole, and the rest would go."""
    part = tmp_path / f"a{ending}{ENDING}"
    write(part, NoSeal())
    with files_up_to(3000), pytest.raises(OSError, match="too large"):
        finish(part, tmp_path / f"a{ending}", NoSeal(), lambda _: True)
    assert [path.name for path in tmp_path.iterdir()] == [part.name]
    finish(part, tmp_path / f"a{ending}", NoSeal(), lambda _: True)
    assert {path.name for path in tmp_path.iterdir()} == {part.name, f"a{ending}"}
    assert not list(recwarn)
