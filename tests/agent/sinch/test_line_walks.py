"""Lines of several, whatever the platform tells of them, in any order, late, and more than once.

The calls are ours from the callback to the record; the platform is a few lines that do as they are
told, and tell of whoever answers and hangs up, some of it late. The database takes its time, so
that callbacks are seen to at once.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from random import Random
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.call.history import NOBODY
from agent.call.orders import HangUp, Order, PartyExpected, PartyJoined, PartyLeft
from agent.call.party_line import PartyLine
from agent.personas.party import PartyScript
from agent.sinch.api.rest import SinchError
from agent.sinch.api.svaml import Stream, Svaml
from agent.sinch.callbacks import (
    Answerer,
    Callback,
    IncomingCall,
    LegAnswered,
    LegEnded,
    LegIdentity,
    MenuAnswered,
    Version,
)
from agent.sinch.contracts import Dial, Party
from agent.sinch.legs.leg_kinds import (
    BridgedCall,
    LegFacts,
    PartyLeg,
    Phone,
    PlacedLeg,
)
from agent.sinch.legs.leg_tables import LegStatus
from agent.sinch.refusals import CallControlError
from agent.sinch.tokens import Claims
from tests.agent.conversation import Notes
from tests.agent.sinch.scripted import MANAGER, TO, Story, tell
from tests.databases import InlineDatabase

ANN, BEN, CLEO = "+15550000001", "+15550000002", "+15550000003"
TEXT = "This is a conference of Linden Street."
CALLER_ID = "phone"
"""The platform's id of somebody who called."""

Standing = Literal["rings", "waits", "talks", "gone"]
LEGAL = re.compile(
    r"(expected )?(not reached )?((joined )?(left |dropped )?)"  # it may have dialled all the same
)


