"""Somebody is called alone, told what it is about, and asked; callbacks come late, and twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.call import orders
from agent.call.orders import (
    CalleeBriefed,
    CallerMoved,
    CallerNotMoved,
    HangUp,
    NotReached,
    Order,
    ReturnToCaller,
    TransferCaller,
)
from agent.settings.sinch import SinchSettings
from agent.sinch.api import menus, v1, v2
from agent.sinch.api.svaml import Svaml
from agent.sinch.callbacks import (
    BRIEFING,
    Answerer,
    IncomingCall,
    LegAnswered,
    LegEnded,
    MenuAnswered,
    Version,
)
from agent.sinch.legs.leg_kinds import TransferLeg
from agent.sinch.legs.leg_tables import CallStatus, LegStatus
from agent.sinch.refusals import CannotBriefError
from agent.sinch.tokens import Claims
from agent.sinch.transfers.passing_on import BRIEFED_FOR
from agent.warm_transfers import SUMMARY, WarmTransfer
from tests.agent.sinch import scripted
from tests.agent.sinch.scripted import MANAGER, TO

CLAIMS = Claims(call="phone", agent="reception", rate=8000, expires=0)
WARM = WarmTransfer(
    briefing="A caller.",
    with_summary=f"A caller: {SUMMARY}",
    consent="Press 1.",
    introduction="Here you are.",
)
both = pytest.mark.parametrize("version", ["v1", "v2"])


@dataclass
class Warm:
    """A call with an agent here, which has somebody asked."""

    s: scripted.Story
    name: str = ""

    async def dial(self, warm: WarmTransfer = WARM, **given: Any) -> None:
        await self.s.call_control.transfer(CLAIMS, MANAGER, warm, **given)
        self.name = await self.s.transfer_name("phone")

    async def picks_up(self, by: Answerer = "", *, asks: bool = True) -> Svaml:
        leg = self.s.leg(self.name, "desk")
        return await self.s.call_control.answer(LegAnswered(leg=leg, by=by, asks=asks))

    async def says(self, given: str, *, spoken: bool = False, menu: str = "") -> Svaml:
        named = menu or (self.name if self.s.version == "v1" else BRIEFING)
        leg = self.s.leg(self.name, "desk")
        answer = MenuAnswered(leg=leg, menu=named, given=given, spoken=spoken)
        return await self.s.call_control.answer(answer)

    async def ends(self, result: str = "ANSWERED", reason: str = "CALLEEHANGUP") -> Svaml:
        leg = self.s.leg(self.name, "desk")
        return await self.s.call_control.answer(LegEnded(leg=leg, result=result, reason=reason))

    @property
    def ordered(self) -> list[Order]:
        return [scripted.without_leg(order) for order in self.s.calls.ordered]

    async def leg(self) -> TransferLeg:
        leg = await self.s.directory.leg_of(TransferLeg, self.name)
        assert leg is not None
        return leg

    async def called_back(self) -> list[Order]:
        """Return what the agent was told in turn, behind all that is on its way."""
        left = await self.s.store.orders.take(["phone"])
        return [orders.decode(value) for _, value in left]

    async def status(self) -> CallStatus:
        call = await self.s.directory.call("phone")
        assert call is not None
        return call.status


def tell(folder: Path, version: Version, story: Callable[[Warm], Awaitable[None]]) -> None:
    async def main(s: scripted.Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await s.stream_comes()
        s.calls.in_progress["phone"] = "reception"
        await story(Warm(s))

    scripted.tell(folder, version, main, conference=True)


def asked(version: Version, name: str, prompt: str = "A caller. Press 1.") -> Svaml:
    announcer = SinchSettings().announcer
    if version == "v1":
        return menus.v1_menu(name, prompt, announcer)
    return menus.v2_menu(prompt, announcer, "https://agent.example.com/sinch")


def connected(version: Version) -> Svaml:
    return v1.connect_conference("c-phone") if version == "v1" else v2.join_bridge()


def hung_up(version: Version) -> Svaml:
    return v1.hang_up() if version == "v1" else v2.hang_up()


@both
def test_whoever_says_yes_is_brought_to_the_caller(tmp_path: Path, version: Version) -> None:
    """They are dialled alone, told, and asked; the agent hears of each step."""

    async def story(w: Warm) -> None:
        await w.dial()
        assert [about for _, about in w.s.platform.of("dial_alone")] == [MANAGER]
        assert w.s.platform.of("transfer") == []
        assert await w.picks_up() == asked(version, w.name)
        assert w.ordered == [CalleeBriefed()]
        assert await w.status() is CallStatus.WITH_AGENT
        assert await w.says("1") == connected(version)
        moved = CallerMoved(stay=version == "v2", introduction="Here you are.")
        assert w.ordered == [CalleeBriefed(), moved]
        assert await w.status() is CallStatus.MOVED

    tell(tmp_path, version, story)


@both
def test_a_callback_that_comes_twice_changes_nothing(tmp_path: Path, version: Version) -> None:
    """Each is answered the same; the last word of a leg is said to the agent once."""

    async def story(w: Warm) -> None:
        await w.dial()
        assert await w.picks_up() == await w.picks_up() == asked(version, w.name)
        assert await w.says("2") == hung_up(version)
        assert await w.says("2") == hung_up(version)
        assert await w.says("1") == hung_up(version)  # they have said no
        await w.ends()
        await w.ends()
        assert w.ordered == [CalleeBriefed()] * 2 + [CallerNotMoved(why="declined")]
        assert await w.picks_up() == hung_up(version)
        assert await w.s.transfer_name("phone") == ""

    tell(tmp_path, version, story)


@both
@pytest.mark.parametrize(
    ("result", "reason", "why"),
    [
        ("BUSY", "BUSY", "busy"),
        ("BUSY", "NOT_AVAILABLE", "busy"),
        ("NOANSWER", "TIMEOUT", "no answer"),
        ("NO_ANSWER", "NOT_AVAILABLE", "no answer"),
        ("FAILED", "CANCEL", "no answer"),
        ("REJECTED", "N/A", "declined"),
        ("FAILED", "CONGESTION", "failed"),
    ],
)
def test_why_nobody_picks_up(
    tmp_path: Path, version: Version, result: str, reason: str, why: NotReached
) -> None:
    """By the platform's words for it, in either version."""

    async def story(w: Warm) -> None:
        await w.dial()
        await w.ends(result, reason)
        assert w.ordered == [CallerNotMoved(why=why)]

    tell(tmp_path, version, story)


