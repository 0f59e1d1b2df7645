"""``voice-agent calls export``: whole files, for their owner; what is missing is told."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from pathlib import Path

import pytest
from pyarrow import parquet

from agent.cli import main
from agent.cli.calls import export
from agent.private_files import whole_private_file
from agent.records.seals import NoSeal
from agent.records.stored_records import StoredRecords
from agent.settings.database import DatabaseUrl
from agent.store.store import opened
from tests.agent.records.exports.calls import journal
from tests.databases import FILE, alter


@pytest.fixture
def three_calls(tmp_path: Path) -> Path:
    """A folder with settings, whose database has the calls a, b and c."""
    Path("voice-agent.toml").write_text(f'database = "sqlite:///{FILE}"\n')

    async def store_calls() -> None:
        async with opened(DatabaseUrl(f"sqlite:///{tmp_path}/{FILE}")) as store:
            stored = StoredRecords(store.database, NoSeal())
            for n, name in enumerate("abc"):
                await stored.add(journal(name, f"2026-11-2{n + 4}T10:00:00+00:00"))

    asyncio.run(store_calls())
    return tmp_path


def run(*arguments: str) -> int:
    return main(["calls", "export", *arguments])


def test_all_calls_go_to_standard_output(
    three_calls: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A line a call, the latest first; filters and ids choose."""
    del three_calls
    for arguments, there in (
        ([], ["c", "b", "a"]),
        (["a", "sinch-c"], ["a", "c"]),
        (["--before", "2026-11-25"], ["a"]),
        (["--caller", "001 (555) 000-0001", "--words", "open"], ["c", "b", "a"]),
        (["--words", "zanzibar"], []),
        (["--since", "2026-11-25T00:00Z", "--outcome", "caller hung up"], ["c", "b"]),
    ):
        assert run(*arguments) == 0
        out, err = capfdbinary.readouterr()
        assert [json.loads(line)["id"] for line in out.splitlines()] == there
        assert err == (b"" if there else b"voice-agent: there are no such calls\n")
    assert run("--agent", "nobody", "--format", "csv") == 0
    out, err = capfdbinary.readouterr()
    assert out.count(b"\n") == 1  # the names of the columns
    assert b"no such calls" in err


@pytest.mark.usefixtures("three_calls")
def test_a_file_is_whole_and_for_its_owner() -> None:
    """Nothing of it is there if it fails."""
    assert run("--format", "parquet", "--turns", "--output", "turns.parquet") == 0
    assert parquet.read_table("turns.parquet").num_rows == 12
    assert stat.S_IMODE(Path("turns.parquet").stat().st_mode) == 0o600
    assert run("--format", "csv", "--bom", "--output", "calls.csv") == 0
    assert Path("calls.csv").read_bytes().startswith(b"\xef\xbb\xbfid,")
    alter(Path(), "DROP TABLE call_events")
    assert run("--output", "calls.csv") == 1
    assert Path("calls.csv").read_bytes().startswith(b"\xef\xbb\xbfid,")
    assert not [one.name for one in Path().iterdir() if one.name.startswith(".part")]


@pytest.mark.usefixtures("three_calls")
def test_captions_are_a_file_a_call(capfd: pytest.CaptureFixture[str]) -> None:
    """In a folder, or one call alone."""
    assert run("--format", "vtt", "--output", "captions") == 0
    assert {one.name for one in Path("captions").iterdir()} == {"a.vtt", "b.vtt", "c.vtt"}
    assert stat.S_IMODE(Path("captions").stat().st_mode) == 0o700
    assert run("a", "--format", "vtt") == 0
    assert capfd.readouterr().out == Path("captions/a.vtt").read_text()
    assert run("a", "--format", "vtt", "--output", "one.vtt") == 0
    assert Path("one.vtt").read_text() == Path("captions/a.vtt").read_text()


def test_what_is_missing_is_told(
    three_calls: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the exit status as well; the rest is written."""
    assert run("a", "nobody", "--output", "out.jsonl") == 1
    assert "'nobody': no such call" in capfd.readouterr().err
    assert len(Path("out.jsonl").read_text().splitlines()) == 1
    alter(three_calls, "UPDATE call_events SET data = '{' WHERE line = 3")
    monkeypatch.setattr(export, "MOST_TOLD", 2)
    assert run("--output", "out.jsonl") == 1
    told = capfd.readouterr().err.splitlines()
    assert told[0].startswith("voice-agent: c: lines that cannot be read: 1 (damaged, or sealed")
    assert (len(told), told[2]) == (3, "voice-agent: and 1 more")
    calls = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert [(one["damaged"], len(one["events"])) for one in calls] == [(1, 12)] * 3


@pytest.mark.usefixtures("three_calls")
@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--format", "vtt"], "captions of several calls need a folder"),
        (["--format", "csv", "--events"], "--events goes with --format jsonl"),
        (["--turns"], "--turns goes with --format csv or parquet"),
        (["--bom"], "--bom goes with --format csv"),
        (["a", "--agent", "x"], "give ids, or filters"),
        (["--output", "."], "this is a folder"),
        (["--output", "none/calls.csv"], "there is no folder 'none'"),
        (["--format", "vtt", "--output", "voice-agent.toml"], "need a folder"),
        (["--since", "tomorrow"], "a date such as"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str], why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """In one line, with the status of such a mistake."""
    try:
        status: object = run(*arguments)
    except SystemExit as error:
        status = error.code
    assert status == 2
    assert why in capfd.readouterr().err


@pytest.mark.usefixtures("three_calls")
def test_parquet_says_which_extra_it_needs(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pyarrow is not installed; and leaves no file."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert run("--format", "parquet", "--output", "calls.parquet") == 1
    assert 'pip install "sinch-voice-agent[parquet]"' in capfd.readouterr().err
    assert not Path("calls.parquet").exists()


def test_a_device_is_written_into_and_not_replaced(tmp_path: Path) -> None:
    """`--output /dev/null`, or a pipe that somebody reads."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with whole_private_file(pipe) as file:
        file.write(b"calls")
    assert os.read(reader, 100) == b"calls"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
