"""The calls of a process: which there are, which are expected, and what is ordered of them."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from agent.call.call import Call
from agent.call.ending import GOING_AWAY, CallEnded
from agent.call.orders import HangUp, Order
from agent.records.journals.writer import RecordWriter
from agent.server.call_recording import CallRecording
from agent.server.live.feed import CallFeeds, LocalFeed
from agent.server.live.relay import LiveRelay
from agent.server.load.capacity import Capacity
from agent.server.load.loop_load import PROVEN_AFTER
from agent.server.workers.call_places import CallPlaces
from agent.server.workers.siblings import Siblings
from agent.sinch.contracts import ExpectedCall, PlatformLine
from agent.sinch.legs.processes import OtherProcesses
from agent.store.errors import StoreError
from pipelines.background import BackgroundTasks
from pipelines.clock import now

log = structlog.get_logger()

NOT_ADMITTED, NO_CONNECT = "not admitted", "no connect"
"""Why a stream is not answered though there is room: a token is wrong, or there is no such agent; a
socket did not say in time, or at all, what it came for."""

DRAINING = "draining"
"""Why no call is taken once the process is about to end."""

ORDERS_AGAIN = 0.5
"""Seconds until orders are looked for again, when that has failed."""

_Fields = Mapping[str, Any]

ANNOUNCED_WITHIN = 5.0
"""Seconds for the streams of calls that were announced before the drain: they come within two or
three, unless the caller has hung up."""

GOODBYE_WITHIN = 8.0
"""Seconds for agents to let the caller, or themselves, finish a sentence, and to say goodbye."""

DRAINED_WITHIN = 5.0
"""Seconds for calls to be gone, once they are told to end."""


RESERVED_FOR = 15.0
"""Seconds that a call which comes in has its place, from the callback on: its stream comes within
two or three, unless the caller has hung up meanwhile."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A call in progress."""

    call: Call
    agent: str
    since: float
    """By the event loop's clock."""

    recording: CallRecording | None
    """None if it is not recorded."""


