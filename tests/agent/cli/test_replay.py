"""`voice-agent replay`: which calls, by what, and what is said of it."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main
from agent.cli.calls.filters import moment
from agent.records.events import JournalLine
from agent.records.seals import NoSeal
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.store.store import opened
from tests.agent.replay.recorded import AGENT, put, sound_of
from tests.recordings import TRANSCRIPTS

SETTINGS = """
agent = "it"
[stt]
provider = "scripted"
[llm]
provider = "scripted"
[tts]
provider = "scripted"
[turns]
model = "none"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, an agent, two calls in the database with their recordings; and one without."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "voice-agent.toml").write_text(SETTINGS)
    (tmp_path / "prompts").mkdir()
    for name in ("it", "new"):
        (tmp_path / "prompts" / f"{name}.md").write_text(AGENT)
    for name in ("a", "b"):
        put(tmp_path / "recordings", name, sound_of(["seven"]))
    return tmp_path


def store(*names: str) -> None:
    """Put records of calls into the database, each a day after the one before."""

    async def add() -> None:
        async with opened(DatabaseUrl("sqlite:///voice-agent.db")) as database:
            stored = StoredRecords(database.database, NoSeal())
            for day, name in enumerate(names, 1):
                await stored.add(list(journal(name, day)))

    asyncio.run(add())


def journal(name: str, day: int) -> list[JournalLine]:
    call = {"id": name, "call_id": f"sinch-{name}", "agent": "it", "caller": "+15550000001"}
    call["started"] = f"2026-11-{day:02d}T10:00:00+00:00"
    lines: list[tuple[str, float | None, dict[str, Any]]] = [
        ("call", None, call),
        ("agent", 0.0, {"text": "Hello there.", "cut_off": False}),
        ("caller", 1.6, {"text": "Hello.", "until": 2.2}),
    ]
    if name != "unrecorded":
        lines.append(("recording", 0.0, {"status": "stored", "file": f"{name}.flac", "began": 0.0}))
    if name == "moved":
        lines[-1][2]["file"] = "s3://bucket/calls/moved.flac"
    lines.append(("ended", 5.0, {"reason": "the caller hung up"}))
    return [
        JournalLine(journal=name, line=n, kind=kind, at=at, fields=fields)
        for n, (kind, at, fields) in enumerate(lines)
    ]


def replay(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any, str]:
    """Run the command; return its exit status, the JSON that it prints, and what is wrong."""
    capsys.readouterr()
    status = main(["replay", "--json", "--output", "out", *arguments])
    said = capsys.readouterr()
    return status, json.loads(said.out.splitlines()[-1]) if said.out else None, said.err


def test_calls_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """By our ids or the platform's; each that cannot be replayed says why, the others go on."""
    store("a", "b", "unrecorded", "lost", "twice", "twin")
    names = ("a", "sinch-b", "unre", "lost", "none", "tw")
    status, found, err = replay(capsys, *names)
    assert status == 1
    assert [one["call"] for one in found["calls"]] == ["a", "b"]
    assert err.splitlines() == [
        "voice-agent: unrecorded: the call was not recorded (what records calls: "
        "`record: true` in the agent's file)",
        "voice-agent: lost: its recording lost.flac: it is not here: deleted, or on the disk of "
        "another machine",
        "voice-agent: none: no such call",
        "voice-agent: tw: several calls begin so",
    ]
    assert [one["call"] for one in found["not_replayed"]] == ["unrecorded", *names[3:]]
    (first, *_) = found["calls"]
    assert first["then"]["hear"] == "voice-agent calls play a"
    assert Path(first["now"]["hear"]).is_file()
    assert Path(first["now"]["record"]).parent == Path("out")
    assert first["words_changed"] == 0


