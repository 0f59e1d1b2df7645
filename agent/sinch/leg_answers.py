"""What the platform is to do with a leg of ours that was answered, or whose menu was.

Each kind of leg has a room of its own, which decides; here they are told apart.
"""

from __future__ import annotations

from agent.call.orders import AnswererFound
from agent.sinch.api.svaml import Svaml
from agent.sinch.api.versions import ANSWERS
from agent.sinch.callbacks import BRIEFING, LegAnswered, MenuAnswered, SaidToEnd
from agent.sinch.dialling.outgoing import OutgoingCalls
from agent.sinch.dialling.party_answers import PartyAnswers
from agent.sinch.dialling.told_alone import ToldAlone
from agent.sinch.leg_endings import own_leg
from agent.sinch.legs.directory import CallDirectory
from agent.sinch.legs.dispatch import OrderDispatch
from agent.sinch.legs.leg_kinds import OwnLeg, PartyLeg, PlacedLeg, TransferLeg
from agent.sinch.transfers.passing_on import Transfers


class LegAnswers:
    """Answers the callbacks about them. Every method may raise StoreError, if the database fails.

    Args:
        directory: Knows the legs.
        dispatch: Brings orders to the process with the stream.
        outgoing: Calls to one that we have placed.
        parties: Those on a line of several.
        transfers: Those who are to take a caller.
        told_alone: Puts on record who was told that a machine talks.
    """

    def __init__(
        self,
        directory: CallDirectory,
        dispatch: OrderDispatch,
        outgoing: OutgoingCalls,
        parties: PartyAnswers,
        transfers: Transfers,
        told_alone: ToldAlone,
    ) -> None:
        self._directory = directory
        self._dispatch = dispatch
        self._outgoing = outgoing
        self._parties = parties
        self._transfers = transfers
        self._told_alone = told_alone

    async def answered(self, callback: LegAnswered) -> Svaml:
        """Return what the platform is to do with whoever has answered."""
        leg = await own_leg(self._directory, callback.leg)
        answer = await self._answer_of(leg, callback)
        if leg is not None:
            self._told_alone.answered(leg, callback.leg.version)
        return answer

    async def _answer_of(self, leg: OwnLeg | None, callback: LegAnswered) -> Svaml:
        match leg:
            case PlacedLeg():
                match callback.by:
                    case "human" | "machine" | "beep" | "unknown" as who if leg.is_screened:
                        await self._dispatch.order(leg.name, AnswererFound(answerer=who))
                return await self._outgoing.answered(leg, callback)
            case TransferLeg():
                return await self._transfers.answered(leg, callback)
            case PartyLeg():
                return await self._parties.answered(leg, callback)
        return ANSWERS[callback.leg.version].leave_alone()

    async def menu_answered(self, callback: MenuAnswered) -> Svaml:
        """Return what the platform is to do with somebody who was asked to take a caller."""
        leg = await own_leg(self._directory, callback.leg, callback.menu)
        if isinstance(leg, TransferLeg) and callback.menu in (BRIEFING, leg.name):
            self._told_alone.to_its_end(leg)  # the menu comes behind it
            return await self._transfers.decided(leg, callback)
        return ANSWERS[callback.leg.version].leave_alone()

    async def said(self, callback: SaidToEnd) -> None:
        """Note that somebody has heard to its end what the platform was to say to them."""
        self._told_alone.to_its_end(await own_leg(self._directory, callback.leg))