@both
def test_a_hang_up_instead_of_an_answer_is_a_no(tmp_path: Path, version: Version) -> None:
    """Nobody waits for more; silence until the end of the menu is nobody."""

    async def story(w: Warm) -> None:
        await w.dial()
        await w.picks_up()
        await w.ends()
        await w.dial()
        await w.picks_up()
        assert await w.says("") == hung_up(version)
        whys = [order.why for order in w.ordered if isinstance(order, CallerNotMoved)]
        assert whys == ["declined", "no answer"]

    tell(tmp_path, version, story)


def test_a_yes_by_word(tmp_path: Path) -> None:
    """Version 1 hears words; what is no answer is asked once more, but not without end."""

    async def story(w: Warm) -> None:
        await w.dial()
        await w.picks_up("pending")
        answers = [await w.says("Hello?", spoken=True) for _ in range(3)]
        assert answers == [asked("v1", w.name)] * 2 + [hung_up("v1")]
        assert w.ordered[-1] == CallerNotMoved(why="no answer")

        await w.dial()
        await w.picks_up("pending")
        assert await w.says("Hello?", spoken=True) == asked("v1", w.name)
        assert await w.says("Yes, please.", spoken=True) == connected("v1")

    tell(tmp_path, "v1", story)


@both
def test_a_machine_gives_no_yes(tmp_path: Path, version: Version) -> None:
    """It is hung up on at its beep, or when the menu ends; somebody taken for one may press 1."""

    async def story(w: Warm) -> None:
        asks = version == "v2"
        await w.dial()
        await w.picks_up("" if asks else "pending")
        told = await w.picks_up("machine", asks=asks)
        assert "hangup" not in str(told)
        await w.picks_up("beep", asks=asks)
        await asyncio.sleep(0.1)
        assert [about for _, about in w.s.platform.of("hang_up")] == ["desk"]
        assert w.ordered[-1] == CallerNotMoved(why="machine")

        await w.dial()
        await w.picks_up()
        await w.picks_up("machine", asks=asks)
        await w.says("", spoken=False)
        assert w.ordered[-1] == CallerNotMoved(why="machine")

        await w.dial()
        await w.picks_up()
        await w.picks_up("machine", asks=asks)
        if version == "v1":
            assert await w.says("yes", spoken=True) == hung_up("v1")  # its announcement
        else:
            assert await w.says("1") == connected(version)
            await w.picks_up("beep")  # too late: they talk
            assert (await w.leg()).status is LegStatus.ANSWERED

    tell(tmp_path, version, story)


