"""Lines that the agent has left, in version 1: whoever is alone there is not left there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agent.sinch.callbacks import IncomingCall
from agent.sinch.legs.leg_kinds import TransferLeg
from agent.sinch.legs.leg_tables import CallStatus, LegStatus
from agent.sinch.line_watch import AGAIN_AFTER, LOOK_EVERY, missing
from agent.sinch.tokens import Claims
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell

CLAIMS = Claims(call="phone", agent="reception", rate=8000, expires=0)
SOON = LOOK_EVERY + AGAIN_AFTER + 1
"""Seconds in which whoever is missing is missed twice."""


async def passed_on(s: Story) -> str:
    """Have a caller talk to the manager, without the agent; return the leg of that."""
    await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
    await s.stream_comes()
    await s.call_control.transfer(CLAIMS, MANAGER)
    manager = await s.transfer_name("phone")
    await s.answered(manager, call_id="manager")
    s.platform.joined |= {"phone", "manager"}
    s.call_control.stream_ended(CLAIMS, moved=True)
    await asyncio.sleep(1)
    return manager


def told(folder: Path, story: Callable[[Story, str], Awaitable[None]]) -> None:
    """Run a story that goes on from there."""

    async def whole(s: Story) -> None:
        await story(s, await passed_on(s))

    tell(folder, "v1", whole, conference=True)


def others_know(s: Story) -> bool:
    """Whether another process would look after the line if this one died."""
    return "line phone" in s.store.live_calls._calls


def test_those_who_talk_are_looked_at_now_and_then(tmp_path: Path) -> None:
    """Nobody is hung up, and the line is left to the others, should this process die."""

    async def story(s: Story, _manager: str) -> None:
        await asyncio.sleep(10 * LOOK_EVERY)
        assert 10 <= len(s.platform.of("participants")) <= 12
        assert s.platform.of("clear") + s.platform.of("hang_up") == []
        assert others_know(s)

    told(tmp_path, story)


def test_who_has_left_without_our_being_told_is_missed(tmp_path: Path) -> None:
    """Twice, since the conference may be late; then the caller is let go, as by a callback."""

    async def story(s: Story, manager: str) -> None:
        s.platform.joined.discard("manager")
        await asyncio.sleep(LOOK_EVERY)
        assert s.platform.of("clear") == []
        await asyncio.sleep(SOON)
        assert [about for _, about in s.platform.of("clear")][:1] == ["c-phone"]
        leg = await s.directory.leg_of(TransferLeg, manager)
        call = await s.directory.call("phone")
        assert leg is not None
        assert call is not None
        assert (leg.status, call.status) == (LegStatus.ENDED, CallStatus.OVER)
        assert not others_know(s)
        looks = len(s.platform.of("participants"))
        await asyncio.sleep(10 * LOOK_EVERY)
        assert len(s.platform.of("participants")) == looks

    told(tmp_path, story)


def test_who_comes_back_is_not_missed(tmp_path: Path) -> None:
    """A conference that did not list them once."""

    async def story(s: Story, _manager: str) -> None:
        s.platform.joined.discard("manager")
        await asyncio.sleep(LOOK_EVERY)
        s.platform.joined.add("manager")
        await asyncio.sleep(10 * LOOK_EVERY)
        assert s.platform.of("clear") == []

    told(tmp_path, story)


def test_a_caller_who_left_untold_ends_the_call_once(tmp_path: Path) -> None:
    """Both have gone: the record has one last word of the platform, which says that it is ours."""

    async def story(s: Story, _manager: str) -> None:
        s.platform.joined.clear()
        await asyncio.sleep(2 * SOON)
        (last,) = s.calls.told
        assert (last["call_id"], last["result"]) == ("phone", "N/A")
        assert last["reason"] == "its end was not told"
        await s.ended()
        await asyncio.sleep(SOON)
        assert len(s.calls.told) == 1

    told(tmp_path, story)


def test_nobody_is_missed_while_sinch_does_not_say(tmp_path: Path) -> None:
    """It fails for an hour; then it is asked again."""

    async def story(s: Story, _manager: str) -> None:
        s.platform.away.add("participants")
        s.platform.joined.discard("manager")
        await asyncio.sleep(3600)
        assert s.platform.of("clear") == []
        s.platform.away.clear()
        await asyncio.sleep(SOON)
        assert s.platform.of("clear") != []

    told(tmp_path, story)


def test_the_caller_is_let_go_though_the_database_is_away(tmp_path: Path) -> None:
    """For good: by what was known of the call when it could be asked, and the conference."""

    async def story(s: Story, _manager: str) -> None:
        s.database_is_away(True)
        await asyncio.sleep(LOOK_EVERY)
        assert s.platform.of("clear") == []
        s.platform.joined.discard("manager")
        await asyncio.sleep(SOON)
        assert [about for _, about in s.platform.of("clear")][:1] == ["c-phone"]
        s.database_is_away(False)

    told(tmp_path, story)


def test_a_line_is_left_to_others_until_it_is_cleared(tmp_path: Path) -> None:
    """From the end of the stream on: this process may die, or Sinch be away, before it is."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await s.stream_comes()
        s.platform.away.add("clear")
        s.call_control.stream_ended(CLAIMS, moved=False)
        assert others_know(s)
        await asyncio.sleep(60)
        assert others_know(s)
        s.platform.away.clear()
        await asyncio.sleep(60)
        assert not others_know(s)

    tell(tmp_path, "v1", story, conference=True)


@pytest.mark.parametrize(
    ("known", "there", "gone"),
    [
        ("ab", "ab", ""),
        ("ab", "a", "b"),
        ("ab", "", "ab"),
        ("ab", "x", "ab"),
        ("ab", "xy", ""),
        ("ab", "ax", ""),
        ("a", "abx", ""),
        ("", "ab", ""),
        ("abc", "ab", "c"),
    ],
)
def test_who_is_missing(known: str, there: str, gone: str) -> None:
    """Where some are not known, perhaps by other ids, it cannot be told; one alone is alone."""
    assert missing(known, there) == frozenset(gone)
