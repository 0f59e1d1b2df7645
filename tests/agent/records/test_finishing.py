"""Recordings are finished and told of once, whoever is stopped, killed or kept from it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent.records.recordings import encoding, finishing
from agent.records.recordings.audio_log import ENDING
from agent.records.recordings.encoding import Finished
from agent.records.recordings.finishing import RecordingFinisher
from agent.records.recordings.kept import Recordings
from agent.records.recordings.recording_files import RecordingCounts
from agent.records.seals import NoSeal
from tests.agent.records.test_recording_files import finished, write

Told = list[tuple[str, Mapping[str, object]]]


def finisher(folder: Path, told: Told, **more: Any) -> RecordingFinisher:
    """Return one that tells there."""
    recordings = Recordings(folder, NoSeal())
    return RecordingFinisher(
        recordings, "flac", RecordingCounts(), lambda *one: told.append(one), **more
    )


def test_one_that_is_stopped_while_it_finishes_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread goes on; what it has done is told by the end of the process, once."""
    write(tmp_path / f"a.flac{ENDING}", NoSeal())
    working, go, finish = threading.Event(), threading.Event(), encoding.finish

    def slowly(*args: Any) -> Finished:
        working.set()
        assert go.wait(10)
        return finish(*args)

    monkeypatch.setattr(finishing, "finish", slowly)
    told: Told = []

    async def main() -> None:
        one = finisher(tmp_path, told)
        task = asyncio.create_task(one.run())
        assert await asyncio.to_thread(working.wait, 10)
        task.cancel()
        await asyncio.wait([task])
        go.set()
        await one.aclose()

    asyncio.run(main())
    assert [(record, fields["status"]) for record, fields in told] == [("a", "stored")]
    assert [one.name for one in tmp_path.iterdir()] == ["a.flac"]


def test_what_it_was_made_of_is_there_until_it_is_told_of(tmp_path: Path) -> None:
    """And until that is on the disk."""
    part = tmp_path / f"a.flac{ENDING}"
    write(part, NoSeal())
    told: Told = []

    async def kept() -> None:
        assert told
        assert part.exists()
        other = finisher(tmp_path, [])
        other._finish(part.name, 0.0)
        assert not other._settled, "it is still this process's"

    async def main() -> None:
        one = finisher(tmp_path, told, kept=kept)
        await one._see_to_all()
        await one.aclose()

    asyncio.run(main())
    assert not part.exists()


def test_one_that_was_killed_before_it_told_is_told_of_by_the_next(tmp_path: Path) -> None:
    """Nothing is made again: it may have been silenced meanwhile."""
    part = tmp_path / f"a.flac{ENDING}"
    write(part, NoSeal())
    killed = finisher(tmp_path, [])
    killed._finish(part.name, 0.0)
    killed._settled.pop().file.close()
    recordings = Recordings(tmp_path, NoSeal())
    recordings.silence("a.flac", [(0.0, 6.0)])
    silent = (tmp_path / "a.flac").read_bytes()
    ((record, fields),) = finished(recordings)
    assert (record, fields["status"], fields["seconds"]) == ("a", "stored", 6.0)
    assert (tmp_path / "a.flac").read_bytes() == silent
    assert not part.exists()
    assert finished(recordings) == []


def test_one_that_is_deleted_before_it_is_told_of_stays_so(tmp_path: Path) -> None:
    """Whichever of its files went first."""
    part = tmp_path / f"a.flac{ENDING}"
    write(part, NoSeal())

    async def kept() -> None:
        part.unlink()

    async def main() -> None:
        one = finisher(tmp_path, [], kept=kept)
        await one._see_to_all()
        await one.aclose()

    asyncio.run(main())
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_finished_is_tried_less_and_less_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the others are finished; and at once when it can."""
    at, tries = [1000.0], [0]
    finish = encoding.finish

    def full(part: Path, *args: Any) -> Finished:
        if at[0] < 1000.0 + 3600.0 and part.name.startswith("a"):
            tries[0] += 1
            raise OSError(28, "No space left on device")
        return finish(part, *args)

    monkeypatch.setattr(finishing, "finish", full)
    monkeypatch.setattr(finishing, "now", lambda: at[0])
    for name in ("a", "b"):
        write(tmp_path / f"{name}.flac{ENDING}", NoSeal())
    told: Told = []

    async def main() -> None:
        one = finisher(tmp_path, told)
        while at[0] < 1000.0 + 3600.0 + finishing.AGAIN_LONGEST:
            await one._see_to_all()
            at[0] += finishing.LOOK_EVERY
        await one.aclose()

    with capture_logs() as logs:
        asyncio.run(main())
    assert 10 <= tries[0] <= 25
    assert len([entry for entry in logs if entry["log_level"] == "error"]) == tries[0]
    assert [record for record, _ in told] == ["b", "a"]


@pytest.mark.usefixtures("nfs")
def test_recordings_on_nfs_are_finished(tmp_path: Path) -> None:
    """A file that is only read cannot be locked there."""
    write(tmp_path / f"a.flac{ENDING}", NoSeal())
    told = finished(Recordings(tmp_path, NoSeal()))
    assert [(record, fields["status"]) for record, fields in told] == [("a", "stored")]