@both
def test_who_it_is_does_not_interrupt_the_question(tmp_path: Path, version: Version) -> None:
    """The platform finds out whether it is a human while they are asked: nothing new is said."""

    async def story(w: Warm) -> None:
        await w.dial()
        await w.picks_up()
        told = await w.picks_up("human", asks=version == "v2")
        assert told == ({} if version == "v1" else v2.no_commands())
        assert (await w.leg()).asked == 1

    tell(tmp_path, version, story)


@both
def test_a_caller_who_leaves_takes_the_question_along(tmp_path: Path, version: Version) -> None:
    """Whoever is being asked is hung up, and a yes that comes too late leads nowhere."""

    async def story(w: Warm) -> None:
        await w.dial()
        await w.picks_up()
        told = await w.s.ended()
        await asyncio.sleep(0.1)
        assert w.name in str(told) or version == "v1"
        assert "desk" in [about for _, about in w.s.platform.of("hang_up")]
        assert await w.says("1") == hung_up(version)
        assert await w.status() is CallStatus.OVER

    tell(tmp_path, version, story)


def test_whoever_never_answers_is_let_go(tmp_path: Path) -> None:
    """Also if the platform never says what became of its menu."""

    async def story(w: Warm) -> None:
        await w.dial()
        await asyncio.sleep(20)
        await w.picks_up()
        await asyncio.sleep(32)  # it does not ring any more
        assert w.s.platform.of("hang_up") == []
        await asyncio.sleep(BRIEFED_FOR)
        assert [about for _, about in w.s.platform.of("hang_up")] == ["desk"]
        assert w.ordered[-1] == CallerNotMoved(why="no answer")

    tell(tmp_path, "v1", story)


@both
@pytest.mark.parametrize("then", ["leave", "silent", "help"])
def test_the_agent_that_has_stayed_comes_back(tmp_path: Path, version: Version, then: Any) -> None:
    """When whoever took the call has left; one that has left, or only keeps the line, does not."""

    async def story(w: Warm) -> None:
        await w.dial(WarmTransfer(briefing="A caller.", introduction="", then=then))
        await w.picks_up()
        await w.says("1")
        stays = then != "leave"
        helps = then == "help"
        stay = stays or version == "v2"
        assert w.ordered[-1] == CallerMoved(stay=stay, helps=helps, returns=stays)
        assert await w.status() is (CallStatus.WITH_AGENT if helps else CallStatus.MOVED)
        if not stays and version == "v1":
            w.s.calls.in_progress.clear()  # it has left
            await w.s.directory.stream_ended("phone")
        await w.ends()
        assert await w.called_back() == [ReturnToCaller(by="service")] * stays
        assert await w.status() is (CallStatus.WITH_AGENT if stays else CallStatus.OVER)
        if stays:  # and can pass them on again
            await w.dial()
            assert w.name

    tell(tmp_path, version, story)


def test_whoever_hangs_up_at_once_leaves_the_caller_with_the_agent(tmp_path: Path) -> None:
    """It is still introducing them, in version 1, and has not left."""

    async def story(w: Warm) -> None:
        await w.dial()
        await w.picks_up()
        await w.says("1")
        await w.ends()
        assert await w.called_back() == [ReturnToCaller(by="service")]
        assert await w.status() is CallStatus.WITH_AGENT

    tell(tmp_path, "v1", story)


