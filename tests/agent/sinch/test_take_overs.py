"""Callers whom an operator takes over and gives back: whatever the order of what is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from agent.call import orders
from agent.call.orders import (
    CallerMoved,
    CallerNotMoved,
    HangUp,
    Order,
    ReturnToCaller,
    TransferCaller,
)
from agent.simulator.plan import Plan
from agent.simulator.sinch.phone_network import Phone, PhoneLeg
from agent.sinch.callbacks import IncomingCall, Version
from agent.sinch.legs.leg_kinds import After, TakeOver, TransferLeg
from agent.sinch.legs.leg_tables import CallStatus, LegStatus
from agent.sinch.refusals import (
    AgentLeftError,
    CallGoneError,
    NoSuchCallError,
    NotTakenOverError,
    StillRingingError,
)
from agent.sinch.tokens import Claims, stream_claim
from agent.store.claims import StoredClaims
from tests.agent.conversation import voice
from tests.agent.loopback import until
from tests.agent.sinch import stories
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell, without_leg

CLAIMS = Claims(call="phone", agent="reception", rate=8000, expires=0)
ASKED = TransferCaller(to=MANAGER, announcement="One moment.")
both = pytest.mark.parametrize("version", ["v1", "v2"])


async def ordered(s: Story) -> list[Order]:
    """Return what the agent was told since the last time."""
    left = await s.store.orders.take(["phone"])
    return [without_leg(orders.decode(value)) for _, value in left]


async def ringing(s: Story, after: After = "return") -> str:
    """Have somebody call and an operator's phone ring for them; return the name of its leg."""
    await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
    await s.stream_comes()
    return await again(s, after)


async def again(s: Story, after: After = "return") -> str:
    wish = TakeOver(to=MANAGER, after=after, introduction="Ann, this is Bob.")
    await s.call_control.request_transfer("phone", ASKED, wish)
    (asked,) = await ordered(s)
    assert isinstance(asked, TransferCaller)
    await s.call_control.transfer(CLAIMS, MANAGER)
    return await s.transfer_name("phone")


async def status(s: Story) -> CallStatus:
    call = await s.directory.call("phone")
    assert call is not None
    return call.status


MOVED = CallerMoved(stay=True, introduction="Ann, this is Bob.", returns=True)


@both
def test_the_agent_stays_and_comes_back_on_the_operators_word(
    tmp_path: Path, version: Version
) -> None:
    """In both versions; the operator is hung up, whose end then ends nothing. And once more."""

    async def story(s: Story) -> None:
        name = await ringing(s)
        for _ in range(2):
            await s.answered(name)
            assert await ordered(s) == [MOVED]
            await s.call_control.give_back("phone")
            assert await ordered(s) == [ReturnToCaller(by="operator")]
            await asyncio.sleep(0.1)
            assert len(s.platform.of("hang_up")) == 1
            s.platform.asked.clear()
            with pytest.raises(NotTakenOverError, match="the agent talks to the caller"):
                await s.call_control.give_back("phone")
            await s.ended(name, "operator")
            await s.ended(name, "operator")
            await asyncio.sleep(0.1)
            assert await status(s) is CallStatus.WITH_AGENT
            assert (await ordered(s), s.platform.asked) == ([], [])
            name = await again(s)

    tell(tmp_path, version, story, conference=True)


@both
@pytest.mark.parametrize("after", ["return", "end"])
def test_an_operator_who_hangs_up_leaves_nobody_alone(
    tmp_path: Path, version: Version, after: After
) -> None:
    """The agent comes back, once; or the call is over, as was asked for."""

    async def story(s: Story) -> None:
        name = await ringing(s, after)
        await s.answered(name)
        await ordered(s)
        told = await s.ended(name, "operator")
        await s.ended(name, "operator")
        await asyncio.sleep(0.1)
        if after == "return":
            assert await ordered(s) == [ReturnToCaller(by="service")]
            assert await status(s) is CallStatus.WITH_AGENT
            assert s.platform.of("clear") == []
        else:  # by the operator, as the record is to say
            assert await ordered(s) == [HangUp(goodbye=False)]
            assert await status(s) is CallStatus.OVER
            assert s.platform.of("clear") if version == "v1" else "caller" in str(told)

    tell(tmp_path, version, story, conference=True)


