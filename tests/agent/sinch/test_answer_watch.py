"""In-App users, of whose answer version 1 does not tell: the agent comes all the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent.call.orders import CallerMoved, CallerNotMoved, TransferCaller
from agent.simulator.plan import Plan
from agent.simulator.sinch.phone_network import Phone
from agent.sinch.contracts import Dial, Party
from agent.sinch.dialling.answer_watch import LOOK_EVERY, RINGS_AT_MOST
from agent.sinch.legs.leg_kinds import TakeOver
from agent.sinch.legs.leg_tables import LegStatus
from agent.sinch.tokens import Claims
from tests.agent.loopback import until
from tests.agent.sinch import stories
from tests.agent.sinch.scripted import Story, tell, without_leg
from tests.agent.sinch.test_party_stories import (
    ANN,
    STAYS,
    dialled,
    is_over,
    on_record,
    phone,
    phones,
    streams,
)

USERS: dict[str, Any] = {"users": ("*",)}
TWO = (Party(to="user:ann", title="Ann"), Party(to="user:ben", title="Ben", ring_seconds=9))


def test_the_agent_is_brought_when_a_user_has_answered(tmp_path: Path) -> None:
    """Not while they ring, when nobody would hear it; and once."""

    async def story(s: Story) -> None:
        leg = await s.call_control.dial(Dial(to="user:ann", agent="reception"))
        await asyncio.sleep(5)
        assert s.platform.of("bring_stream") == []
        s.platform.joined.add(f"phone of {leg.name}")
        await asyncio.sleep(LOOK_EVERY + 0.1)
        assert len(s.platform.of("bring_stream")) == 1
        looks = len(s.platform.of("has_joined"))
        await s.answered(leg.name, call_id=f"phone of {leg.name}")
        await asyncio.sleep(5)
        assert len(s.platform.of("bring_stream")) == 1
        assert len(s.platform.of("has_joined")) == looks

    tell(tmp_path, "v1", story, dialling=USERS)


@pytest.mark.parametrize("away", [False, True])
def test_a_user_who_does_not_answer_is_hung_up(tmp_path: Path, *, away: bool) -> None:
    """Who picked up later would hear nobody, also where Sinch cannot say who is there."""

    async def story(s: Story) -> None:
        if away:
            s.platform.fails.add("has_joined")
        leg = await s.call_control.dial(Dial(to="user:ann", agent="reception"))
        await asyncio.sleep(RINGS_AT_MOST + 2)
        assert [about for _, about in s.platform.of("hang_up")] == [f"phone of {leg.name}"]

    tell(tmp_path, "v1", story, dialling=USERS)


def test_a_user_who_declines_is_looked_for_no_more(tmp_path: Path) -> None:
    """The platform tells of the end, as of any leg's."""

    async def story(s: Story) -> None:
        leg = await s.call_control.dial(Dial(to="user:ann", agent="reception"))
        await s.ended(leg.name, f"phone of {leg.name}", "FAILED")
        await asyncio.sleep(RINGS_AT_MOST + 2)
        assert s.platform.of("has_joined") + s.platform.of("hang_up") == []

    tell(tmp_path, "v1", story, dialling=USERS)


def test_a_user_who_answers_when_there_is_no_room_is_hung_up(tmp_path: Path) -> None:
    """Nobody heeds what we would answer to a callback."""

    async def story(s: Story) -> None:
        alone = await s.call_control.dial(Dial(to="user:ann", agent="reception"))
        line = Dial(to="user:ann", agent="reception", parties=TWO, ends_with="last")
        await s.call_control.dial(line)
        s.calls.full = "full"
        s.platform.joined |= {f"phone of {alone.name}", "phone of user:ann"}
        await asyncio.sleep(LOOK_EVERY + 0.5)
        gone = {about for _, about in s.platform.of("hang_up")}
        assert gone == {f"phone of {alone.name}", "phone of user:ann", "phone of user:ben"}

    tell(tmp_path, "v1", story, dialling=USERS)


def test_users_are_on_a_line_of_several(tmp_path: Path) -> None:
    """Whoever has answered is joined, and let be when the time is over for which they may ring."""

    async def story(s: Story) -> None:
        line = Dial(to="user:ann", agent="reception", parties=TWO, ends_with="last")
        placed = await s.call_control.dial(line)
        s.platform.joined.add("phone of user:ann")
        await asyncio.sleep(60)
        legs = await s.call_control.parties.of(placed.name)
        assert [leg.standing for leg in legs] == ["joined", "expected"]
        assert len(s.platform.of("bring_stream")) == 1
        assert s.platform.of("hang_up")[0] == (10.0, "phone of user:ben")
        assert "phone of user:ann" not in str(s.platform.of("hang_up")[:1])

    tell(tmp_path, "v1", story, dialling=USERS)


