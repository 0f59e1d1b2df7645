"""What ``voice-agent serve`` says once calls are answered."""

from __future__ import annotations

import gc
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.cli import _parser, main
from agent.cli.serve import SELDOM, USUAL, next_steps, program
from agent.console.sign_in.passwords import hashed
from agent.settings import Settings
from tests.agent.sinch.credentials import V1

TOKEN = "9f2c1e7ab04d5863f1"
SINCH = {
    "application_key": V1.key_id,
    "application_secret": V1.secret,
    "public_url": "https://agent.example.com",
}


def said(url: str, **given: object) -> str:
    return "\n".join(next_steps(Settings(**given), url))  # type: ignore[arg-type]


def command(text: str) -> list[str]:
    """Return the words of the command at the end of what was said."""
    return shlex.split(text.rpartition(": ")[2])


@pytest.mark.parametrize(
    ("listening", "called"),
    [
        ("ws://127.0.0.1:8080/stream", "ws://127.0.0.1:8080/stream"),
        ("ws://0.0.0.0:9000/stream", "ws://127.0.0.1:9000/stream"),
        ("ws://[::]:8080/s", "ws://[::1]:8080/s"),
        ("ws://[::1]:8080/stream", "ws://[::1]:8080/stream"),
        ("ws://192.0.2.7:8080/stream", "ws://192.0.2.7:8080/stream"),
    ],
)
def test_a_call_can_be_placed_by_what_is_printed(
    listening: str, called: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Word for word: the parser takes it, with the address and the port that were taken."""
    monkeypatch.setattr(sys, "argv", [".venv/bin/voice-agent", "serve"])
    text = said(listening, agent="bakery")
    name, *arguments = command(text)
    assert name == ".venv/bin/voice-agent"
    assert _parser().parse_args(arguments).url == called
    assert "agent 'bakery' answers" in text
    assert f"{called.replace('ws://', 'http://').rpartition('/')[0]}/health" in text


def test_a_token_is_asked_for_and_not_shown() -> None:
    """Whoever has set it knows it."""
    text = said("ws://127.0.0.1:8080/stream", server={"token": TOKEN})
    assert TOKEN not in text
    assert "--headers token=YOUR_SERVER_TOKEN" in text


def test_where_sinch_alone_may_call_its_callbacks_can_be_tried() -> None:
    """A call without its token would be refused; of this machine it may be let in."""
    url = "ws://127.0.0.1:8080/stream"
    assert " call " not in said(url, sinch=SINCH)
    assert command(said(url, sinch=SINCH))[-2:] == ["sinch", "verify"]
    assert " call ws://" in said(url, sinch=SINCH, server={"open_to_loopback": True})
    assert " call " not in said(url, server={"open_to_loopback": False})


def test_the_browser_is_sent_to_pages_that_there_are() -> None:
    """Where others could reach them and nobody signs in, there is nothing to open."""
    url, told = "ws://127.0.0.1:8080/stream", "in the browser: http://127.0.0.1:8080/"
    assert told in said(url)
    assert told not in said(url, console={"enabled": False})
    assert told not in said(url, sinch=SINCH)
    assert told in said(url, sinch=SINCH, console={"password": hashed("a-long-password")})


def test_the_program_is_called_as_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By its name where that is enough, by its path elsewhere, by Python where it was that."""
    installed = tmp_path / "voice-agent"
    installed.write_text("#!/bin/sh\n")
    installed.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(installed)])
    assert program() == str(installed)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program() == "voice-agent"
    monkeypatch.setattr(sys, "argv", ["agent/cli/__main__.py"])
    assert program() == f"{sys.executable} -m agent.cli"


def test_the_start_alone_looks_for_garbage_seldom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once calls are answered, and after a start that fails, it is looked for as ever."""
    seen: list[tuple[int, int, int]] = []

    async def serve(_settings: Settings, started: Callable[[str], None], _worker: None) -> None:
        seen.append(gc.get_threshold())
        started("ws://127.0.0.1:1/stream")
        seen.append(gc.get_threshold())

    monkeypatch.setattr("agent.server.start.serve", serve)
    assert main(["serve"]) == 0
    assert seen == [(SELDOM, *USUAL[1:]), USUAL]
    (tmp_path / "voice-agent.toml").write_text("[server]\nport = 'none'\n")
    assert main(["serve"]) == 1
    assert gc.get_threshold() == USUAL