def test_a_stream_that_dies_leaves_two_who_talk_alone(tmp_path: Path) -> None:
    """Who helps is with the caller; an agent that hangs up, or is told to, ends it for all."""

    async def story(w: Warm) -> None:
        await w.dial(WarmTransfer(then="help"))
        await w.picks_up()
        await w.says("1")
        w.s.call_control.stream_ended(CLAIMS, moved=False)
        await asyncio.sleep(0.1)
        assert w.s.platform.of("clear") == []
        w.s.call_control.stream_ended(CLAIMS, moved=False, hung_up=True)
        await asyncio.sleep(0.1)
        assert len(w.s.platform.of("clear")) == 1

    tell(tmp_path, "v1", story)


def test_a_dead_process_does_not_cut_off_two_who_talk(tmp_path: Path) -> None:
    """What is seen to for its calls lets them be."""

    async def story(w: Warm) -> None:
        await w.dial(WarmTransfer(then="help"))
        await w.picks_up()
        await w.says("1")
        w.s.calls.in_progress.clear()
        await w.s.directory.stream_ended("phone")
        await w.s.call_control.let_go("phone")
        assert w.s.platform.of("hang_up") == w.s.platform.of("clear") == []

    tell(tmp_path, "v1", story)


@both
def test_whoever_helps_leaves_an_agent_that_takes_orders(tmp_path: Path, version: Version) -> None:
    """The call is with the agent all the while: it can be told to hang up with a goodbye."""

    async def story(w: Warm) -> None:
        await w.dial(WarmTransfer(then="help"))
        await w.picks_up()
        await w.says("1")
        await w.s.call_control.hang_up("phone", goodbye=True)
        assert w.ordered[-1] == HangUp(goodbye=True)

    tell(tmp_path, version, story)


@both
def test_a_menu_of_somebody_else_is_let_be(tmp_path: Path, version: Version) -> None:
    """Of another name, or of a leg that we do not know: nothing is done, nobody is moved."""

    async def story(w: Warm) -> None:
        await w.dial()
        await w.picks_up()
        let_be = v1.continue_call() if version == "v1" else v2.no_commands()
        assert await w.says("1", menu="lunch") == let_be
        stranger = MenuAnswered(leg=w.s.leg("other", "x"), menu="other", given="1")
        assert await w.s.call_control.answer(stranger) == let_be
        assert w.ordered == [CalleeBriefed()]

    tell(tmp_path, version, story)


def test_a_menu_is_known_by_its_name_alone(tmp_path: Path) -> None:
    """A PIE may come without what we gave along with the callout."""

    async def story(w: Warm) -> None:
        await w.dial()
        await w.picks_up()
        answer = MenuAnswered(leg=w.s.leg("", "desk"), menu=w.name, given="1")
        assert await w.s.call_control.answer(answer) == connected("v1")

    tell(tmp_path, "v1", story)


@both
@pytest.mark.parametrize(("late", "heard"), [(1.0, "A caller: Drips."), (9.0, "A caller.")])
def test_a_summary_is_told_if_it_comes_in_time(
    tmp_path: Path, version: Version, late: float, heard: str
) -> None:
    """Otherwise what the agent file has; and nobody waits for it."""

    async def story(w: Warm) -> None:
        async def summary() -> str:
            await asyncio.sleep(late)
            return "Drips."

        await w.dial(summary=summary)
        await asyncio.sleep(5.0)
        assert await w.picks_up() == asked(version, w.name, f"{heard} Press 1.")
        await asyncio.sleep(10.0)
        assert (await w.leg()).prompt == f"{heard} Press 1."

    tell(tmp_path, version, story)


def test_an_in_app_user_cannot_be_asked(tmp_path: Path) -> None:
    """The platform does not tell when they answer: neither agent nor operator gets that far."""

    async def story(w: Warm) -> None:
        with pytest.raises(CannotBriefError, match="pass the caller on cold"):
            await w.s.call_control.transfer(CLAIMS, "user:ann", WARM)
        order = TransferCaller(to="user:ann", announcement="One moment.", warm=WARM)
        with pytest.raises(CannotBriefError):
            await w.s.call_control.request_transfer("phone", order)
        assert w.s.platform.of("dial_alone") == []

    async def main(s: scripted.Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await story(Warm(s))

    scripted.tell(tmp_path, "v1", main, conference=True, dialling={"users": ("ann",)})
