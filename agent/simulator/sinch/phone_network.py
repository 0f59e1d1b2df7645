"""The platform's legs, and the phones at their ends: they ring, answer, talk with a stream, end.

What a phone says is the plan of the stream that it talks with, and two phones that talk to each
other are only noted: that is a call of two. As soon as a phone has a script, a name and turns of
its own, conferences and bridges are mixed for real instead, and a plan is followed there as well
(:mod:`agent.simulator.party.conference`)::

    phones = {
        "+15550000002": Phone(script=PhoneScript(name="Ann", turns=[...])),
        "+15550000003": Phone(script=PhoneScript(name="Bob", turns=[...]), after=2.0),  # rings
        "+15550000004": Phone(answers="no", after=5.0),
    }
    async with StandIn(callbacks, v1=signer, phones=phones).running() as url:
        ...
    leg = next(leg for leg in standin.legs if leg.number == "+15550000002")
    leg.person.recording.save(path)  # what Ann said, and what she heard

What a version of the API makes of all this is not known
here: a leg carries what it has to do once it is over.
"""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from agent.simulator.call_in_progress import CallInProgress
from agent.simulator.party.conference_bridge import ConferenceBridge
from agent.simulator.party.party_call import StreamMember
from agent.simulator.party.party_phones import PhoneScript, ScriptedPhone, script_of
from agent.simulator.plan import Plan
from agent.simulator.stream_caller import CallFailedError, hold_in_conference, place_call
from agent.sinch.api.svaml import Svaml
from pipelines.audio import Audio
from pipelines.background import BackgroundTasks
from pipelines.clock import now

Voice = Callable[[str], Audio]
"""Makes audio of a text, at any rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """Somebody with a telephone."""

    plan: Plan = field(default_factory=Plan)
    """What they say once a stream listens."""

    script: PhoneScript | None = None
    """Who they are on a line of several, and what they say there; it is followed in place of the
    plan."""

    answers: Literal["yes", "no", "busy"] = "yes"
    after: float = 0.05
    """Seconds of ringing."""

    who: Literal["human", "machine"] = "human"
    beeps: bool = True
    """Whether a machine does."""

    at_menus: Sequence[str] = ()
    """What is answered each time that a menu is asked: keys, words, ``""`` for nothing, or
    :data:`agent.simulator.sinch.menus.LISTENS`, then what comes of :attr:`PhoneLeg.presses`.
    Nothing, when they are used up."""


@dataclass(slots=True, kw_only=True, eq=False)
class PhoneLeg:
    """One leg of a call: to a phone, or to the stream."""

    when_over: Callable[[PhoneLeg], Awaitable[None]] = field(repr=False)
    """What is to be told of its end, and to whom."""

    number: str = ""
    name: str = ""
    """``custom`` in version 1, ``callName`` in version 2."""

    session: str = ""
    call_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    room: str = ""
    """The conference or bridge that it is in."""

    is_stream: bool = False
    answered: bool = False
    said: list[str] = field(default_factory=list)
    """What the platform's own voice said on it."""

    menus: int = 0
    """How often a menu was asked on it."""

    presses: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    """What whoever listens to a menu answers it with; ``""`` once the leg is over."""

    events: Mapping[str, Sequence[Svaml]] | None = None
    """Version 2: what to do when what happens to it; None if the callback address is asked."""

    asks: bool = True
    """Version 1: whether the callback address is asked what to do when it is answered."""

    informs: bool = True
    """Version 1: whether the callback address is told when it is over."""

    over: asyncio.Event = field(default_factory=asyncio.Event)
    reason: str = ""
    began: float = field(default_factory=now)
    stream: asyncio.Task[None] | None = None
    person: ScriptedPhone | None = None
    """Who is at it, where conferences are mixed: what they said and heard."""

    held: CallInProgress | None = None
    """The stream's call, once it has ended."""

    refused: str = ""
    """Why the stream was not answered."""

    @property
    def title(self) -> str:
        """What it is called in the timeline."""
        return "the stream" if self.is_stream else f"the phone {self.number}"

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return now() - self.began


