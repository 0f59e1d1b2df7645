"""A reply from its draft to its last word; an apology in place of one that is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.call.player import ReplyLost
from agent.call.reply import Reply
from agent.settings.calls import CallLimits, CallSettings
from pipelines.clock import now
from pipelines.providers.contracts import ProviderError
from pipelines.stages.stt import Heard
from tests.agent.call.parts import Parts, reply_of, says
from tests.agent.conversation import SCRIPT
from tests.virtual_time import run

BROKEN = ProviderError("tts", "gone")
SETTINGS = CallSettings(calls=CallLimits(max_failures=2))


async def play(parts: Parts, reply: Reply, told: Callable[[Heard | ReplyLost], None]) -> None:
    async with aclosing(parts.player.play(reply)) as events:
        async for event in events:
            told(event)


@settings(max_examples=30)
@given(st.lists(st.booleans(), min_size=1, max_size=6))
def test_the_agent_gives_up_after_so_many_lost_replies_in_a_row(lost: list[bool]) -> None:
    """One that is heard in between starts over, however many were lost before."""

    async def main() -> None:
        parts, in_a_row = Parts(SETTINGS), 0
        for is_lost in lost:
            reply = reply_of(BROKEN) if is_lost else reply_of(*says("Fine.", 0.5))
            reply.release()
            events: list[Heard | ReplyLost] = []
            await play(parts, reply, events.append)
            assert events == [ReplyLost()] * is_lost
            in_a_row = in_a_row + 1 if is_lost else 0
            assert reply.hang_up is (in_a_row >= 2)
            goodbye = f" {SCRIPT.brief.goodbye}" * reply.hang_up
            said = SCRIPT.apology + goodbye if is_lost else "Fine."
            assert reply.playout.heard(now()) == said

    run(main())


@pytest.mark.parametrize("released", [True, False])
def test_a_draft_that_is_lost_is_told_at_once_and_apologised_for_once_it_is_due(
    released: bool,
) -> None:
    """One that nobody was to hear is no failure of the call."""

    async def main() -> None:
        parts, reply = Parts(SETTINGS), reply_of(Heard("Hi."), BROKEN)
        events: list[Heard | ReplyLost] = []
        task = asyncio.create_task(play(parts, reply, events.append))
        await asyncio.sleep(1.0)
        assert events == [Heard("Hi."), ReplyLost()]
        assert reply.said == "Hi."
        assert parts.line.sent == []
        if released:
            reply.release()
            await task
        task.cancel()
        await asyncio.wait([task])
        assert bool(parts.line.audio()) is released
        assert [line["kind"] for line in parts.notes.lines] == ["failed", "caller"] * released

    run(main())
