"""Every command and option, given what makes no sense: refused in words, on one line."""

from __future__ import annotations

import shlex
import socket
import struct
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from agent.cli import main

URL = "ws://127.0.0.1:9/stream"
"""Where nobody answers: the port is the "discard" of old."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, without settings."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Return the exit status of a command, and what it has said on stderr."""
    try:
        status = main(arguments)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, capsys.readouterr().err


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str], status: int = 2) -> str:
    """Return the one line with which a command is refused."""
    found, said = run(arguments, capsys)
    assert found == status, said
    assert said.count("\n") == 1, said
    assert said.startswith("voice-agent"), said
    return said


USAGE: list[tuple[str, str]] = [
    ("", "COMMAND"),
    ("cal", "invalid choice: 'cal'"),
    ("call", "url"),
    ("sinch stand-in --party zzz", "--party 'zzz': there are 'two who plan a dinner', "),
    ("sinch stand-in --party one", "--party 'one': there are"),  # two begin so
    ("sinch stand-in --party dinner --say hello", "its file says whose phones there are"),
    ("sinch stand-in --party dinner --from sip:ann@example.com", "numbers of its own"),
    ("sinch stand-in --save heard", "--save is of a party"),
    ("sinch stand-in --machine --screener", "--machine, --screener: one of them"),
    ("sinch stand-in --party dinner --screener", "its file says whose phones there are"),
    # Addresses
    ("call ''", "ws:// or wss:// and a host"),
    ("call localhost:8080", "ws:// or wss:// and a host"),
    ("call http://127.0.0.1:8080/stream", "ws:// or wss:// and a host"),
    ("call ws://", "no address"),
    ("call ws:///stream", "no address"),
    ("call ws://127.0.0.1:99999/", "no address"),
    ("call ws://127.0.0.1:abc/", "no address"),
    ("call ws://127.0.0.1:0/", "no address"),
    ("call ws://[::1/stream", "no address"),
    ("call 'ws://a b/'", "no address"),
    ("evaluate nonsense", "no address"),
    ("dial +12025550123 --server localhost:8080", "http:// or https:// and a host"),
    ("dial +12025550123 --server http://127.0.0.1:x", "no address"),
    ("sinch setup --public-url agent.example.com", "https:// or http:// and a host"),
    ("sinch verify --url nonsense", "https:// or http:// and a host"),
    # Headers and variables
    (f"call {URL} --headers foo", "write NAME=VALUE"),
    (f"call {URL} --headers =foo", "write NAME=VALUE"),
    (f"call {URL} --headers ''", "write NAME=VALUE"),
    (f"call {URL} --headers ' =1'", "write NAME=VALUE"),
    (f"call {URL} --headers", "expected one argument"),
    (f"evaluate {URL} --headers foo", "write NAME=VALUE"),
    ("dial +12025550123 --var name", "write NAME=VALUE"),
    # Rates
    *((f"call {URL} --rate={rate}", "hertz, one of 8000, 16000") for rate in
      ("12345", "0", "-1", "abc", "8e3", "8000.0", "''", "99999999999999999999", "8_000", "٨٠٠٠")),
    (f"evaluate {URL} --rate 12345", "hertz, one of 8000, 16000"),
    # Seconds
    *((f"call {URL} --interrupt-after={s}", "seconds, from 0 to 600") for s in
      ("-1", "nan", "inf", "-inf", "soon", "''", "1e9", "601")),
    # Counts
    *((f"evaluate {URL} --at-once={n}", "a whole number from 1 to 1000") for n in
      ("0", "-3", "many", "1.5", "''", "1001", "9" * 50, "²")),
    *((f"dial +12025550123 --max-seconds={n}", "a whole number from 1 to 14400") for n in
      ("0", "-1", "abc", "14401", "1e3")),
    *((f"serve --port={n}", "a whole number from 0 to 65535") for n in
      ("-1", "65536", "http", "80.5", "''")),
    ("sinch stand-in --port 70000", "a whole number from 0 to 65535"),
    # Choices
    (f"call {URL} --line perfect", "invalid choice"),
    (f"call {URL} --connect v3", "invalid choice"),
    ("dial +12025550123 --machine explode", "invalid choice"),
    ("dial +12025550123 --machine hangup --screening eyes", "invalid choice"),
    ("sinch stand-in --api v3", "invalid choice"),
    ("sinch nonsense", "invalid choice"),
    ("db downgrade", "invalid choice"),
    ("completion fish", "invalid choice"),
    ("completion", "shell"),
    # What is said and pressed
    (f"call {URL} --say ''", "nothing to say"),
    (f"call {URL} --say ...", "nothing to say"),
    ("sinch stand-in --say ''", "nothing to say"),
    (f"call {URL} --press abc", "keys are 0-9"),
    (f"call {URL} --press ''", "press at least one key"),
    (f"call {URL} --press w", "press at least one key"),
    (f"call {URL} --press '1 2'", "keys are 0-9"),
    ("dial +12025550123 --keys 12x", "up to 64 of 0-9"),
    # Files
    (f"call {URL} --wav nowhere.wav", "no such file"),
    (f"call {URL} --wav .", "this is a folder"),
    (f"call {URL} --save nowhere/call.wav", "there is no folder 'nowhere'"),
    (f"call {URL} --save .", "this is a folder"),
    (f"call {URL} --save ''", "this is a folder"),
    (f"evaluate {URL} --scenarios nowhere.yaml", "no such file"),
    (f"evaluate {URL} --only nonsense", "no such situation"),
    # Whom to call
    ("dial", "say whom: a number, a SIP address, or --user ID"),
    ("dial ''", "not a telephone number"),
    ("dial abc", "not a telephone number"),
    ("dial 123", "not a telephone number"),
    ("dial +1", "number"),
    ("dial +12", "not a telephone number"),
    ("dial +1202555", "another length"),
    ("dial +1202555012345678", "number"),
    ("dial sip:", "not a SIP address"),
    ("dial sip:desk", "not a SIP address"),
    ("dial 'sip:a b@c'", "not a SIP address"),
    ("sinch stand-in --call ''", "a number, such as"),
    ("sinch stand-in --phone '?'", "a number, such as"),
    ("sinch stand-in --from 'two words'", "a number, such as"),
    # Options that there are not
    (f"call {URL} --loud", "unrecognized arguments: --loud"),
    ("serve 8080", "unrecognized arguments: 8080"),
    ("check --liv --nonsense", "unrecognized arguments: --nonsense"),
    ("settings all", "unrecognized arguments: all"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "why"), USAGE, ids=[line or "(nothing)" for line, _ in USAGE])
