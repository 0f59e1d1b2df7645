"""Somebody takes a line of several: all others stay, and nobody is left alone on it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.call import orders
from agent.call.orders import CallerMoved, ReturnToCaller
from agent.sinch.callbacks import BRIEFING, MenuAnswered, Version
from agent.sinch.contracts import Dial, Party
from agent.sinch.legs.leg_kinds import BridgedCall, LegFacts
from agent.sinch.legs.leg_tables import CallStatus
from agent.sinch.tokens import Claims
from agent.warm_transfers import WarmTransfer
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell, without_leg

BEN, HELPER = "+15550000003", MANAGER
both = pytest.mark.parametrize("version", ["v1", "v2"])


def yes(s: Story, name: str) -> MenuAnswered:
    menu = name if s.version == "v1" else BRIEFING
    return MenuAnswered(leg=s.leg(name, "desk"), menu=menu, given="1")


class Line:
    """Ann and Ben, and the agent with them."""

    def __init__(self, s: Story) -> None:
        self.s, self.name = s, ""
        self.legs: tuple[str, ...] = ()
        self.claims = Claims(call="", agent="reception", rate=8000, expires=0)

    async def begin(self) -> None:
        two = (Party(to=TO, title="Ann"), Party(to=BEN, title="Ben"))
        asked = Dial(to="", agent="reception", parties=two, ends_with="last")
        placed = await self.s.call_control.dial(asked)
        self.name, self.legs = placed.name, placed.parties
        for name in placed.parties:
            await self.s.answered(name, call_id=f"phone of {name}")
        phone = f"phone of {placed.parties[0]}"
        await self.s.stream_comes(phone)
        self.claims = Claims(
            call=phone, agent="reception", rate=8000, expires=0, dialled=placed.name
        )

    async def leaves(self, number: int) -> None:
        await self.s.ended(self.legs[number], f"phone of {self.legs[number]}")

    async def passed_on(self, warm: WarmTransfer | None = None) -> str:
        await self.s.call_control.transfer(self.claims, HELPER, warm)
        return await self.s.transfer_name(self.name)

    async def status(self) -> CallStatus:
        call = await self.s.directory.call(self.name)
        assert call is not None
        return call.status

    async def told(self) -> list[orders.Order]:
        left = await self.s.store.orders.take([self.name])
        return [without_leg(orders.decode(value)) for _, value in left]


@both
def test_all_others_stay_when_whoever_took_the_line_has_left(
    tmp_path: Path, version: Version
) -> None:
    """Two talk to each other without us; the last is not left alone."""

    async def story(s: Story) -> None:
        line = Line(s)
        await line.begin()
        name = await line.passed_on()
        await s.answered(name, call_id="desk")
        assert (await line.told())[-1] == CallerMoved(stay=version == "v2")
        assert await line.status() is CallStatus.MOVED
        await s.ended(name, "desk")
        await asyncio.sleep(0.1)
        assert await line.status() is CallStatus.MOVED
        assert s.platform.of("clear") == s.platform.of("hang_up") == []
        await line.leaves(0)
        await asyncio.sleep(0.1)
        assert await line.status() is CallStatus.OVER
        assert s.platform.of("clear") != [] or version == "v2"  # where it goes with the stream

    tell(tmp_path, version, story)


@both
def test_whoever_took_the_line_is_not_left_alone(tmp_path: Path, version: Version) -> None:
    """One after the other leaves; with the last of them the call is over."""

    async def story(s: Story) -> None:
        line = Line(s)
        await line.begin()
        name = await line.passed_on()
        await s.answered(name, call_id="desk")
        await line.leaves(0)
        assert await line.status() is CallStatus.MOVED
        await line.leaves(1)
        await asyncio.sleep(0.1)
        assert await line.status() is CallStatus.OVER

    tell(tmp_path, version, story)


@both
@pytest.mark.parametrize("first", [True, False])
def test_the_platform_has_the_last_word_on_a_line_that_was_passed_on(
    tmp_path: Path, version: Version, *, first: bool
) -> None:
    """Once, whether whoever took it ends the call for the last phone, or the other way round."""

    async def story(s: Story) -> None:
        line = Line(s)
        await line.begin()
        name = await line.passed_on()
        await s.answered(name, call_id="desk")
        await line.leaves(0)
        if first:
            await s.ended(name, "desk")
            assert await line.status() is CallStatus.OVER
            await line.leaves(1)
        else:
            await line.leaves(1)
            await s.ended(name, "desk")
        await asyncio.sleep(10)
        ((call_id, leg),) = [(one["call_id"], one["leg"]) for one in s.calls.told]
        assert (call_id, leg) == (f"phone of {line.legs[0]}", line.legs[1])
        ended = {one["leg"] for one in s.calls.legs if "result" in one}
        assert ended == {line.legs[0], name}

    tell(tmp_path, version, story)


def test_somebody_is_dialled_beside_who_is_left_of_a_line(tmp_path: Path) -> None:
    """In version 2 by a leg that is there: the first phone has hung up."""

    async def story(s: Story) -> None:
        line = Line(s)
        beside: list[str] = []
        await line.begin()
        await line.leaves(0)
        usual = s.platform.transfer

        async def noted(call: BridgedCall, *given: object) -> LegFacts:
            beside.append(call.call_id)
            return await usual(call, *given)  # type: ignore[arg-type]

        s.platform.transfer = noted  # type: ignore[method-assign,assignment]
        await line.passed_on()
        assert beside == [f"phone of {line.legs[1]}"]

    tell(tmp_path, "v2", story)


@both
def test_an_agent_that_helps_a_line_goes_on_with_it(tmp_path: Path, version: Version) -> None:
    """Who took it leaves, by themselves or on an operator's word; the others are still there."""

    async def story(s: Story) -> None:
        line = Line(s)
        await line.begin()
        for by in ("service", "operator"):
            name = await line.passed_on(WarmTransfer(then="help", introduction=""))
            await s.answered(name, call_id="desk")
            await s.call_control.answer(yes(s, name))
            assert (await line.told())[-1] == CallerMoved(stay=True, helps=True, returns=True)
            if by == "service":
                await s.ended(name, "desk")
            else:
                await s.call_control.give_back(line.name)
            assert await line.told() == [ReturnToCaller(by=by)]
            assert await line.status() is CallStatus.WITH_AGENT

    tell(tmp_path, version, story)
