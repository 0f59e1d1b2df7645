"""Call control with a platform and calls that do as they are told, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.call.orders import CalleeBriefed, CallerMoved, CallerNotMoved, Order
from agent.personas.routing import Routing
from agent.settings.dialling import DiallingSettings
from agent.settings.sinch import SinchSettings
from agent.sinch.api.rest import SinchError
from agent.sinch.api.svaml import Stream, Svaml
from agent.sinch.call_control import CallControl
from agent.sinch.callbacks import (
    Answerer,
    LegAnswered,
    LegEnded,
    LegIdentity,
    Version,
)
from agent.sinch.contracts import Dial, ExpectedCall, Party, PlatformLine, StreamTarget
from agent.sinch.legs.directory import CallDirectory
from agent.sinch.legs.leg_kinds import BridgedCall, LegFacts, PartyLeg, Phone, PlacedLeg
from agent.sinch.legs.processes import OtherProcesses
from agent.sinch.tokens import StreamTokens, stream_claim
from tests.agent.personas.inline import agents_in
from tests.databases import InlineDatabase, inline_store
from tests.virtual_time import run

TO, MANAGER = "+15550000001", "+15550000002"


def without_leg(order: Order) -> Order:
    """Return an order as it is whoever's leg it is about."""
    if isinstance(order, CalleeBriefed | CallerMoved | CallerNotMoved):
        return replace(order, leg="")
    return order


class Platform:
    """Does what it is asked, notes it with its time, and fails when told to."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self.asked: list[tuple[float, str, str]] = []
        self.fails: set[str] = set()
        self.away: set[str] = set()
        """What fails for as long as it stands here, and may be asked for again."""

        self.gone: set[str] = set()
        """What Sinch answers with 404."""

        self.joined: set[str] = set()
        """Ids of legs that are in their conference."""

    def _note(self, what: str, about: str) -> None:
        self.asked.append((round(asyncio.get_running_loop().time(), 1), what, about))
        if what in self.fails:
            raise SinchError("Sinch refused: no (HTTP 400)", 400)
        if what in self.gone:
            raise SinchError("Sinch refused: no such call (HTTP 404)", 404)
        if what in self.away:
            raise SinchError("Sinch refused: no reason given (HTTP 503)", 503)

    def of(self, what: str) -> list[tuple[float, str]]:
        return [(at, about) for at, name, about in self.asked if name == what]

    def can_move(self, call: BridgedCall) -> bool:
        return self.version == "v2" or bool(call.conference)

    def conference(self, name: str) -> str:
        return f"c-{name}" if self.version == "v1" else ""

    async def place(self, name: str, dial: Dial, _caller_id: str) -> LegFacts:
        self._note("place", dial.to)
        return LegFacts(call_id=f"phone of {name}")

    def refusal(self, party: Party) -> str:
        return "not this one" if party.to in self.fails else ""

    async def place_line(
        self, placed: PlacedLeg, legs: Sequence[PartyLeg]
    ) -> Mapping[str, LegFacts | SinchError]:
        found: dict[str, LegFacts | SinchError] = {}
        for leg in legs:
            found[leg.name] = await self._dial(placed.session, leg)
        return found

    async def _dial(self, session: str, leg: PartyLeg) -> LegFacts | SinchError:
        try:
            self._note("party", leg.to)
        except SinchError as error:
            return error
        if f"refuse {leg.to}" in self.fails:
            return SinchError("Sinch refused: no (HTTP 400)", 400)
        return LegFacts(call_id=f"phone of {leg.to}", session=session)

    async def add_party(
        self, call: BridgedCall, leg: PartyLeg, _caller_id: str, _max_seconds: int, beside: str
    ) -> LegFacts:
        self._note("beside", beside)
        found = await self._dial(call.session, leg)
        if isinstance(found, SinchError):
            raise found
        return found

    def tells_of_answer(self, to: str) -> bool:
        return not to.startswith("user:")

    async def participants(self, conference: str) -> Collection[str]:
        self._note("participants", conference)
        return self.joined

    async def has_joined(self, call_id: str, conference: str) -> bool:
        self._note("has_joined", conference)
        return call_id in self.joined

    async def bring_stream(self, _name: str, _stream: Stream, conference: str) -> None:
        self._note("bring_stream", conference)

    async def tell(self, call_id: str, _commands: Svaml) -> None:
        self._note("tell", call_id)

    async def transfer(
        self,
        _call: BridgedCall,
        name: str,
        to: str,
        _caller_id: str,
        _ring: int,
        _max_seconds: int,
    ) -> LegFacts:
        self._note("transfer", to)
        return LegFacts(call_id=f"phone of {name}")

    async def dial_alone(
        self,
        _call: BridgedCall,
        name: str,
        to: str,
        _caller_id: str,
        _ring: int,
        _max_seconds: int,
    ) -> LegFacts:
        self._note("dial_alone", to)
        return LegFacts(call_id=f"phone of {name}")

    async def hang_up(self, phone: Phone) -> None:
        self._note("hang_up", phone.call_id)

    async def hang_up_otherwise(self, phone: Phone, _conference: str) -> bool:
        self._note("hang_up_otherwise", phone.call_id)
        return True

    async def clear(self, conference: str) -> None:
        self._note("clear", conference)

    async def hang_up_each(self, conference: str) -> None:
        self._note("hang_up_each", conference)


class ScriptedCalls:
    """A process without calls."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, Any]] = []
        self.known: list[Mapping[str, object]] = []
        self.legs: list[Mapping[str, Any]] = []
        self.expected: list[ExpectedCall] = []
        self.in_progress: dict[str, str] = {}
        self.forgotten: list[str] = []
        self.declined: list[str] = []
        self.full = ""
        """Why no call is taken."""

        self.holds: set[str] = set()
        """Calls whose agent is here, beside those of :attr:`in_progress`."""

        self.ordered: list[Order] = []

    def no_room(self, _name: str = "") -> str:
        return self.full

    def decline(self, reason: str) -> None:
        self.declined.append(reason)

    def forget(self, name: str) -> None:
        self.forgotten.append(name)

    def expect(self, expected: ExpectedCall) -> None:
        assert expected.agent == "reception"
        self.expected.append(expected)

    def deliver(self, call_id: str, order: Order) -> bool:
        here = call_id in self.holds or call_id in self.in_progress
        if here:
            self.ordered.append(order)
        return here

    def platform_line(
        self,
        call_id: str,
        fields: Mapping[str, Any],
        about: Mapping[str, object],
        kind: PlatformLine = "platform",
    ) -> None:
        if kind == "leg":
            assert about
            self.legs.append({"call_id": call_id, **fields})
            return
        self.told.append({"call_id": call_id, **fields})
        self.known.append(about)


