"""``voice-agent calls play``: a recording is heard or written; what keeps it from that is said."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from agent.cli import _parser
from agent.records.recordings.audio_log import ENDING
from agent.records.recordings.encoding import finish
from agent.records.recordings.stereo import read
from agent.records.seals import NoSeal
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.store.store import opened
from tests.agent.records.test_recording_files import write
from tests.agent.server.test_call_recording import record_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a service has left a recorded call, ``a``, and one whose recording is gone, ``b``."""

    async def keep() -> None:
        async with opened(DatabaseUrl(f"sqlite:///{tmp_path}/voice-agent.db")) as store:
            stored = StoredRecords(store.database, NoSeal())
            await stored.add(record_of("a", "a.flac") + record_of("b", "b.flac"))

    asyncio.run(keep())
    part = tmp_path / "recordings" / f"a.flac{ENDING}"
    write(part, NoSeal())
    finish(part, tmp_path / "recordings" / "a.flac", NoSeal(), lambda _: True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def run(*arguments: str) -> int:
    options = _parser().parse_args(["calls", "play", *arguments])
    status: int = options.run(options)
    return status


def test_it_is_written_as_it_is_or_as_wav(folder: Path) -> None:
    """By the name that is given."""
    assert run("a", "--output", "call.flac") == 0
    assert run("sinch-a", "--output", "call.wav") == 0
    assert (folder / "call.flac").read_bytes() == (folder / "recordings/a.flac").read_bytes()
    assert read(folder / "call.wav") == read(folder / "call.flac")
    for name in ("call.flac", "call.wav"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600


def test_a_player_that_is_installed_plays_it(folder: Path) -> None:
    """It is given a WAV file, which is gone afterwards."""
    programs = folder / "bin"
    programs.mkdir()
    aplay = programs / "aplay"
    aplay.write_text(f'#!/bin/sh\nread -r head < "$2"\necho "$2 $head" > {folder}/played\n')
    aplay.chmod(0o755)
    assert run("a") == 0
    played, head = (folder / "played").read_text(errors="replace").split(" ", 1)
    assert head.startswith("RIFF")
    assert not os.path.exists(played)  # noqa: PTH110 - a name
    aplay.write_text("#!/bin/sh\nexit 3\n")
    assert run("a") != 0


@pytest.mark.parametrize(
    ("name", "said"),
    [("a", "no player is installed"), ("b", "deleted"), ("nobody", "no such call")],
)
def test_what_keeps_it_from_being_heard_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    """In a line."""
    assert folder.exists()
    assert run(name) != 0
    assert said in capsys.readouterr().err
