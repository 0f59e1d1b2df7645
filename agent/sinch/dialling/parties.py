"""Phones on the line of a call: dialled at once, added, dropped, and how it stands with them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress

import structlog

from agent import phone_numbers
from agent.settings.sinch import SinchSettings
from agent.sinch.api.rest import SinchError
from agent.sinch.contracts import MOST_PHONES, Actions, Party
from agent.sinch.dialling.answer_watch import AnswerWatch
from agent.sinch.dialling.dial_rules import DialRules
from agent.sinch.dialling.line_endings import LineEndings
from agent.sinch.dialling.party_rules import beside
from agent.sinch.hang_ups import HangUps
from agent.sinch.legs.directory import CallDirectory, line_is_over
from agent.sinch.legs.leg_kinds import BridgedCall, Dropper, LegFacts, PartyLeg, PlacedLeg
from agent.sinch.legs.leg_tables import CallStatus, LegEvent, LegStatus
from agent.sinch.refusals import (
    CallOverError,
    CannotAddError,
    NoSuchCallError,
    NoSuchPartyError,
    RefusedError,
)

log = structlog.get_logger()


class Parties:
    """Dials people onto lines, and has them dropped.

    Args:
        settings: The section ``sinch``.
        directory: Keeps the legs and calls.
        hang_ups: For whoever is dropped, or does not answer.
        endings: For a line to which nobody comes.
        actions: What we can ask the platform for; None if we have no account to do it with.
        rules: Whom we may call.
        watch: For those who ring, and those of whom the platform does not tell that they answered.
    """

    def __init__(
        self,
        settings: SinchSettings,
        directory: CallDirectory,
        hang_ups: HangUps,
        endings: LineEndings,
        actions: Actions | None,
        rules: DialRules,
        watch: AnswerWatch,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._hang_ups = hang_ups
        self._endings = endings
        self._actions = actions
        self._rules = rules
        self._watch = watch

    def check(self, party: Party) -> None:
        """Look whether somebody may be dialled, and can be as is wanted. Nothing is counted.

        Raises:
            DestinationRefusedError: If they may not be called.
            CannotAddError: If the API does not do it.
        """
        self._rules.check(party.to)
        if self._actions is not None and (why := self._actions.refusal(party)):
            raise CannotAddError(why)

    async def place(self, placed: PlacedLeg, legs: Sequence[PartyLeg]) -> None:
        """Dial all who are to be on a line, and hang up later on those who do not answer.

        Who is refused by Sinch is not reached; the others are dialled all the same. Who cancels
        this does not know whether somebody is being dialled.

        Args:
            placed: The call; it is on record, and so are the legs.
            legs: Counted by the rules.

        Raises:
            SinchError: If nobody was dialled, or it is not known whether anybody was.
        """
        if self._actions is None:
            return
        answers = await self._actions.place_line(placed, legs)
        errors: list[SinchError] = []
        for leg in legs:
            match answers.get(leg.name):
                case LegFacts() as facts:
                    await self._accepted(leg, facts)
                case error:
                    await self._refused(leg, error)
                    errors += [] if error is None else [error]
        if errors and not any(isinstance(one, LegFacts) for one in answers.values()):
            raise errors[0]
        await self._endings.look(placed.name, placed.version)

    async def of(self, call_name: str) -> list[PartyLeg]:
        """Return who is, was or is to be on the line of a call; see :meth:`CallDirectory.parties`.

        Nobody, if it is a call to or from one phone.
        """
        return await self._directory.parties(call_name)

    async def add(self, call_name: str, party: Party) -> PartyLeg:
        """Dial somebody onto the line of a call; return their leg.

        Who cancels this does not know whether somebody is being dialled.

        Raises:
            NoSuchCallError: If there is no such call.
            CallOverError: If it is over.
            CannotAddError: If nobody can be added to it, or not this one; they are on it already;
                or it has as many phones as it may.
            DestinationRefusedError: If they may not be called.
            AllowanceUsedUpError: If as much was dialled as may be.
            RefusedError: If Sinch does not dial.
        """
        self.check(party)
        call, actions = await self._open_line(call_name)
        placed = await self._directory.placed(call_name)
        legs = await self._others(call, placed, party)
        leg = party_leg(call_name, party)
        most = self._settings.dialling.transfer_seconds
        seconds = most if placed is None else placed.max_seconds
        await self._rules.admit_call(leg.name, leg.to, seconds)
        await self._directory.add_leg(leg)
        try:
            while (then := await self._added(call, leg)) is not None:  # others were, meanwhile
                call, legs = then, await self._others(then, placed, party)
        except (CallOverError, CannotAddError):
            await self._rules.not_dialled(leg.name, certain=True)
            raise
        caller_id = self._settings.caller_id if placed is None else placed.caller_id
        try:
            facts = await actions.add_party(call, leg, caller_id, seconds, beside(call, legs))
        except SinchError as error:
            await self._refused(leg, error)
            raise RefusedError(str(error)) from None
        accepted = await self._accepted(leg, facts)
        await self._endings.tell_expected(accepted)
        return accepted

    async def _others(
        self, call: BridgedCall, placed: PlacedLeg | None, party: Party
    ) -> list[PartyLeg]:
        """Return who is, was or is to be on a line; raise CannotAddError if not one more may be."""
        legs = await self._directory.parties(call.name)
        if sum(not leg.is_over for leg in legs) + (call.phone not in _names(legs)) >= MOST_PHONES:
            raise CannotAddError(f"the line has {MOST_PHONES} phones: no more are taken")
        there = [leg.to for leg in legs if leg.standing in ("expected", "joined")]
        if placed is None:
            there.append(call.headers.get("caller", ""))
        elif not placed.parties:
            there.append(placed.to)
        if self._rules.person(party.to) in map(self._rules.person, there):
            raise CannotAddError("they are on this line already, or are being called")
        return legs

    async def _added(self, call: BridgedCall, leg: PartyLeg) -> BridgedCall | None:
        """Add a leg to a call as it is known; return the call if others were added since then."""
        then = await self._directory.add_party(call.name, leg.name, call.parties)
        if then is None:
            raise CallOverError
        return None if leg.name in then.parties else then

    async def drop(self, call_name: str, name: str, by: Dropper = "operator") -> None:
        """Have somebody hung up who is on the line of a call, or to come to it.

        The call goes on, unless its rules say that it ends without them.

        Args:
            call_name: Ours.
            name: Of their leg.
            by: On whose word.

        Raises:
            NoSuchPartyError: If there is nobody of that name on its line, or to come to it.
            RefusedError: If Sinch does not do it.
        """
        leg = await self._directory.leg_of(PartyLeg, name)
        facts = LegFacts(why="dropped", dropped_by=by)
        if leg is None or leg.of != call_name or leg.standing not in ("expected", "joined"):
            raise NoSuchPartyError
        if await self._directory.advance(leg, LegEvent.DROPPED, facts) is None:
            raise NoSuchPartyError
        await self._hang_ups.party(name)

    async def _open_line(self, call_name: str) -> tuple[BridgedCall, Actions]:
        call, actions = await self._directory.call(call_name), self._actions
        if call is None:
            placed = await self._directory.placed(call_name)
            if placed is None:
                raise NoSuchCallError
            if placed.status in (LegStatus.FAILED, LegStatus.ENDED, LegStatus.MACHINE):
                raise CallOverError
            raise CannotAddError("nobody has answered this call yet")
        if call.status is CallStatus.OVER:
            raise CallOverError
        if actions is None or not actions.can_move(call):
            raise CannotAddError(
                "nobody can be added to this call: version 1 of the API has several on one line "
                "only in a conference (sinch.conference, or a call that we placed)"
            )
        return call, actions

    async def _accepted(self, leg: PartyLeg, facts: LegFacts) -> PartyLeg:
        accepted = await self._directory.advance(leg, LegEvent.ACCEPTED, facts)
        self._watch.limit(leg, leg.ring_seconds)
        self._watch.watch(leg, leg.to)
        log.info("dialled", to=phone_numbers.shortened(leg.to), dialled=leg.name)
        if (accepted or leg).why == "dropped" or await line_is_over(self._directory, leg.of):
            with suppress(RefusedError):  # logged; they do not ring for ever
                await self._hang_ups.party(leg.name)  # nobody knew by what, before
        return accepted or leg

    async def _refused(self, leg: PartyLeg, error: SinchError | None) -> None:
        """Note that somebody was not dialled; None for an error is that nobody asked for it."""
        await self._rules.not_dialled(leg.name, certain=error is None or not error.may_be_done)
        await self._directory.advance(leg, LegEvent.REFUSED, LegFacts(why="failed"))
        if error is not None:
            log.warning("not dialled", status=error.status, code=error.code)


def party_leg(call_name: str, party: Party) -> PartyLeg:
    """Return a leg for somebody on the line of a call, with a name of its own."""
    return PartyLeg(
        name=f"p{uuid.uuid4().hex[:24]}",
        of=call_name,
        to=party.to,
        title=party.title,
        host=party.host,
        ring_seconds=party.ring_seconds,
        machine=party.machine,
        announcement=party.announcement,
        disclosure=party.disclosure,
    )


def _names(legs: Sequence[PartyLeg]) -> list[str]:
    return [leg.name for leg in legs]
