"""One reading of a record's lines as what was said, however odd they are, for all who read it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agent.records.conversation import broken_off, conversation, whole_replies
from agent.records.events import CallRecord, RecordedEvent
from agent.records.exports.captions import webvtt
from agent.records.exports.pages import WholeCall
from agent.records.verification.claims import sentences
from agent.replay.conversation import MeasuredConversation, exchanges
from agent.server.operator.call_answers import whole

Line = tuple[str, float | None, dict[str, Any]]


def events(*lines: Line) -> list[RecordedEvent]:
    return [
        RecordedEvent(id=n, kind=kind, at=at, fields=fields)
        for n, (kind, at, fields) in enumerate(lines, 1)
    ]


def heard(turn: int, at: float, words: str) -> Line:
    return "heard", at, {"turn": turn, "text": words, "until": at + 1}


def agent(turn: int, at: float, words: str, until: float) -> Line:
    return "agent", at, {"turn": turn, "text": words, "until": until, "cut_off": False}


def caller(turn: int, at: float, words: str) -> Line:
    return "caller", at, {"turn": turn, "text": words, "until": at + 1}


ODD: dict[str, tuple[list[Line], list[tuple[str, str, bool]]]] = {
    "killed in a reply": (
        [caller(1, 1, "Hi"), heard(1, 3, "We are"), heard(1, 4, "open.")],
        [("caller", "Hi", False), ("agent", "We are open.", True)],
    ),
    "killed in the apology of a turn": (
        [heard(1, 1, "We"), agent(1, 1, "We", 2), heard(1, 5, "Sorry.")],
        [("agent", "We", False), ("agent", "Sorry.", True)],
    ),
    "two replies of one turn": (
        [heard(1, 1, "We"), agent(1, 1, "We", 2), heard(1, 5, "Sorry."), agent(1, 5, "Sorry.", 6)],
        [("agent", "We", False), ("agent", "Sorry.", False)],
    ),
    "the line of a reply was dropped": (
        [heard(1, 1, "We"), heard(2, 5, "Bye."), agent(2, 5, "Bye.", 6)],
        [("agent", "We", True), ("agent", "Bye.", False)],
    ),
    "lines that changed places": (
        [agent(2, 5, "Bye.", 6), heard(2, 5, "Bye."), caller(2, 3, "Thanks")],
        [("caller", "Thanks", False), ("agent", "Bye.", False)],
    ),
    "a filler, which is heard in its reply": (
        [("filler", 1, {"turn": 1, "text": "Well."}), heard(1, 1, "Well."), heard(1, 2, "Yes."),
         agent(1, 1, "Well. Yes.", 3)],
        [("agent", "Well. Yes.", False)],
    ),
    "a transcript of the version before": (
        [("agent", 0.5, {"text": "Hello."}), ("caller", 4.0, {"text": "Hi"}),
         ("agent", 6.0, {"text": "Bye.", "cut_off": True})],
        [("agent", "Hello.", False), ("caller", "Hi", False), ("agent", "Bye.", True)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_an_odd_record_reads_the_same_everywhere(name: str) -> None:
    """By REST, in captions, in a replay, as claims of what is heard, and line by line."""
    lines, said = ODD[name]
    read = events(*lines)
    record = CallRecord(
        number=1, id="a", started=0.0, ended=9.0, direction="incoming", agent="a",
        outcome="interrupted", data={},
    )  # fmt: skip
    answer = whole(record, None, read)["conversation"]
    assert [(one["who"], one["text"], one["cut_off"]) for one in answer] == said
    spoken = sorted(" ".join(text for _, text, _ in said).split())
    cues = webvtt(WholeCall(record=record, events=read)).replace(" \u2014", "").split("\n<v ")[1:]
    captions = [cue.partition(">")[2].partition("\n")[0] for cue in cues]
    assert sorted(" ".join(captions).split()) == spoken
    silence = np.zeros(0, bool)
    talk = MeasuredConversation(caller=silence, agent=silence, turns=(), events=read, frames=500)
    (replayed,) = exchanges(talk)
    told = [(one.who, one.text.removesuffix(" --")) for one in replayed.lines]
    assert told == [(who, text) for who, text, _ in said]
    agents = [text for who, text, _ in said if who == "agent"]
    assert " ".join(one.text for one in sentences(read)) == " ".join(agents)
    assert [one.fields["text"] for one in whole_replies(read) if one.kind == "agent"] == agents
    written = {one.fields["text"] for one in read if one.kind == "agent"}
    assert [one.fields["text"] for one in broken_off(read)] == [
        text for text in agents if text not in written
    ]


def test_the_wait_is_of_the_first_answer_of_a_turn() -> None:
    """An apology behind a part of it was not waited for again."""
    timing: Line = ("timing", 2.0, {"turn": 1, "speech_end": 1.0, "heard": 2.5})
    turns = conversation(events(timing, agent(1, 2.5, "We", 3), agent(1, 5, "Sorry.", 6)))
    assert [one.response_time for one in turns] == [1.5, None]
