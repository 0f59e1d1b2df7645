"""``voice-agent verify``: records in a database against recordings in a folder."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main
from agent.records.events import JournalLine
from agent.records.recordings import stereo
from agent.records.sealing import seal_of
from agent.records.seals import NoSeal
from agent.records.stored_records import StoredRecords
from agent.settings import load
from agent.settings.database import DatabaseUrl
from agent.store.store import opened
from tests.agent.records.verification.spelled import call

STT = "tests.agent.records.verification.spelled:Recognizer"
CLAIMS, RECORDING = call(
    ("hello there this is linden street kitchen", 0.5),
    ("our table for four is booked", 2.0),
    ("goodbye thank everybody", 2.0),
    began=0.25,
)
HEARD = [
    ("heard", one.at, {"turn": n, "text": one.text, "until": one.until})
    for n, one in enumerate(CLAIMS)
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings, and a recording."""
    monkeypatch.chdir(tmp_path)
    Path("voice-agent.toml").write_text(f'[stt]\nprovider = "{STT}"\n')
    Path("recordings").mkdir()
    stereo.write(Path("recordings", "a.flac"), RECORDING)
    stereo.write(Path("elsewhere.wav"), RECORDING)
    return tmp_path


def record(lines: Sequence[tuple[str, float, dict[str, Any]]], *, file: str = "a.flac") -> None:
    """Store the record of a call with these lines."""
    first = {"id": "a", "call_id": "sinch-a", "started": "2026-11-26T10:00:00+00:00"}
    recorded = [("recording", 0.25, {"status": "started", "began": 0.25, "file": file})]
    told: list[tuple[str, float | None, dict[str, Any]]] = [
        ("call", None, first),
        *(recorded if file else []),
        *lines,
        ("ended", 9.0, {"reason": "the caller hung up"}),
    ]
    journal = [
        JournalLine(journal="a", line=n, kind=kind, at=at, fields=fields)
        for n, (kind, at, fields) in enumerate(told)
    ]

    async def store() -> None:
        async with opened(DatabaseUrl("sqlite:///voice-agent.db")) as there:
            await StoredRecords(there.database, NoSeal()).add(journal)

    asyncio.run(store())


def verify(*more: str, name: str = "a", stt: str = STT) -> int:
    return main(["verify", name, "--stt", stt, *more])


def test_a_record_that_agrees(capsys: pytest.CaptureFixture[str]) -> None:
    """By our name of the call, and by the platform's."""
    record(HEARD)
    assert verify() == verify(name="sinch-a") == 0
    assert "3 sentences checked, 0 not; the recording agrees" in capsys.readouterr().out


def test_a_record_that_differs(capsys: pytest.CaptureFixture[str]) -> None:
    """It is said where, for people and for scripts."""
    record([HEARD[0], HEARD[2]])
    assert verify() == 1
    assert "a voice until" in capsys.readouterr().out
    assert verify("--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["differs"]
    assert [one["heard"] for one in told["unclaimed"]] == ["our table for four is booked"]
    assert [one["findings"] for one in told["sentences"]] == [[], []]


def test_while_it_was_paused_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """What was heard then is neither right nor wrong."""
    pause = [
        ("recording", CLAIMS[1].at - 0.1, {"status": "paused"}),
        ("recording", (CLAIMS[1].until or 0.0) + 0.1, {"status": "resumed"}),
    ]
    record([HEARD[0], pause[0], HEARD[1], pause[1], HEARD[2]])
    assert verify() == 0
    assert "2 sentences checked, 1 not" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "more", "told"),
    [
        ("", (), "record: true` in the agent's file); --recording names a file"),
        ("gone.flac", (), "gone.flac: it is not here"),
        ("a.flac", ("--recording", "voice-agent.toml"), "no recording, or one that is cut off"),
    ],
)
def test_what_cannot_be_checked(
    capsys: pytest.CaptureFixture[str], file: str, more: tuple[str, ...], told: str
) -> None:
    """It says why, and has a status of its own."""
    record(HEARD, file=file)
    assert verify(*more) == 2
    assert told in capsys.readouterr().err


def test_a_recording_is_found_by_the_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their folder, and their key, if it is sealed."""
    record(HEARD)
    keys = f"2026:{base64.b64encode(bytes(range(32))).decode()}"
    monkeypatch.setenv("VOICE_AGENT_PRIVACY__KEYS", keys)
    monkeypatch.setenv("VOICE_AGENT_RECORDING__FOLDER", "kept")
    assert verify() == 2
    seal = seal_of(load(None).privacy)
    (folder / "kept").mkdir()
    plain = (folder / "recordings" / "a.flac").read_bytes()
    (folder / "kept" / "a.flac.sealed").write_bytes(b"".join(seal.hide_bytes([plain])))
    assert verify() == 0
    monkeypatch.setenv("VOICE_AGENT_PRIVACY__KEYS", keys.replace("2026:", "2027:"))
    capsys.readouterr()
    assert verify() == 2
    assert "'2026'" in capsys.readouterr().err


def test_sentences_in_pieces_are_checked_whole() -> None:
    """As calls write what was heard: a long sentence in parts, the end of a reply cut off."""
    pieces = []
    for n, one in enumerate(CLAIMS):
        words, middle = one.text.split(), (one.at + (one.until or 0.0)) / 2
        first, rest = " ".join(words[:2]), " ".join(words[2:])
        told = {"turn": n, "text": first, "until": middle, "more": True}
        pieces.append(("heard", one.at, told))
        pieces.append(("heard", middle, {"turn": n, "text": rest, "until": one.until}))
    record(pieces)
    assert verify() == 0


def test_who_cannot_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody but those of the settings is sent a recording; there may be no such call."""
    record(HEARD)
    assert verify(stt="deepgram") == 2
    assert f"there are moonshine, {STT}" in capsys.readouterr().err
    assert verify(name="b") == 2
    assert "no such call: `voice-agent calls list` has their ids" in capsys.readouterr().err


def test_a_recording_may_be_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a call that was recorded by something else."""
    record(HEARD, file="")
    began = ["--recording", "elsewhere.wav"]
    assert verify(*began) == 1  # its first sample is 0.25 s after the answer
    assert "0.25 s" in capsys.readouterr().out
    assert verify(*began, "--began", "0.25", "--caller") == 0