def test_nonsense_is_refused_in_words(
    line: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With status 2, before anything is done."""
    assert why in refused(shlex.split(line), capsys)


def test_what_may_be_a_secret_is_not_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    """A token in an address, or a header whose sign was forgotten."""
    for arguments in (["ws://u:hunt2@h:x/?token=hunt2"], [URL, "--headers", "token hunt2"]):
        assert "hunt2" not in refused(["call", *arguments], capsys)


def wav(
    path: Path, *, bits: int = 16, channels: int = 1, rate: int = 8000, seconds: float = 0.5
) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(bits // 8)
        file.setframerate(rate)
        file.writeframes(bytes(int(rate * seconds) * channels * bits // 8))
    return path


def broken(folder: Path) -> list[tuple[Path, str]]:
    """Return files that are no recordings, and what is said of each."""
    whole = wav(folder / "whole.wav").read_bytes()
    floats = bytearray(whole)
    floats[20:22] = struct.pack("<H", 3)
    no_rate = bytearray(whole)
    no_rate[24:28] = struct.pack("<I", 0)
    none = bytearray(whole)
    none[22:24] = struct.pack("<H", 0)
    made = {
        "empty": (b"", "no WAV"),
        "text": (b"Hello, this is no WAV." * 10, "no WAV"),
        "mp3": (b"ID3\x04" + bytes(1000), "no WAV"),
        "head": (whole[:20], "no WAV"),
        "floats": (bytes(floats), "no WAV"),
        "no-rate": (bytes(no_rate), "no WAV"),
        "no-channel": (bytes(none), "no WAV"),
    }
    for name, (content, _) in made.items():
        (folder / name).write_bytes(content)
    found = [(folder / name, why) for name, (_, why) in made.items()]
    found += [
        (wav(folder / f"{bits}", bits=bits), f"{bits} bits, 16 are needed") for bits in (8, 24, 32)
    ]
    return [*found, (wav(folder / "silent", seconds=0), "there is no sound in it")]


def test_a_file_that_is_no_recording_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its name, with what is wrong."""
    for path, why in broken(folder):
        assert why in refused(["call", URL, "--wav", str(path)], capsys), path


@pytest.mark.parametrize("cut", [1, 2, 3, 5])
def test_a_recording_of_several_channels_may_be_cut_off_anywhere(
    cut: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is there of it is said; here nobody answers."""
    path = wav(folder / "stereo.wav", channels=2)
    path.write_bytes(path.read_bytes()[:-cut])
    assert "cannot connect" in refused(["call", URL, "--wav", str(path)], capsys, 1)


def test_situations_that_are_none_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, with status 2."""
    for text in ("", "a: [", "situations: []", "situations: [{kind: nonsense}]", "\x00", "- 1"):
        (folder / "own.yaml").write_text(text)
        refused(["evaluate", URL, "--scenarios", "own.yaml"], capsys)
    (folder / "own.yaml").write_text("situations: [{kind: turn, name: a, recording: b}]")
    assert "b.wav" in refused(["evaluate", URL, "--scenarios", "own.yaml"], capsys)


def test_where_nobody_answers_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A port without a server, a host without an address, a service that is none of ours."""
    assert "cannot connect" in refused(["call", URL], capsys, 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert "cannot connect" in refused(["call", f"ws://127.0.0.1:{port}/"], capsys, 1)


def test_a_port_that_is_taken_and_a_host_that_is_not_ours(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`serve` says so, in a line."""
    (folder / "prompts").mkdir()
    (folder / "prompts" / "reception.md").write_text("---\ngreeting: Hi.\n---\nBe kind.\n")
    for stage in ("STT", "LLM", "TTS"):
        monkeypatch.setenv(f"VOICE_AGENT_{stage}__PROVIDER", "scripted")
    monkeypatch.setenv("VOICE_AGENT_TURNS__MODEL", "none")
    monkeypatch.setenv("VOICE_AGENT_LOG__LEVEL", "error")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert "address already in use" in refused(["serve", "--port", port], capsys, 1)


def test_settings_that_are_not_there_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """By every command that reads them."""
    for line in ("check", "serve", "db check", "dial +12025550123", "sinch setup", "sinch verify"):
        said = refused([*line.split(), "--config", "nowhere.toml"], capsys, 1)
        assert "nowhere.toml: no such file" in said
    assert "operator.token" in refused(["dial", "+12025550123"], capsys, 1)


def test_what_is_no_text_is_printed_all_the_same(folder: Path) -> None:
    """Half a character in an argument, and a disk that is full: no traceback."""
    command = [sys.executable, "-m", "agent.cli", "call", URL]
    done = subprocess.run(
        [*command, "--headers", b"a=\xff", "--wav", b"\xff"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert b"no such file" in done.stderr
    if Path("/dev/full").exists():
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "agent.cli", "completion", "bash"],
                stdout=full,
                stderr=subprocess.PIPE,
                timeout=60,
                check=False,
            )
        assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
