"""Who was told by the platform's voice, alone, that a machine talks; and whether to its end.

That the platform was asked to say it is on record once its answer to a callback has gone out. That
it was said to its end is, where the platform tells what comes behind it:

- Version 2 does what stands in the ``onFinish`` of its ``messages`` behind them, and version 1 runs
  the instructions of an answer before its action. So whoever is in the bridge, or the conference,
  has heard them: that is asked for. A webhook behind them would tell it, too, but version 2 ends
  the call of whoever it is about if nobody answers.
- A menu comes behind it in both, so that its result tells.

Of In-App users nobody tells: what they hear is the greeting of a ``conferenceCallout``, of which
Sinch does not say whether the conference lists them before.
"""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from agent import phone_numbers
from agent.sinch.api.rest import SinchError
from agent.sinch.contracts import Actions
from agent.sinch.follow_ups import FollowUps
from agent.sinch.leg_records import LegRecords
from agent.sinch.legs.directory import CallDirectory
from agent.sinch.legs.leg_kinds import BridgedCall, OwnLeg, PartyLeg, TransferLeg
from agent.sinch.legs.leg_tables import LegStatus

log = structlog.get_logger()

CHARACTERS_A_SECOND = 13.0
"""How fast the platform's voice is taken to speak. Nothing tells that it has finished; voices read
some 12 to 15 characters of European languages a second."""

LOOK_EVERY = 2.0
"""Seconds between two looks at whether somebody has joined, from when it may have been said."""

LOOKS = 15
"""As many as a voice that speaks half as fast needs for the longest text."""


def seconds_of(announcement: str) -> float:
    """Return how long it takes to say something, about; 0 for nothing."""
    return len(announcement) / CHARACTERS_A_SECOND


class ToldAlone:
    """Puts it on the records of calls. Every method returns at once.

    Args:
        directory: Knows the legs and calls.
        records: Of their calls.
        actions: What we can ask the platform for; None if we have no account to do it with.
        follow_ups: Does what takes time.
    """

    def __init__(
        self,
        directory: CallDirectory,
        records: LegRecords,
        actions: Actions | None,
        follow_ups: FollowUps,
    ) -> None:
        self._directory = directory
        self._records = records
        self._actions = actions
        self._follow_ups = follow_ups

    def answered(self, leg: OwnLeg) -> None:
        """Note what a leg was to be told, now that the platform has an answer to its callback.

        Args:
            leg: As it was before.
        """
        if isinstance(leg, PartyLeg | TransferLeg) and leg.disclosure:
            look = partial(self._answered, leg)
            self._follow_ups.insist(look, "record what somebody is told")

    def to_its_end(self, leg: OwnLeg | None) -> None:
        """Note that a leg has heard it: the platform does what comes behind it."""
        if isinstance(leg, PartyLeg | TransferLeg) and leg.disclosure:
            note = partial(self._heard, leg)
            self._follow_ups.insist(note, "record what somebody was told")

    async def _heard(self, leg: PartyLeg | TransferLeg) -> None:
        await self._records.disclosed(leg, "yes")

    async def _answered(self, leg: PartyLeg | TransferLeg) -> None:
        match await self._directory.leg(leg.name):
            case TransferLeg(asked=asked) if asked:
                await self._records.disclosed(leg, "asked")
            case PartyLeg(status=LegStatus.CONNECTED) as now:
                await self._let_in(now)

    async def _let_in(self, leg: PartyLeg) -> None:
        call, in_app = await self._call_of(leg), bool(phone_numbers.user(leg.to))
        if call is None or (call.phone == leg.name and not in_app):
            return  # nobody else is there: the agent comes with them, and says it
        new = await self._records.disclosed(leg, "asked")
        if new and not in_app and self._actions is not None:
            look = partial(self._look, self._actions, leg, call)
            after = seconds_of(leg.heard_alone)
            self._follow_ups.start_later(after, look, "look who has heard it")

    async def _call_of(self, leg: PartyLeg) -> BridgedCall | None:
        """Return the call of a line, which whoever has answered first may be about to begin."""
        for _ in range(LOOKS):
            if (call := await self._directory.call(leg.of)) is not None:
                return call
            now = await self._directory.leg(leg.name)
            if not isinstance(now, PartyLeg) or now.status is not LegStatus.CONNECTED:
                return None  # it is still to be known who has answered, or they have gone
            await asyncio.sleep(LOOK_EVERY)
        return None

    async def _look(self, actions: Actions, leg: PartyLeg, call: BridgedCall) -> None:
        for _ in range(LOOKS):
            now = await self._directory.leg(leg.name)
            if not isinstance(now, PartyLeg) or now.is_over:
                return
            try:
                if await actions.has_joined(leg.call_id, call.conference):
                    self.to_its_end(leg)
                    return
            except SinchError as error:
                log.warning("no word of who has joined", status=error.status, code=error.code)
            await asyncio.sleep(LOOK_EVERY)
