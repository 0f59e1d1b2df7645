"""What was said and heard in one call."""

from __future__ import annotations

import asyncio

import pytest

from agent.call.history import History
from pipelines.audio import Audio
from pipelines.conversation import Message, ToolCall, ToolResult
from pipelines.stages.usage import Pricing, Usage
from tests.agent.call.parts import reply_of
from tests.agent.conversation import RATE, Notes
from tests.virtual_time import run

RESULT = ToolResult(ToolCall("book", {"day": "Monday"}), "booked")


@pytest.mark.parametrize(
    ("heard_for", "heard", "cut_off"),
    [(0.0, "", True), (0.6, "one", True), (2.0, "one two", False)],
)
def test_no_word_is_kept_that_the_caller_has_not_heard(
    heard_for: float, heard: str, cut_off: bool
) -> None:
    """For the model and on the record; what tools gave back is kept in any case, before it."""
    notes, got = Notes(), Message("assistant", "", results=(RESULT,))

    async def main() -> list[Message]:
        history, reply = History(notes, Usage(), Pricing()), reply_of()
        await asyncio.sleep(5.0)
        reply.started_at = 5.0
        reply.tool_messages.append(got)
        reply.playout.begin("one two")
        reply.playout.put(Audio(bytes(2 * RATE), RATE))
        reply.playout.finish()
        while reply.playout.pending:
            reply.playout.take(5.0)
        await asyncio.sleep(heard_for)
        history.agent_said(reply, cut_off=cut_off)
        return history.conversation

    said = [Message("assistant", heard, cut_off)] if heard else []
    assert run(main()) == [got, *said]
    (line,) = notes.of("agent")
    rest = {"unheard": "one two".removeprefix(heard).strip()} if cut_off else {}
    assert line == {
        "kind": "agent",
        "at": 5.0,
        "turn": 1,
        "until": 5.0 + min(heard_for, 1.0),
        "text": heard,
        "cut_off": cut_off,
        "said": "answer",
        **rest,
    }
    assert [line["text"] for line in notes.of("heard")] == ([heard] if heard else [])


@pytest.mark.parametrize(("said", "kept"), [("Hi.", 1), ("", 0)])
def test_what_the_caller_said_is_kept_once(said: str, kept: int) -> None:
    """However often a reply to it is told of; nothing said is nothing kept."""
    notes = Notes()

    async def main() -> list[Message]:
        history, reply = History(notes, Usage(), Pricing()), reply_of(said=said)
        history.caller_said(reply)
        history.caller_said(reply)
        return history.conversation

    assert run(main()) == [Message("user", said)] * kept
    assert [line["text"] for line in notes.of("caller")] == [said] * kept
