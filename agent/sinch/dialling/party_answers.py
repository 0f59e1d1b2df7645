"""Somebody whom we dialled onto a line of several answers: they are let in, the first with us."""

from __future__ import annotations

from functools import partial

import structlog

from agent import phone_numbers
from agent.call.orders import PartyJoined
from agent.settings.sinch import SinchSettings
from agent.sinch.api.svaml import Svaml
from agent.sinch.api.versions import ANSWERS
from agent.sinch.callbacks import LegAnswered
from agent.sinch.contracts import BroughtStream, LocalCalls
from agent.sinch.dialling.line_endings import LineEndings
from agent.sinch.dialling.told_alone import seconds_of
from agent.sinch.follow_ups import FollowUps
from agent.sinch.hang_ups import HangUps
from agent.sinch.legs.directory import CallDirectory, line_is_over
from agent.sinch.legs.dispatch import OrderDispatch
from agent.sinch.legs.leg_kinds import LegFacts, PartyLeg, PlacedLeg
from agent.sinch.legs.leg_tables import LegEvent, LegStatus
from agent.sinch.stream_legs import STREAM_WITHIN, StreamLegs

log = structlog.get_logger()

NO_ROOM = "there was no room"
"""Why a call to several ended whose first had answered: nobody could talk to them."""


