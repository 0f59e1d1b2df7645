"""Lines that the agent has left, in version 1: whoever is alone there is not left there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Literal

import pytest

from agent.sinch.callbacks import IncomingCall
from agent.sinch.legs.leg_kinds import CALLER, BridgedCall, TransferLeg
from agent.sinch.legs.leg_tables import CallStatus, LegStatus
from agent.sinch.line_watch import AGAIN_AFTER, AT_ONCE, LINE, LONGEST_WAIT, LOOK_EVERY, missing
from agent.sinch.tokens import Claims
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell
from tests.agent.sinch.test_second_transfers import dial, helped, takes

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
    """It fails for an hour, and is asked less and less often; then it is asked as before."""

    async def story(s: Story, _manager: str) -> None:
        s.platform.away.add("participants")
        s.platform.joined.discard("manager")
        await asyncio.sleep(3600)
        assert s.platform.of("clear") == []
        assert len(s.platform.of("participants")) < 3600 / LONGEST_WAIT + 5
        s.platform.away.clear()
        await asyncio.sleep(LONGEST_WAIT + SOON)
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


def test_many_lines_are_asked_for_a_few_at_a_time(tmp_path: Path) -> None:
    """Who inherits those of a process that has died does not ask for all in one moment."""

    async def story(s: Story) -> None:
        lines = [f"phone {n}" for n in range(5 * AT_ONCE)]
        for name in lines:
            call = BridgedCall(
                name=name,
                version="v1",
                phone=CALLER,
                call_id=name,
                session="",
                conference=f"c-{name}",
                status=CallStatus.MOVED,
            )
            await s.directory.add_call(call)
        s.platform.joined |= {*lines, "others"}
        asked, at_once, most = s.platform.participants, list[str](), list[int]()

        async def slowly(conference: str) -> Collection[str]:
            at_once.append(conference)
            most.append(len(at_once))
            await asyncio.sleep(1)
            at_once.remove(conference)
            return await asked(conference)

        s.platform.participants = slowly  # type: ignore[method-assign]
        for name in lines:
            await s.call_control.let_go(f"{LINE}{name}")
        await asyncio.sleep(len(lines) / AT_ONCE + 1)
        assert max(most) == AT_ONCE
        assert len(s.platform.of("participants")) == len(lines)

    tell(tmp_path, "v1", story, conference=True)


@pytest.mark.parametrize("then", ["cold", "help"])
@pytest.mark.parametrize("gone", ["helper", "next"])
def test_who_helps_is_looked_after_like_the_others(
    tmp_path: Path, then: Literal["cold", "help"], gone: str
) -> None:
    """Of caller, helper and the next, one leaves, and that is not told: the others talk on."""

    async def story(s: Story) -> None:
        helper = await helped(s)
        legs = {"helper": helper, "next": await dial(s, then, helpers=(helper,))}
        await takes(s, legs["next"], then)
        s.platform.joined |= {"phone", *(f"phone of {name}" for name in legs.values())}
        s.call_control.stream_ended(CLAIMS, moved=then == "cold")
        await asyncio.sleep(1)
        s.platform.joined.discard(f"phone of {legs[gone]}")
        await asyncio.sleep(2 * SOON)
        assert s.platform.of("clear") == []
        for title, name in legs.items():
            leg = await s.directory.leg_of(TransferLeg, name)
            assert leg is not None
            assert leg.is_there is (title != gone)
        s.platform.joined.discard("phone")
        await asyncio.sleep(2 * SOON)
        assert s.platform.of("clear") != []
        assert not others_know(s)

    tell(tmp_path, "v1", story, conference=True)
