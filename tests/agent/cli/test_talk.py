"""``voice-agent talk``: what it opens, and what it says where there is nothing to open."""

from __future__ import annotations

import asyncio
import json
import webbrowser
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main
from agent.cli.talk import _caption, _lines
from tests.agent.loopback import running


async def talked(*arguments: str) -> int:
    return await asyncio.to_thread(main, ["talk", *arguments])


def test_it_opens_the_phone_of_a_service_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the agent that was asked for; and prints the address where nothing can be opened."""
    opened: list[str] = []

    def open_it(page: str) -> bool:
        opened.append(page)
        return True

    monkeypatch.setattr(webbrowser, "open", open_it)

    async def story() -> None:
        async with running(tmp_path, alone=False) as server:
            base = server.url.replace("ws://", "http://").rpartition("/")[0]
            assert await talked(base, "--agent", "front desk") == 0
            assert await talked(base, "--no-open") == 0
            assert opened == [f"{base}/?agent=front%20desk"]
            assert capsys.readouterr().out.endswith(f"opened {opened[0]}\nopen {base}/\n")
        async with running(tmp_path, alone=False, console={"enabled": False}) as server:
            base = server.url.replace("ws://", "http://").rpartition("/")[0]
            assert await talked(base) == 1
            assert "console.enabled" in capsys.readouterr().err

    asyncio.run(story())


@pytest.mark.usefixtures("tmp_path")  # its database is where it is
def test_without_a_service_it_says_how_to_start_one(capsys: pytest.CaptureFixture[str]) -> None:
    """By the settings, or by address; what else stands in an address is not repeated."""
    assert main(["talk", "http://ann:secret@127.0.0.1:9/"]) == 1
    said = capsys.readouterr().err
    assert "nothing answers at 127.0.0.1:9: start it: " in said
    assert "secret" not in said
    Path("voice-agent.toml").write_text("[server]\nport = 0\n")
    assert main(["talk"]) == 1
    assert "server.port is 0" in capsys.readouterr().err


def test_captions_are_what_both_say() -> None:
    """Of the events of a call the lines, of these what is said; what is no text is harmless."""
    events: list[tuple[str, dict[str, Any]]] = [
        ("line", {"kind": "agent", "text": "Hello\x1b[2J", "cut_off": True}),
        ("floor", {"floor": "caller", "at": 1.0}),
        ("line", {"kind": "caller", "text": "Hi."}),
        ("line", {"kind": "timing", "speech_end": 1.0, "heard": 1.62}),
        ("line", {"kind": "usage"}),
    ]

    async def read() -> list[str]:
        async def content() -> Any:
            yield b": still there\n"
            for kind, line in events:
                yield f"event: {kind}\r\n".encode()
                yield f"data: {json.dumps(line)}\n".encode()
                yield b"\n"

        return [_caption(line) async for line in _lines(content())]

    agent, caller, timing, usage = asyncio.run(read())
    assert agent.startswith("  agent  Hello")
    assert "\x1b" not in agent
    assert agent.endswith("(cut off)")
    assert caller == "  you    Hi."
    assert "answered after 0.62 s" in timing
    assert usage == ""