def test_recordings_are_where_the_settings_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or where the command says; one that was moved may have been fetched there."""
    Path("recordings").rename("kept")
    store("a", "moved")
    assert replay(capsys, "a")[0] == 1
    monkeypatch.setenv("VOICE_AGENT_RECORDING__FOLDER", "kept")
    assert replay(capsys, "a")[0] == 0
    put(tmp_path / "fetched", "moved", sound_of(["seven"]))
    assert replay(capsys, "moved", "--recordings", "fetched")[0] == 0


def test_calls_are_filtered(capsys: pytest.CaptureFixture[str]) -> None:
    """By when, by who answered, by how they ended; the latest first."""
    store("a", "b")
    for filters, expected in [
        (("--since", "2026-11-01"), ["b", "a"]),
        (("--since", "2026-11-02"), ["b"]),
        (("--before", "2026-11-02"), ["a"]),
        (("--agent-was", "it", "--limit", "1"), ["b"]),
        (("--outcome", "caller hung up", "--limit", "1"), ["b"]),
    ]:
        status, found, _ = replay(capsys, *filters)
        assert (status, [one["call"] for one in found["calls"]]) == (0, expected)
    status, _, err = replay(capsys, "--agent-was", "nobody")
    assert (status, err) == (1, "voice-agent: there are no such calls\n")


def test_another_agent_and_other_settings_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """By name or by file; with options of providers beside them."""
    store("a")
    line = 'llm.lines=["Quite another one."]'
    for agent in ("new", "prompts/new.md"):
        status, found, _ = replay(capsys, "a", "--agent", agent, "--set", line)
        assert status == 0
        assert found["lineup"] == {"stt": ["scripted"], "llm": ["scripted"], "tts": ["scripted"]}
        record = Path(found["calls"][0]["now"]["record"]).read_text()
        assert json.loads(record.partition("\n")[0])["agent"] == agent
        assert "Quite another one." in record


def test_what_makes_no_sense_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """In a line, before anything is done."""
    store("a")
    for arguments, status, line in [
        ((), 2, "name calls, or filter them"),
        (("a", "--since", "7d"), 2, "name calls, or filter them"),
        (("--words", "?"), 2, "there is no word in it"),
        (("a", "--real-time", "--work-takes", "1"), 2, "not with --real-time"),
        (("a", "--set", "llm.modle=x"), 1, "--set llm.modle"),
        (("a", "--set", "vad.judge=x"), 1, "vad: no voice detector 'x'"),
        (("a", "--config", "none.toml"), 1, "none.toml: no such file"),
        (("--folder", "nowhere"), 1, "nowhere"),
        (("a", "--agent", "gone"), 1, "gone.md"),
    ]:
        found, _, err = replay(capsys, *arguments)
        assert (found, err.count("\n")) == (status, 1), arguments
        assert line in err
        assert err.startswith("voice-agent: ")


def test_moments() -> None:
    """A date, a time, or so long ago."""
    assert moment("7d") == pytest.approx(time.time() - 7 * 86400, abs=5)
    assert moment("2026-11-26T10:00:00+00:00") == 1795687200
    for wrong in ("7y", "tomorrow", "2026-13-01", "99999999d"):
        with pytest.raises(argparse.ArgumentTypeError):
            moment(wrong)


def test_the_report_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """Both conversations, what differs, how fast it went, and where it is."""
    store("a")
    assert main(["replay", "a"]) == 0
    out = capsys.readouterr().out
    assert "then" in out
    assert "all calls (1), now less then" in out
    assert "replies lost" not in out
    assert "calls replayed: 1, not replayed: 0; with stt scripted, llm scripted" in out
    assert "voice-agent-replay-" in out


def test_the_models_of_this_machine_hear_real_speech(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The embedded stack, whole: prints how much faster than it was held."""
    put(folder / "calls", "real", sound_of(["not-at-desk", "thank-you"]))
    began = time.process_time()
    status, found, _ = replay(
        capsys,
        *("--folder", "calls", "--set", "stt.provider=moonshine", "--set", "llm.provider=lookup"),
        *("--set", "tts.provider=piper", "--set", "turns.model=smart-turn"),
        *("--work-takes", "0.1"),  # however busy this machine is
    )
    assert status == 0
    (call,) = found["calls"]
    heard = [line["text"] for turn in call["turns"] for line in turn["now"]["lines"]]
    assert TRANSCRIPTS["thank-you"] in heard
    assert not call["real_time"]
    speed, cpu = found["seconds"] / found["took"], time.process_time() - began
    print(f"{found['seconds']:.1f} s of conversation in {found['took']:.1f} s: {speed:.1f} times")
    print(f"as fast as it was held; {cpu:.1f} s of processor, models loaded and all")