class World:
    """Phones, a platform, and an agent with its record."""

    def __init__(self, s: Story, seed: int) -> None:
        self.s = s
        self.random = Random(seed)
        self.phones: dict[str, Standing] = {}
        self.amd: set[str] = set()
        """Legs whose answerer the platform is still to tell."""

        self.dropped: set[str] = set()
        self.sent: list[Callback] = []
        self.ended: set[str] = set()
        self.call_name = ""
        self.stream: Literal["", "comes", "there", "gone"] = ""
        self.stream_leg = ""
        self.notes = Notes()
        self.line: PartyLine | None = None
        self.tasks: list[asyncio.Task[None]] = []
        self.lost: set[str] = set()
        """Numbers that are dialled though the request for it fails."""

        platform: Any = s.platform
        platform.place_line, platform.add_party = self.place_line, self.add_party
        platform.hang_up, platform.clear = self.hang_up, self.clear
        platform.bring_stream = self.bring_stream
        s.calls.deliver = self.deliver  # type: ignore[method-assign,assignment]
        database: Any = s.store.database
        database.read = database.write = self.slow

    async def slow(self, work: Any) -> Any:
        await asyncio.sleep(self.random.choice((0.0, 0.0, 0.001, 0.02)))
        assert isinstance(self.s.store.database, InlineDatabase)
        return self.s.store.database._run(work)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work))

    # The platform

    async def dial(self, leg: PartyLeg, session: str) -> LegFacts:
        await asyncio.sleep(self.random.choice((0.0, 0.01, 0.2)))
        self.phones[leg.name] = "rings"
        self.start(self.rings_out(leg.name))
        await asyncio.sleep(self.random.choice((0.0, 0.01, 2.0)))
        if leg.to in self.lost:
            raise SinchError("Sinch did not answer", may_be_done=True)
        if self.s.version == "v1":
            return LegFacts(call_id=f"leg of {leg.name}")
        return LegFacts(session=session)

    async def rings_out(self, name: str) -> None:
        """Version 2 has been told for how long; otherwise their own network has enough of it."""
        await asyncio.sleep(30 if self.s.version == "v2" else 45)
        if self.phones[name] == "rings":
            self.gone(name, "NOANSWER")

    async def place_line(
        self, _placed: PlacedLeg, legs: Sequence[PartyLeg]
    ) -> Mapping[str, LegFacts | SinchError]:
        found: dict[str, LegFacts | SinchError] = {}
        for leg in legs:
            try:
                found[leg.name] = await self.dial(leg, "session")
            except SinchError as error:
                found[leg.name] = error
        if self.s.version == "v2":  # one request
            errors = [one for one in found.values() if isinstance(one, SinchError)]
            return dict.fromkeys(found, errors[0]) if errors else found
        return found

    async def add_party(
        self, call: BridgedCall, leg: PartyLeg, _caller_id: str, _seconds: int, _beside: str
    ) -> LegFacts:
        return await self.dial(leg, call.session)

    async def hang_up(self, phone: Phone) -> None:
        name = phone.phone if isinstance(phone, BridgedCall) else phone.name
        known = phone.call_id or (self.s.version == "v2" and phone.session)
        if not known or isinstance(phone, PlacedLeg):
            return
        name = CALLER_ID if phone.call_id == CALLER_ID else name
        if self.phones.get(name, "gone") == "gone":
            raise SinchError("Sinch refused: it is over", HTTPStatus.NOT_FOUND)
        self.gone(name, "NOANSWER" if self.phones[name] == "rings" else "ANSWERED")

    async def clear(self, _conference: str) -> None:
        for name, standing in [*self.phones.items()]:
            if standing == "talks":
                self.gone(name)
        self.agent_leaves()

    async def bring_stream(self, name: str, _stream: Stream, _conference: str) -> None:
        self.stream_leg = name
        self.stream_comes()

    def gone(self, name: str, result: str = "ANSWERED", late: float = 0.0) -> None:
        if self.phones.get(name, "gone") == "gone":
            return
        self.phones[name] = "gone"
        self.amd.discard(name)
        over = LegEnded(leg=self.identity(name), result=result, reason="N/A", seconds=61.0,
                        amount="0.1", currency="EUR")  # fmt: skip
        self.ended.add(name)
        self.send(over, late or self.random.choice((0.0, 0.0, 0.05, 1.5)))

    def identity(self, name: str) -> LegIdentity:
        if name == CALLER_ID:
            return self.s.leg()
        own = {"name" if self.s.version == "v2" else "custom": name}
        return LegIdentity(version=self.s.version, call_id=f"leg of {name}", **own)

    def send(self, callback: Callback, late: float = 0.0) -> None:
        self.sent.append(callback)
        self.start(self.tell(callback, late))

    async def tell(self, callback: Callback, late: float) -> None:
        await asyncio.sleep(late)
        told = await self.s.call_control.answer(callback)
        name = callback.leg.name or callback.leg.custom or callback.leg.call_id
        if isinstance(callback, LegAnswered) and callback.asks:
            self.do(name, told)
        elif isinstance(callback, LegEnded):
            for command in told.get("commands", ()):
                self.hang_up_named(command["callName"])

    def hang_up_named(self, name: str) -> None:
        if name == "stream":
            self.agent_leaves()
        else:
            self.gone(name)

    def do(self, name: str, told: Svaml) -> None:
        """Do what an answer to a callback that somebody has answered says."""
        if self.phones.get(name) not in ("waits", "talks"):
            return
        for what in _commands(told):
            match what:
                case {"command": "hangup"} | {"name": "hangup"}:
                    self.gone(name)
                case {"command": "amd"}:
                    self.amd.add(name)
                case {"command": "bridgeCall"} | {"name": "connectConf" | "continue"}:
                    self.phones[name] = "talks"
                case {"command": "dial", "callName": "stream"}:
                    self.stream_comes()

    # The agent

    def stream_comes(self) -> None:
        if not self.stream:
            self.stream = "comes"
            self.start(self.agent_comes())

    async def agent_comes(self) -> None:
        call = await self.s.directory.call(self.call_name)
        assert call is not None
        if self.stream != "comes":
            return
        await self.s.stream_comes(call.call_id)
        self.s.calls.in_progress[call.call_id] = "reception"
        legs = await self.s.call_control.parties.of(self.call_name)
        there = {leg.name: leg.title for leg in legs if leg.standing == "joined"}
        expected = {leg.name: leg.title for leg in legs if leg.standing == "expected"}
        several = self.call_name != CALLER_ID
        party = PartyScript(present=there, expected=expected, lists_phone=several)
        self.line = PartyLine(replace(NOBODY, party=party), self.notes.add)
        if self.stream == "comes":
            self.stream = "there"

    def deliver(self, name: str, order: Order) -> bool:
        if self.stream != "there" or self.line is None or name != self.call_name:
            return False
        now = asyncio.get_running_loop().time()
        match order:
            case PartyExpected():
                self.line.expects(order)
            case PartyJoined():
                self.line.joined(order, now)
            case PartyLeft():
                self.line.left(order, now)
            case HangUp():
                self.agent_leaves()
        return True

    def agent_leaves(self) -> None:
        if self.stream in ("", "gone"):
            return
        self.stream = "gone"
        self.start(self.left())

    async def left(self) -> None:
        call = await self.s.directory.call(self.call_name)
        assert call is not None
        self.s.calls.in_progress.clear()
        claims = Claims(call=call.call_id, agent="reception", rate=8000, expires=0,
                        dialled=self.call_name)  # fmt: skip
        self.s.call_control.stream_ended(claims, moved=False, hung_up=True)
        if self.s.version == "v1":
            leg = LegIdentity(version="v1", call_id="leg of the stream", custom=self.stream_leg)
            self.send(LegEnded(leg=leg, result="ANSWERED", reason="N/A", amount="0.01"))
        else:
            placed = await self.s.directory.placed(self.call_name)
            for name in (CALLER_ID,) if placed is None else placed.parties:
                self.gone(name)

    # What happens

    async def step(self, what: str, which: int, late: float) -> None:
        names = sorted(self.phones, key=[*self.phones].index)
        if what == "later":
            await asyncio.sleep(1 + 3 * which)
        elif what in ("again", "unknown", "menu"):
            self.odd_callback(what, which, late)
        elif what in ("add", "drop", "ends", "agent leaves"):
            self.start(self.operator(what, which))
        elif names:
            self.phone_does(what, names[which % len(names)], late)
        await asyncio.sleep(self.random.choice((0.0, 0.003, 0.1)))

    def odd_callback(self, what: str, which: int, late: float) -> None:
        match what:
            case "again" if self.sent:
                self.send(self.sent[-1 - which % len(self.sent)], late)
            case "unknown":
                nobody = LegIdentity(version=self.s.version, call_id="nobody", name="nobody")
                self.send(LegAnswered(leg=nobody), late)
                self.send(LegEnded(leg=nobody, result="ANSWERED", reason="N/A"), late)
            case "menu" if self.phones:
                name = [*self.phones][which % len(self.phones)]
                self.send(MenuAnswered(leg=self.identity(name), menu=name, given="1"), late)

    def phone_does(self, what: str, name: str, late: float) -> None:
        match what, self.phones[name]:
            case "answers", "rings":
                self.phones[name] = "waits"
                self.start(self.answered(name, late))
            case "machine" | "human", "waits" | "talks" if name in self.amd:
                self.found(name, "machine" if what == "machine" else "human", late)
            case "busy", "rings":
                self.gone(name, "BUSY", late)
            case "hangs up", "waits" | "talks":
                self.gone(name, "ANSWERED", late)

    async def answered(self, name: str, late: float) -> None:
        leg = await self.s.directory.leg(name)
        assert isinstance(leg, PartyLeg)
        by: Answerer = ""
        if leg.machine != "talk" and self.s.version == "v1":
            by = self.random.choice(("human", "machine", "pending", "unknown"))
            if by == "pending":
                self.amd.add(name)
        self.send(LegAnswered(leg=self.identity(name), by=by), late)

    def found(self, name: str, by: Answerer, late: float = 0.0) -> None:
        self.amd.discard(name)
        self.send(LegAnswered(leg=self.identity(name), by=by, asks=self.s.version == "v2"), late)

    async def operator(self, what: str, which: int) -> None:
        control = self.s.call_control
        with suppress(CallControlError):
            match what:
                case "add":
                    to = f"+1555000001{which}"
                    if which == 3:
                        self.lost.add(to)
                    title = f"Added {which}"
                    await control.parties.add(self.call_name, Party(to=to, title=title))
                case "drop":
                    legs = await control.parties.of(self.call_name)
                    if legs:
                        name = legs[which % len(legs)].name
                        await control.parties.drop(self.call_name, name)
                        self.dropped.add(name)
                case "ends":
                    await control.hang_up(self.call_name, goodbye=False)
                case "agent leaves" if self.stream == "there":
                    self.agent_leaves()

    async def settle(self) -> None:
        """Let time pass until all that rings has rung out, and all is told."""
        for seconds in (3, 3, 30, 5, 40, 10, 10):
            await asyncio.sleep(seconds)
            for name in sorted(self.amd):
                self.found(name, "human")
        for task in self.tasks:
            if task.done():
                task.result()
            else:
                raise AssertionError("something hangs")


