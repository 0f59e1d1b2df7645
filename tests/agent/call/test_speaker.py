"""The outgoing half of a call: replies as audio, paced and held."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from agent.call.reply import Reply
from pipelines.clock import now
from pipelines.stages.stt import Heard
from tests.agent.call.parts import Parts, reply_of, says
from tests.agent.conversation import FRAME
from tests.virtual_time import run


async def play(parts: Parts, reply: Reply) -> list[tuple[float, Heard]]:
    """Play it until it was heard; return what the caller turned out to say, with when."""
    async with aclosing(parts.speaker.play(reply, reply.steps)) as events:
        heard = [(now(), event) async for event in events]
    await parts.speaker.wait_until_heard(reply)
    return heard


def test_nothing_sounds_before_its_release() -> None:
    """What the caller said is known at once, and kept only when the answer begins to sound."""

    async def main() -> None:
        parts, reply = Parts(), reply_of(Heard("Hi."), 1.0, *says("Hello.", 1.0), said="Hi.")
        task = asyncio.create_task(play(parts, reply))
        await asyncio.sleep(3.0)
        assert not parts.line.sent
        assert not parts.notes.lines
        reply.release()
        assert await task == [(0.0, Heard("Hi."))]
        assert parts.line.audio()[0][0] == reply.started_at == 3.0
        (line,) = parts.notes.lines
        assert (line["kind"], line["at"], line["text"]) == ("caller", 3.0, "Hi.")

    run(main())


@pytest.mark.parametrize(
    ("held", "again"), [(0.5, 1.5), (2.0, 2.0)], ids=["goes on", "begins again"]
)
def test_a_held_reply_goes_on_where_it_was_heard_to(held: float, again: float) -> None:
    """Half a second into a sentence; after a long hold nobody remembers its beginning."""

    async def main() -> None:
        parts, reply = Parts(), reply_of(*says("one two three four", 2.0))
        reply.release()
        task = asyncio.create_task(play(parts, reply))
        await asyncio.sleep(0.5)
        parts.speaker.hold(reply)
        await asyncio.sleep(held)
        assert parts.line.audio(since=0.501) == []
        parts.speaker.resume(reply, {})
        await task
        assert parts.line.seconds(since=0.501) == pytest.approx(again, abs=2 * FRAME)
        assert now() == pytest.approx(0.5 + held + again, abs=2 * FRAME)
        assert parts.notes.of("resumed") == [
            {"kind": "resumed", "at": 0.5 + held, "turn": 1, "after": held}
        ]

    run(main())


def test_nothing_follows_a_clear_while_the_reply_is_held() -> None:
    """A full line takes the command of one hold, and meanwhile there is another."""

    async def main() -> None:
        parts, reply = Parts(), reply_of(*says("one two three four", 4.0))
        parts.line.full = 0.5
        reply.release()
        task = asyncio.create_task(play(parts, reply))
        await asyncio.sleep(0.5)
        parts.speaker.hold(reply)
        parts.speaker.resume(reply, {})
        await asyncio.sleep(0.1)  # the `clear` leaves now
        parts.speaker.hold(reply)
        await asyncio.sleep(2.0)
        assert isinstance(parts.line.sent[-1][1], str)
        assert not reply.playout.left(now())
        parts.speaker.resume(reply, {})
        await task
        assert parts.line.seconds(since=2.6) >= 3.4

    run(main())
