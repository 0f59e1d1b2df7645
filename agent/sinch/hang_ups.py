"""Hanging up by a request: phones, phones that still ring, and whole conferences."""

from __future__ import annotations

import structlog

from agent.sinch.contracts import Actions, RefusedError
from agent.sinch.directory import CallDirectory, talk_to_another
from agent.sinch.legs import CallStatus, LegStatus, TransferLeg
from agent.sinch.rest import SinchError

log = structlog.get_logger()

GONE = 404
"""HTTP status of a request for what has hung up already."""


class HangUps:
    """Asks the platform to hang up. Without an account, nothing is asked.

    Cancelling is safe: the platform may or may not have been asked then.

    Args:
        directory: Knows the legs.
        actions: What we can ask the platform for; None if we have no account to do it with.
    """

    def __init__(self, directory: CallDirectory, actions: Actions | None) -> None:
        self._directory = directory
        self._actions = actions

    async def phone(self, name: str) -> None:
        """Hang up the phone of a call or of a leg that we placed, whatever became of the rest.

        Raises:
            RefusedError: If Sinch does not do it.
        """
        phone = await self._directory.call(name) or await self._directory.placed(name)
        if self._actions is None or phone is None:
            return
        try:
            await self._actions.hang_up(phone)
        except SinchError as error:
            if error.status != GONE:
                log.warning("phone not hung up", status=error.status, code=error.code)
                raise RefusedError(str(error)) from None

    async def unanswered_transfer(self, name: str) -> None:
        """Hang up a transfer that nobody has answered; a conferenceCallout rings without end."""
        leg = await self._directory.leg_of(TransferLeg, name)
        if leg is not None and leg.status is LegStatus.DIALLING:
            await self._transfer(leg)

    async def transfer_for_nobody(self, name: str) -> None:
        """Hang up whoever was to take a caller who has gone, unless they talk with them.

        Of those who are asked first, also one who has just said yes.
        """
        leg = await self._directory.leg_of(TransferLeg, name)
        if leg is not None and (leg.waits or (leg.warm and leg.status is LegStatus.ANSWERED)):
            await self._transfer(leg)

    async def _transfer(self, leg: TransferLeg) -> None:
        if self._actions is None:
            return
        try:
            await self._actions.hang_up(leg)
        except SinchError as error:
            if error.status != GONE:
                log.warning("transfer not hung up", status=error.status, code=error.code)

    async def conference(self, call_name: str, *, whoever_talks: bool = False) -> None:
        """Hang up whoever is left in the conference of a call, unless they talk to each other.

        Args:
            call_name: Of the call.
            whoever_talks: Whether also those who talk with the agent still there, which helps.
        """
        call = await self._directory.call(call_name)
        if self._actions is None or call is None or not call.conference:
            return
        moved = call.status is CallStatus.MOVED
        if moved or (not whoever_talks and await talk_to_another(self._directory, call)):
            return
        try:
            await self._actions.clear(call.conference)
        except SinchError as error:
            if error.status != GONE:
                log.warning("conference not ended", status=error.status, code=error.code)
