"""The benchmark of language models on a line of several: what it asks, and what it counts."""

from __future__ import annotations

import asyncio
import re
from contextlib import AbstractAsyncContextManager
from typing import Any

from pipelines.conversation import STAY_SILENT
from pipelines.providers.prompt import JUDGING, PERHAPS, TO_OTHERS
from tests.benchmarks.left_to_model import JudgedTurn, Told, ask, model_at, report, turns_of
from tests.contract.wires.openai_chat import DONE, chunk
from tests.parties import PartyCall, Turn
from tests.pipelines.providers.language import Answer, Server, body

CALL = PartyCall(
    language="en",
    called=("Linden",),
    others=("Ann", "Ben"),
    turns=[
        Turn(text="Hello, this is Linden."),
        Turn(text="Ann, are you there?", to="others", kind="other name first"),
        Turn(text="What time does it start?", to="agent", kind="question"),
        Turn(text="At nine."),
        Turn(text="Can you take the Saturday?", to="others", kind="question"),
        Turn(text="Esmeralda, could you come over?", to="others", kind="question"),
        Turn(text="Does it cost much?", to="agent", kind="question"),
        Turn(text="Linden, thank you.", to="agent", kind="name first"),
    ],
)


def said(text: str) -> Answer:
    return body(chunk({"content": text}), chunk({}, "stop") + DONE)


def tool(name: str) -> Answer:
    call = {"index": 0, "id": "c", "function": {"name": name, "arguments": "{}"}}
    return body(chunk({"tool_calls": [call]}), chunk({}, "tool_calls") + DONE)


def left() -> list[JudgedTurn]:
    return [one for one in turns_of(CALL, "asked") if one.verdict.may_be_to_others]


def told(*answers: Answer | int) -> tuple[list[Told], list[dict[str, Any]]]:
    """Return what is made of the turns that are left, and what the server was sent."""

    async def main() -> tuple[list[Told], list[dict[str, Any]]]:
        server = Server(answers, "/v1/chat/completions")
        serving: AbstractAsyncContextManager[None] = server.serving()
        async with serving, model_at(f"{server.url}/v1", "m") as providers:
            return [await ask(one, "asked", providers) for one in left()], server.bodies

    return asyncio.run(main())


def test_a_model_is_asked_as_in_a_call() -> None:
    """With the prompt, the tool and the remark, and with what was said before, each to whom."""
    _, bodies = told(said("Yes."))
    assert len(bodies) == 4
    asked = bodies[1]
    system, *lines = asked["messages"]
    assert "You are Linden" in system["content"]
    assert "On the line beside you: Ann, Ben." in system["content"]
    assert JUDGING in system["content"]
    assert STAY_SILENT in [spec["function"]["name"] for spec in asked["tools"]]
    assert [line["content"] for line in lines[1:]] == [
        "Hello, this is Linden.",
        f"{TO_OTHERS.format('Ann, are you there?')}\nWhat time does it start?",
        "At nine.",
        f"Can you take the Saturday?\n{PERHAPS}",
    ]


def test_the_rules_keep_what_they_can_tell() -> None:
    """A name at the beginning, the agent's or another's, is asked of no model."""
    assert [one.turn.text for one in left()] == [
        "What time does it start?",
        "Can you take the Saturday?",
        "Esmeralda, could you come over?",
        "Does it cost much?",
    ]


def test_silence_and_words_are_told_apart() -> None:
    """By the tool, or written."""
    found, _ = told(tool(STAY_SILENT), tool(STAY_SILENT), said("(stays silent)"), said("A little."))
    assert [one.outcome for one in found] == ["stays silent"] * 3 + ["answers"]
    assert [one.right for one in found] == [False, True, True, True]


def test_a_failure_is_never_right() -> None:
    """Nor does it spoil what is asked later. A call asks once more, so that both have to fail."""
    found, _ = told(said("At nine."), 500, 500, said("Why?"), said("A little."))
    assert [one.outcome for one in found] == ["answers", "fails", "answers", "answers"]
    assert [one.right for one in found] == [True, False, False, True]


def test_all_turns_are_counted_once() -> None:
    """Those of the rules with those of the model; what it is compared with, too."""
    found, _ = told(said("At nine."))
    lines = "\n".join(report([*turns_of(CALL, "asked")], found))
    counted = dict(re.findall(r"(?m)^ *(.+?)  +(\d+/\d+) ", lines))
    assert counted == {
        "decided by the rules, and right": "2/2",
        "left to the model, and right": "2/4",
        "to agent": "2/2",
        "to others": "0/2",
        "in en": "2/4",
        "all: rules and model": "4/6",
        "if it always answered": "4/6",
        "if it never did": "4/6",
        "if none were asked: the likelier": "3/6",
    }
