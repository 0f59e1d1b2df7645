"""The ends of those whom callers were passed on to, or were to be; also without the database.

Whoever hears first of an end sees to what follows, once. A part of that may fail with the database:
then it is done again until it is done, and meanwhile the agent of this process is told directly, so
that no caller sits in silence.
"""

from __future__ import annotations

from functools import partial

from agent.call.orders import CallerNotMoved, HangUp, NotReached, ReturnToCaller
from agent.sinch.api.svaml import Svaml
from agent.sinch.api.versions import ANSWERS
from agent.sinch.callbacks import LegEnded
from agent.sinch.dialling.party_rules import left_alone
from agent.sinch.follow_ups import FollowUps
from agent.sinch.hang_ups import HangUps, hang_up_left
from agent.sinch.legs.directory import CallDirectory
from agent.sinch.legs.dispatch import OrderDispatch
from agent.sinch.legs.leg_kinds import CALLER, BridgedCall, TransferLeg
from agent.sinch.legs.leg_tables import CallEvent, CallStatus, LegEvent, LegStatus
from agent.sinch.transfers.ringing import RingingTransfers
from agent.sinch.transfers.take_overs import TakeOvers, returns
from agent.store.errors import StoreError

MOST_REMEMBERED = 10_000
"""Legs that a process remembers without the database: more than it can hold calls."""


class TransferEndings:
    """Sees to the callers of whoever has left, or has not come.

    Args:
        directory: Knows the legs and calls.
        dispatch: Tells the agent of a call.
        hang_ups: For whoever is left in the end.
        follow_ups: Does what takes time.
        take_overs: Have the agent come back.
        ringing: Have it told that nobody comes.
    """

    def __init__(
        self,
        directory: CallDirectory,
        dispatch: OrderDispatch,
        hang_ups: HangUps,
        follow_ups: FollowUps,
        take_overs: TakeOvers,
        ringing: RingingTransfers,
    ) -> None:
        self._directory = directory
        self._dispatch = dispatch
        self._hang_ups = hang_ups
        self._follow_ups = follow_ups
        self._take_overs = take_overs
        self._ringing = ringing
        # By the names of their legs: the latest.
        self._dialled: dict[str, tuple[BridgedCall, TransferLeg]] = {}

    def remember(self, call: BridgedCall, leg: TransferLeg) -> None:
        """Keep whom this process has dialled, and for whom, until they have left."""
        self._dialled[leg.name] = call, leg
        if len(self._dialled) > MOST_REMEMBERED:
            del self._dialled[next(iter(self._dialled))]

    def forget(self, leg_name: str) -> None:
        """Keep a leg no more that was not dialled after all."""
        self._dialled.pop(leg_name, None)

    async def ended(self, leg: TransferLeg, callback: LegEnded) -> Svaml:
        """Return what the platform is to do, now that such a leg has ended, or was not answered."""
        answers = ANSWERS[callback.leg.version]
        ended = await self._directory.advance(leg, LegEvent.ENDED)
        if ended is None:
            self._dialled.pop(leg.name, None)
            return answers.nothing()
        return await self._follow_ups.finish(
            partial(self._see_to_end, leg, ended, callback),
            "see to the end of a transfer",
            otherwise=answers.nothing(),
            late=lambda _told: hang_up_left(self._hang_ups, self._follow_ups, leg.of),
        )

    async def _see_to_end(self, leg: TransferLeg, ended: TransferLeg, callback: LegEnded) -> Svaml:
        answers = ANSWERS[callback.leg.version]
        if not ended.talked and leg.status is not LegStatus.ANSWERED:
            order = CallerNotMoved(why=_why(leg, callback), leg=leg.name)
            self._dialled.pop(leg.name, None)
            await self._ringing.back_to_the_agent(leg, order)
            return answers.nothing()
        try:
            if await self._take_overs.left(ended):
                return answers.nothing()
            if await self._others_talk(leg.of):
                return answers.nothing()
            if leg.stays and leg.when_over == "end":  # an operator's phone, who had the caller
                await self._dispatch.order(leg.of, HangUp(goodbye=False))
            # They have talked: whoever is left has nobody to talk to.
            call = await self._directory.advance_call(leg.of, CallEvent.ENDED)
        except StoreError:
            self.without_database(callback)
            raise
        finally:
            self._dialled.pop(leg.name, None)
        if call is not None:
            self._follow_ups.insist(partial(self._clear, call), "end a conference")
        return answers.hang_up_legs(CALLER if call is None else call.phone)

    async def _others_talk(self, call_name: str) -> bool:
        """Return whether there are several left on a line whose agent they have not got."""
        call = await self._directory.call(call_name)
        if call is None or call.status is not CallStatus.MOVED:
            return False
        return not left_alone(call, await self._directory.parties(call_name), passed_on=False)

    async def _clear(self, call: BridgedCall) -> None:
        try:
            await self._hang_ups.conference(call.name)
        except StoreError:
            await self._hang_ups.all_known(call)
            raise

    def without_database(self, callback: LegEnded) -> None:
        """Have the agent of this process come back to a caller whom somebody has left.

        For as long as the database cannot tell who that is: of those whom this process has dialled
        it is remembered. If the agent is not to come back, the caller is let go. Returns at once.
        """
        known = self._dialled.pop(callback.leg.name or callback.leg.custom, None)
        if known is None:
            return
        call, leg = known
        self._dispatch.order_here(call.name, CallerNotMoved(why=_why(leg, callback), leg=leg.name))
        beside = [other for _, other in self._dialled.values() if other.of == call.name]
        if returns(leg, call) or any(other.then == "help" for other in beside):
            gone = leg.name if beside else ""  # which of them are there, the agent knows
            self._dispatch.order_here(call.name, ReturnToCaller(by="service", leg=gone))
        elif callback.answered and not leg.warm:
            hang_up = partial(self._hang_ups.all_known, call)
            self._follow_ups.insist(hang_up, "let a caller go")


_NOT_REACHED: tuple[tuple[NotReached, frozenset[str]], ...] = (
    ("busy", frozenset(("BUSY",))),
    ("declined", frozenset(("REJECTED",))),
    ("no answer", frozenset(("NOANSWER", "TIMEOUT", "CANCEL", "NOTAVAILABLE"))),
)
"""By the platform's words for the end of a leg, in both versions, without underscores."""


def _why(leg: TransferLeg, callback: LegEnded) -> NotReached:
    """Return why whoever was dialled does not talk with the caller."""
    if leg.status is LegStatus.MACHINE:
        return "machine"
    if leg.status is LegStatus.BRIEFED:
        return "declined"  # they have hung up
    told = {text.upper().replace("_", "") for text in (callback.result, callback.reason)}
    return next((why for why, words in _NOT_REACHED if told & words), "failed")
