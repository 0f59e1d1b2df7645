"""Those who ring, or are asked, for callers: given up, once nobody waits for them any more.

Of giving up and an answer that comes at the same moment the first counts, by the table of legs:
who was given up is with nobody, whatever they say, and who has answered is not given up.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from agent.call.orders import CallerNotMoved, NotReached
from agent.sinch.follow_ups import FollowUps
from agent.sinch.hang_ups import HangUps
from agent.sinch.legs.directory import CallDirectory
from agent.sinch.legs.dispatch import OrderDispatch
from agent.sinch.legs.leg_kinds import BridgedCall, TransferLeg
from agent.sinch.legs.leg_tables import CallStatus, LegEvent, LegStatus
from agent.sinch.refusals import AnsweredError
from agent.store.errors import StoreError


class RingingTransfers:
    """Gives up whoever rings for a caller, and tells the agent that nobody comes.

    Args:
        directory: Knows the legs and calls.
        dispatch: Tells the agent of a call.
        hang_ups: For the phones.
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

    async def stopped(self, call_name: str) -> bool:
        """Have whoever rings for a caller hung up, and the agent go on; return whether one did."""
        call = await self._directory.call(call_name)
        if call is None or call.status is not CallStatus.WITH_AGENT:
            return False
        leg = await self._directory.leg_of(TransferLeg, call.transfer)
        if leg is None or not leg.waits or not await self._cancel(leg):
            return False
        await self.back_to_the_agent(leg, CallerNotMoved(by="operator", leg=leg.name))
        return True

    async def give_up(self, call: BridgedCall, helpers: Collection[str] = ()) -> str:
        """Hang up whoever rings for a caller, for whom another is to be dialled.

        Args:
            call: The caller's.
            helpers: Legs of those who help, as far as the agent knows: they stay.

        Returns:
            The leg of the last of these who is there, ``""`` if nobody is.

        Raises:
            AnsweredError: If somebody has answered of whom the agent does not know.
        """
        before = await self._directory.leg_of(TransferLeg, call.transfer)
        if before is None:
            return ""
        if await self._cancel(before):
            await self._directory.clear_transfer(call.name, before.name)
        now = await self._directory.call(call.name)
        last = await self._directory.leg_of(TransferLeg, now.transfer if now is not None else "")
        there = last is not None and last.status is LegStatus.ANSWERED
        known = last is not None and last.name in helpers
        if (there and not known) or (now is not None and now.status is CallStatus.MOVED):
            raise AnsweredError
        return last.name if last is not None and there else ""

    async def _cancel(self, leg: TransferLeg) -> bool:
        """Hang up whoever was dialled, unless they have answered; return whether that was so."""
        cancelled = await self._directory.advance(leg, LegEvent.CANCELLED)
        if cancelled is None:
            return False
        hang_up = partial(self._hang_ups.transfer, cancelled)
        self._follow_ups.insist(hang_up, "hang up a transfer")
        return True

    def dialled(self, leg: TransferLeg) -> None:
        """Hang up who was given up, or whose caller has gone, while they were being dialled.

        Before, nothing tells the platform's id of their leg. Returns at once.
        """
        if leg.status is LegStatus.ENDED:
            hang_up = partial(self._hang_ups.transfer, leg)
            self._follow_ups.insist(hang_up, "hang up a transfer")
        else:
            look = partial(self._look_who_waits, leg)
            self._follow_ups.insist(look, "look who waits for a transfer")

    async def _look_who_waits(self, leg: TransferLeg) -> None:
        call = await self._directory.call(leg.of)
        if call is None or call.status is CallStatus.OVER:
            await self._hang_ups.transfer_for_nobody(leg.name)

    async def let_go(self, name: str, why: NotReached) -> None:
        """Hang up on whoever was asked and has not said yes, and tell the agent."""
        leg = await self._directory.leg_of(TransferLeg, name)
        if leg is not None and leg.waits and await self._cancel(leg):
            is_machine = leg.status is LegStatus.MACHINE
            order = CallerNotMoved(why="machine" if is_machine else why, leg=name)
            await self.back_to_the_agent(leg, order)

    async def not_moved(self, leg: TransferLeg, why: NotReached) -> None:
        """Note that a leg is over that was never with the caller, and tell the agent, once."""
        if await self._directory.advance(leg, LegEvent.CANCELLED) is not None:
            await self.back_to_the_agent(leg, CallerNotMoved(why=why, leg=leg.name))

    async def back_to_the_agent(self, leg: TransferLeg, order: CallerNotMoved) -> None:
        """Tell the agent of a call that nobody comes by a leg."""
        tell = partial(self._tell, leg, order)
        await self._follow_ups.finish(tell, "tell that nobody comes", otherwise=None)

    async def _tell(self, leg: TransferLeg, order: CallerNotMoved) -> None:
        try:
            await self._directory.clear_transfer(leg.of, leg.name)
            await self._dispatch.order(leg.of, order)
        except StoreError:
            self._dispatch.order_here(leg.of, order)
            raise
