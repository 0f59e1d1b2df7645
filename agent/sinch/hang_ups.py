"""Hanging up by a request: phones, phones that still ring, and whole conferences."""

from __future__ import annotations

import structlog

from agent.sinch.contracts import Actions, RefusedError
from agent.sinch.directory import CallDirectory
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
            await self.transfer(leg)

    async def transfer(self, leg: TransferLeg) -> None:
        """Hang up somebody whom a caller is, or was, passed on to."""
        if self._actions is None:
            return
        try:
            await self._actions.hang_up(leg)
        except SinchError as error:
            if error.status != GONE:
                log.warning("transfer not hung up", status=error.status, code=error.code)

    async def conference(self, call_name: str) -> None:
        """Hang up whoever is left in the conference of a call, unless they talk to each other."""
        call = await self._directory.call(call_name)
        if self._actions is None or call is None or not call.conference:
            return
        if call.status is CallStatus.MOVED:
            return
        try:
            await self._actions.clear(call.conference)
        except SinchError as error:
            if error.status != GONE:
                log.warning("conference not ended", status=error.status, code=error.code)
