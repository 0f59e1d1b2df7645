"""How calls end, whoever tells first."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from agent.sinch.callbacks import (
    IncomingCall,
    Version,
)
from agent.sinch.endings import LOOK_EVERY, RECORD_WITHIN
from agent.sinch.tokens import Claims
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell


def test_the_end_of_a_call_is_told_once(tmp_path: Path) -> None:
    """Signed anew, by another process, with another timestamp: one line in the record."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        for _ in range(3):
            await s.ended()
        await asyncio.sleep(0)
        assert [line["call_id"] for line in s.calls.told] == ["phone"]

    tell(tmp_path, "v1", story)


def test_our_end_of_a_call_is_on_record_before_the_platforms(tmp_path: Path) -> None:
    """Whichever of the two connections tells first; the callback is answered at once."""

    async def story(s: Story) -> None:
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await s.stream_comes()
        await s.ended()
        await asyncio.sleep(1)
        assert s.calls.told == []
        s.call_control.stream_ended(claims, moved=False)
        await asyncio.sleep(2 * LOOK_EVERY)
        assert [line["call_id"] for line in s.calls.told] == ["phone"]

        await s.stream_comes("other")
        s.call_control.stream_ended(replace(claims, call="other"), moved=False)
        await asyncio.sleep(0)
        await s.ended(call_id="other")
        await asyncio.sleep(0)
        assert [line["call_id"] for line in s.calls.told] == ["phone", "other"]

        s.calls.in_progress["by hand"] = "reception"
        await s.ended(call_id="by hand")
        await asyncio.sleep(1)
        assert len(s.calls.told) == 2
        del s.calls.in_progress["by hand"]
        await asyncio.sleep(2 * LOOK_EVERY)
        assert len(s.calls.told) == 3

    tell(tmp_path, "v1", story)


@pytest.mark.parametrize("stops", [False, True])
def test_the_platforms_word_is_kept_whatever_became_of_ours(tmp_path: Path, stops: bool) -> None:
    """The process with the stream is gone, or this one stops while it waits."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await s.stream_comes()
        await s.ended()
        await (s.call_control.aclose() if stops else asyncio.sleep(RECORD_WITHIN + LOOK_EVERY))
        assert [line["call_id"] for line in s.calls.told] == ["phone"]

    tell(tmp_path, "v1", story)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_an_operator_is_not_told_that_nobody_hangs_up(tmp_path: Path, version: Version) -> None:
    """The stream has ended, the platform has not said so yet: Sinch is asked."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        await s.stream_comes()
        await s.call_control.hang_up("phone", goodbye=True)
        assert s.platform.of("hang_up") == []  # the process with the stream does it
        s.call_control.stream_ended(claims, moved=True)
        await asyncio.sleep(0)
        await s.call_control.hang_up("phone", goodbye=True)
        assert s.platform.of("hang_up") == [(0.0, "phone")]

    tell(tmp_path, version, story)


@pytest.mark.parametrize("fails", [False, True])
def test_nobody_is_left_alone_when_sinch_fails_as_a_call_ends(
    tmp_path: Path, *, fails: bool
) -> None:
    """It is asked again until it is there; what it refuses for good is not asked for again."""

    async def story(s: Story) -> None:
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0)
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await s.stream_comes()
        (s.platform.fails if fails else s.platform.away).add("clear")
        s.call_control.stream_ended(claims, moved=False)
        await asyncio.sleep(60)
        s.platform.away.clear()
        await asyncio.sleep(60)
        asked = len(s.platform.of("clear"))
        assert asked == 1 if fails else asked > 3
        await asyncio.sleep(60)
        assert len(s.platform.of("clear")) == asked

    tell(tmp_path, "v1", story, conference=True)
