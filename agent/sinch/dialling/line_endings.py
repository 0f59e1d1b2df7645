"""The end of a call with several phones: when its rules say so, or nobody has come to it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from agent.call.orders import HangUp, PartyExpected, PartyLeft
from agent.sinch.api.svaml import Svaml
from agent.sinch.api.versions import ANSWERS
from agent.sinch.callbacks import LegEnded, LegIdentity, Version
from agent.sinch.dialling.party_rules import is_over, left_alone, why_not_reached
from agent.sinch.endings import CallEndings
from agent.sinch.follow_ups import FollowUps
from agent.sinch.hang_ups import HangUps, hang_up_left
from agent.sinch.leg_records import LegRecords
from agent.sinch.legs.directory import CallDirectory, transfer_legs
from agent.sinch.legs.dispatch import OrderDispatch
from agent.sinch.legs.leg_kinds import BridgedCall, LegFacts, PartyLeg
from agent.sinch.legs.leg_tables import CallStatus, LegEvent, LegStatus

NOBODY_REACHED = "nobody was reached"
"""Why a call to several ended to which nobody came."""


class LineEndings:
    """Notes who leaves a line, tells its agent, and ends it when it has to end.

    Args:
        directory: Knows the legs and calls.
        dispatch: Tells the agent of a call.
        endings: Ends a call, and closes its record.
        legs: Puts on record what became of each.
        hang_ups: For whoever is left.
        follow_ups: Does what takes time.
    """

    def __init__(
        self,
        directory: CallDirectory,
        dispatch: OrderDispatch,
        endings: CallEndings,
        legs: LegRecords,
        hang_ups: HangUps,
        follow_ups: FollowUps,
    ) -> None:
        self._directory = directory
        self._dispatch = dispatch
        self._endings = endings
        self._legs = legs
        self._hang_ups = hang_ups
        self._follow_ups = follow_ups

    async def party_ended(self, leg: PartyLeg, callback: LegEnded) -> Svaml:
        """Return what the platform is to do, now that a party has left, or has not come."""
        facts = LegFacts(
            call_id=callback.leg.call_id,
            result=callback.result,
            reason=callback.reason,
            why=why_not_reached(callback),
            seconds=callback.seconds,
            price=callback.price,
            currency=callback.currency,
        )
        over = await self._directory.advance(leg, LegEvent.ENDED, facts)
        if over is None:
            return ANSWERS[callback.leg.version].nothing()
        return await self._follow_ups.finish(
            partial(self._gone, over, callback),
            "see to a line",
            otherwise=ANSWERS[callback.leg.version].nothing(),
            late=lambda _told: hang_up_left(self._hang_ups, self._follow_ups, leg.of),
        )

    async def _gone(self, leg: PartyLeg, callback: LegEnded) -> Svaml:
        await self.tell_gone(leg)
        answer = await self.look(leg.of, callback.leg.version, callback)
        await self._legs.ended(leg, callback)  # unless the call has ended by it
        return answer

    async def tell_expected(self, leg: PartyLeg) -> None:
        """Tell the agent of a call who is being dialled onto its line, unless it is known more.

        Their number is on its record then, and is told to nobody.
        """
        note = partial(self._legs.dialled, leg, leg.to)
        await self._follow_ups.finish(note, "record who was dialled", otherwise=None)
        if leg.standing == "expected":
            await self._dispatch.order(leg.of, PartyExpected(party=leg.name, title=leg.title))

    async def tell_gone(self, leg: PartyLeg) -> None:
        """Tell the agent of a call, if it has one, that somebody is not on its line any more."""
        if leg.why:
            await self._dispatch.order(
                leg.of, PartyLeft(party=leg.name, title=leg.title, why=leg.why)
            )

    async def look(
        self, call_name: str, version: Version, callback: LegEnded | None = None
    ) -> Svaml:
        """End a call if who is on its line says so; return what the platform is to do.

        Args:
            call_name: Ours.
            version: Of the API that it is of.
            callback: What the platform said of the leg that has ended last; None if it did not.
        """
        legs = await self._directory.parties(call_name)
        call = await self._directory.call(call_name)
        if call is None:
            return await self._nobody_came(call_name, version, legs, callback)
        if call.status is CallStatus.OVER:
            # Whoever took it has ended it, or its process has died: the last word is that on the
            # last phone.
            ends = callback is not None and _have_all_left(call, legs)
        else:
            ends = is_over(call, legs) or await self._is_left_alone(call, legs)
        if not ends:
            return ANSWERS[version].nothing()
        last = (callback.leg.name or callback.leg.custom) if callback is not None else ""
        gone = next((leg for leg in legs if leg.name == last), None)
        if gone is not None and gone.dropped_by:  # by that it ends, and not since they hung up
            await self._dispatch.order(call_name, HangUp(goodbye=False, by=gone.dropped_by))
        return await self._end(call_name, version, call.call_id, callback)

    async def _is_left_alone(self, call: BridgedCall, legs: list[PartyLeg]) -> bool:
        if call.status is not CallStatus.MOVED:
            return False
        took = await transfer_legs(self._directory, call)
        there = any(leg.status is LegStatus.ANSWERED for leg in took)
        return left_alone(call, legs, passed_on=there)

    async def _nobody_came(
        self,
        call_name: str,
        version: Version,
        legs: list[PartyLeg],
        callback: LegEnded | None,
    ) -> Svaml:
        placed = await self._directory.placed(call_name)
        if (
            placed is None
            or placed.status is LegStatus.FAILED
            or not all(leg.is_over for leg in legs)
        ):
            return ANSWERS[version].nothing()
        # The same whoever looks: of several who are told at once, more than one may find all over.
        # Somebody may yet come of whom Sinch had told us that they were not dialled.
        ids = (placed.call_id, *(leg.call_id for leg in legs))
        call_id = next(filter(None, ids), call_name)
        result = next((leg.result for leg in legs if leg.result), "FAILED")
        told = callback or LegEnded(
            leg=LegIdentity(version=version, call_id=call_id), result=result, reason=""
        )
        # An operator may have ended it while it rang.
        reason = placed.reason or NOBODY_REACHED
        return await self._end(call_name, version, call_id, replace(told, reason=reason))

    async def _end(
        self, call_name: str, version: Version, call_id: str, callback: LegEnded | None
    ) -> Svaml:
        """End a call, of which the platform's last word is that on one of its phones."""
        told = callback or LegEnded(
            leg=LegIdentity(version=version, call_id=call_id), result="", reason=""
        )
        placed = await self._directory.placed(call_name)
        if placed is not None:
            facts = LegFacts(call_id=call_id, result=told.result, reason=told.reason)
            await self._directory.advance(placed, LegEvent.ENDED, facts)
        party = told.leg.name or told.leg.custom
        told = replace(told, leg=replace(told.leg, call_id=call_id))
        return await self._endings.phone_ended(call_name, told, party)


def _have_all_left(call: BridgedCall, legs: list[PartyLeg]) -> bool:
    """Return whether a call goes by one of several phones, and all of them have hung up."""
    return call.phone in [leg.name for leg in legs] and all(leg.is_over for leg in legs)