@both
def test_an_operator_who_is_gone_as_their_answer_arrives(tmp_path: Path, version: Version) -> None:
    """Their end overtakes it: the agent is with the caller, whatever came first."""

    async def story(s: Story) -> None:
        name = await ringing(s)
        await s.ended(name, "operator")
        await ordered(s)
        assert "hangup" in str(await s.answered(name))
        assert await ordered(s) == []
        assert await status(s) is CallStatus.WITH_AGENT

        name = await again(s)
        asked = s.directory.advance_call

        async def slow(*given: object) -> object:  # their end comes while it is dealt with
            s.directory.advance_call = asked  # type: ignore[method-assign]
            await s.ended(name, "operator")
            return await asked(*given)  # type: ignore[arg-type]

        s.directory.advance_call = slow  # type: ignore[method-assign,assignment]
        assert "hangup" in str(await s.answered(name))
        assert await ordered(s) == [MOVED, ReturnToCaller(by="service")]
        assert await status(s) is CallStatus.WITH_AGENT

    tell(tmp_path, version, story, conference=True)


def test_an_end_that_was_read_before_the_answer_was_noted(tmp_path: Path) -> None:
    """Another process deals with the answer meanwhile: they have talked all the same."""

    async def story(s: Story) -> None:
        name = await ringing(s)
        read, before = s.directory.leg, await s.directory.leg(name)
        await s.answered(name)
        await ordered(s)

        async def late(_name: str) -> object:
            s.directory.leg = read  # type: ignore[method-assign]
            return before

        s.directory.leg = late  # type: ignore[method-assign,assignment]
        await s.ended(name, "operator")
        assert await ordered(s) == [ReturnToCaller(by="service")]
        assert await status(s) is CallStatus.WITH_AGENT

    tell(tmp_path, "v1", story, conference=True)


def test_the_end_of_an_operator_before_is_not_that_of_the_present_one(tmp_path: Path) -> None:
    """The first was hung up when they gave the caller back; that is told late."""

    async def story(s: Story) -> None:
        first = await ringing(s)
        await s.answered(first)
        await s.call_control.give_back("phone")
        await ordered(s)
        await s.answered(await again(s))
        await ordered(s)
        await s.answered(first)
        await s.ended(first, "operator")
        assert await status(s) is CallStatus.MOVED
        assert await ordered(s) == []

    tell(tmp_path, "v1", story, conference=True)


def test_the_process_of_the_call_dies_while_the_operator_talks(tmp_path: Path) -> None:
    """Nobody can come back: who asks is told, the two go on, and the last is not left alone."""

    async def story(s: Story) -> None:
        name = await ringing(s)
        await s.answered(name)
        await ordered(s)
        await s.directory.stream_ended("phone")
        await s.call_control.let_go("phone")
        assert s.platform.of("hang_up") == []
        with pytest.raises(AgentLeftError):
            await s.call_control.give_back("phone")
        assert await status(s) is CallStatus.MOVED
        await s.ended(name, "operator")
        await asyncio.sleep(0.1)
        assert await status(s) is CallStatus.OVER
        assert s.platform.of("hang_up")[0][1] == "phone"
        with pytest.raises(NoSuchCallError):
            await s.call_control.give_back("phone")

    tell(tmp_path, "v1", story, conference=True)


