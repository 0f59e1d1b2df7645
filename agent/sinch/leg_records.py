"""What each leg of a call was and has cost, for its record, beside the phone that it goes by.

Each leg is charged by itself. What the platform says of the phone by which a call ended is on the
``platform`` line of the record; of every other leg there is a line ``leg``, whenever its end is
told: before the call has an agent, while it goes on, or after its record was closed. No leg is on
two of these lines, so that the price of a call is their sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.records.events import LegDisclosed
from agent.sinch.call_facts import LegKind, call_facts, is_refused, leg_fields, party_fields
from agent.sinch.callbacks import LegEnded
from agent.sinch.contracts import LocalCalls
from agent.sinch.legs.directory import CallDirectory
from agent.sinch.legs.leg_kinds import BridgedCall, PartyLeg, StreamLeg, TransferLeg


class LegRecords:
    """Puts legs on the records of their calls.

    Every method that waits raises StoreError if the database fails.

    Args:
        directory: Knows the legs and calls.
        calls: Those of this process, with their records.
    """

    def __init__(self, directory: CallDirectory, calls: LocalCalls) -> None:
        self._directory = directory
        self._calls = calls

    async def dialled(self, leg: PartyLeg | TransferLeg, to: str) -> None:
        """Note who was dialled for a call that goes on, so that it is found by their number."""
        call = await self._directory.call(leg.of)
        if call is not None:
            fields = leg_fields(leg.name, _kind(leg), to)
            self._calls.platform_line(call.call_id, fields, await self._about(call), "leg")

    async def disclosed(self, leg: PartyLeg | TransferLeg, how: LegDisclosed) -> bool:
        """Note once whether a leg was told, alone, that a machine talks. It may be done again.

        Args:
            leg: Whose.
            how: What is known of it.

        Returns:
            Whether it was noted now, and not before.
        """
        call = await self._directory.call(leg.of)
        if call is None:
            return False
        fields, about = _dialled(leg) | {"disclosed": how}, await self._about(call)
        if not await self._directory.first_to_end(f"{how} {leg.name}"):
            return False
        self._calls.platform_line(call.call_id, fields, about, "leg")  # nothing can fail behind it
        return True

    async def ended(self, leg: PartyLeg | TransferLeg | StreamLeg, callback: LegEnded) -> None:
        """Note what a leg was that has ended, unless that is on record. It may be done again.

        Nothing is done about a party whose call has nobody yet: :meth:`left_before` has it later,
        unless that call has ended so.
        """
        call = await self._directory.call(leg.of)
        placed = await self._directory.placed(leg.of)
        known = call or placed
        if known is not None and known.call_id:
            fields, about = _dialled(leg) | charged(callback), call_facts(call, placed)
            await self._record(known.call_id, leg.name, fields, about)

    async def left_before(self, call_name: str, callback: LegEnded) -> None:
        """Note who has left the line of a call that is over, and is not on record. Or do it again.

        Also whom Sinch did not dial: it may have said so when there was a record already.

        Args:
            call_name: Ours.
            callback: The platform's last word on it.
        """
        legs = await self._directory.parties(call_name)
        over = [leg for leg in legs if leg.is_over and leg.result]
        refused = [leg for leg in legs if is_refused(leg)]
        if not (over or refused):
            return
        call = await self._directory.call(call_name)
        about = call_facts(call, await self._directory.placed(call_name), callback, legs)
        for leg in over:
            fields = _dialled(leg) | charged(leg)
            await self._record(callback.leg.call_id, leg.name, fields, about)
        for leg in refused:  # nobody tells of their ends, which are waited for otherwise
            if await self._directory.first_to_end(f"refused {leg.name}"):
                fields = party_fields(leg)
                self._calls.platform_line(callback.leg.call_id, fields, about, "leg")

    async def _record(
        self, call_id: str, name: str, fields: Mapping[str, Any], about: Mapping[str, object]
    ) -> None:
        if await self.first_to_record(name):  # nothing can fail behind it, and lose the line
            self._calls.platform_line(call_id, fields, about, "leg")

    async def first_to_record(self, name: str) -> bool:
        """Return whether nobody has put the end of a leg on record before; they are to do it."""
        return await self._directory.first_to_end(f"leg {name}")

    async def _about(self, call: BridgedCall) -> Mapping[str, object]:
        return call_facts(call, await self._directory.placed(call.name))


def charged(told: LegEnded | PartyLeg) -> dict[str, Any]:
    """Return what the platform says of the end of a leg, as it stands on record.

    Args:
        told: By it just now, or before, to a leg that has kept it.
    """
    return {
        "result": told.result,
        "reason": told.reason,
        "seconds": told.seconds,
        "amount": told.price,
        "currency": told.currency,
    }


def _kind(leg: PartyLeg | TransferLeg | StreamLeg) -> LegKind:
    match leg:
        case PartyLeg():
            return "party"
        case TransferLeg():
            return "transfer"
    return "stream"


def _dialled(leg: PartyLeg | TransferLeg | StreamLeg) -> dict[str, Any]:
    return leg_fields(leg.name, _kind(leg), leg.to if isinstance(leg, PartyLeg) else "")
