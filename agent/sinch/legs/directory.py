"""What all processes of the service know of legs and calls: the one place that keeps it.

A callback may reach one process and the stream of its call another, so any process can answer for
any leg. What stands here is read and changed in one transaction, and changed only as the tables of
:mod:`agent.sinch.legs.leg_kinds` allow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import structlog

from agent.sinch.legs.dial_keys import DialKeys
from agent.sinch.legs.leg_kinds import (
    BridgedCall,
    LegFacts,
    OwnLeg,
    PartyLeg,
    PlacedLeg,
    TakeOver,
    TransferLeg,
)
from agent.sinch.legs.leg_tables import CallEvent, CallStatus, LegEvent, LegStatus
from agent.sinch.legs.stored_legs import LegError, decode_call, decode_leg, encode_call, encode_leg
from agent.sinch.tokens import stream_claim
from agent.store.store import Store

log = structlog.get_logger()

L = TypeVar("L", PlacedLeg, TransferLeg, PartyLeg)

NOTHING_NEW = LegFacts()


class CallDirectory:
    """Legs that we asked for, and calls with a stream, by our names of them.

    Whatever cannot be read, because another version of ours has left it, is logged and taken for
    not there: a leg that we do not know is let be, and its call goes on.

    Every method that waits raises StoreError if the database fails.

    Args:
        store: Shared by all processes.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.dials = store.dials
        """What was dialled lately."""

        self.opt_outs = store.opt_outs
        """Who wants no more calls."""

    @property
    def dial_keys(self) -> DialKeys:
        """Which idempotency keys were used, and for which calls."""
        return DialKeys(self._store.claims)

    # Legs

    async def add_leg(self, leg: OwnLeg) -> None:
        """Keep a leg; do it before it is asked for, since its callbacks may be faster."""
        await self._store.legs.put(leg.name, encode_leg(leg))

    async def leg(self, name: str) -> OwnLeg | None:
        """Return the leg of that name; None if we did not ask for it."""
        value = await self._store.legs.get(name)
        return None if value is None else _leg(name, value)

    async def placed(self, name: str) -> PlacedLeg | None:
        """Return the leg of that name that we placed; None if there is none."""
        return await self.leg_of(PlacedLeg, name)

    async def leg_of(self, kind: type[L], name: str) -> L | None:
        """Return the leg of that name; None if there is none, or it is of another kind."""
        leg = await self.leg(name)
        return leg if isinstance(leg, kind) else None

    async def advance(self, leg: L, event: LegEvent, facts: LegFacts = NOTHING_NEW) -> L | None:
        """Note what happened to a leg; return it as it is then.

        Args:
            leg: As it was when it was last looked at: it is read again.
            event: What happened.
            facts: What is known of it by that.

        Returns:
            None if that cannot happen to it, or there is no such leg any more: nothing has changed
            then.
        """

        def changed(value: dict[str, Any]) -> tuple[dict[str, Any], L] | None:
            now = _leg(leg.name, value)
            after = now.after(event, facts) if isinstance(now, type(leg)) else None
            return None if after is None else (encode_leg(after), after)

        return await self._store.legs.change(leg.name, changed)

    # Calls

    async def add_call(self, call: BridgedCall) -> None:
        """Keep a call."""
        await self._store.calls.put(call.name, encode_call(call))

    async def call(self, name: str) -> BridgedCall | None:
        """Return the call of that name; None if there is none with a stream of ours."""
        value = await self._store.calls.get(name)
        return None if value is None else _call(name, value)

    async def advance_call(self, name: str, event: CallEvent) -> BridgedCall | None:
        """Note what happened to a call; return it as it is then.

        Returns:
            None if that cannot happen to it, or there is no such call: nothing has changed then.
        """

        def changed(value: dict[str, Any]) -> tuple[dict[str, Any], BridgedCall] | None:
            call = _call(name, value)
            after = call.after(event) if call is not None else None
            return None if after is None else (encode_call(after), after)

        return await self._store.calls.change(name, changed)

    async def set_transfer(
        self,
        call_name: str,
        leg_name: str | None,
        take_over: TakeOver | None = None,
        *,
        beside: str = "",
    ) -> None:
        """Note which leg a caller is being passed on to, and who has asked to take them over.

        Args:
            call_name: Of the call.
            leg_name: None if that is as it was.
            take_over: None if nobody, or whoever it was is being dialled.
            beside: Name of the leg that it was before, if they help, and stay.
        """

        def changed(value: dict[str, Any]) -> tuple[dict[str, Any], None] | None:
            call = _call(call_name, value)
            if call is None:
                return None
            name = call.transfer if leg_name is None else leg_name
            helpers = (beside, *call.helpers) if beside else call.helpers
            after = replace(call, transfer=name, take_over=take_over, helpers=helpers)
            return encode_call(after), None

        await self._store.calls.change(call_name, changed)

    async def clear_transfer(self, call_name: str, leg_name: str) -> None:
        """Note that a caller is not being passed on to a leg any more, or not helped by it.

        If it was the last one, whoever helped before is that again.
        """

        def changed(value: dict[str, Any]) -> tuple[dict[str, Any], None] | None:
            call = _call(call_name, value)
            if call is None or leg_name not in (call.transfer, *call.helpers):
                return None
            left = [one for one in (call.transfer, *call.helpers) if one != leg_name]
            after = replace(call, transfer=next(iter(left), ""), helpers=tuple(left[1:]))
            return encode_call(after), None

        await self._store.calls.change(call_name, changed)

    async def add_party(
        self, call_name: str, leg_name: str, known: Sequence[str]
    ) -> BridgedCall | None:
        """Note that a leg is to be on the line of a call; return the call as it is then.

        Args:
            call_name: Ours.
            leg_name: The leg.
            known: ``parties`` of the call, as they were when it was decided to add one.

        Returns:
            None if it is over, or there is none; the call without that leg if others have been
            added meanwhile. Nothing has changed then.
        """

        def changed(value: dict[str, Any]) -> tuple[dict[str, Any], BridgedCall] | None:
            call = _call(call_name, value)
            if call is None or call.status is CallStatus.OVER:
                return None
            if tuple(known) != tuple(call.parties):
                return value, call
            after = replace(call, parties=(*call.parties, leg_name))
            return encode_call(after), after

        return await self._store.calls.change(call_name, changed)

    async def parties(self, call_name: str) -> list[PartyLeg]:
        """Return the legs of all who are, were or are to be on the line of a call.

        The phone that it goes by is the first of them, if it is one of several that were dialled.
        """
        call = await self.call(call_name)
        if call is not None:
            names = (call.phone, *call.parties)
        elif (placed := await self.placed(call_name)) is not None:
            names = placed.parties
        else:
            names = ()
        found = [await self.leg_of(PartyLeg, name) for name in names]
        return [leg for leg in found if leg is not None]

    # Streams; these and the ends of legs go by the platform's id of the phone's leg

    async def stream_came(self, call_id: str) -> bool:
        """Return whether a stream of ours has come for a call, in any process."""
        return await self._store.claims.find(stream_claim(call_id)) is not None

    async def stream_is_there(self, call_id: str) -> bool:
        """Return whether it has come, has not ended, and its process is alive."""
        came = await self._store.claims.find(stream_claim(call_id))
        if came is None or await self._store.claims.find(_over(call_id)) is not None:
            return False
        return await self._store.live_calls.alive(came.owner)

    async def stream_is_lost(self, call_id: str) -> bool:
        """Return whether it has come, has not ended, and its process is dead."""
        came = await self._store.claims.find(stream_claim(call_id))
        if came is None or await self._store.claims.find(_over(call_id)) is not None:
            return False
        return not await self._store.live_calls.alive(came.owner)

    async def stream_ended(self, call_id: str) -> None:
        """Note that the stream of a call has ended, or will never come."""
        await self._store.claims.claim(_over(call_id))

    # What is done once, whichever process does it

    async def first_to_end(self, call_id: str) -> bool:
        """Return whether nobody has been told of the end of this leg before."""
        return await self._store.claims.claim(f"ended {call_id}") is None

    async def first_to_connect(self, name: str) -> bool:
        """Return whether nobody has connected this leg with an agent before."""
        return await self._store.claims.claim(f"connect {name}") is None