@pytest.mark.parametrize("then", ["take-over", "help", "rings"])
@pytest.mark.parametrize("dies", [True, False])
def test_who_took_a_call_that_ends_with_its_stream_is_not_left_alone(
    tmp_path: Path, then: str, *, dies: bool
) -> None:
    """Version 2: the platform hangs up the caller, and tells nobody if no process is there.

    The process has died, or has stopped.
    """

    async def story(s: Story) -> None:
        if then == "help":
            helper = TransferLeg(name="t1", of="phone", then="help", call_id="helper")
            await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
            await s.directory.add_leg(replace(helper, status=LegStatus.ANSWERED))
            await s.directory.set_transfer("phone", "t1")
            name = "t1"
        else:
            name = await ringing(s)
        if then == "take-over":
            await s.answered(name)
            await ordered(s)
        if dies:
            await s.directory.stream_ended("phone")
            await s.call_control.let_go("phone")
            assert await status(s) is CallStatus.OVER
        else:
            s.call_control.stream_ended(CLAIMS, moved=False)
            await asyncio.sleep(0.1)
        leg = await s.directory.leg_of(TransferLeg, name)
        assert leg is not None
        assert leg.call_id in [call_id for _, call_id in s.platform.of("hang_up")]

    tell(tmp_path, "v2", story, conference=True)


