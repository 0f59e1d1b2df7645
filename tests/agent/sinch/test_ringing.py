"""Whoever rings for a caller is given up: for another, on an operator's word, or too late."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.call import orders
from agent.call.orders import CallerMoved, CallerNotMoved, Order, ReturnToCaller, TransferCaller
from agent.sinch.api.rest import SinchError
from agent.sinch.callbacks import IncomingCall, LegAnswered, Version
from agent.sinch.legs.leg_kinds import BridgedCall, LegFacts, TakeOver, TransferLeg
from agent.sinch.legs.leg_tables import CallEvent, CallStatus, LegEvent, LegStatus
from agent.sinch.refusals import (
    AgentLeftError,
    AnsweredError,
    NotTakenOverError,
    RefusedError,
    StillRingingError,
)
from agent.sinch.tokens import Claims
from agent.warm_transfers import WarmTransfer
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell, without_leg

CLAIMS = Claims(call="phone", agent="reception", rate=8000, expires=0)
ANOTHER = "+15550000003"
WARM = WarmTransfer(introduction="")
both = pytest.mark.parametrize("version", ["v1", "v2"])
cold_and_warm = pytest.mark.parametrize("warm", [None, WARM])


async def begin(s: Story) -> None:
    await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
    await s.stream_comes()


async def dial(s: Story, to: str = MANAGER, warm: WarmTransfer | None = None) -> str:
    await s.call_control.transfer(CLAIMS, to, warm)
    return await s.transfer_name("phone")


async def ordered(s: Story) -> list[Order]:
    left = await s.store.orders.take(["phone"])
    return [without_leg(orders.decode(value)) for _, value in left]


async def hung_up(s: Story) -> list[str]:
    await asyncio.sleep(0.1)
    return [about for _, about in s.platform.of("hang_up")]


async def status(s: Story) -> CallStatus:
    call = await s.directory.call("phone")
    assert call is not None
    return call.status


@both
@cold_and_warm
def test_who_is_dialled_next_takes_the_place_of_whoever_rings(
    tmp_path: Path, version: Version, warm: WarmTransfer | None
) -> None:
    """The first phone is hung up; its answer comes too late, and its end tells nothing."""

    async def story(s: Story) -> None:
        await begin(s)
        first = await dial(s, warm=warm)
        second = await dial(s, ANOTHER)
        assert await hung_up(s) == [f"phone of {first}"]
        assert "hangup" in str(await s.answered(first))
        await s.ended(first, "first", "CANCEL")
        assert await ordered(s) == []
        assert await s.transfer_name("phone") == second
        await s.answered(second)
        assert await ordered(s) == [CallerMoved(stay=version == "v2")]
        assert await hung_up(s) == [f"phone of {first}"]

    tell(tmp_path, version, story, conference=True)


@both
@cold_and_warm
def test_nobody_is_dialled_beside_whoever_has_just_answered(
    tmp_path: Path, version: Version, warm: WarmTransfer | None
) -> None:
    """The caller has one to talk to; the other is not rung."""

    async def story(s: Story) -> None:
        await begin(s)
        name = await dial(s, warm=warm)
        await s.directory.advance(TransferLeg(name=name, of="phone"), LegEvent.ANSWERED)
        with pytest.raises(AnsweredError):
            await s.call_control.transfer(CLAIMS, ANOTHER)
        assert await s.transfer_name("phone") == name
        assert ANOTHER not in [about for _, about in s.platform.of("transfer")]
        assert await hung_up(s) == []

    tell(tmp_path, version, story, conference=True)


def test_the_end_of_the_first_does_not_take_the_second_along(tmp_path: Path) -> None:
    """It is told while the second is dialled: the caller is still being passed on."""

    async def story(s: Story) -> None:
        await begin(s)
        first = await dial(s)
        clear = s.directory.clear_transfer

        async def late(call_name: str, leg_name: str) -> None:
            s.directory.clear_transfer = clear  # type: ignore[method-assign]
            await dial(s, ANOTHER)
            await clear(call_name, leg_name)

        s.directory.clear_transfer = late  # type: ignore[method-assign]
        await s.ended(first, "first", "BUSY")
        second = await s.transfer_name("phone")
        assert second not in ("", first)
        await s.answered(second)
        assert await status(s) is CallStatus.MOVED

    tell(tmp_path, "v1", story, conference=True)


def test_a_request_that_was_lost_rings_for_nobody_any_more(tmp_path: Path) -> None:
    """The platform dialled though it did not say so; the caller is passed on to another by then."""

    async def story(s: Story) -> None:
        await begin(s)
        usual = s.platform.transfer

        async def lost(*_given: object) -> LegFacts:
            s.platform.transfer = usual  # type: ignore[method-assign]
            raise SinchError("no answer", 0)

        s.platform.transfer = lost  # type: ignore[method-assign,assignment]
        with pytest.raises(RefusedError):
            await s.call_control.transfer(CLAIMS, MANAGER)
        first = await s.transfer_name("phone")
        second = await dial(s, ANOTHER)
        assert "hangup" in str(await s.answered(first))
        assert await status(s) is CallStatus.WITH_AGENT
        await s.answered(second)
        assert await status(s) is CallStatus.MOVED

    tell(tmp_path, "v2", story)


@both
@pytest.mark.parametrize("given_up", ["stopped", "the caller has gone"])
def test_who_is_given_up_while_they_are_dialled_is_hung_up_then(
    tmp_path: Path, version: Version, given_up: str
) -> None:
    """Before, nothing tells what their leg is called at the platform."""

    async def story(s: Story) -> None:
        await begin(s)
        usual = s.platform.transfer

        async def slow(call: BridgedCall, name: str, *given: object) -> LegFacts:
            if given_up == "stopped":
                await s.call_control.give_back("phone")
            else:
                await s.ended()
            await asyncio.sleep(0.1)
            s.platform.asked.clear()
            return await usual(call, name, *given)  # type: ignore[arg-type]

        s.platform.transfer = slow  # type: ignore[method-assign,assignment]
        await s.call_control.transfer(CLAIMS, MANAGER)
        assert [one.startswith("phone of t") for one in await hung_up(s)] == [True]

    tell(tmp_path, version, story, conference=True)


@both
@cold_and_warm
@pytest.mark.parametrize("operators", [False, True])
def test_an_operator_stops_what_rings(
    tmp_path: Path, version: Version, warm: WarmTransfer | None, *, operators: bool
) -> None:
    """Whoever asked for it: the phone is hung up, the agent goes on, and neither happens twice."""

    async def story(s: Story) -> None:
        await begin(s)
        if operators and warm is None:
            asked = TransferCaller(to=MANAGER, announcement="One moment.")
            await s.call_control.request_transfer("phone", asked, TakeOver(to=MANAGER))
            await ordered(s)
        name = await dial(s, warm=warm)
        await s.call_control.give_back("phone")
        assert await hung_up(s) == [f"phone of {name}"]
        assert await ordered(s) == [CallerNotMoved(by="operator")]
        with pytest.raises(NotTakenOverError):
            await s.call_control.give_back("phone")
        assert "hangup" in str(await s.answered(name))
        await s.ended(name, "operator", "CANCEL")
        assert await ordered(s) == []
        assert await status(s) is CallStatus.WITH_AGENT
        assert await s.transfer_name("phone") == ""
        await s.answered(await dial(s))  # and once more
        assert await status(s) is CallStatus.MOVED

    tell(tmp_path, version, story, conference=True)


@both
def test_whoever_is_asked_is_hung_up_while_they_listen(tmp_path: Path, version: Version) -> None:
    """A yes after that leads nowhere."""

    async def story(s: Story) -> None:
        await begin(s)
        name = await dial(s, warm=WARM)
        leg = s.leg(name, "desk")
        await s.call_control.answer(LegAnswered(leg=leg, by=""))
        await ordered(s)
        await s.call_control.give_back("phone")
        assert await hung_up(s) == ["desk"]
        assert await ordered(s) == [CallerNotMoved(by="operator")]

    tell(tmp_path, version, story, conference=True)


@both
def test_an_answer_in_the_moment_of_the_stop_is_taken_back(
    tmp_path: Path, version: Version
) -> None:
    """It was noted first: they were with the caller, and are not any more."""

    async def story(s: Story) -> None:
        await begin(s)
        asked = TransferCaller(to=MANAGER, announcement="One moment.")
        await s.call_control.request_transfer("phone", asked, TakeOver(to=MANAGER))
        await ordered(s)
        name = await dial(s)
        advance = s.directory.advance

        async def late(*given: object) -> object:
            s.directory.advance = advance  # type: ignore[method-assign]
            await s.answered(name)
            return await advance(*given)  # type: ignore[arg-type,type-var]

        s.directory.advance = late  # type: ignore[method-assign,assignment]
        await s.call_control.give_back("phone")
        moved = CallerMoved(stay=True, returns=True)
        assert await ordered(s) == [moved, ReturnToCaller(by="operator")]
        assert await status(s) is CallStatus.WITH_AGENT
        assert len(await hung_up(s)) == 1

    tell(tmp_path, version, story, conference=True)


def test_an_agent_that_is_about_to_leave_is_not_called_back(tmp_path: Path) -> None:
    """It would leave all the same, and the caller would be alone in the conference."""

    async def story(s: Story) -> None:
        await begin(s)
        name = await dial(s)
        await s.answered(name)
        with pytest.raises(AgentLeftError):
            await s.call_control.give_back("phone")
        assert await hung_up(s) == []
        leg = await s.directory.leg_of(TransferLeg, name)
        assert leg is not None
        assert leg.status is LegStatus.ANSWERED

    tell(tmp_path, "v1", story, conference=True)


def test_a_caller_who_comes_back_to_an_agent_that_leaves_is_let_go(tmp_path: Path) -> None:
    """Whoever took the call has hung up just as the agent left: nobody sits in silence."""

    async def story(s: Story) -> None:
        await begin(s)
        name = await dial(s, warm=WARM)
        await s.call_control.answer(LegAnswered(leg=s.leg(name, "desk"), by=""))
        leg = await s.directory.leg_of(TransferLeg, name)
        assert leg is not None
        await s.directory.advance(leg, LegEvent.ANSWERED)
        await s.directory.advance_call("phone", CallEvent.MOVED)
        await s.ended(name, "desk")
        assert await status(s) is CallStatus.WITH_AGENT
        s.call_control.stream_ended(CLAIMS, moved=True)
        await asyncio.sleep(0.1)
        assert len(s.platform.of("clear")) == 1

    tell(tmp_path, "v1", story, conference=True)


@pytest.mark.parametrize("take_over", [None, TakeOver(to=ANOTHER)])
def test_an_operator_is_told_that_somebody_rings(
    tmp_path: Path, take_over: TakeOver | None
) -> None:
    """Nothing is announced, and nobody is given up by it."""

    async def story(s: Story) -> None:
        await begin(s)
        await dial(s)
        asked = TransferCaller(to=ANOTHER, announcement="One moment.")
        with pytest.raises(StillRingingError, match="return"):
            await s.call_control.request_transfer("phone", asked, take_over)
        assert await ordered(s) == []
        await s.call_control.give_back("phone")
        await ordered(s)
        await s.call_control.request_transfer("phone", asked, take_over)
        assert await ordered(s) == [asked]

    tell(tmp_path, "v2", story)


def test_a_caller_who_goes_as_they_are_passed_on_leaves_nobody_alone(tmp_path: Path) -> None:
    """Whoever has answered is hung up, and so are those who are about to join."""

    async def story(s: Story) -> None:
        await begin(s)
        name = await dial(s)
        advance = s.directory.advance

        async def late(*given: object) -> object:
            s.directory.advance = advance  # type: ignore[method-assign]
            answered = await advance(*given)  # type: ignore[arg-type,type-var]
            await s.ended()
            return answered

        s.directory.advance = late  # type: ignore[method-assign,assignment]
        assert "hangup" in str(await s.answered(name))

        assert await status(s) is CallStatus.OVER

    tell(tmp_path, "v1", story, conference=True)
