"""Passing a caller on: asked for by the operator or the agent, dialled, answered, ended."""

from __future__ import annotations

import uuid
from functools import partial

import structlog

from agent.call.orders import CallerNotMoved, TransferCaller
from agent.settings.sinch import SinchSettings
from agent.sinch.callbacks import Version
from agent.sinch.contracts import (
    Actions,
    CallGoneError,
    CannotMoveError,
    NoAgentError,
    NoSuchCallError,
    RefusedError,
    StillRingingError,
)
from agent.sinch.dial_rules import DialRules
from agent.sinch.directory import CallDirectory
from agent.sinch.dispatch import OrderDispatch
from agent.sinch.follow_ups import FollowUps
from agent.sinch.hang_ups import HangUps
from agent.sinch.legs import (
    CALLER,
    BridgedCall,
    CallEvent,
    CallStatus,
    LegEvent,
    LegStatus,
    TakeOver,
    TransferLeg,
)
from agent.sinch.rest import SinchError
from agent.sinch.svaml import Svaml
from agent.sinch.take_overs import TakeOvers, leg_of, moved_by
from agent.sinch.versions import ANSWERS

log = structlog.get_logger()


class Transfers:
    """Dials others into callers' conversations, and answers the callbacks of these legs.

    Args:
        settings: The section ``sinch``.
        directory: Keeps the legs, knows the calls.
        dispatch: Tells the agent of a call.
        hang_ups: For whoever does not answer, and for whoever is left in the end.
        actions: What we can ask the platform for; None if we have no account to do it with.
        rules: Whom callers may be passed on to.
        follow_ups: Does what takes time.
        take_overs: Whether the agent comes back.
    """

    def __init__(
        self,
        settings: SinchSettings,
        directory: CallDirectory,
        dispatch: OrderDispatch,
        hang_ups: HangUps,
        actions: Actions | None,
        rules: DialRules,
        follow_ups: FollowUps,
        take_overs: TakeOvers,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._dispatch = dispatch
        self._hang_ups = hang_ups
        self._actions = actions
        self._rules = rules
        self._follow_ups = follow_ups
        self._take_overs = take_overs

    async def request(
        self, call_name: str, to: str, announcement: str, take_over: TakeOver | None = None
    ) -> None:
        """Have the agent of a call announce a transfer and make it. Returns at once.

        Args:
            call_name: Whose caller.
            to: A number in E.164, a SIP address, or an In-App user.
            announcement: What the agent says before.
            take_over: Who takes the caller over; None if they are passed on for good.

        Raises:
            NoSuchCallError: If there is none, or it is over.
            CannotMoveError: If its caller cannot be passed on.
            StillRingingError: If somebody's phone rings for them, and they are to be taken over.
            NoAgentError: If it has no agent who could.
            DestinationRefusedError: If ``to`` may not be called.
            CallGoneError: If it had one, whose process has died.
        """
        self._rules.check(to)
        call = await self._directory.call(call_name)
        if call is None or call.status is CallStatus.OVER:
            raise NoSuchCallError
        if not self.can_move(call):
            raise CannotMoveError
        if take_over is not None and await self._take_overs.is_ringing(call):
            raise StillRingingError
        await self._directory.set_transfer(call_name, None, take_over)
        if not await self._dispatch.order(
            call_name, TransferCaller(to=to, announcement=announcement)
        ):
            lost = await self._directory.stream_is_lost(call.call_id)
            raise CallGoneError if lost else NoAgentError

    def can_move(self, call: BridgedCall) -> bool:
        """Return whether the caller of a call can be passed on."""
        return self._actions is not None and self._actions.can_move(call)

    async def dial(self, call_name: str, to: str) -> None:
        """Dial ``to`` into the caller's conversation; what becomes of it comes as an order.

        Who cancels this does not know whether somebody is being dialled; if so, the order comes.

        Raises:
            CannotMoveError: If there is no such call, or its caller cannot be passed on.
            DestinationRefusedError: If ``to`` may not be called.
            AllowanceUsedUpError: If as much was dialled as may be.
            RefusedError: If Sinch does not dial.
        """
        call = await self._directory.call(call_name)
        if call is None or self._actions is None or not self.can_move(call):
            raise CannotMoveError
        leg = leg_of(call, to, f"t{uuid.uuid4().hex[:24]}")
        await self._rules.admit_transfer(leg.name, to)
        await self._directory.add_leg(leg)
        await self._directory.set_transfer(call_name, leg.name)
        placed, ring = await self._directory.placed(call_name), self._settings.ring_seconds
        caller_id = placed.caller_id if placed is not None else self._settings.caller_id
        try:
            facts = await self._actions.transfer(
                call, leg.name, to, caller_id, ring, self._settings.dialling.transfer_seconds
            )
        except SinchError as error:
            if not error.may_be_done:  # else somebody may answer, and talk
                await self._rules.not_dialled(leg.name, certain=True)
            await self._directory.advance(leg, LegEvent.REFUSED)
            log.warning("transfer not dialled", status=error.status, code=error.code)
            raise RefusedError(str(error)) from None
        await self._directory.advance(leg, LegEvent.ACCEPTED, facts)
        stop = partial(self._hang_ups.unanswered_transfer, leg.name)
        self._follow_ups.insist(stop, "hang up an unanswered transfer", after=ring + 1.0)

    async def answered(self, leg: TransferLeg, version: Version) -> Svaml:
        """Return what the platform is to do with somebody who has answered a transfer."""
        answers, call = ANSWERS[version], await self._directory.call(leg.of)
        if call is None or call.status is CallStatus.OVER:
            return answers.hang_up()  # the caller has gone
        if await self._directory.advance(leg, LegEvent.ANSWERED) is None:
            return answers.hang_up()
        await self._directory.advance_call(leg.of, CallEvent.MOVED)
        await self._dispatch.order(leg.of, moved_by(leg, answers))
        if not await self._take_overs.stands(leg):
            return answers.hang_up()
        return answers.join()

    async def ended(self, leg: TransferLeg, version: Version) -> Svaml:
        """Return what the platform is to do, now that such a leg has ended, or was not answered."""
        answers = ANSWERS[version]
        if await self._directory.advance(leg, LegEvent.ENDED) is None:
            return answers.nothing()
        if leg.status is not LegStatus.ANSWERED and not await self._take_overs.is_with(leg):
            await self._directory.set_transfer(leg.of, "")
            await self._dispatch.order(leg.of, CallerNotMoved())
            return answers.nothing()
        if await self._take_overs.left(leg):
            return answers.nothing()
        # They have talked: whoever is left has nobody to talk to.
        call = await self._directory.advance_call(leg.of, CallEvent.ENDED)
        clear = partial(self._hang_ups.conference, leg.of)
        self._follow_ups.insist(clear, "end a conference")
        return answers.hang_up_legs(CALLER if call is None else call.phone)
