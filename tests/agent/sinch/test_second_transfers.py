"""A caller who is helped is passed on to another: who stays, who comes back, who is hung up."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

import pytest

from agent.call import orders
from agent.call.orders import (
    CalleeBriefed,
    CallerMoved,
    CallerNotMoved,
    Order,
    ReturnToCaller,
    TransferCaller,
)
from agent.sinch.callbacks import (
    BRIEFING,
    IncomingCall,
    LegAnswered,
    LegEnded,
    MenuAnswered,
    Version,
)
from agent.sinch.legs.leg_kinds import TakeOver
from agent.sinch.legs.leg_tables import CallStatus
from agent.sinch.refusals import AnsweredError, NotTakenOverError, StillRingingError
from agent.sinch.tokens import Claims
from agent.warm_transfers import Then, WarmTransfer
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell, without_leg

CLAIMS = Claims(call="phone", agent="reception", rate=8000, expires=0)
BILLING = "+15550000003"
ASKED = TransferCaller(to=BILLING, announcement="One moment.")
both = pytest.mark.parametrize("version", ["v1", "v2"])


async def ordered(s: Story) -> list[Order]:
    left = await s.store.orders.take(["phone"])
    return [without_leg(orders.decode(value)) for _, value in left]


async def hung_up(s: Story) -> set[str]:
    await asyncio.sleep(0.1)
    return {about for _, about in s.platform.of("hang_up")}


async def status(s: Story) -> CallStatus:
    call = await s.directory.call("phone")
    assert call is not None
    return call.status


async def dial(
    s: Story, then: Then | Literal["cold"], to: str = BILLING, helpers: tuple[str, ...] = ()
) -> str:
    warm = None if then == "cold" else WarmTransfer(introduction="", then=then)
    await s.call_control.transfer(CLAIMS, to, warm, helpers=helpers)
    return await s.transfer_name("phone")


async def takes(s: Story, name: str, then: Then | Literal["cold"]) -> str:
    """Have somebody pick up, and say yes if they are asked; return what the platform is told."""
    leg = s.leg(name, f"phone of {name}")
    told = await s.call_control.answer(LegAnswered(leg=leg))
    if then != "cold":
        menu = name if s.version == "v1" else BRIEFING
        told = await s.call_control.answer(MenuAnswered(leg=leg, menu=menu, given="1"))
    return str(told)


async def helped(s: Story) -> str:
    """Have somebody call, and be helped; return the leg of who helps."""
    await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
    await s.stream_comes()
    name = await dial(s, "help", MANAGER)
    await takes(s, name, "help")
    assert await ordered(s) == [
        CalleeBriefed(),
        CallerMoved(stay=True, helps=True, returns=True),
    ]
    return name


async def left(s: Story, name: str) -> str:
    told = await s.ended(name, f"phone of {name}")
    await asyncio.sleep(0.1)
    return str(told)


@both
@pytest.mark.parametrize("then", ["cold", "leave", "silent", "help"])
def test_who_helps_stays_while_another_is_called_and_when_they_have_come(
    tmp_path: Path, version: Version, then: Then | Literal["cold"]
) -> None:
    """An operator may ask for it, too; once the caller hangs up, nobody is left on the line."""

    async def story(s: Story) -> None:
        helper = await helped(s)
        await s.call_control.request_transfer("phone", ASKED)
        assert await ordered(s) == [ASKED]
        name = await dial(s, then, helpers=(helper,))
        assert name != helper
        with pytest.raises(StillRingingError):
            await s.call_control.request_transfer("phone", ASKED)
        assert "hangup" not in await takes(s, name, then)
        moved = (await ordered(s))[-1]
        assert isinstance(moved, CallerMoved)
        assert moved.helps is (then == "help")
        assert moved.stay is (version == "v2" or then in ("silent", "help"))
        assert await hung_up(s) == set()
        told = await s.ended()
        await asyncio.sleep(0.1)
        assert await status(s) is CallStatus.OVER
        if version == "v2":
            assert {helper, name} <= {one["callName"] for one in told["commands"]}
        else:
            assert len(s.platform.of("clear")) == 1

    tell(tmp_path, version, story, conference=True)


@both
def test_who_does_not_come_leaves_the_helper_where_they_were(
    tmp_path: Path, version: Version
) -> None:
    """`return` stops the ringing first, and ends the help the next time."""

    async def story(s: Story) -> None:
        helper = await helped(s)
        busy = await dial(s, "help", helpers=(helper,))
        await s.ended(busy, f"phone of {busy}", "BUSY")
        assert await ordered(s) == [CallerNotMoved(why="busy")]
        assert await s.transfer_name("phone") == helper
        rings = await dial(s, "cold", helpers=(helper,))
        await s.call_control.give_back("phone")
        assert await ordered(s) == [CallerNotMoved(by="operator")]
        assert await hung_up(s) == {f"phone of {rings}"}
        await s.call_control.give_back("phone")
        assert await ordered(s) == [ReturnToCaller(by="operator")]
        assert await hung_up(s) == {f"phone of {rings}", f"phone of {helper}"}
        with pytest.raises(NotTakenOverError):
            await s.call_control.give_back("phone")

    tell(tmp_path, version, story, conference=True)


@both
def test_a_helper_who_leaves_while_another_rings_leaves_the_caller_to_the_agent(
    tmp_path: Path, version: Version
) -> None:
    """It is alone with them then, and the phone rings on."""

    async def story(s: Story) -> None:
        helper = await helped(s)
        name = await dial(s, "leave", helpers=(helper,))
        await left(s, helper)
        assert await ordered(s) == [ReturnToCaller(by="service")]
        assert await hung_up(s) == set()
        assert "hangup" not in await takes(s, name, "leave")
        assert await status(s) is CallStatus.MOVED
        await s.directory.stream_ended("phone")
        await left(s, name)
        assert await status(s) is CallStatus.OVER

    tell(tmp_path, version, story, conference=True)


@both
def test_of_two_who_help_each_may_leave_first(tmp_path: Path, version: Version) -> None:
    """The agent is told who it was, and speaks once nobody is there but the caller."""

    async def story(s: Story) -> None:
        first = await helped(s)
        second = await dial(s, "help", helpers=(first,))
        await takes(s, second, "help")
        await ordered(s)
        await left(s, first)
        assert await ordered(s) == [ReturnToCaller(by="service", leg=first)]
        third = await dial(s, "help", MANAGER, helpers=(second,))
        await takes(s, third, "help")
        await ordered(s)
        await left(s, third)
        assert await ordered(s) == [ReturnToCaller(by="service", leg=third)]
        assert await status(s) is CallStatus.WITH_AGENT
        await left(s, second)
        assert await ordered(s) == [ReturnToCaller(by="service")]
        assert await hung_up(s) == set()

    tell(tmp_path, version, story, conference=True)


@both
@pytest.mark.parametrize("then", ["silent", "leave", "cold"])
def test_the_agent_is_with_the_helper_again_once_the_next_has_left(
    tmp_path: Path, version: Version, then: Then | Literal["cold"]
) -> None:
    """If it is still on the line; if not, both talk on, and who is left in the end is let go."""

    async def story(s: Story) -> None:
        helper = await helped(s)
        name = await dial(s, then, helpers=(helper,))
        await takes(s, name, then)
        await ordered(s)
        is_there = version == "v2" or then == "silent"
        if not is_there:
            s.call_control.stream_ended(CLAIMS, moved=True)
            await asyncio.sleep(0.1)
        assert "hangup" not in await left(s, name)
        assert await ordered(s) == [ReturnToCaller(by="service", leg=name)] * is_there
        assert await status(s) is (CallStatus.WITH_AGENT if is_there else CallStatus.MOVED)
        assert (await hung_up(s), s.platform.of("clear")) == (set(), [])
        await left(s, helper)
        assert await ordered(s) == [ReturnToCaller(by="service")] * is_there
        assert await status(s) is (CallStatus.WITH_AGENT if is_there else CallStatus.OVER)

    tell(tmp_path, version, story, conference=True)


@both
def test_an_operator_takes_over_from_agent_and_helper_and_gives_back(
    tmp_path: Path, version: Version
) -> None:
    """All three are with the caller; `return` hangs up the others, and the agent is alone."""

    async def story(s: Story) -> None:
        helper = await helped(s)
        wish = TakeOver(to=BILLING)
        await s.call_control.request_transfer("phone", ASKED, wish)
        name = await dial(s, "cold", helpers=(helper,))
        await takes(s, name, "cold")
        await ordered(s)
        with pytest.raises(StillRingingError):
            await s.call_control.request_transfer("phone", ASKED, wish)
        await s.call_control.give_back("phone")
        assert await ordered(s) == [ReturnToCaller(by="operator")]
        assert await hung_up(s) == {f"phone of {one}" for one in (helper, name)}

    tell(tmp_path, version, story, conference=True)


@both
def test_the_first_of_a_yes_and_another_wish_counts(tmp_path: Path, version: Version) -> None:
    """Who has just come to help, and of whom the agent does not know yet, is not called beside."""

    async def story(s: Story) -> None:
        helper = await helped(s)
        with pytest.raises(AnsweredError):
            await dial(s, "cold")
        name = await dial(s, "help", helpers=(helper,))
        await takes(s, name, "help")
        with pytest.raises(AnsweredError):
            await dial(s, "cold", helpers=(helper,))
        assert await s.transfer_name("phone") == name
        assert await hung_up(s) == set()

    tell(tmp_path, version, story, conference=True)


@both
def test_who_leaves_as_their_yes_is_dealt_with_leaves_agent_and_helper(
    tmp_path: Path, version: Version
) -> None:
    """The agent is silent for nobody."""

    async def story(s: Story) -> None:
        helper = await helped(s)
        name = await dial(s, "silent", helpers=(helper,))
        advance = s.directory.advance_call

        async def late(*given: object) -> object:
            s.directory.advance_call = advance  # type: ignore[method-assign]
            await left(s, name)
            return await advance(*given)  # type: ignore[arg-type]

        s.directory.advance_call = late  # type: ignore[method-assign,assignment]
        assert "hangup" in await takes(s, name, "silent")
        assert (await ordered(s))[-1] == ReturnToCaller(by="service", leg=name)
        assert await status(s) is CallStatus.WITH_AGENT
        assert await s.transfer_name("phone") == helper

    tell(tmp_path, version, story, conference=True)


@both
def test_the_agents_of_this_process_are_told_without_the_database(
    tmp_path: Path, version: Version
) -> None:
    """Which of them is still there, the agent knows."""

    async def story(s: Story) -> None:
        helper = await helped(s)
        name = await dial(s, "help", helpers=(helper,))
        await takes(s, name, "help")
        s.calls.holds.add("phone")
        s.database_is_away(True)
        s.call_control.answer_late(
            LegEnded(leg=s.leg(helper, f"phone of {helper}"), result="ANSWERED", reason="HANGUP")
        )
        await asyncio.sleep(0.1)
        assert ReturnToCaller(by="service", leg=helper) in s.calls.ordered
        s.database_is_away(False)
        await asyncio.sleep(20)
        assert await hung_up(s) == set()

    tell(tmp_path, version, story, conference=True)