def test_a_dead_process_is_told_from_an_agent_who_has_left(tmp_path: Path) -> None:
    """The one is gone; the other was never to come back."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await StoredClaims(s.store.database, "a dead process").claim(stream_claim("phone"))
        leg = TransferLeg(name="t1", of="phone", stays=True)
        await s.directory.add_leg(leg)
        await s.directory.set_transfer("phone", "t1")
        await s.answered("t1")
        with pytest.raises(CallGoneError):
            await s.call_control.give_back("phone")
        assert await status(s) is CallStatus.MOVED

    tell(tmp_path, "v1", story, conference=True)


def test_a_second_operator_is_told_that_a_phone_rings(tmp_path: Path) -> None:
    """The agent would announce them, and dial nobody."""

    async def story(s: Story) -> None:
        name = await ringing(s)
        wish = TakeOver(to="+15550000003")
        asked = TransferCaller(to=wish.to, announcement="One moment.")
        with pytest.raises(StillRingingError):
            await s.call_control.request_transfer("phone", asked, wish)
        await s.ended(name, "operator", "BUSY")
        assert await ordered(s) == [CallerNotMoved(why="busy")]
        await s.call_control.request_transfer("phone", asked, wish)

    tell(tmp_path, "v2", story)


def test_a_cold_transfer_is_for_good(tmp_path: Path) -> None:
    """In version 1 the agent leaves; and a wish to take over is used up by the one it was for."""

    async def story(s: Story) -> None:
        name = await ringing(s)
        await s.ended(name, "operator", "NOANSWER")
        await ordered(s)
        await s.call_control.transfer(CLAIMS, MANAGER)  # the model's own
        cold = await s.transfer_name("phone")
        await s.answered(cold)
        assert await ordered(s) == [CallerMoved(stay=False)]
        await s.directory.stream_ended("phone")
        with pytest.raises(AgentLeftError, match="has left"):
            await s.call_control.give_back("phone")
        await s.ended(cold, "operator")
        assert await status(s) is CallStatus.OVER

    tell(tmp_path, "v1", story, conference=True)


@both
def test_the_operator_ends_a_call_that_they_took_over(tmp_path: Path, version: Version) -> None:
    """The agent is told, so that the record says so; and the phone is hung up."""

    async def story(s: Story) -> None:
        name = await ringing(s)
        await s.answered(name)
        await ordered(s)
        await s.call_control.hang_up("phone", goodbye=True)
        assert await ordered(s) == [HangUp(goodbye=True)]
        assert [about for _, about in s.platform.of("hang_up")] == ["phone"]
        told = await s.ended()
        await asyncio.sleep(0.1)
        assert s.platform.of("clear") if version == "v1" else name in str(told)

    tell(tmp_path, version, story, conference=True)


def test_a_leg_of_the_version_before_is_a_cold_transfer(tmp_path: Path) -> None:
    """What it has left in the store says nothing of staying."""

    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await s.stream_comes()
        await s.store.legs.put("t1", {"kind": "transfer", "of": "phone", "status": "dialling"})
        await s.directory.set_transfer("phone", "t1")
        leg = await s.directory.leg("t1")
        assert leg is not None
        await s.answered("t1")
        assert await ordered(s) == [CallerMoved(stay=False)]

    tell(tmp_path, "v1", story, conference=True)


# Whole stories, on loopback

AGENT = stories.AGENT.replace("Hello, who is this?", "Hi.\nreturned: Back.")


@pytest.mark.parametrize(("version", "conference"), [("v1", True), ("v2", False)])
def test_a_caller_is_taken_over_and_given_back(
    tmp_path: Path, version: Version, conference: bool
) -> None:
    """By a request, then by a phone that hangs up; then the call is ended while taken over."""

    async def story(s: stories.Story) -> None:
        leg = await s.call_in(Plan(patience=60, linger=60))
        path = f"/calls/{leg.call_id}"
        assert await s.operate("POST", "/calls/nobody/return") == (
            404,
            {"status": 404, "detail": "no such call"},
        )
        await until(lambda: s.lines("agent"))
        assert (await s.operate("POST", f"{path}/return"))[0] == 409
        assert (await s.operate("POST", f"{path}/return", {"by": "me"}))[0] == 400
        wrong = {"phone": stories.MANAGER, "after": "whatever"}
        assert (await s.operate("POST", f"{path}/take-over", wrong))[0] == 400

        async def take_over(times: int) -> None:
            body = {"phone": stories.MANAGER, "announcement": "Wait."}
            assert (await s.operate("POST", f"{path}/take-over", body))[0] == 202
            await until(lambda: statuses().count("done") == times)
            await until(lambda: operators()[-1].room == leg.room)
            assert (await s.operate("POST", f"{path}/take-over", body))[0] == 409

        def statuses() -> list[str]:
            return [line["status"] for line in s.lines("transfer")]

        def operators() -> list[PhoneLeg]:
            return [one for one in s.sinch.legs if one.number == stories.MANAGER]

        await take_over(1)
        assert (await s.operate("POST", f"{path}/whisper", {"text": "Be kind."}))[0] == 202
        assert (await s.operate("POST", f"{path}/return"))[0] == 202
        await until(lambda: s.lines("transfer")[-1].get("by") == "operator")
        await until(operators()[0].over.is_set)
        await take_over(2)
        await s.sinch.hang_up(operators()[1])
        await until(lambda: s.lines("transfer")[-1].get("by") == "service")
        await until(lambda: [x["text"] for x in s.lines("agent")].count("Back.") == 2)
        assert not leg.over.is_set()
        assert [one for one in s.sinch.legs if one.is_stream and one.over.is_set()] == []
        await take_over(3)
        assert (await s.operate("POST", f"{path}/hangup", {}))[0] == 202
        await until(lambda: all(one.over.is_set() for one in s.sinch.legs))
        await until(lambda: s.lines("ended"))
        assert s.lines("ended")[0]["hung_up_by"] == "operator"
        assert statuses() == ["started", "done", "returned"] * 2 + ["started", "done"]
        assert [line["text"] for line in s.lines("whisper")] == ["Be kind."]

    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "reception.md").write_text(AGENT)
    stories.tell(
        tmp_path,
        version,
        story,
        providers=voice(),
        phones={stories.MANAGER: Phone()},
        sinch={"conference": conference},
    )


@both
def test_an_operator_whom_sinch_does_not_hang_up_now_is_hung_up_later(
    tmp_path: Path, version: Version
) -> None:
    """The agent has its caller back; the phone of whoever had them goes as soon as it can."""

    async def story(s: Story) -> None:
        name = await ringing(s)
        await s.answered(name)
        await ordered(s)
        s.platform.away.add("hang_up")
        await s.call_control.give_back("phone")
        await asyncio.sleep(30)
        tried = len(s.platform.of("hang_up"))
        assert tried > 2
        s.platform.away.clear()
        await asyncio.sleep(60)
        assert len(s.platform.of("hang_up")) == tried + 1

    tell(tmp_path, version, story, conference=True)