class PartyAnswers:
    """Answers the callbacks of parties that are answered.

    Args:
        settings: The section ``sinch``.
        directory: Keeps the legs and calls.
        stream_legs: Where streams are, and how they come to a conference.
        dispatch: Tells the agent of a call who has joined.
        hang_ups: For machines, and for those who answer too late.
        endings: For a line whose first phone has hung up before it began.
        calls: Those of this process, which prepares for one.
        follow_ups: Does what takes time.
    """

    def __init__(
        self,
        settings: SinchSettings,
        directory: CallDirectory,
        stream_legs: StreamLegs,
        dispatch: OrderDispatch,
        hang_ups: HangUps,
        endings: LineEndings,
        calls: LocalCalls,
        follow_ups: FollowUps,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._stream_legs = stream_legs
        self._dispatch = dispatch
        self._hang_ups = hang_ups
        self._endings = endings
        self._calls = calls
        self._follow_ups = follow_ups

    async def answered(self, leg: PartyLeg, callback: LegAnswered) -> Svaml:
        """Return what the platform is to do, now that a party has answered, or is known."""
        told = await self._answered(leg, callback)
        if told == ANSWERS[callback.leg.version].hang_up() and not callback.asks:
            self._hang_up(leg)  # what we answer is not looked at
        return told

    async def _answered(self, leg: PartyLeg, callback: LegAnswered) -> Svaml:
        answers = ANSWERS[callback.leg.version]
        facts = LegFacts(call_id=callback.leg.call_id, session=callback.leg.session_id)
        answered = await self._directory.advance(leg, LegEvent.ANSWERED, facts)
        over = await line_is_over(self._directory, leg.of)
        if answered is None or answered.why == "dropped" or over:
            return answers.hang_up()
        if answered.status is LegStatus.CONNECTED:  # told once more, or who it is
            return answers.keep(answered, await self._conference(leg.of))
        if not callback.by and leg.machine != "talk" and (ask := answers.ask_who_answers()):
            return ask
        if leg.machine != "talk" and callback.by in ("machine", "beep"):
            await self._directory.advance(answered, LegEvent.MACHINE_FOUND, LegFacts(why="machine"))
            self._hang_up(leg)  # the answer to `notify` cannot
            return answers.hang_up()
        if leg.machine != "talk" and callback.by == "pending":
            return answers.keep(answered, await self._conference(leg.of))
        return await self._let_in(answered, callback)

    def _hang_up(self, leg: PartyLeg) -> None:
        self._follow_ups.insist(partial(self._hang_ups.party, leg.name), "hang up a party")

    async def _conference(self, call_name: str) -> str:
        """Return the conference of a line; ``""`` where there are none."""
        known = await self._directory.call(call_name) or await self._directory.placed(call_name)
        return "" if known is None else known.conference

    async def _let_in(self, leg: PartyLeg, callback: LegAnswered) -> Svaml:
        answers = ANSWERS[callback.leg.version]
        announcer, conference = self._settings.announcer, await self._conference(leg.of)
        connected = await self._directory.advance(leg, LegEvent.CONNECTED)
        if connected is None:
            now = await self._directory.leg_of(PartyLeg, leg.name)
            if now is None or now.status is not LegStatus.CONNECTED:  # they have hung up meanwhile
                return answers.hang_up()
            return answers.keep(now, conference)  # told once more at the same moment
        if await self._directory.call(leg.of) is None:
            placed = await self._directory.placed(leg.of)
            if placed is None or placed.status in (LegStatus.FAILED, LegStatus.ENDED):
                return answers.hang_up()
            if await self._directory.first_to_connect(leg.of):
                return await self._begin(placed, connected, callback)
            look = partial(self._look_for_call, connected)
            self._follow_ups.insist(look, "look for a call", after=STREAM_WITHIN)
        await self._tell_joined(connected)
        return answers.let_in(connected, conference, announcer)

    async def _look_for_call(self, leg: PartyLeg) -> None:
        """Hang up somebody to whom nobody has brought the agent who was about to."""
        if await self._directory.call(leg.of) is None:
            await self._hang_ups.party(leg.name)

    async def _begin(self, placed: PlacedLeg, leg: PartyLeg, callback: LegAnswered) -> Svaml:
        """Bring the agent to the first who has answered; return the answer to the platform."""
        answers = ANSWERS[callback.leg.version]
        if reason := self._calls.no_room(placed.name):
            self._calls.decline(reason)
            # Whoever answers before they are hung up would wait for an agent that does not come.
            await self._directory.advance(placed, LegEvent.ENDED, LegFacts(reason=NO_ROOM))
            besides = leg.name if callback.asks else ""  # else our answer is not looked at
            hang_up = partial(self._hang_ups.parties, placed.name, besides=besides)
            self._follow_ups.insist(hang_up, "hang up: there is no room")
            return answers.say_and_hang_up(
                self._settings.sorry, self._settings.announcer, answer=False
            )
        facts = LegFacts(call_id=leg.call_id, session=leg.session)
        for event in (LegEvent.ANSWERED, LegEvent.CONNECTED):
            if await self._directory.advance(placed, event, facts) is None:
                return answers.hang_up()  # an operator has ended it
        call, stream = self._stream_legs.begin(placed, leg)
        await self._directory.add_call(call)
        # They may have hung up before there was a call that could have ended by that.
        now = await self._directory.leg_of(PartyLeg, leg.name)
        if now is not None and now.is_over:
            return await self._endings.look(call.name, call.version)
        in_app = bool(phone_numbers.user(leg.to))  # dialled with all that they hear
        before = leg.heard_alone if in_app else leg.announcement
        self._stream_legs.bring(call, stream, after=seconds_of(before))
        return answers.let_in(
            leg,
            call.conference,
            self._settings.announcer,
            BroughtStream(stream=stream, ring=self._settings.ring_seconds, phones=placed.parties),
        )

    async def _tell_joined(self, leg: PartyLeg) -> None:
        """Tell the agent of somebody who joins, once they have heard what they are told alone."""
        if before := leg.heard_alone:
            tell = partial(self._tell_if_there, leg.name)
            self._follow_ups.start_later(seconds_of(before), tell, "tell of a party")
        else:
            await self._tell_if_there(leg.name)

    async def _tell_if_there(self, name: str) -> None:
        leg = await self._directory.leg_of(PartyLeg, name)
        if leg is not None and leg.status is LegStatus.CONNECTED:
            await self._dispatch.order(leg.of, PartyJoined(party=leg.name, title=leg.title))
