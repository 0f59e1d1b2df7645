"""Transfers, take-overs and callbacks in any order, with a database that fails at times.

The calls are ours from the callback to the transfer of the agent; the platform is a few lines that
do as they are told, and tell of whoever hangs up.
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.call import orders
from agent.call.history import History
from agent.call.orders import (
    CallerMoved,
    HangUp,
    Order,
    ReturnToCaller,
    TransferCaller,
)
from agent.call.transfer import CallTransfer, Handover, HasAnsweredError, TransferError
from agent.personas.script import Script
from agent.sinch.api.svaml import Svaml
from agent.sinch.callbacks import (
    BRIEFING,
    Callback,
    IncomingCall,
    LegAnswered,
    LegEnded,
    MenuAnswered,
    Version,
)
from agent.sinch.legs.leg_kinds import BridgedCall, LegFacts, Phone, TakeOver
from agent.sinch.refusals import AnsweredError, CallControlError
from agent.sinch.tokens import Claims
from agent.store.errors import StoreError
from agent.warm_transfers import WarmTransfer
from pipelines.conversation import Brief
from pipelines.stages.usage import Pricing, Usage
from tests.agent.conversation import Notes
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell

CLAIMS = Claims(call="phone", agent="reception", rate=8000, expires=0)
OPERATOR = "+15550000009"
SCRIPT = Script(
    greeting="Hello.",
    apology="Sorry.",
    brief=Brief(),
    numbers={
        "cold": MANAGER,
        "leave": "+15550000003",
        "silent": "+15550000004",
        "help": "+15550000005",
        "second": "+15550000006",
    },
    warm={
        "leave": WarmTransfer(introduction=""),
        "silent": WarmTransfer(introduction="", then="silent"),
        "help": WarmTransfer(introduction="", then="help"),
        "second": WarmTransfer(introduction="", then="help"),
    },
)
Standing = Literal["rings", "asked", "talks", "gone"]


class World:
    """A caller, an agent, and whoever is dialled for them."""

    def __init__(self, s: Story) -> None:
        self.s = s
        self.notes = Notes()
        self.history = History(self.notes, Usage(), Pricing())
        self.transfer = CallTransfer(self.move, SCRIPT, self.history)
        self.phones: dict[str, Standing] = {}
        self.caller = True
        self.agent: Literal["talks", "away", "left"] = "talks"
        self.told: set[asyncio.Task[Any]] = set()
        s.platform.transfer = self.dialled  # type: ignore[method-assign,assignment]
        s.platform.dial_alone = self.dialled  # type: ignore[method-assign,assignment]
        s.platform.hang_up = self.hang_up  # type: ignore[method-assign]
        s.platform.clear = self.clear  # type: ignore[method-assign,assignment]
        s.calls.deliver = self.deliver  # type: ignore[method-assign,assignment]

    # The platform

    async def dialled(self, _call: BridgedCall, name: str, *_given: object) -> LegFacts:
        self.phones[name] = "rings"
        return LegFacts(call_id=f"phone of {name}")

    async def hang_up(self, phone: Phone) -> None:
        self.gone(phone.name)

    async def clear(self, _conference: str) -> None:
        for name, standing in [*self.phones.items()]:
            if standing == "talks":
                self.gone(name)
        self.gone("phone")

    def gone(self, name: str, result: str = "ANSWERED") -> None:
        """Have a phone hang up, or be hung up; the platform tells so, once."""
        if name == "phone":
            if not self.caller:
                return
            self.caller = False
            leg = self.s.leg()
        elif self.phones.get(name, "gone") != "gone":
            self.phones[name] = "gone"
            leg = self.s.leg(name, f"phone of {name}")
        else:
            return
        work = self.tell(LegEnded(leg=leg, result=result, reason="HANGUP"))
        self.told.add(asyncio.get_running_loop().create_task(work))

    async def tell(self, callback: Callback) -> None:
        """Tell of something, and do what the answer says."""
        try:
            told = await self.s.call_control.answer(callback)
        except StoreError:
            self.s.call_control.answer_late(callback)
            told = self.s.call_control.sorry(callback)
        self.do(callback.leg.name, callback, told)
        await self.orders_arrive()

    def do(self, name: str, callback: Callback, told: Svaml) -> None:
        said = str(told)
        if isinstance(callback, LegEnded):
            for command in told.get("commands", ()):
                self.gone("phone" if command.get("callName") == "caller" else command["callName"])
        elif self.phones.get(name, "gone") == "gone":
            return
        elif "hangup" in said:
            self.gone(name)
        elif "runMenu" in said or "'menu'" in said:
            self.phones[name] = "asked"
        elif any(one in said for one in ("connectConf", "bridgeCall", "continue")):
            self.phones[name] = "talks"

    # The agent

    async def move(self, handover: Handover) -> None:
        try:
            await self.s.call_control.transfer(
                CLAIMS,
                handover.to,
                handover.warm,
                leg_name=handover.leg,
                helpers=handover.beside,
            )
        except AnsweredError as error:
            raise HasAnsweredError(str(error)) from None
        except (CallControlError, StoreError) as error:
            raise TransferError(str(error)) from None

    def deliver(self, _name: str, order: Order) -> bool:
        if self.agent == "left":
            return False
        match order:
            case TransferCaller(to=to):
                self.transfer.obey(order)
                work = self.transfer.dial(to)
                self.told.add(asyncio.get_running_loop().create_task(work))
            case CallerMoved(helps=False):
                if not self.transfer.knows(order) or self.agent == "away":
                    return True
                self.transfer.obey(order)
                self.agent = "away"
                if not order.stay:
                    self.leaves(moved=True)
            case ReturnToCaller() if self.transfer.knows(order):
                self.transfer.obey(order)
                self.agent = "talks"
            case HangUp():
                self.leaves(moved=False)
            case _:
                self.transfer.obey(order)
        return True

    def leaves(self, *, moved: bool) -> None:
        self.agent = "left"
        self.history.before_end()
        self.s.calls.in_progress.clear()
        self.s.call_control.stream_ended(CLAIMS, moved=moved)

    async def orders_arrive(self) -> None:
        if self.agent == "left":
            return
        try:
            left = await self.s.store.orders.take(["phone"])
        except StoreError:
            return
        for _, value in left:
            self.deliver("phone", orders.decode(value))

    # What happens

    async def step(self, what: str, which: int) -> None:
        live = [name for name, one in self.phones.items() if one != "gone"]
        if what in ("answers", "yes", "no", "busy", "hangs up"):
            if live:
                await self.phone_does(what, live[which % len(live)])
        elif what == "later":
            await asyncio.sleep(1 + which)
        elif what in ("away", "there"):
            self.s.database_is_away(what == "away")
        elif what == "caller hangs up":
            self.gone("phone")
        else:
            await self.somebody_asks(what)
        await self.orders_arrive()

    async def somebody_asks(self, what: str) -> None:
        match what:
            case "take over" | "operator":
                take_over = TakeOver(to=OPERATOR) if what == "take over" else None
                asked = TransferCaller(to=OPERATOR, announcement="One moment.")
                await self.ask(self.s.call_control.request_transfer("phone", asked, take_over))
            case "stop":
                await self.ask(self.s.call_control.give_back("phone"))
            case _ if self.agent == "talks" and self.caller:
                await self.transfer.dial(what)

    async def phone_does(self, what: str, name: str) -> None:
        leg, standing = self.s.leg(name, f"phone of {name}"), self.phones[name]
        match what, standing:
            case "answers", "rings":
                await self.tell(LegAnswered(leg=leg))
            case "yes" | "no", "asked":
                menu = name if self.s.version == "v1" else BRIEFING
                key = "1" if what == "yes" else "2"
                await self.tell(MenuAnswered(leg=leg, menu=menu, given=key))
            case "busy", "rings":
                self.gone(name, "BUSY")
            case "hangs up", _:
                self.gone(name)

    async def ask(self, request: Any) -> None:
        try:
            await request
        except (CallControlError, StoreError):
            await asyncio.sleep(0)

    async def settle(self) -> None:
        """Let time pass, until all that rings or is asked has rung out."""
        for seconds in (1, 1, 16, 16, 16, 120, 1, 1):
            await asyncio.sleep(seconds)
            await self.orders_arrive()
        for task in self.told:
            if task.done():
                task.result()


USUAL = ["cold", "leave", "silent", "help", "help", "second", "take over", "operator", "stop"]
STEPS = st.sampled_from(
    [
        *USUAL,
        *("answers", "answers", "answers", "yes", "yes", "yes", "no", "busy", "hangs up"),
        *("caller hangs up", "away", "there", "later"),
    ]
)
WALKS = st.lists(st.tuples(STEPS, st.integers(0, 3)), max_size=20)


def walk(folder: Any, version: Version, steps: list[tuple[str, int]]) -> None:
    async def story(s: Story) -> None:
        await s.call_control.answer(IncomingCall(leg=s.leg(), caller=TO, called=MANAGER))
        await s.stream_comes()
        s.calls.in_progress["phone"] = "reception"
        world = World(s)
        for what, which in steps:
            await world.step(what, which)
        s.database_is_away(False)
        await world.settle()
        check(world)

    tell(folder, version, story, conference=True)


def check(world: World) -> None:
    """Nobody rings for nobody, nobody is alone, and each transfer has one outcome."""
    standings = [*world.phones.values()]
    assert "rings" not in standings
    assert "asked" not in standings
    if world.caller:
        assert world.agent == "talks" or "talks" in standings
        if world.agent == "talks":
            assert world.transfer.together == ("talks" in standings)
    else:
        assert set(standings) <= {"gone"}
        world.history.before_end()  # if the agent was not told yet
    ends = {"done", "failed", "cut off"}
    open_ = 0
    for line in world.notes.of("transfer"):
        status = line["status"]
        if status == "started":
            assert open_ == 0
            open_ = 1
        elif status in ends:
            assert open_ == 1
            open_ = 0
    assert open_ == 0


@pytest.mark.parametrize("version", ["v1", "v2"])
@settings(max_examples=25)
@given(steps=WALKS)
def test_nobody_is_left_alone_whatever_comes(
    tmp_path_factory: pytest.TempPathFactory, version: Version, steps: list[tuple[str, int]]
) -> None:
    """Whoever dials, answers, says yes or no, hangs up, stops or asks again, in any order."""
    walk(tmp_path_factory.mktemp("walk"), version, steps)