def _commands(told: Svaml) -> Iterator[Mapping[str, Any]]:
    """Yield what is to be done with this leg, in order; what follows what is said is next."""
    if "action" in told:
        yield told["action"]
    for command in told.get("commands", ()):
        yield command
        if command["command"] == "messages":
            yield from _commands({"commands": command["events"]["onFinish"]})


STEPS = st.tuples(
    st.sampled_from(
        ["answers"] * 5
        + ["human", "machine", "busy", "hangs up", "hangs up", "again", "again", "unknown", "menu"]
        + ["add", "add", "drop", "ends", "agent leaves", "later", "later"]
    ),
    st.integers(0, 3),
    st.sampled_from([0.0, 0.0, 0.05, 1.0, 6.0]),
)


async def check(world: World) -> None:
    """Nobody is alone, or rings; who was dropped is gone; all is on record, once."""
    s, standings = world.s, [*world.phones.values()]
    assert "rings" not in standings
    assert "waits" not in standings
    talk = standings.count("talks")
    assert talk != 1 or world.stream == "there", "somebody is left alone"
    assert all(world.phones.get(name, "gone") == "gone" for name in world.dropped)
    # The record
    known = [one for one in s.calls.told if one["call_id"] != "nobody"]
    call, placed = (
        await s.directory.call(world.call_name),
        await s.directory.placed(world.call_name),
    )
    never = call is None and (placed is None or placed.status is LegStatus.FAILED)
    over = talk == 0 and not never
    assert len(known) == over, "the end is told once"
    own = [line for line in (*s.calls.legs, *known) if "result" in line and "leg" in line]
    legs = [str(line["leg"]) for line in own if line["leg"] != world.stream_leg]
    assert len(legs) == len(set(legs)), "a leg is charged twice"
    parties = {leg.name for leg in await s.call_control.parties.of(world.call_name)}
    if over:
        assert set(legs) == world.ended & parties, "each leg is charged"
    stories: dict[str, str] = {}
    for line in world.notes.of("party"):
        stories[line["party"]] = stories.get(line["party"], "") + line["status"] + " "
    for told in stories.values():
        assert LEGAL.fullmatch(told), told


