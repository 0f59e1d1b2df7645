"""The end of any leg: who sees to it, also if the database fails as the platform tells of it.

It is told once. So what follows is done to its end, whether the platform waits for our answer any
more or not; and what the answer would have had done is asked for then.
"""

from __future__ import annotations

from functools import partial

import structlog

from agent.sinch.api.svaml import Svaml
from agent.sinch.api.versions import ANSWERS
from agent.sinch.callbacks import LegEnded, LegIdentity
from agent.sinch.dialling.dial_rules import DialRules
from agent.sinch.dialling.line_endings import LineEndings
from agent.sinch.endings import CallEndings
from agent.sinch.follow_ups import FollowUps
from agent.sinch.hang_ups import HangUps
from agent.sinch.leg_records import LegRecords
from agent.sinch.legs.directory import CallDirectory
from agent.sinch.legs.leg_kinds import LegFacts, OwnLeg, PartyLeg, PlacedLeg, StreamLeg, TransferLeg
from agent.sinch.legs.leg_tables import LegEvent
from agent.sinch.transfers.endings import TransferEndings
from agent.store.errors import StoreError

log = structlog.get_logger()


class LegEndings:
    """Answers the callbacks of legs that have ended.

    Args:
        directory: Knows the legs and calls.
        transfers: For whom callers were passed on to.
        lines: For the phones of a line of several.
        calls: For the phone of a call.
        records: Puts on record what became of each.
        hang_ups: For whoever is left.
        rules: Count what a call has cost.
        follow_ups: Does what takes time.
    """

    def __init__(
        self,
        directory: CallDirectory,
        transfers: TransferEndings,
        lines: LineEndings,
        calls: CallEndings,
        records: LegRecords,
        hang_ups: HangUps,
        rules: DialRules,
        follow_ups: FollowUps,
    ) -> None:
        self._directory = directory
        self._transfers = transfers
        self._lines = lines
        self._calls = calls
        self._records = records
        self._hang_ups = hang_ups
        self._rules = rules
        self._follow_ups = follow_ups

    async def answer(self, callback: LegEnded) -> Svaml:
        """Return what the platform is to do; cancelling this leaves nothing undone."""
        return await self._follow_ups.finish(
            partial(self._see, callback),
            "see to the end of a leg",
            otherwise=ANSWERS[callback.leg.version].nothing(),
            late=lambda _told: self._hang_up_left(callback),
        )

    def see_later(self, callback: LegEnded) -> None:
        """See to an end that was answered without a look at it. Returns at once."""
        see = partial(self._see_late, callback)
        self._follow_ups.insist(see, "see to the end of a leg")

    async def _see_late(self, callback: LegEnded) -> None:
        await self._see(callback)
        self._hang_up_left(callback)

    async def _see(self, callback: LegEnded) -> Svaml:
        try:
            return await self._ended(callback)
        except StoreError:
            self._transfers.without_database(callback)
            raise

    async def _ended(self, callback: LegEnded) -> Svaml:
        leg = await own_leg(self._directory, callback.leg)
        what, call = _told(leg)
        log.info("leg ended", leg=what, call=call, result=callback.result, reason=callback.reason)
        if isinstance(leg, PlacedLeg | TransferLeg | PartyLeg):
            self._follow_ups.start(self._rules.ended(leg.name, callback), "count what a call cost")
        if isinstance(leg, TransferLeg | StreamLeg):
            record = partial(self._records.ended, leg, callback)
            self._follow_ups.insist(record, "record a leg")
        match leg:
            case PlacedLeg():
                facts = LegFacts(result=callback.result, reason=callback.reason)
                await self._directory.advance(leg, LegEvent.ENDED, facts)
                return await self._calls.phone_ended(leg.name, callback)
            case TransferLeg():
                return await self._transfers.ended(leg, callback)
            case PartyLeg():
                return await self._lines.party_ended(leg, callback)
            case StreamLeg():
                self._calls.stream_leg_ended(leg.of)
                return ANSWERS[callback.leg.version].nothing()
        return await self._calls.phone_ended(callback.leg.call_id, callback)

    def _hang_up_left(self, callback: LegEnded) -> None:
        """Have done by requests what the answer to a callback would have had done."""
        hang_up = partial(self._hang_up_left_of, callback)
        self._follow_ups.insist(hang_up, "hang up whoever is left")

    async def _hang_up_left_of(self, callback: LegEnded) -> None:
        _, call = _told(await own_leg(self._directory, callback.leg))
        await self._hang_ups.all_of(call or callback.leg.call_id)


def _told(leg: OwnLeg | None) -> tuple[str, str]:
    """Return what a leg is, as records have it, and the name of its call; ``""`` if not ours."""
    match leg:
        case PlacedLeg(name=name):
            return "phone", name
        case TransferLeg(of=name):
            return "transfer", name
        case PartyLeg(of=name):
            return "party", name
        case StreamLeg(of=name):
            return "stream", name
    return "", ""


async def own_leg(directory: CallDirectory, leg: LegIdentity, menu: str = "") -> OwnLeg | None:
    """Return a leg as we know it; None if we did not ask for it.

    Args:
        directory: Knows the legs.
        leg: In the platform's words.
        menu: Whose name is that of its leg in version 1, if it says nothing else.
    """
    name = leg.name or leg.custom or menu
    return await directory.leg(name) if name else None