class CallRegistry:
    """The calls of one process. Close it in the end, once no call is left.

    Args:
        capacity: What this process can carry.
        records: Writes the transcripts.
        prepare: Makes ready for a call whose stream is about to come. Raises nothing but bugs.
        expected_within: Seconds for that stream to come.
        siblings: The other workers of the service; None if this is the only process.
    """

    def __init__(
        self,
        *,
        capacity: Capacity,
        records: RecordWriter,
        prepare: Callable[[ExpectedCall], Coroutine[Any, Any, None]],
        expected_within: float,
        siblings: Siblings | None = None,
    ) -> None:
        self.capacity = capacity
        self.records = records
        self.feeds = CallFeeds()
        """What happens in them, for those who look."""

        self._prepare = prepare
        self._expected_within = expected_within
        self.places = CallPlaces(siblings)
        """Of calls that are to come."""

        self._background = BackgroundTasks()
        self._calls: dict[str, _Held] = {}
        """By our name of it: for a call that we placed, not the platform's."""

        self._processes: OtherProcesses | None = None
        """What all processes know; None while there is none to tell."""

        self._expected: dict[str, ExpectedCall] = {}
        """Whose stream is about to come. Each has a place, mostly not for as long."""

        self._changed = asyncio.Event()
        self.answered = 0
        """Calls answered since the start."""

        self.refused_for: Counter[str] = Counter({NOT_ADMITTED: 0, NO_CONNECT: 0})
        """Streams that were not answered since the start though there was room, by why."""

        self.draining = False
        """Whether no more calls are taken."""

    @property
    def in_progress(self) -> dict[str, str]:
        """The calls here: our name of each, and its agent."""
        return {name: held.agent for name, held in self._calls.items()}

    @contextmanager
    def holding(
        self,
        name: str,
        call: Call,
        agent: str,
        recording: CallRecording | None = None,
        feed: LocalFeed | None = None,
    ) -> Iterator[None]:
        """Have ``call`` among those in progress, until the block is left.

        Args:
            name: Ours; another is made of it if there is one of that name already.
            call: What orders are given to.
            agent: Who answers it.
            recording: Of it, which is given orders, too.
            feed: What happens in it, for those who look; None if nobody can.
        """
        while name in self._calls:
            name = f"{name}-{uuid.uuid4().hex[:8]}"
        self._calls[name] = _Held(call, agent, now(), recording)
        self._expected.pop(name, None)
        self.places.give_up(name)
        self._note_calls()
        self._changed.set()
        self.answered += 1
        if feed is not None:
            self.feeds.begin(feed, name)
        if self._processes is not None:
            self._processes.began(name, agent)
        try:
            yield
        finally:
            del self._calls[name]
            self._note_calls()
            self.feeds.end(name)
            if self._processes is not None:
                self._processes.ended(name)
            self._changed.set()

    def no_room(self, name: str = "", *, here: bool = False) -> str:
        """Return why no call is taken now, fit for a log; ``""`` if one is.

        Args:
            name: Of the call; one that is expected has its place already.
            here: Whether its stream has come to this process; any other may come to any worker.
        """
        self._note_calls()
        found = self.places.look(name)
        leaves = self.draining and not (name in self._expected or found.has_place)
        reason = DRAINING if leaves else found.refusal(self.capacity)
        return reason if here else found.refusal_elsewhere(reason, self.capacity)

    def room_left(self, *, here: bool = False) -> int:
        """Return how many more calls the service, or this process, could take now."""
        found = self.places.look("")
        own = 0 if self.draining else self.capacity.room_left(found.here)
        return own if here else found.room_left(own, self.capacity.room.most)

    def _note_calls(self) -> None:
        at = now()
        young = sum(at - held.since < PROVEN_AFTER for held in self._calls.values())
        self.places.hold(self._calls.keys(), young)

    def decline(self, reason: str) -> None:
        """Note that a call was turned away."""
        self.capacity.decline(reason)
        log.warning("call declined", reason=reason)

    # What call control asks of us

    def expect(self, expected: ExpectedCall) -> None:
        """Prepare for a call: its greeting is spoken now, so that it sounds with the answer."""
        keeps = self._expected_within if expected.outgoing else RESERVED_FOR
        self._expected[expected.call] = expected
        self.places.keep(expected.call, keeps)
        if self._processes is not None:
            self._processes.announced(expected.call, expected.agent)
        self._background.start_later(
            self._expected_within, lambda: self._miss(expected), "forgetting an announced call"
        )
        self._background.start(self._prepare(expected), "warming up for an announced call")

    def forget(self, name: str) -> None:
        """Expect a call no more, if it was expected."""
        if self._expected.pop(name, None) is None:
            return
        self.places.give_up(name)
        self._changed.set()
        if self._processes is not None:
            self._processes.ended(name)

    async def _miss(self, expected: ExpectedCall) -> None:
        missed = expected.call in self._expected
        self.forget(expected.call)
        if not missed or expected.outgoing:
            return
        try:
            elsewhere = self._processes is not None and await self._processes.took(expected.call)
        except StoreError:  # the database has logged it
            return
        if not elsewhere:
            log.warning("an announced call did not come", agent=expected.agent)

    def deliver(self, call_id: str, order: Order) -> bool:
        """Give an order to a call; return whether it is here."""
        held = self._calls.get(call_id)
        if held is None:
            return False
        held.call.obey(order)
        held.call.history.obey(order)
        if held.recording is not None:
            held.recording.obey(order)
        return True

    def is_recorded(self, call_id: str) -> bool:
        """Return whether a call is here, and has a recording that can be paused or stopped."""
        held = self._calls.get(call_id)
        return held is not None and held.recording is not None

    def platform_line(
        self, call_id: str, fields: _Fields, about: _Fields, kind: PlatformLine = "platform"
    ) -> None:
        """Add to the transcript of a call what the platform says of it; see LocalCalls."""
        self.records.platform_line(call_id, fields, about, kind)

    # Other processes, and the end

    def carry_orders(self, processes: OtherProcesses) -> None:
        """Give to calls here what other processes have for them, from now until this is closed.

        They are told which calls are here.
        """
        self._processes = processes
        LiveRelay(self.feeds, processes, self.records.seal).run_in(self._background)
        self._background.keep_running(
            lambda: self._carry_orders(processes), "carrying orders of other processes"
        )

    async def _carry_orders(self, processes: OtherProcesses) -> None:
        """Give to calls here what other processes have for them."""
        while True:
            await processes.orders_arrive()
            try:
                for call_id, order in await processes.take_orders(self._calls):
                    self.deliver(call_id, order)
            except StoreError:  # the database has logged it
                await asyncio.sleep(ORDERS_AGAIN)
                processes.look_again()

    async def drain(self, seconds: float) -> None:
        """Take no more calls, let those in progress finish; after ``seconds`` agents say goodbye.

        Calls that were announced before still come. Returns once no call is left; that is
        :data:`GOODBYE_WITHIN` and :data:`DRAINED_WITHIN` later at the most.
        """
        self.draining = True
        until = now() + seconds
        await self._wait(lambda: not self._announced, min(seconds, ANNOUNCED_WITHIN))
        await self._wait(lambda: not self._calls, until - now())
        if self._calls:
            log.warning("calls are still in progress: goodbye", calls=len(self._calls))
            for held in list(self._calls.values()):
                held.call.obey(HangUp(goodbye=True, by="service"))
            await self._wait(lambda: not self._calls, GOODBYE_WITHIN)
        await self.end_calls(DRAINED_WITHIN)

    async def end_calls(self, within: float) -> None:
        """Take no more calls, and end those in progress, which have so many seconds to be gone."""
        self.draining = True
        for held in list(self._calls.values()):
            held.call.end(CallEnded("the service stops", code=GOING_AWAY))
        await self._wait(lambda: not self._calls, within)
        if self._calls:
            log.warning("calls do not end", calls=len(self._calls))

    @property
    def _announced(self) -> list[str]:
        """The calls whose streams are about to come; phones that we dial may ring for long."""
        return [name for name, call in self._expected.items() if not call.outgoing]

    async def _wait(self, true: Callable[[], bool], seconds: float) -> None:
        """Wait for calls that come and go to make something true, or for the time to pass."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                while not true():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return

    async def aclose(self) -> None:
        """Stop what runs beside the calls."""
        await self._background.aclose()
