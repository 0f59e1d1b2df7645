"""Calls to one phone that we have placed: connected with an agent when somebody answers."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from functools import partial

import structlog

from agent.call.orders import AnswererFound
from agent.settings.sinch import SinchSettings
from agent.sinch.api.rest import SinchError
from agent.sinch.api.svaml import Svaml
from agent.sinch.api.versions import ANSWERS
from agent.sinch.callbacks import Answerer, LegAnswered
from agent.sinch.contracts import Actions, LocalCalls
from agent.sinch.follow_ups import FollowUps
from agent.sinch.hang_ups import HangUps
from agent.sinch.legs.directory import CallDirectory
from agent.sinch.legs.dispatch import OrderDispatch
from agent.sinch.legs.leg_kinds import LegFacts, Machine, PlacedLeg
from agent.sinch.legs.leg_tables import LegEvent, LegStatus
from agent.sinch.stream_legs import StreamLegs

log = structlog.get_logger()

BEEP_WITHIN = 20.0
"""Seconds to wait for the beep of an answering machine; then the message is left all the same."""


class Decision(enum.Enum):
    """What to do when somebody answers a call of ours."""

    TALK = enum.auto()
    HANG_UP = enum.auto()
    WAIT = enum.auto()
    """Until it is known who it is."""

    WAIT_FOR_BEEP = enum.auto()
    LEAVE_MESSAGE = enum.auto()


DECISIONS: Mapping[tuple[Machine, Answerer], Decision] = {
    ("hangup", "machine"): Decision.HANG_UP,
    ("hangup", "beep"): Decision.HANG_UP,
    ("hangup", "pending"): Decision.WAIT,
    ("message", "machine"): Decision.WAIT_FOR_BEEP,
    ("message", "beep"): Decision.LEAVE_MESSAGE,
    ("message", "pending"): Decision.WAIT,
}
"""By what was asked for and who answers; absent means to talk to them."""


class OutgoingCalls:
    """Answers the callbacks of calls that we placed, once they are answered.

    Args:
        settings: The section ``sinch``.
        directory: Keeps the legs and calls.
        stream_legs: Where streams are, and how they come to a conference.
        dispatch: Tells an agent that listens who it is what the platform has found.
        hang_ups: For machines that nobody wants to talk to.
        actions: What we can ask the platform for; None if we have no account to do it with.
        calls: Those of this process, which prepares for one.
        follow_ups: Does what takes time.
    """

    def __init__(
        self,
        settings: SinchSettings,
        directory: CallDirectory,
        stream_legs: StreamLegs,
        dispatch: OrderDispatch,
        hang_ups: HangUps,
        actions: Actions | None,
        calls: LocalCalls,
        follow_ups: FollowUps,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._stream_legs = stream_legs
        self._dispatch = dispatch
        self._hang_ups = hang_ups
        self._actions = actions
        self._calls = calls
        self._follow_ups = follow_ups

    async def answered(self, leg: PlacedLeg, callback: LegAnswered) -> Svaml:
        """Return what the platform is to do, now that somebody has answered, or is known."""
        answers = ANSWERS[callback.leg.version]
        match callback.by:
            case "human" | "machine" | "beep" | "unknown" as who if leg.is_screened:
                await self._dispatch.order(leg.name, AnswererFound(answerer=who))
        facts = LegFacts(call_id=callback.leg.call_id)
        answered = await self._directory.advance(leg, LegEvent.ANSWERED, facts)
        if answered is None:
            # The platform dialled though it told us otherwise, or somebody has hung up since.
            return answers.hang_up()
        ask = answers.ask_who_answers() if not callback.by and leg.asks_platform else None
        if leg.is_screened:
            return await self._screened(answered, callback, ask)
        if ask is not None:
            return ask
        decision = DECISIONS.get((leg.machine, callback.by), Decision.TALK)
        if decision is Decision.HANG_UP:
            await self._directory.advance(answered, LegEvent.MACHINE_FOUND)
            # The answer to `notify` cannot.
            self._follow_ups.insist(partial(self._hang_ups.phone, leg.name), "hang up on a machine")
            return answers.hang_up()
        if decision is Decision.WAIT_FOR_BEEP:
            leave = partial(self._leave_message, leg.name)
            self._follow_ups.start_later(BEEP_WITHIN, leave, "leave a message")
        if decision in (Decision.WAIT, Decision.WAIT_FOR_BEEP):
            return answers.wait(answered)
        return await self._talk(
            answered, callback, leave_message=decision is Decision.LEAVE_MESSAGE
        )

    async def _screened(self, leg: PlacedLeg, callback: LegAnswered, ask: Svaml | None) -> Svaml:
        """Bring the agent, once, which hears who it is; return the answer to the platform.

        Args:
            leg: Answered.
            callback: That says so, or what the platform has found out.
            ask: What the platform is to do beside it, so that it finds that out.
        """
        if leg.status is not LegStatus.ANSWERED:
            return ANSWERS[leg.version].wait(leg)
        answer = await self._talk(leg, callback, leave_message=False)
        return answer if ask is None else {"commands": [*ask["commands"], *answer["commands"]]}

    async def machine_answered(self, name: str) -> None:
        """Note that a machine has answered, as the agent has heard; it hangs up on it."""
        leg = await self._directory.placed(name)
        if leg is not None:
            await self._directory.advance(leg, LegEvent.MACHINE_FOUND)

    async def _talk(self, leg: PlacedLeg, callback: LegAnswered, *, leave_message: bool) -> Svaml:
        """Bring the agent to a leg that is answered, if there is room for the call."""
        answers = ANSWERS[leg.version]
        if reason := self._calls.no_room(leg.name):
            self._calls.decline(reason)
            if not callback.asks:  # what we answer is not looked at
                hang_up = partial(self._hang_ups.phone, leg.name)
                self._follow_ups.insist(hang_up, "hang up: there is no room")
            return answers.say_and_hang_up(
                self._settings.sorry, self._settings.announcer, answer=False
            )
        return await self._connect(leg, leave_message=leave_message)

    async def _connect(self, leg: PlacedLeg, *, leave_message: bool) -> Svaml:
        """Bring the agent to an answered leg, once; return the answer to the platform."""
        answers = ANSWERS[leg.version]
        if not await self._directory.first_to_connect(leg.name):
            return answers.wait(leg)
        facts = LegFacts(leave_message=leave_message)
        connected = await self._directory.advance(leg, LegEvent.CONNECTED, facts)
        if connected is None:  # it has ended meanwhile
            return answers.hang_up()
        call, stream = self._stream_legs.begin(connected, connected)
        await self._directory.add_call(call)
        self._stream_legs.bring(call, stream)
        return answers.connect_placed(stream, self._settings.ring_seconds, connected)

    async def _leave_message(self, name: str) -> None:
        """Leave the message on a machine that does not beep."""
        leg = await self._directory.placed(name)
        if self._actions is None or leg is None or leg.status is not LegStatus.ANSWERED:
            return
        commands = await self._connect(leg, leave_message=True)
        try:
            await self._actions.tell(leg.call_id, commands)
        except SinchError as error:
            log.warning("no message left", status=error.status, code=error.code)