SETTINGS = st.fixed_dictionaries(
    {
        "ends_with": st.sampled_from(["phone", "last", "host"]),
        "machine": st.sampled_from(["talk", "hangup"]),
        "announcement": st.sampled_from(["", TEXT]),
        "lost": st.sampled_from(["", "", ANN, BEN]),
        "full": st.sampled_from([False, False, False, True]),
    }
)


@pytest.mark.parametrize("version", ["v1", "v2"])
@settings(max_examples=20)
@given(steps=st.lists(STEPS, max_size=14), seed=st.integers(0, 1000), line=SETTINGS)
def test_nobody_is_left_alone_on_a_line_whatever_comes(
    tmp_path_factory: pytest.TempPathFactory,
    version: Version,
    steps: list[tuple[str, int, float]],
    seed: int,
    line: Mapping[str, Any],
) -> None:
    """Whoever answers, is no human, hangs up, is added, dropped; told late, early or again."""
    how = {"machine": line["machine"]}
    parties = (
        Party(to=ANN, title="Ann", **how),
        Party(to=BEN, title="Ben", host=True, announcement=line["announcement"]),
        Party(to=CLEO, title="Cleo", announcement=line["announcement"], **how),
    )
    dial = Dial(to=ANN, agent="reception", parties=parties, ends_with=line["ends_with"])

    async def story(s: Story) -> None:
        world = World(s, seed)
        world.lost |= {line["lost"]} - {""}
        await dialled(world, dial)
        s.calls.full = "busy" if line["full"] else ""
        for what, which, late in steps:
            await world.step(what, which, late)
        await world.settle()
        await check(world)

    tell(tmp_path_factory.mktemp("walk"), version, story)


async def dialled(world: World, dial: Dial) -> None:
    """Have a line dialled; return once it is on record."""

    async def place() -> None:
        with suppress(CallControlError):
            await world.s.call_control.dial(dial)

    world.start(place())
    await asyncio.sleep(0.5)  # the database is slow; the platform may still be asked
    world.call_name = world.s.calls.expected[0].call


@pytest.mark.parametrize("version", ["v1", "v2"])
@settings(max_examples=10)
@given(steps=st.lists(STEPS, max_size=12), seed=st.integers(0, 1000))
def test_nobody_is_left_alone_beside_a_caller(
    tmp_path_factory: pytest.TempPathFactory,
    version: Version,
    steps: list[tuple[str, int, float]],
    seed: int,
) -> None:
    """The same for those who are added to a call that came in."""

    async def story(s: Story) -> None:
        world = World(s, seed)
        world.call_name = CALLER_ID
        world.phones[CALLER_ID] = "waits"
        called = IncomingCall(leg=s.leg(), caller=TO, called=MANAGER)
        world.do(CALLER_ID, await s.call_control.answer(called))
        await asyncio.sleep(1)
        for what, which, late in steps:
            await world.step(what, which, late)
        await world.settle()
        await check(world)

    tell(tmp_path_factory.mktemp("walk"), version, story, conference=True)
