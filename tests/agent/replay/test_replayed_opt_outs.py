"""Calls that we placed, replayed: who opted out in them opts out again, and is on no list by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.records.recordings.stereo import StereoAudio
from pipelines.audio import Audio
from pipelines.listening.dtmf import tones
from tests.agent.replay.recorded import RATE, put, replayed, settings, silence, sound_of

AGENT = """---
greeting: Hello there.
opt_out_key: "9"
opted_out: Nobody calls you again.
---
Be brief.
"""


def pressing(key: str) -> StereoAudio:
    """Return a call of a word and its answer, after which a key is pressed."""
    sound = sound_of(["seven"])
    more = silence(1.0) + tones(key, RATE) + silence(3.0)
    caller = sound.caller.pcm + more
    agent = sound.agent.pcm.ljust(len(caller), b"\0")
    return StereoAudio(caller=Audio(caller, RATE), agent=Audio(agent, RATE))


def lines_of(folder: Path, events: list[dict[str, Any]], key: str = "9", **call: Any) -> Any:
    given = settings(folder)
    (folder / "prompts" / "it.md").write_text(AGENT)
    put(folder / "in", "a", pressing(key), events, **call)
    results = replayed(folder / "in", folder / "out", given)
    assert not results.failed
    return [json.loads(x) for x in (folder / "out" / "a.flac.jsonl").read_text().splitlines()]


def kept(lines: Any) -> list[str]:
    return [line["by"] for line in lines if line["kind"] == "opt_out"]


def said(lines: Any, kind: str) -> list[str]:
    return [line["text"] for line in lines if line["kind"] == kind]


def test_the_key_does_in_a_replay_what_it_did(tmp_path: Path) -> None:
    """It is confirmed and hung up, and nothing that a model answers."""
    lines = lines_of(tmp_path, [], direction="outgoing")
    assert kept(lines) == ["keys"]
    assert said(lines, "agent")[-1] == "Nobody calls you again."
    assert not [text for text in said(lines, "caller") if "Keypad" in text]


@pytest.mark.parametrize(
    ("direction", "events"),
    [
        ("incoming", []),
        ("outgoing", [{"kind": "party", "at": 0.0, "party": "p1", "status": "joined"}]),
    ],
)
def test_it_is_a_key_where_it_was_one(
    tmp_path: Path, direction: str, events: list[dict[str, Any]]
) -> None:
    """Of whoever called us, and on a line of several, where nobody knows who presses it."""
    lines = lines_of(tmp_path, events, direction=direction)
    assert kept(lines) == []
    assert "Keypad: 9" in said(lines, "caller")
