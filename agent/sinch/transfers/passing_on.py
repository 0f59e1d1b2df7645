"""Passing a caller on: asked for by the operator or the agent, dialled, answered, ended.

Cold, whoever picks up is with the caller at once. Warm, they are dialled into a leg of their own,
hear what it is about, and are asked (:mod:`agent.sinch.api.menus`); a yes brings them to the
caller.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from functools import partial

import structlog

from agent import phone_numbers
from agent.call.orders import (
    CalleeBriefed,
    NotReached,
    TransferCaller,
)
from agent.settings.sinch import SinchSettings
from agent.sinch.api.rest import SinchError
from agent.sinch.api.svaml import Svaml
from agent.sinch.api.versions import ANSWERS
from agent.sinch.callbacks import LegAnswered, MenuAnswered
from agent.sinch.contracts import Actions, CallbackAnswers
from agent.sinch.dialling.answer_watch import AnswerWatch
from agent.sinch.dialling.dial_rules import DialRules
from agent.sinch.dialling.party_rules import beside
from agent.sinch.follow_ups import FollowUps
from agent.sinch.hang_ups import HangUps
from agent.sinch.legs.directory import CallDirectory
from agent.sinch.legs.dispatch import OrderDispatch
from agent.sinch.legs.leg_kinds import BridgedCall, LegFacts, TakeOver, TransferLeg
from agent.sinch.legs.leg_tables import CallEvent, CallStatus, LegEvent, LegStatus
from agent.sinch.refusals import (
    CallGoneError,
    CannotBriefError,
    CannotMoveError,
    NoAgentError,
    NoSuchCallError,
    RefusedError,
    StillRingingError,
)
from agent.sinch.transfers.endings import TransferEndings
from agent.sinch.transfers.ringing import RingingTransfers
from agent.sinch.transfers.take_overs import TakeOvers, leg_of, moved_by
from agent.warm_transfers import WarmTransfer
from agent.yes_and_no import says_yes

log = structlog.get_logger()

MOST_ASKED = 3
"""Times that somebody is asked who answers something that we do not understand."""

BRIEFED_FOR = 120.0
"""Seconds from when somebody picks up until they count as not there: the longest briefing takes 45,
is said twice by the platform, and is waited for 8 each time."""

Summary = Callable[[], Awaitable[str]]
"""Makes a summary of the call so far, in some seconds; ``""`` if it cannot."""


class Transfers:
    """Dials others into callers' conversations, and answers the callbacks of these legs.

    Args:
        settings: The section ``sinch``.
        directory: Keeps the legs, knows the calls.
        dispatch: Tells the agent of a call.
        hang_ups: For whoever does not answer, and for whoever is left in the end.
        actions: What we can ask the platform for; None if we have no account to do it with.
        rules: Whom callers may be passed on to.
        follow_ups: Does what takes time.
        watch: For those of whom the platform does not tell that they have answered.
    """

    def __init__(
        self,
        settings: SinchSettings,
        directory: CallDirectory,
        dispatch: OrderDispatch,
        hang_ups: HangUps,
        actions: Actions | None,
        rules: DialRules,
        follow_ups: FollowUps,
        watch: AnswerWatch,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._dispatch = dispatch
        self._hang_ups = hang_ups
        self._actions = actions
        self._rules = rules
        self._follow_ups = follow_ups
        self.take_overs = TakeOvers(directory, dispatch, hang_ups, follow_ups)
        """Whether the agent comes back, and when."""

        self._watch = watch
        self._ringing = RingingTransfers(directory, dispatch, hang_ups, follow_ups)
        self.endings = TransferEndings(
            directory, dispatch, hang_ups, follow_ups, self.take_overs, self._ringing
        )
        """What follows when somebody has left, or has not come."""

    async def request(
        self, call_name: str, order: TransferCaller, take_over: TakeOver | None = None
    ) -> None:
        """Have the agent of a call announce a transfer and make it. Returns at once.

        Args:
            call_name: Whose caller.
            order: Whom it is to dial, and what it says before.
            take_over: Who takes the caller over; None if they are passed on.

        Raises:
            NoSuchCallError: If there is none, or it is over.
            CannotMoveError: If its caller cannot be passed on.
            CannotBriefError: If whoever is to be asked first cannot be.
            StillRingingError: If somebody is dialled for them, asked or with them already.
            NoAgentError: If it has no agent who could.
            DestinationRefusedError: If they may not be called.
            CallGoneError: If it had one, whose process has died.
        """
        self._rules.check(order.to)
        _can_be_asked(order.to, order.warm)
        call = await self._directory.call(call_name)
        if call is None or call.status is CallStatus.OVER:
            raise NoSuchCallError
        if not self.can_move(call):
            raise CannotMoveError
        with_agent = call.status is CallStatus.WITH_AGENT
        if (with_agent or take_over is not None) and await self.take_overs.is_taken(call):
            raise StillRingingError
        await self._directory.set_transfer(call_name, None, take_over)
        if not await self._dispatch.order(call_name, order):
            lost = await self._directory.stream_is_lost(call.call_id)
            raise CallGoneError if lost else NoAgentError

    def can_move(self, call: BridgedCall) -> bool:
        """Return whether the caller of a call can be passed on."""
        return self._actions is not None and self._actions.can_move(call)

    async def dial(
        self,
        call_name: str,
        to: str,
        warm: WarmTransfer | None = None,
        summary: Summary | None = None,
        *,
        leg_name: str = "",
        helpers: Collection[str] = (),
    ) -> TransferLeg:
        """Dial ``to`` into the caller's conversation; return their leg.

        What becomes of it comes as an order.

        Whoever rings for this caller already is hung up before, and no order tells of that; who
        helps stays on the line. Who cancels this does not know whether somebody is being dialled;
        if so, the order comes.

        Args:
            call_name: Whose caller.
            to: A number in E.164, a SIP address, or an In-App user.
            warm: How they are asked first; None if they are not.
            summary: Is told to them, if it is made before they pick up.
            leg_name: What their leg is called, in orders; ``""`` for a name of ours.
            helpers: Legs of those who help the caller beside the agent, as far as it knows.

        Raises:
            AnsweredError: If whoever rang already has just answered: nobody else is dialled.
            CannotMoveError: If there is no such call, or its caller cannot be passed on.
            CannotBriefError: If whoever is to be asked first cannot be.
            DestinationRefusedError: If ``to`` may not be called.
            AllowanceUsedUpError: If as much was dialled as may be.
            RefusedError: If Sinch does not dial.
        """
        call = await self._directory.call(call_name)
        if call is None or self._actions is None or not self.can_move(call):
            raise CannotMoveError
        helper = await self._ringing.give_up(call, helpers)
        _can_be_asked(to, warm)
        leg = leg_of(call, to, warm, leg_name)
        await self._rules.admit_transfer(leg.name, to)
        await self._directory.add_leg(leg)
        await self._directory.set_transfer(call_name, leg.name, beside=helper)
        self.endings.remember(call, leg)
        if warm is not None and warm.with_summary and summary is not None:
            work = _brief(self._directory, leg, warm, summary)
            self._follow_ups.start(work, "write a briefing")
        legs = await self._directory.parties(call_name)
        line = replace(call, call_id=beside(call, legs))  # its first phone may have left
        placed, ring = await self._directory.placed(call_name), self._settings.ring_seconds
        caller_id = placed.caller_id if placed is not None else self._settings.caller_id
        longest = self._settings.dialling.transfer_seconds
        dial = self._actions.transfer if warm is None else self._actions.dial_alone
        try:
            facts = await dial(line, leg.name, to, caller_id, ring, longest)
        except SinchError as error:
            if not error.may_be_done:  # else somebody may answer, and talk
                await self._rules.not_dialled(leg.name, certain=True)
                self.endings.forget(leg.name)
            await self._directory.advance(leg, LegEvent.REFUSED)
            log.warning("transfer not dialled", status=error.status, code=error.code)
            raise RefusedError(str(error)) from None
        known = await self._directory.advance(leg, LegEvent.ACCEPTED, facts) or leg
        self._watch.limit(known, ring)
        self._ringing.dialled(known)
        self._watch.watch(known, to)
        return known

    async def stop(self, call_name: str) -> None:
        """Have the agent go on with its caller alone, and hang up who rings for them or has them.

        Of this and an answer that comes at the same moment, the first counts.

        Raises:
            NoSuchCallError: If there is no such call, or it is over.
            NotTakenOverError: If nobody rings or talks to the caller without the agent, or comes
                back just now.
            AgentLeftError: If it has left when the caller was passed on.
            CallGoneError: If its process has died: the caller is left with whoever talks to them.
        """
        if not await self._ringing.stopped(call_name):
            await self.take_overs.give_back(call_name)

    async def answered(self, leg: TransferLeg, callback: LegAnswered) -> Svaml:
        """Return what the platform is to do with somebody who has answered a transfer."""
        answers, call = ANSWERS[callback.leg.version], await self._directory.call(leg.of)
        if call is None or call.status is CallStatus.OVER:
            return answers.hang_up()  # the caller has gone
        if leg.warm:
            return await self._picked_up(leg, callback)
        facts = LegFacts(call_id=callback.leg.call_id)
        if await self._directory.advance(leg, LegEvent.ANSWERED, facts) is None:
            return answers.hang_up()
        return await self._connected(leg, answers, answers.join())

    async def _connected(self, leg: TransferLeg, answers: CallbackAnswers, joins: Svaml) -> Svaml:
        """Tell of somebody who takes the caller, and return how they come to them.

        They come all the same if that cannot be told yet.
        """

        def late(told: Svaml) -> None:
            if told != joins:
                hang_up = partial(self._hang_ups.own_leg, leg.name)
                self._follow_ups.insist(hang_up, "hang up who came too late")

        return await self._follow_ups.finish(
            partial(self._connect, leg, answers, joins), "pass a caller on", joins, late
        )

    async def _connect(self, leg: TransferLeg, answers: CallbackAnswers, joins: Svaml) -> Svaml:
        order = moved_by(leg, answers)
        if not order.helps and await self._directory.advance_call(leg.of, CallEvent.MOVED) is None:
            return answers.hang_up()  # the caller has gone just now
        await self._dispatch.order(leg.of, order)
        # If this fails, it alone is done again: what is ordered twice may come after the return.
        stands = await self._follow_ups.finish(
            partial(self.take_overs.stands, leg), "look who has come", otherwise=True
        )
        return joins if stands else answers.hang_up()

    async def _picked_up(self, leg: TransferLeg, callback: LegAnswered) -> Svaml:
        """Tell somebody what it is about, and ask them; or hear that it is no somebody."""
        answers, facts = ANSWERS[callback.leg.version], LegFacts(call_id=callback.leg.call_id)
        if callback.by in ("machine", "beep"):
            found = await self._directory.advance(leg, LegEvent.MACHINE_FOUND, facts)
            if callback.by == "beep" and found is not None:  # from here on we would be recorded
                give_up = partial(self._ringing.let_go, leg.name, "machine")
                self._follow_ups.insist(give_up, "hang up on a machine")
                return answers.hang_up()
        known = callback.by not in ("", "pending")
        if not callback.asks or (known and leg.asked):
            return answers.leave_alone()  # they are being asked
        asked = await self._directory.advance(leg, LegEvent.BRIEFED, facts)
        if asked is None:
            return answers.hang_up()
        if asked.asked == 1:
            give_up = partial(self._ringing.let_go, leg.name, "no answer")
            self._follow_ups.insist(give_up, "end a briefing", after=BRIEFED_FOR)
        await self._dispatch.order(leg.of, CalleeBriefed(leg=leg.name))
        return self._ask(asked, answers)

    def _ask(self, leg: TransferLeg, answers: CallbackAnswers) -> Svaml:
        return answers.ask(leg, self._settings.announcer, self._settings.callback_url)

    async def decided(self, leg: TransferLeg, callback: MenuAnswered) -> Svaml:
        """Return what the platform is to do with somebody who was asked, by what they answer."""
        answers, call = ANSWERS[callback.leg.version], await self._directory.call(leg.of)
        if call is None or call.status is CallStatus.OVER:
            return answers.hang_up()  # the caller has gone
        machine, locale = leg.status is LegStatus.MACHINE, self._settings.announcer.locale
        # What a machine says is meant for nobody.
        given = "" if machine and callback.spoken else callback.given
        yes = says_yes(given, spoken=callback.spoken, locale=locale)
        if yes:
            return await self._accepted(leg, call, answers)
        if yes is None and given and leg.asked < MOST_ASKED:
            asked = await self._directory.advance(leg, LegEvent.BRIEFED)
            return answers.hang_up() if asked is None else self._ask(asked, answers)
        nothing: NotReached = "machine" if machine else "no answer"
        await self._ringing.not_moved(leg, "declined" if yes is False else nothing)
        return answers.hang_up()

    async def _accepted(
        self, leg: TransferLeg, call: BridgedCall, answers: CallbackAnswers
    ) -> Svaml:
        if await self._directory.advance(leg, LegEvent.ANSWERED) is None:
            return answers.hang_up()
        return await self._connected(leg, answers, answers.bring_in(call))


async def _brief(
    directory: CallDirectory, leg: TransferLeg, warm: WarmTransfer, summary: Summary
) -> None:
    """Put a summary into what is said to whoever is being dialled, if it comes in time."""
    if text := await summary():
        facts = LegFacts(prompt=warm.prompt_with(text))
        await directory.advance(leg, LegEvent.ACCEPTED, facts)


def _can_be_asked(to: str, warm: WarmTransfer | None) -> None:
    if warm is not None and phone_numbers.user(to):
        raise CannotBriefError
