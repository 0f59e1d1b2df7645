"""Placing calls: to one phone, or to several at once; checked, counted, dialled once for a key."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress

import structlog

from agent import phone_numbers
from agent.settings.sinch import SinchSettings
from agent.sinch.api.rest import SinchError
from agent.sinch.contracts import Actions, Dial, ExpectedCall, LocalCalls, Party
from agent.sinch.dialling.answer_watch import AnswerWatch
from agent.sinch.dialling.dial_rules import DialRules
from agent.sinch.dialling.parties import Parties, party_leg
from agent.sinch.legs.directory import NOTHING_NEW, CallDirectory
from agent.sinch.legs.leg_kinds import LegFacts, PartyLeg, PlacedLeg
from agent.sinch.legs.leg_tables import LegEvent
from agent.sinch.refusals import (
    AllowanceUsedUpError,
    DestinationRefusedError,
    KeyInUseError,
    NoRoomError,
    NotSetUpError,
    RefusedError,
)
from agent.store.errors import StoreError

log = structlog.get_logger()

SAME_KEY_WITHIN = 5.0
"""Seconds to wait for a call of the same key that another request is just placing."""

LOOK_EVERY = 0.1
"""Seconds between two looks at whether it is on record."""


class Dialling:
    """Places calls.

    Args:
        settings: The section ``sinch``.
        directory: Keeps the legs.
        actions: What we can ask the platform for; None if we have no account to do it with.
        rules: Whom we may call.
        parties: Dials several at once.
        calls: Those of this process, which prepares for one.
        watch: For those of whom the platform does not tell that they have answered.
    """

    def __init__(
        self,
        settings: SinchSettings,
        directory: CallDirectory,
        actions: Actions | None,
        rules: DialRules,
        parties: Parties,
        calls: LocalCalls,
        watch: AnswerWatch,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._keys = directory.dial_keys
        self._actions = actions
        self._rules = rules
        self._parties = parties
        self._calls = calls
        self._watch = watch

    async def dial(self, dial: Dial, idempotency_key: str = "") -> PlacedLeg:
        """Place a call; return its leg, whose name is the name of the call.

        The same key, within a day and over all processes, is the same call. Who cancels this does
        not know whether somebody is being dialled.

        Raises:
            NotSetUpError: If there is no account, or no caller id.
            CannotAddError: If the API does not dial one of several as is wanted.
            NoRoomError: If there would be nobody to talk to whoever answers.
            KeyInUseError: If a call of this key does not come about elsewhere.
            DestinationRefusedError: If this number or address may not be called.
            AllowanceUsedUpError: If as much was dialled as may be.
            RefusedError: If Sinch does not dial anybody.
            StoreError: If the database fails; nobody is dialled then.
        """
        if self._actions is None:
            raise NotSetUpError("no account to dial with: see the settings of `sinch`")
        caller_id = dial.caller_id or self._settings.caller_id
        if not caller_id:
            raise NotSetUpError("no caller id: give one, or set sinch.caller_id")
        for one in dial.parties or (Party(to=dial.to),):
            self._parties.check(one)
        if (known := await self._known_without_room(idempotency_key)) is not None:
            return known
        name = f"d{uuid.uuid4().hex[:24]}"
        if idempotency_key and not await self._keys.first_to_dial(idempotency_key, name):
            return await self._dialled_with(idempotency_key)
        legs = [party_leg(name, party) for party in dial.parties]
        try:
            await self._rules.admit_calls(_dialled(name, dial, legs), dial.max_seconds)
            leg = await self._add_legs(name, dial, caller_id, self._actions, legs)
        except (DestinationRefusedError, AllowanceUsedUpError, StoreError):
            with suppress(StoreError):
                await self._forget_key(idempotency_key)
            raise
        try:
            facts = await self._place(self._actions, leg, dial, legs)
        except SinchError as error:
            await self._refused(leg, error)
            await self._forget_key(idempotency_key)
            raise RefusedError(str(error)) from None
        with suppress(StoreError):  # the database has logged it; somebody's phone rings
            leg = await self._directory.advance(leg, LegEvent.ACCEPTED, facts) or leg
        self._watch.watch(leg, leg.to)
        log.info("dialled", to=phone_numbers.shortened(dial.to), dialled=name)
        return leg

    async def _place(
        self, actions: Actions, leg: PlacedLeg, dial: Dial, legs: Sequence[PartyLeg]
    ) -> LegFacts:
        if not legs:
            return await actions.place(leg.name, dial, leg.caller_id)
        await self._parties.place(leg, legs)
        return NOTHING_NEW

    async def _refused(self, leg: PlacedLeg, error: SinchError) -> None:
        await self._directory.advance(leg, LegEvent.REFUSED, LegFacts(reason=str(error)))
        if not leg.parties:
            await self._rules.not_dialled(leg.name, certain=not error.may_be_done)
        self._calls.forget(leg.name)
        log.warning("not dialled", status=error.status, code=error.code)

    async def _known_without_room(self, key: str) -> PlacedLeg | None:
        """Return the call that a key stands for, if there is no room for another; else None.

        Raises:
            NoRoomError: If there is no room, and no such call.
        """
        reason = self._calls.no_room()
        if not reason:
            return None
        known = await self._known(key) if key else None
        if known is None:
            self._calls.decline(reason)
            raise NoRoomError(reason)
        return known

    async def _forget_key(self, key: str) -> None:
        if key:
            await self._keys.forget(key)

    async def _add_legs(
        self, name: str, dial: Dial, caller_id: str, actions: Actions, legs: Sequence[PartyLeg]
    ) -> PlacedLeg:
        for party in legs:
            await self._directory.add_leg(party)
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
            parties=tuple(party.name for party in legs),
            ends_with=dial.ends_with,
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

    async def _known(self, key: str) -> PlacedLeg | None:
        """Return the call that a key stands for; None if it is not on record yet."""
        name = await self._keys.call_of(key)
        return await self._directory.placed(name) if name else None

    async def _dialled_with(self, key: str) -> PlacedLeg:
        for _ in range(round(SAME_KEY_WITHIN / LOOK_EVERY)):
            if (leg := await self._known(key)) is not None:
                return leg
            await asyncio.sleep(LOOK_EVERY)
        raise KeyInUseError


def _dialled(name: str, dial: Dial, legs: Sequence[PartyLeg]) -> Mapping[str, str]:
    """Return whom a call dials, by the name of the leg."""
    return {leg.name: leg.to for leg in legs} or {name: dial.to}
