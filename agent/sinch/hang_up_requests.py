"""What is asked of the platform so that somebody is hung up, and what else if it refuses.

What fails for now is asked again by whoever asks here. What Sinch refuses for good is asked in
another way: by a kick out of the conference in version 1, by the name of the leg in version 2. If
it does not take that either, the log says so, and it is counted: somebody stays on the line until
the longest duration of their leg is over, or they hang up.
"""

from __future__ import annotations

import structlog

from agent.sinch.api.rest import SinchError
from agent.sinch.contracts import Actions
from agent.sinch.legs.directory import CallDirectory
from agent.sinch.legs.leg_kinds import BridgedCall, PartyLeg, Phone, PlacedLeg, TransferLeg
from agent.sinch.refusals import RefusedError, UnavailableError

log = structlog.get_logger()


class HangUpRequests:
    """Asks for hang-ups. Cancelling is safe: the platform may or may not have been asked then.

    Args:
        directory: Knows in which conference a leg is.
        actions: What we can ask the platform for.
    """

    def __init__(self, directory: CallDirectory, actions: Actions) -> None:
        self._directory = directory
        self._actions = actions
        self.refused = 0
        """Times that every way was refused for good."""

    def named(self, call_name: str) -> str:
        """Return the conference of a call of that name; ``""`` where there are none."""
        return self._actions.conference(call_name)

    async def phone(self, phone: Phone) -> bool:
        """Hang up a phone by whatever Sinch takes; return whether it had hung up before.

        Raises:
            UnavailableError: If it is to be asked again.
            RefusedError: If Sinch does not do it.
        """
        try:
            await self._actions.hang_up(phone)
        except SinchError as error:
            if error.not_found:
                return True
            refusal = _refused("phone not hung up", error)
            if isinstance(refusal, UnavailableError) or not await self._otherwise(phone):
                raise self._lasting(refusal, error) from None
        return False

    async def _otherwise(self, phone: Phone) -> bool:
        """Hang up by another request; return whether that was taken.

        In-App users, say: theirs are not among the calls that version 1 lets be changed.
        """
        line: BridgedCall | PlacedLeg | None
        match phone:
            case BridgedCall() | PlacedLeg():
                line = phone
            case PartyLeg(of=name) | TransferLeg(of=name):
                line = await self._directory.call(name) or await self._directory.placed(name)
        conference = "" if line is None else line.conference
        try:
            return await self._actions.hang_up_otherwise(phone, conference)
        except SinchError as error:
            refusal = _refused("phone not hung up", error)
            if isinstance(refusal, UnavailableError):
                raise refusal from None
            return False

    async def conference(self, conference: str) -> None:
        """End a conference, or else hang up whoever is in it, one by one.

        Raises:
            UnavailableError: If it is to be asked again.
        """
        for ask in (self._actions.clear, self._actions.hang_up_each):
            try:
                await ask(conference)
            except SinchError as error:
                if error.not_found:
                    return
                refusal, told = _refused("conference not ended", error), error
                if isinstance(refusal, UnavailableError):
                    raise refusal from None
            else:
                return
        self._lasting(refusal, told)

    def _lasting(self, refusal: RefusedError, error: SinchError) -> RefusedError:
        """Make a refusal known, if it is for good; return it."""
        if not isinstance(refusal, UnavailableError):
            self.refused += 1
            log.error(
                "somebody stays on a line: Sinch refuses to hang up",
                status=error.status,
                code=error.code,
            )
        return refusal


def _refused(what: str, error: SinchError) -> RefusedError:
    """Return what to raise for a request that was refused, for now or for good."""
    log.warning(what, status=error.status, code=error.code)
    return (UnavailableError if error.passes else RefusedError)(str(error))