class Story:
    """A call control, and what is around it."""

    def __init__(
        self,
        folder: Path,
        version: Version,
        *,
        conference: bool,
        account: bool = True,
        dialling: Mapping[str, Any] | None = None,
    ) -> None:
        self.store = inline_store(folder)
        self.directory = CallDirectory(self.store)
        self.tokens = StreamTokens(b"k" * 32, self.store.claims)
        self.platform, self.calls, self.version = Platform(version), ScriptedCalls(), version
        settings = SinchSettings(
            public_url="https://agent.example.com",
            caller_id="+12025550100",
            conference=conference,
            refusal="No.",
            sorry="Sorry.",
            dialling=DiallingSettings(**{"numbers": ("+1555*",), **(dialling or {})}),
        )
        self.call_control = CallControl(
            settings=settings,
            stream=StreamTarget(url="wss://agent.example.com/stream", rate=8000, max_seconds=3600),
            routing=Routing(agents=agents_in(folder), usual="reception"),
            tokens=self.tokens,
            directory=self.directory,
            processes=OtherProcesses(self.store),
            actions=self.platform if account else None,
            calls=self.calls,
        )

    def leg(self, name: str = "", call_id: str = "phone") -> LegIdentity:
        return LegIdentity(version=self.version, call_id=call_id, name=name)

    async def answered(self, name: str, by: Answerer = "", call_id: str = "phone") -> Svaml:
        leg = self.leg(name, call_id)
        return await self.call_control.answer(LegAnswered(leg=leg, by=by))

    async def ended(
        self, name: str = "", call_id: str = "phone", result: str = "ANSWERED"
    ) -> Svaml:
        leg = self.leg(name, call_id)
        return await self.call_control.answer(
            LegEnded(leg=leg, result=result, reason="CALLERHANGUP")
        )

    async def transfer_name(self, of: str) -> str:
        call = await self.directory.call(of)
        assert call is not None
        return call.transfer

    def database_is_away(self, away: bool) -> None:
        assert isinstance(self.store.database, InlineDatabase)
        self.store.database.away = away

    async def stream_comes(self, call_id: str = "phone") -> None:
        await self.store.claims.claim(stream_claim(call_id))


def tell(
    folder: Path,
    version: Version,
    story: Callable[[Story], Awaitable[None]],
    *,
    conference: bool = False,
    dialling: Mapping[str, Any] | None = None,
) -> None:
    async def main() -> None:
        started = Story(folder, version, conference=conference, dialling=dialling)
        await started.store.live_calls.beat()
        await story(started)
        await started.call_control.aclose()

    run(main())
