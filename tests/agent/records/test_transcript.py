"""The transcript: whatever is added is a line of JSON, and nothing that is added raises."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.call.turn_record import Journal
from agent.records.transcript import Transcript, add_platform_line

STARTED = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
any_text = st.text(st.characters())
"""Halves of characters as well, which JSON can hold."""


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]


@given(any_text, any_text)
def test_any_text_is_kept_as_it_is(call_id: str, text: str) -> None:
    """Whatever a caller, a provider or the platform sends, half a character as well."""
    with TemporaryDirectory() as folder:
        transcript = Transcript(Path(folder), call_id, STARTED)
        journal: Journal = transcript
        journal.add("caller", text=text)
        transcript.close()
        add_platform_line(Path(folder), call_id, reason=text)
        kept = json.loads(json.dumps(text))  # which joins two halves that belong together
        assert lines(transcript.path) == [
            {"kind": "caller", "text": kept},
            {"kind": "platform", "reason": kept},
        ]


def test_a_call_without_a_stream_has_a_transcript_all_the_same(tmp_path: Path) -> None:
    """With what the platform says of it."""
    about = {"direction": "outgoing", "called": "+15550000001"}
    add_platform_line(tmp_path, "call-1", None, about, result="BUSY")
    (path,) = tmp_path.glob("*-call-1.jsonl")
    first, second = lines(path)
    assert (first["kind"], first["call_id"]) == ("call", "call-1")
    assert about.items() < first.items()
    assert second == {"kind": "platform", "result": "BUSY"}


def test_a_folder_that_cannot_be_written_costs_the_transcript_alone(tmp_path: Path) -> None:
    """The call goes on."""
    (tmp_path / "file").write_text("")
    transcript = Transcript(tmp_path / "file", "call-1", STARTED)
    transcript.add("caller", text="Hello.")
    transcript.close()


class Odd:
    """Nothing that JSON has."""

    def __repr__(self) -> str:
        raise RuntimeError("not even this")


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("-inf"), {1, 2}, b"bytes", Odd(), {"a": Odd()}, {(1, 2): 3}, 10**5000],
    ids=["nan", "inf", "set", "bytes", "odd", "odd inside", "odd key", "huge"],
)
def test_whatever_is_added_is_a_line(tmp_path: Path, value: object) -> None:
    """What JSON does not have is described; the rest of the line is kept."""
    transcript = Transcript(tmp_path, "call-1", STARTED)
    transcript.add("tool", name="look", result=value)
    transcript.add("tool", name="nested", arguments=nested())
    transcript.add("ended", reason="done")
    transcript.close()
    first, second, third = lines(transcript.path)
    assert (first["kind"], first["name"]) == ("tool", "look")
    assert second["name"] == "nested"
    assert third == {"kind": "ended", "reason": "done"}


def nested() -> list[object]:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    return value