async def transfer_legs(directory: CallDirectory, call: BridgedCall) -> list[TransferLeg]:
    """Return the leg that a caller is, or was, passed on to, and those of helpers, latest first."""
    found = [await directory.leg_of(TransferLeg, n) for n in (call.transfer, *call.helpers) if n]
    return [leg for leg in found if leg is not None]


async def talk_to_another(directory: CallDirectory, call: BridgedCall) -> bool:
    """Return whether a caller talks to somebody whom they were passed on to.

    Perhaps with the agent, which stays to help: then the call is still with the agent.
    """
    if call.status is not CallStatus.WITH_AGENT or not call.transfer:
        return call.status is CallStatus.MOVED
    legs = await transfer_legs(directory, call)
    return any(leg.status is LegStatus.ANSWERED for leg in legs)


async def line_is_over(directory: CallDirectory, call_name: str) -> bool:
    """Return whether nobody may come to the line of a call any more: it is over, or never began."""
    call = await directory.call(call_name)
    if call is not None:
        return call.status is CallStatus.OVER
    placed = await directory.placed(call_name)
    return placed is None or placed.status in (LegStatus.FAILED, LegStatus.ENDED)


def _over(call_id: str) -> str:
    """Return what is claimed once the stream of a call has ended."""
    return f"stream over {call_id}"


def _leg(name: str, value: Mapping[str, Any]) -> OwnLeg | None:
    try:
        return decode_leg(name, value)
    except LegError as error:
        log.warning("a leg in the store cannot be read", fields=str(error))
        return None


def _call(name: str, value: Mapping[str, Any]) -> BridgedCall | None:
    try:
        return decode_call(name, value)
    except LegError as error:
        log.warning("a call in the store cannot be read", fields=str(error))
        return None
