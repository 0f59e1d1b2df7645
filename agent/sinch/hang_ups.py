"""Hanging up by a request: phones, phones that still ring, and whole conferences."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from agent.sinch.contracts import Actions
from agent.sinch.follow_ups import FollowUps
from agent.sinch.hang_up_requests import HangUpRequests
from agent.sinch.legs.directory import CallDirectory, talk_to_another, transfer_legs
from agent.sinch.legs.leg_kinds import BridgedCall, PartyLeg, Phone, StreamLeg, TransferLeg
from agent.sinch.legs.leg_tables import CallStatus, LegStatus
from agent.sinch.refusals import RefusedError, UnavailableError


class HangUps:
    """Asks the platform to hang up. Without an account, nothing is asked.

    Cancelling is safe: the platform may or may not have been asked then.

    Args:
        directory: Knows the legs.
        actions: What we can ask the platform for; None if we have no account to do it with.
    """

    def __init__(self, directory: CallDirectory, actions: Actions | None) -> None:
        self._directory = directory
        self._requests = None if actions is None else HangUpRequests(directory, actions)

    @property
    def refused(self) -> int:
        """Times that Sinch has refused for good, in every way there is, to hang somebody up."""
        return 0 if self._requests is None else self._requests.refused

    async def phone(self, name: str) -> None:
        """Hang up the phone of a call or of a leg that we placed, whatever became of the rest.

        Whoever else is on its line, or rings for it, is hung up, too.

        Raises:
            RefusedError: If Sinch does not do it.
        """
        phone = await self._directory.call(name) or await self._directory.placed(name)
        if self._requests is None or phone is None:
            return
        refused: RefusedError | None = None
        try:
            await self._requests.phone(phone)
        except RefusedError as error:
            refused = error
        await self.parties(name, phone.phone if isinstance(phone, BridgedCall) else "")
        if refused is not None:
            raise refused

    async def party(self, name: str) -> None:
        """Hang up the leg of a party.

        Raises:
            RefusedError: If Sinch does not do it.
        """
        leg = await self._directory.leg_of(PartyLeg, name)
        if self._requests is not None and leg is not None and not leg.is_over:
            await self._requests.phone(leg)

    async def parties(self, call_name: str, besides: str = "") -> None:
        """Hang up all who were dialled onto the line of a call, or are being dialled.

        Args:
            call_name: Ours.
            besides: Name of a leg that is let be.

        Raises:
            UnavailableError: If it is to be asked again for one of them.
        """
        again: UnavailableError | None = None
        for leg in await self._directory.parties(call_name):
            if leg.name == besides:
                continue
            try:
                await self.party(leg.name)
            except UnavailableError as error:
                again = error
            except RefusedError:
                continue  # logged; the others still have to go
        if again is not None:
            raise again

    async def own_leg(self, name: str) -> None:
        """Hang up a leg that we asked for, whatever for; the stream's is let be.

        Raises:
            RefusedError: If Sinch does not do it.
        """
        leg = await self._directory.leg(name)
        if self._requests is not None and leg is not None and not isinstance(leg, StreamLeg):
            await self._requests.phone(leg)

    async def unanswered(self, name: str) -> None:
        """Hang up a party, or whom a caller is passed on to, if they have not answered.

        A conferenceCallout rings without end.

        Raises:
            RefusedError: If Sinch does not do it.
        """
        leg = await self._directory.leg(name)
        if isinstance(leg, PartyLeg | TransferLeg) and leg.status is LegStatus.DIALLING:
            await self.own_leg(name)

    async def is_gone(self, phone: Phone) -> bool:
        """Hang up a phone, and return whether it had hung up before.

        Raises:
            RefusedError: If Sinch does not do it.
        """
        return self._requests is not None and await self._requests.phone(phone)

    async def transfer(self, leg: TransferLeg) -> None:
        """Hang up somebody whom a caller is, or was, passed on to.

        Raises:
            UnavailableError: If it is to be asked again.
        """
        if self._requests is None:
            return
        try:
            await self._requests.phone(leg)
        except UnavailableError:
            raise
        except RefusedError:
            return  # logged; nobody waits for it

    async def transfer_for_nobody(self, name: str) -> None:
        """Hang up whoever was to take a caller who has gone, unless they talk with them.

        Of those who are asked first, also one who has just said yes.
        """
        leg = await self._directory.leg_of(TransferLeg, name)
        if leg is not None and (leg.waits or (leg.warm and leg.status is LegStatus.ANSWERED)):
            await self.transfer(leg)

    async def whoever_took(self, call: BridgedCall) -> None:
        """Hang up whoever rings, is asked or is there for a caller who has gone."""
        for leg in await transfer_legs(self._directory, call):
            if leg.waits or leg.status is LegStatus.ANSWERED:
                await self.transfer(leg)

    async def all_of(self, call_name: str) -> None:
        """Hang up whoever is left of a call that is over, where no answer to a callback did it.

        Raises:
            RefusedError: If Sinch does not do it.
        """
        call = await self._directory.call(call_name)
        if call is None or call.status is not CallStatus.OVER:
            return
        try:
            for leg in await transfer_legs(self._directory, call):
                if leg.status is LegStatus.ANSWERED:
                    await self.transfer(leg)
        finally:
            await self.phone(call_name)

    async def all_known(self, call: BridgedCall) -> None:
        """Hang up whoever is left of a call, by what was known of it: for want of a database."""
        if self._requests is None:
            return
        with suppress(RefusedError):  # logged; nobody waits for it
            await self._requests.phone(call)
        if call.conference:
            with suppress(RefusedError):  # logged as well
                await self._requests.conference(call.conference)

    async def everybody(self, call: BridgedCall) -> None:
        """Hang up all who are, or may be, on the line of a call that is over, or ring for it.

        What is refused of one keeps none of the others.

        Raises:
            RefusedError: If Sinch does not do it.
        """
        refused: list[RefusedError] = []
        for ask in (
            partial(self.phone, call.name),
            partial(self.whoever_took, call),
            partial(self.conference, call.name),
        ):
            try:
                await ask()
            except RefusedError as error:
                refused.append(error)
        if refused:
            raise next((one for one in refused if isinstance(one, UnavailableError)), refused[0])

    async def conference(self, call_name: str, *, whoever_talks: bool = False) -> None:
        """Hang up whoever is left on the line of a call, unless they talk to each other.

        Those who still ring for it are not in its conference yet, and are hung up one by one; where
        there is no conference, all are who were dialled onto its line.

        Args:
            call_name: Of the call.
            whoever_talks: Whether also those who talk with the agent still there, which helps.

        Raises:
            UnavailableError: If it is to be asked again.
        """
        call = await self._directory.call(call_name)
        if self._requests is None or call is None or call.status is CallStatus.MOVED:
            return
        if not whoever_talks and await talk_to_another(self._directory, call):
            return
        try:
            if call.conference:
                await self._requests.conference(call.conference)
        finally:
            await self.parties(call_name)

    async def conference_without_database(self, call_name: str) -> None:
        """Hang up whoever is on the line of a call, by its name alone, whoever talks to whom."""
        if self._requests is not None and (named := self._requests.named(call_name)):
            with suppress(RefusedError):  # logged; it is done again with the database
                await self._requests.conference(named)


def hang_up_left(hang_ups: HangUps, follow_ups: FollowUps, call_name: str) -> None:
    """Hang up whoever is left of a call that is over, whose callback was answered before that.

    Returns at once. What the answer would have had done is asked for, until it is done.
    """
    hang_up = partial(hang_ups.all_of, call_name)
    follow_ups.insist(hang_up, "hang up whoever is left")
