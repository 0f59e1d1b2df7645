"""Callers who come back to the agent from whom they were passed on to.

The agent stays on the line in a warm transfer that says so, and where an operator takes the caller
over, which is a transfer (:mod:`agent.sinch.transfers.passing_on`), too. It comes back on the
operator's word, or when whoever was with the caller has hung up and the caller has not.

Who ends their leg, in the table of legs, has the agent come back, and nobody else: so it comes back
once, whoever asks, however often and in whichever order the platform tells.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from functools import partial

from agent.call.orders import CallerMoved, ReturnToCaller
from agent.plain_lines import plain
from agent.sinch.api.versions import ANSWERS
from agent.sinch.contracts import CallbackAnswers
from agent.sinch.follow_ups import FollowUps
from agent.sinch.hang_ups import HangUps
from agent.sinch.legs.directory import CallDirectory, transfer_legs
from agent.sinch.legs.dispatch import OrderDispatch
from agent.sinch.legs.leg_kinds import BridgedCall, TransferLeg
from agent.sinch.legs.leg_tables import CallEvent, CallStatus, LegEvent, LegStatus
from agent.sinch.refusals import AgentLeftError, CallGoneError, NoSuchCallError, NotTakenOverError
from agent.sinch_limits import MAX_SAY
from agent.store.errors import StoreError
from agent.warm_transfers import WarmTransfer


def leg_of(call: BridgedCall, to: str, warm: WarmTransfer | None, name: str = "") -> TransferLeg:
    """Return a leg for dialling ``to`` into a call: of an operator, if they take it over.

    Args:
        call: Whose caller.
        to: As it is dialled.
        warm: How they are asked first; None if they are not.
        name: Of the leg; ``""`` for a new one.
    """
    named = name or f"t{uuid.uuid4().hex[:24]}"
    leg = TransferLeg(name=named, of=call.name, session=call.session)
    if warm is not None:
        return replace(
            leg,
            warm=True,
            prompt=warm.prompt,
            disclosure=plain(warm.disclosure)[:MAX_SAY],
            introduction=warm.introduction,
            then=warm.then,
            stays=warm.then != "leave",
            when_over="return",
        )
    asked = call.take_over
    if asked is None or asked.to != to:
        return leg
    return replace(leg, stays=True, when_over=asked.after, introduction=asked.introduction)


def moved_by(leg: TransferLeg, answers: CallbackAnswers) -> CallerMoved:
    """Return the order for when somebody has answered, or said yes."""
    return CallerMoved(
        stay=answers.stays_when_moved or leg.stays,
        introduction=leg.introduction,
        helps=leg.then == "help",
        returns=leg.stays,
        leg=leg.name,
    )


def returns(leg: TransferLeg, call: BridgedCall) -> bool:
    """Return whether the agent, if it is there, comes back when somebody has left by themselves.

    One that is to leave may be there still: in version 1 as long as it introduces them, in version
    2 as long as they talk.
    """
    there = leg.stays or not ANSWERS[call.version].stays_when_moved
    return leg.when_over == "return" and there


class TakeOvers:
    """Has agents come back to their callers.

    Args:
        directory: Knows the legs and calls.
        dispatch: Tells the agent of a call.
        hang_ups: For the operator's phone.
        follow_ups: Does what takes time.
    """

    def __init__(
        self,
        directory: CallDirectory,
        dispatch: OrderDispatch,
        hang_ups: HangUps,
        follow_ups: FollowUps,
    ) -> None:
        self._directory = directory
        self._dispatch = dispatch
        self._hang_ups = hang_ups
        self._follow_ups = follow_ups

    async def give_back(self, call_name: str) -> None:
        """Have the agent talk to its caller again, and hang up whoever has taken them over.

        Raises:
            NoSuchCallError: If there is no such call, or it is over.
            NotTakenOverError: If the agent talks to the caller, or comes back just now.
            AgentLeftError: If it has left when the caller was passed on.
            CallGoneError: If its process has died: the caller is left with whoever talks to them.
        """
        call = await self._directory.call(call_name)
        if call is None or call.status is CallStatus.OVER:
            raise NoSuchCallError
        legs = [leg for leg in await transfer_legs(self._directory, call) if leg.is_there]
        with_agent = call.status is CallStatus.WITH_AGENT
        if not legs or (with_agent and any(leg.then != "help" for leg in legs)):
            raise NotTakenOverError  # nobody has come, or they have left
        leaves = not (legs[0].stays or ANSWERS[call.version].stays_when_moved)
        if leaves or not await self._dispatch.has_stream(call.call_id):
            lost = await self._directory.stream_is_lost(call.call_id)
            raise CallGoneError if lost else AgentLeftError
        ended = [await self._directory.advance(leg, LegEvent.ENDED) for leg in legs]
        if not any(ended):
            raise NotTakenOverError  # they have hung up
        for leg in filter(None, ended):
            hang_up = partial(self._hang_ups.transfer, leg)
            self._follow_ups.insist(hang_up, "hang up an operator")
        come_back = partial(self._come_back, call, ReturnToCaller(by="operator"))
        if not await self._follow_ups.finish(come_back, "call an agent back", otherwise=True):
            raise CallGoneError

    async def left(self, leg: TransferLeg) -> bool:
        """Have the agent come back, if it is to, now that somebody has hung up on the caller.

        Args:
            leg: Theirs, which was with the caller and has ended.

        Returns:
            Whether there is nothing else to do; if not, the call is to be ended.
        """
        call = await self._directory.call(leg.of)
        if call is None or call.status is CallStatus.OVER:
            return False
        if await self._left_others(call, leg):
            return True
        if not returns(leg, call):
            return False
        if call.status is CallStatus.MOVED or leg.then == "help":
            return await self._come_back(call, ReturnToCaller(by="service"))
        # Their answer is being dealt with just now, and then it is found that they have gone.
        return True

    async def _left_others(self, call: BridgedCall, leg: TransferLeg) -> bool:
        """See to a caller who has others with them still; return whether they have.

        If it was the last to come who has left, all is as it was before that: the agent, unless it
        has left, is with the caller and them again.
        """
        legs = await transfer_legs(self._directory, call)
        if not any(one.is_there and one.name != leg.name for one in legs):
            return False
        if leg.name not in call.helpers:
            if call.status is CallStatus.WITH_AGENT and leg.then != "help":
                return True  # their answer is being dealt with just now: see stands()
            if await self._dispatch.has_stream(call.call_id):
                await self._directory.advance_call(call.name, CallEvent.RETURNED)
        tell = partial(self._tell_left, call, leg)
        await self._follow_ups.finish(tell, "tell who has left", otherwise=None)
        return True

    async def _tell_left(self, call: BridgedCall, leg: TransferLeg) -> None:
        order = ReturnToCaller(by="service", leg=leg.name)
        try:
            await self._dispatch.order_in_turn(call, order)
            await self._directory.clear_transfer(call.name, leg.name)
        except StoreError:
            self._dispatch.order_here(call.name, order)
            raise

    async def is_taken(self, call: BridgedCall) -> bool:
        """Return whether somebody rings for a caller, is asked, or takes them; not who helps."""
        legs = await transfer_legs(self._directory, call)
        if any(leg.waits for leg in legs):
            return True
        helped = call.status is CallStatus.WITH_AGENT
        return any(leg.is_there and not (helped and leg.then == "help") for leg in legs)

    async def stands(self, leg: TransferLeg) -> bool:
        """Return whether somebody is still there whom the caller has just been passed on to.

        If they have hung up while their answer was dealt with, the agent comes back to the caller.
        """
        now = await self._directory.leg_of(TransferLeg, leg.name)
        if now is None or now.status is not LegStatus.ENDED:
            return True
        call = await self._directory.call(leg.of)
        if call is None or await self._left_others(call, leg):
            return False
        if call.transfer != leg.name or not returns(leg, call):
            return False
        if call.status is CallStatus.MOVED or leg.then == "help":
            await self._come_back(call, ReturnToCaller(by="service"))
        return False

    async def _come_back(self, call: BridgedCall, order: ReturnToCaller) -> bool:
        """Have the agent come back; return whether there is one. If not, the caller is let go."""
        if call.status is CallStatus.OVER:
            return True
        moved = call.status is CallStatus.MOVED  # if not, the agent helps
        if moved and await self._directory.advance_call(call.name, CallEvent.RETURNED) is None:
            return True  # it is back, or the call is over
        call_back = partial(self._call_back, call, order)
        return await self._follow_ups.finish(call_back, "call an agent back", otherwise=True)

    async def _call_back(self, call: BridgedCall, order: ReturnToCaller) -> bool:
        try:
            if await self._dispatch.order_in_turn(call, order):
                return True
        except StoreError:
            self._dispatch.order_here(call.name, order)
            raise
        await self._directory.advance_call(call.name, CallEvent.ENDED)
        self._follow_ups.insist(partial(self._hang_ups.phone, call.name), "let a caller go")
        self._follow_ups.insist(partial(self._hang_ups.conference, call.name), "end a conference")
        return False
