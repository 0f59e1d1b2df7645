"""Calls that we place: dialled once, and connected with an agent when somebody answers."""

from __future__ import annotations

import asyncio
import enum
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

import structlog

from agent import call_headers, phone_numbers
from agent.settings.sinch import SinchSettings
from agent.sinch.callbacks import Answerer, LegAnswered
from agent.sinch.contracts import (
    Actions,
    AllowanceUsedUpError,
    Dial,
    ExpectedCall,
    KeyInUseError,
    LocalCalls,
    NoRoomError,
    NotSetUpError,
    RefusedError,
)
from agent.sinch.dial_rules import DialRules
from agent.sinch.directory import CallDirectory
from agent.sinch.follow_ups import FollowUps
from agent.sinch.hang_ups import HangUps
from agent.sinch.legs import BridgedCall, LegEvent, LegFacts, LegStatus, Machine, PlacedLeg
from agent.sinch.rest import SinchError
from agent.sinch.stream_legs import StreamLegs
from agent.sinch.svaml import Svaml
from agent.sinch.versions import ANSWERS
from agent.store.errors import StoreError

log = structlog.get_logger()

BEEP_WITHIN = 20.0
"""Seconds to wait for the beep of an answering machine; then the message is left all the same."""

SAME_KEY_WITHIN = 5.0
"""Seconds to wait for a call of the same key that another request is just placing."""

LOOK_EVERY = 0.1
"""Seconds between two looks at whether it is on record."""


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
    """Places calls, and answers the callbacks of those that are answered.

    Args:
        settings: The section ``sinch``.
        directory: Keeps the legs and calls.
        stream_legs: Where streams are, and how they come to a conference.
        hang_ups: For machines that nobody wants to talk to.
        actions: What we can ask the platform for; None if we have no account to do it with.
        rules: Whom we may call.
        calls: Those of this process, which prepares for one.
        follow_ups: Does what takes time.
    """

    def __init__(
        self,
        settings: SinchSettings,
        directory: CallDirectory,
        stream_legs: StreamLegs,
        hang_ups: HangUps,
        actions: Actions | None,
        rules: DialRules,
        calls: LocalCalls,
        follow_ups: FollowUps,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._stream_legs = stream_legs
        self._hang_ups = hang_ups
        self._actions = actions
        self._rules = rules
        self._calls = calls
        self._follow_ups = follow_ups

    async def dial(self, dial: Dial, idempotency_key: str = "") -> PlacedLeg:
        """Place a call; return its leg, whose name is the name of the call.

        The same key, within a day and over all processes, is the same call. Who cancels this does
        not know whether somebody is being dialled.

        Raises:
            NotSetUpError: If there is no account, or no caller id.
            NoRoomError: If there would be nobody to talk to whoever answers.
            KeyInUseError: If a call of this key does not come about elsewhere.
            DestinationRefusedError: If this number or address may not be called.
            AllowanceUsedUpError: If as much was dialled as may be.
            RefusedError: If Sinch does not dial.
            StoreError: If the database fails; nobody is dialled then.
        """
        if self._actions is None:
            raise NotSetUpError("no account to dial with: see the settings of `sinch`")
        caller_id = dial.caller_id or self._settings.caller_id
        if not caller_id:
            raise NotSetUpError("no caller id: give one, or set sinch.caller_id")
        self._rules.check(dial.to)
        if (known := await self._known_without_room(idempotency_key)) is not None:
            return known
        name = f"d{uuid.uuid4().hex[:24]}"
        if idempotency_key and not await self._directory.first_to_dial(idempotency_key, name):
            return await self._dialled_with(idempotency_key)
        try:
            await self._rules.admit_call(name, dial.to, dial.max_seconds)
            leg = await self._add_leg(name, dial, caller_id, self._actions)
        except (AllowanceUsedUpError, StoreError):
            with suppress(StoreError):
                await self._forget_key(idempotency_key)
            raise
        try:
            facts = await self._actions.place(name, dial, caller_id)
        except SinchError as error:
            await self._directory.advance(leg, LegEvent.REFUSED, LegFacts(reason=str(error)))
            await self._rules.not_dialled(name, certain=not error.may_be_done)
            self._calls.forget(name)
            await self._forget_key(idempotency_key)
            log.warning("not dialled", status=error.status, code=error.code)
            raise RefusedError(str(error)) from None
        with suppress(StoreError):  # the database has logged it; somebody's phone rings
            leg = await self._directory.advance(leg, LegEvent.ACCEPTED, facts) or leg
        log.info("dialled", to=phone_numbers.shortened(dial.to), dialled=name)
        return leg

    async def _known_without_room(self, key: str) -> PlacedLeg | None:
        """Return the call that a key stands for, if there is no room for another; else None.

        Raises:
            NoRoomError: If there is no room, and no such call.
        """
        reason = self._calls.no_room()
        if not reason:
            return None
        known = await self._directory.dialled_with(key) if key else None
        if known is None:
            self._calls.decline(reason)
            raise NoRoomError
        return known

    async def _forget_key(self, key: str) -> None:
        if key:
            await self._directory.forget_key(key)

    async def _add_leg(self, name: str, dial: Dial, caller_id: str, actions: Actions) -> PlacedLeg:
        leg = PlacedLeg(
            name=name,
            version=actions.version,
            to=dial.to,
            agent=dial.agent,
            variables=dict(dial.variables),
            caller_id=caller_id,
            max_seconds=dial.max_seconds,
            machine=dial.machine,
            message=dial.message,
            screening=dial.screening,
            conference=actions.conference(name),
            announced=time.time(),
        )
        await self._directory.add_leg(leg)
        self._calls.expect(
            ExpectedCall(
                call=name,
                agent=dial.agent,
                caller=caller_id,
                called=phone_numbers.shown(dial.to),
                variables=dial.variables,
                outgoing=True,
            )
        )
        return leg

    async def _dialled_with(self, key: str) -> PlacedLeg:
        for _ in range(round(SAME_KEY_WITHIN / LOOK_EVERY)):
            if (leg := await self._directory.dialled_with(key)) is not None:
                return leg
            await asyncio.sleep(LOOK_EVERY)
        raise KeyInUseError

    async def answered(self, leg: PlacedLeg, callback: LegAnswered) -> Svaml:
        """Return what the platform is to do, now that somebody has answered, or is known."""
        answers = ANSWERS[callback.leg.version]
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
        leg = connected
        headers = call_headers.of_call(leg.agent, leg.caller_id, phone_numbers.shown(leg.to))
        stream = self._stream_legs.stream(
            leg.call_id,
            leg.agent,
            headers,
            asked_at=time.time(),
            dialled=leg.name,
            max_seconds=leg.max_seconds,
        )
        call = BridgedCall(
            name=leg.name,
            version=leg.version,
            phone=leg.name,
            call_id=leg.call_id,
            session=leg.session,
            conference=leg.conference,
            announced=leg.announced,
            headers=dict(headers),
        )
        await self._directory.add_call(call)
        self._stream_legs.bring(call, stream)
        return answers.connect_placed(stream, self._settings.ring_seconds, leg)

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