class PhoneNetwork:
    """All legs that there are or were, and what is under way on them.

    Args:
        phones: By number or SIP address; any other does not answer.
        connects_after: Seconds that it takes to connect a stream: TLS over the Internet, say.
        tell: Given a line for each thing that happens.
        rate: Hertz, of conferences that are mixed.
    """

    def __init__(
        self,
        phones: Mapping[str, Phone],
        connects_after: float,
        tell: Callable[[str], None],
        rate: int = 8000,
    ) -> None:
        self.phones = dict(phones)
        self.legs: list[PhoneLeg] = []
        self.faults: list[BaseException] = []
        """What went wrong in what legs did: an answer that does not follow its schema, say."""

        self.tell = tell
        self.voice: Voice | None = None
        """What the platform's own sounds like in them; None: it makes no sound, in no time."""

        self.talk_on: float | None = None
        """Seconds until the first hangs up of those whom the agent has left; None: nobody does."""

        self._tell_at = _timed(tell)
        self._connects_after = connects_after
        self._background = BackgroundTasks()
        self.bridge = ConferenceBridge(rate, self._background, self._take_out)
        """Where conferences are mixed, and who speaks in them."""

        self._running: set[asyncio.Task[None]] = set()

    def begin_again(self, phones: Mapping[str, Phone]) -> None:
        """Take other phones, and forget the legs there were; those that are not over go on."""
        self.phones = dict(phones)
        self.legs = [leg for leg in self.legs if not leg.over.is_set()]
        self.bridge.forget()

    def add(self, leg: PhoneLeg) -> PhoneLeg:
        """Take a leg that begins; return it."""
        self.legs.append(leg)
        return leg

    def find(self, call_id: str) -> PhoneLeg | None:
        """Return the leg with that id, over or not."""
        return next((leg for leg in self.legs if leg.call_id == call_id), None)

    def named(self, session: str, name: str) -> PhoneLeg | None:
        """Return the leg of a session with that name, unless it is over."""
        found = [leg for leg in self.legs if leg.session == session and leg.name == name]
        return next((leg for leg in found if not leg.over.is_set()), None)

    def in_room(self, room: str) -> list[PhoneLeg]:
        """Return the legs that talk in a conference or bridge."""
        return [leg for leg in self.legs if leg.room == room and not leg.over.is_set()]

    @property
    def mixes(self) -> bool:
        """Whether conferences are mixed: somebody has a script."""
        return any(phone.script is not None for phone in self.phones.values())

    def enter(self, leg: PhoneLeg, room: str) -> None:
        """Let a phone into a conference or bridge, out of any other."""
        leg.room = room
        if not leg.is_stream and not leg.over.is_set() and self.mixes:
            self.bridge.join(room, self.person_at(leg))

    def person_at(self, leg: PhoneLeg) -> ScriptedPhone:
        """Return who is at the phone of a leg, where conferences are mixed."""
        if leg.person is None:
            phone = self.phones.get(leg.number, Phone())
            script = phone.script or script_of(phone.plan, leg.number)
            leg.person = ScriptedPhone(script, self.bridge.rate, self._tell_at)
        return leg.person

    def ring(
        self, leg: PhoneLeg, answered: Callable[[], Awaitable[None]], within: float = math.inf
    ) -> None:
        """Have a phone rung, for so many seconds; ``answered`` is what follows an answer."""
        self.start(self._ring(leg, answered, within))

    def connect_stream(self, leg: PhoneLeg, endpoint: str, plan: Plan) -> None:
        """Have a leg talk with the agent at ``endpoint``, as ``plan`` says, or whoever is there."""
        hold = self._hold_in_conference if self.mixes else self._hold_stream
        leg.stream = self.start(hold(leg, endpoint, plan))

    async def hang_up(self, leg: PhoneLeg, reason: str = "CALLERHANGUP") -> None:
        """End a leg; return once whoever is to be told was told. A second time does nothing."""
        if leg.over.is_set():
            return
        leg.over.set()
        leg.presses.put_nowait("")
        leg.reason = reason
        self.tell(f"{leg.title} is over: {reason}")
        if leg.person is not None:
            self.bridge.leave(leg.person)
        if leg.stream is not None and leg.stream is not asyncio.current_task():
            leg.stream.cancel()
            await asyncio.wait([leg.stream])
        await leg.when_over(leg)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Let something happen by itself; a fault in it is one of :attr:`faults`."""
        task = self._background.start(work, "a leg of the stand-in")
        self._running.add(task)
        task.add_done_callback(self._finished)
        return task

    async def settle(self) -> None:
        """Return when all legs have done what they were told."""
        while self._running:
            await asyncio.wait(self._running)

    async def aclose(self) -> None:
        """Cut every leg off."""
        await self._background.aclose()

    async def _ring(
        self, leg: PhoneLeg, answered: Callable[[], Awaitable[None]], within: float
    ) -> None:
        phone = self.phones.get(leg.number, Phone(answers="no"))
        with suppress(TimeoutError):
            async with asyncio.timeout(min(phone.after, within)):
                await leg.over.wait()
                return
        if phone.answers != "yes" or phone.after > within:
            too_late = phone.answers != "busy" or phone.after > within
            await self.hang_up(leg, "TIMEOUT" if too_late else "BUSY")
            return
        leg.answered = True
        self.tell(f"{leg.title} answers")
        await answered()

    async def _hold_stream(self, leg: PhoneLeg, endpoint: str, plan: Plan) -> None:
        leg.answered = True
        await asyncio.sleep(self._connects_after)
        try:
            leg.held = await place_call(endpoint, plan, self._tell_at, leg.call_id)
            reason = "CALLEEHANGUP" if leg.held.report.ended_by == "agent" else "CALLERHANGUP"
        except CallFailedError as error:
            leg.refused = str(error)
            self.tell(f"stream: {error}")
            reason = "CANCEL"
        if leg.is_stream and reason == "CALLERHANGUP":
            # The plan is the phone's: when it has come to its end, they have hung up.
            for phone in [x for x in self.in_room(leg.room) if not x.is_stream]:
                await self.hang_up(phone)
        await self.hang_up(leg, reason)
        if leg.is_stream and self.talk_on is not None:
            await asyncio.sleep(self.talk_on)
            for phone in [x for x in self.in_room(leg.room) if not x.is_stream][:1]:
                await self.hang_up(phone)

    async def _hold_in_conference(self, leg: PhoneLeg, endpoint: str, plan: Plan) -> None:
        leg.answered = True
        await asyncio.sleep(self._connects_after)
        held = CallInProgress(replace(plan, turns=(), line=None), self._tell_at)
        mixed: asyncio.Queue[bytes] = asyncio.Queue()
        stream = StreamMember(held, mixed.put_nowait)
        try:
            await hold_in_conference(
                endpoint,
                stream,
                plan,
                leg.call_id,
                mixed,
                lambda: self.bridge.join(leg.room or f"alone {leg.call_id}", stream),
            )
            leg.held = held
            reason = "CALLEEHANGUP"
        except CallFailedError as error:
            leg.refused = str(error)
            self.tell(f"stream: {error}")
            reason = "CANCEL"
        finally:
            self.bridge.leave(stream)
        await self.hang_up(leg, reason)

    def _take_out(self) -> None:
        """Hang up whoever has left a conference by themselves."""
        for leg in self.legs:
            if leg.person is not None and leg.person.left and not leg.over.is_set():
                self.bridge.leave(leg.person)
                self.start(self.hang_up(leg))

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self.faults.append(fault)
            self.tell(f"fault: {fault}")


def _timed(tell: Callable[[str], None]) -> Callable[[float, str], None]:
    return lambda at, line: tell(f"{at:7.2f}  {line}")