@pytest.mark.parametrize("answers", [True, False])
def test_an_operator_takes_over_by_an_app(tmp_path: Path, *, answers: bool) -> None:
    """Their answer is found in the conference; whose ringing is stopped is not looked for."""

    async def story(s: Story) -> None:
        placed = await s.call_control.dial(Dial(to=ANN, agent="reception"))
        await s.answered(placed.name)
        s.calls.holds.add(placed.name)
        await s.stream_comes()
        asked = TransferCaller(to="user:ben", announcement="One moment.")
        wish = TakeOver(to="user:ben")
        await s.call_control.request_transfer(placed.name, asked, wish)
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0, dialled=placed.name)
        await s.call_control.transfer(claims, "user:ben")
        name = await s.transfer_name(placed.name)
        s.calls.ordered.clear()
        if answers:
            s.platform.joined.add(f"phone of {name}")
            await asyncio.sleep(LOOK_EVERY + 0.1)
            moved = CallerMoved(stay=True, returns=True)
            assert list(map(without_leg, s.calls.ordered)) == [moved]
            await s.call_control.give_back(placed.name)
            left = await s.store.orders.take([placed.name])
            assert [value for _, value in left] == [{"kind": "return", "by": "operator"}]
        else:
            await s.call_control.give_back(placed.name)
            stopped = CallerNotMoved(by="operator")
            assert list(map(without_leg, s.calls.ordered)) == [stopped]
            looks = len(s.platform.of("has_joined"))
            await asyncio.sleep(10)
            assert len(s.platform.of("has_joined")) == looks
        await asyncio.sleep(0.1)
        assert [about for _, about in s.platform.of("hang_up")] == [f"phone of {name}"]

    tell(tmp_path, "v1", story, dialling=USERS)


def test_a_user_who_takes_a_transfer_is_let_be(tmp_path: Path) -> None:
    """The agent leaves, and nobody hangs up on them for not having answered."""

    async def story(s: Story) -> None:
        placed = await s.call_control.dial(Dial(to=ANN, agent="reception"))
        await s.answered(placed.name)
        s.calls.holds.add(placed.name)
        claims = Claims(call="phone", agent="reception", rate=8000, expires=0, dialled=placed.name)
        await s.call_control.transfer(claims, "user:ben")
        name = await s.transfer_name(placed.name)
        s.platform.joined.add(f"phone of {name}")
        await s.stream_comes()
        await asyncio.sleep(60)
        assert list(map(without_leg, s.calls.ordered)) == [CallerMoved(stay=False)]
        assert s.platform.of("hang_up") == []
        leg = await s.directory.leg(name)
        assert getattr(leg, "status", None) is LegStatus.ANSWERED

    tell(tmp_path, "v1", story, dialling=USERS)


@pytest.mark.usefixtures("nothing_left")
def test_users_of_the_app_talk_with_the_agent(tmp_path: Path) -> None:
    """At a stand-in that sends no ACE for them: one alone, and two on a line, one of them told."""

    async def story(s: stories.Story) -> None:
        await dialled(s, {"to": "user:ann"})
        await until(lambda: [line["text"] for line in s.lines("agent")] == ["Hello, who is this?"])
        await s.sinch.hang_up(phone(s, "ann"))
        await is_over(s)

    async def line(s: stories.Story) -> None:
        ben = {"to": "user:ben", "title": "Ben", "announcement": "Welcome."}
        await dialled(s, {"to": [{"to": "user:ann", "title": "Ann"}, ben]})
        await until(lambda: {("Ann", "joined"), ("Ben", "joined")} <= set(on_record(s)))
        assert len(streams(s)) == 1
        assert phone(s, "ben").said == ["Welcome."]
        for who in ("ann", "ben"):
            await s.sinch.hang_up(phone(s, who))
        await is_over(s)

    there = phones() | {"ann": Phone(plan=STAYS), "ben": Phone(plan=Plan(patience=60), after=0.3)}
    allowed = {"dialling": {"users": ("ann", "ben")}}
    for number, one in enumerate((story, line)):
        (folder := tmp_path / str(number)).mkdir()
        stories.tell(folder, "v1", one, phones=there, sinch=allowed)
