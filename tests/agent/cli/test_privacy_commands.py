"""What is kept of calls, by the command line: erased, copied, sealed anew, and who looked."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import get_args

import pytest

from agent.cli import main
from agent.records.access_log import Access, AccessLog, holder_of, this_user
from agent.records.call_records import CallRecords, RecordFilter
from agent.records.events import CallRecord, JournalLine
from agent.records.sealing import seal_of, take_up
from agent.records.seals import KeySeal, NoSeal, Seal
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.settings.privacy import PrivacySettings
from agent.settings.sealing_keys import SealingKey
from agent.store.store import opened
from tests.agent.records.test_erasing import NUMBER, WORDS, lines_of, raw
from tests.agent.records.test_seals import NEW, OLD

URL = DatabaseUrl("sqlite:///voice-agent.db")
KEYS = "VOICE_AGENT_PRIVACY__KEYS"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, without settings."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def store(names: str, seal: Seal | None = None, keys: tuple[SealingKey, ...] = ()) -> None:
    async def run() -> None:
        async with opened(URL) as store:
            await take_up(store.database, keys)
            for name in names:
                await StoredRecords(store.database, seal or NoSeal()).add(lines_of(name))

    asyncio.run(run())


def store_lines(seal: Seal, lines: list[JournalLine]) -> None:
    async def run() -> None:
        async with opened(URL) as store:
            await StoredRecords(store.database, seal).add(lines)

    asyncio.run(run())


def left(seal: Seal | None = None) -> list[CallRecord]:
    async def run() -> list[CallRecord]:
        async with opened(URL) as store:
            return await CallRecords(store.database, seal or NoSeal()).find(RecordFilter())

    return asyncio.run(run())


def written(*keys: SealingKey) -> str:
    return " ".join(f"{key.name}:{base64.b64encode(key.secret).decode()}" for key in keys)


def test_erase_asks_and_says_what_goes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """Nothing goes in a dry run, nor without an answer; then nothing is left."""
    store("ab")
    assert main(["calls", "erase", "a", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "1 calls: 13 lines, 1 recordings, 0 journal files\nNothing was erased." in said
    assert NUMBER not in said
    assert WORDS not in said
    monkeypatch.setattr("builtins.input", lambda _prompt: "n")
    assert main(["calls", "erase", "--number", "+1 (202) 555-0123"]) == 1
    assert len(left()) == 2
    monkeypatch.setattr("builtins.input", lambda _prompt: "y")
    assert main(["calls", "erase", "--number", "+1 (202) 555-0123"]) == 0
    assert "Erased 2 calls" in capsys.readouterr().out
    assert left() == []
    assert WORDS.encode() not in raw(folder)
    assert main(["calls", "erase", "a", "--yes"]) == 1
    assert "'a': no such call" in capsys.readouterr().err
    for wrong in ([], ["a", "--number", NUMBER]):
        assert main(["calls", "erase", *wrong]) == 2


def test_who_looked_is_told_and_not_whose_was_erased(capsys: pytest.CaptureFixture[str]) -> None:
    """A user of this machine, or a token by its label."""
    store("ab")

    async def look() -> None:
        async with opened(URL) as store:
            await AccessLog(store.database, this_user()).note("list", ["a", "b"])
            await AccessLog(store.database, holder_of("a secret token of ours")).note("show", ["a"])

    asyncio.run(look())
    capsys.readouterr()  # the log
    assert main(["calls", "access", "a"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split("  ")[1].strip() == "show"
    assert "operator token " in first
    assert "secret" not in first
    assert this_user() in second
    assert main(["calls", "erase", "b", "--yes"]) == 0
    with closing(sqlite3.connect("voice-agent.db")) as connection:
        found = connection.execute(
            "SELECT record FROM record_reads WHERE what = 'erase'"
        ).fetchall()
    assert found == [("",)]
    capsys.readouterr()
    assert main(["calls", "access", "never"]) == 0
    assert "Nobody has looked" in capsys.readouterr().out


READS: dict[Access, list[str]] = {
    "list": ["calls", "list"],
    "search": ["calls", "search", WORDS],
    "show": ["calls", "show", "a"],
    "follow": ["calls", "follow", "a"],
    "play": ["calls", "play", "a", "--output", "a.flac"],
    "export": ["calls", "export"],
    "replay": ["replay", "a"],
    "verify": ["verify", "a"],
}
"""Of each way to look at a record, the command."""


def test_every_command_that_reads_notes_who_looked(capfd: pytest.CaptureFixture[str]) -> None:
    """Once a command and record, also where there is nothing to hear; never what was asked for."""
    assert {*READS, "erase", "listen"} == set(get_args(Access))  # which pages alone do
    store("a")
    for what, command in READS.items():
        main(command)
        capfd.readouterr()
        assert main(["calls", "access", "a"]) == 0
        first, *before = capfd.readouterr().out.splitlines()
        assert (first.split()[2:], len(before)) == ([what, this_user()], list(READS).index(what))
    with closing(sqlite3.connect("voice-agent.db")) as database:
        rows = database.execute("SELECT * FROM record_reads").fetchall()
    assert WORDS not in str(rows)


def test_a_page_that_is_open_all_day_is_noted_by_the_hour() -> None:
    """What lists is asked every few seconds; who shows a record is noted each time."""

    async def run() -> list[str]:
        async with opened(URL) as store:
            access = AccessLog(store.database, holder_of("a secret token of ours"))
            for _ in range(3):
                await access.note("list", ["a", "b"])
                await access.note("show", ["a"])
            return [one.what for one in await access.of("a")]

    assert sorted(asyncio.run(run())) == ["list", "show", "show", "show"]


def test_a_backup_is_whole_private_and_never_overwrites(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """While somebody has the database open, and has written what is in its log still."""
    store("a")
    with closing(sqlite3.connect("voice-agent.db")) as connection:
        connection.execute("UPDATE call_records SET agent = 'another'")
        connection.commit()
        assert main(["db", "backup", "copy.db"]) == 0
    copy = folder / "copy.db"
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT agent FROM call_records").fetchall() == [("another",)]
    before = copy.read_bytes()
    capsys.readouterr()
    assert main(["db", "backup", "copy.db"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert copy.read_bytes() == before
    assert main(["db", "backup", "no/folder/copy.db"]) == 1
    (folder / "voice-agent.db").write_bytes(b"no database" * 1000)
    assert main(["db", "backup", "broken.db"]) == 1
    assert not (folder / "broken.db").exists()
    monkeypatch.setenv("VOICE_AGENT_DATABASE", "postgresql://u:secret@h/n")
    capsys.readouterr()
    assert main(["db", "backup", "other.db"]) == 1
    said = capsys.readouterr().err
    assert "pg_dump" in said
    assert "secret" not in said


def test_everything_is_sealed_anew_with_the_first_key(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """Rows of an old key and of none, journals too; afterwards the old key is wanted no more."""
    store("a")
    old = KeySeal([OLD])
    store("b", old, (OLD,))
    journal = folder / "transcripts" / "20260528T202640.000-x.jsonl"
    journal.parent.mkdir()
    sealed = {"kind": "caller", "at": 1.0, "sealed": old.hide('{"text": "hello"}')}
    journal.write_text(json.dumps({"kind": "call", "caller": NUMBER}) + "\n" + json.dumps(sealed))
    monkeypatch.setenv(KEYS, written(NEW))
    assert main(["db", "reseal"]) == 1
    assert "'old' is missing" in capsys.readouterr().err
    monkeypatch.setenv(KEYS, written(NEW, OLD))
    waiting = folder / "transcripts" / "journals" / "20260528T202640.000-y.jsonl.damaged"
    waiting.parent.mkdir()
    waiting.write_text(json.dumps(sealed))
    recordings = folder / "recordings"
    recordings.mkdir()
    (recordings / "a.flac").write_bytes(b"fLaC plain")
    (recordings / "b.flac.sealed").write_bytes(b"".join(old.hide_bytes([b"fLaC old"])))
    late = JournalLine(journal="l", line=0, kind="platform", at=None, fields={"id": "b"})
    store_lines(KeySeal([NEW, OLD]), [late])  # its record is sealed with the new key then
    assert main(["calls", "search", WORDS]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5  # both, before they are sealed anew
    assert main(["calls", "list", "--caller", NUMBER]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    for rows, files in ((28, 4), (0, 2)):
        assert main(["db", "reseal"]) == 0
        assert f"{rows} rows, {files} files" in capsys.readouterr().out
    new = KeySeal([NEW])
    assert sorted(path.name for path in recordings.iterdir()) == ["a.flac.sealed", "b.flac.sealed"]
    shown = [b"".join(new.show_bytes([p.read_bytes()])) for p in sorted(recordings.iterdir())]
    assert shown == [b"fLaC plain", b"fLaC old"]
    assert "sealed:new" in waiting.read_text()
    assert [one.data["caller"] for one in left(new)] == [NUMBER, NUMBER]
    assert old.look_up(NUMBER).encode() not in raw(folder)
    assert WORDS.encode() not in raw(folder)
    assert NUMBER not in journal.read_text()
    assert "sealed:old" not in journal.read_text()
    monkeypatch.setenv(KEYS, written(NEW))
    assert main(["db", "reseal"]) == 0
    capsys.readouterr()
    assert main(["calls", "search", WORDS]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5
    assert main(["calls", "erase", "--number", NUMBER, "--yes"]) == 0
    assert left(new) == []


def test_a_key_that_is_lost_is_given_up(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has sealed stays as it is, can be erased, and no longer keeps the service away."""
    store("a", KeySeal([OLD]), (OLD,))
    monkeypatch.setenv(KEYS, written(NEW))
    assert main(["db", "reseal", "--give-up", "old"]) == 1
    said = capsys.readouterr().out
    assert "given up" in said
    assert "14 cannot be opened" in said
    assert main(["calls", "erase", "a", "--yes"]) == 0


def test_keys_are_in_a_variable_or_in_a_file(
    monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that is wrong or missing is a line that does not quote it."""
    monkeypatch.setenv("OUR_KEYS", written(NEW))
    assert isinstance(seal_of(PrivacySettings(keys_variable="OUR_KEYS")), KeySeal)
    (folder / "keys").write_text(written(NEW, OLD) + "\n")
    monkeypatch.delenv("OUR_KEYS")
    monkeypatch.setenv("OUR_KEYS_FILE", str(folder / "keys"))
    assert isinstance(seal_of(PrivacySettings(keys_variable="OUR_KEYS")), KeySeal)
    assert isinstance(seal_of(PrivacySettings()), NoSeal)
    monkeypatch.setenv(KEYS, "new:c2hvcnQtc2VjcmV0")
    assert main(["check"]) == 1
    said = "".join(capsys.readouterr())
    assert "privacy.keys" in said
    assert "c2hvcnQ" not in said
