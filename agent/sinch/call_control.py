"""What the webhook, the server and the operator ask about calls; each part is in a file of its own.

- :mod:`agent.sinch.incoming`: who calls is answered by which agent.
- :mod:`agent.sinch.dialling`: calls that we place, those that are answered, and several phones on
  one line.
- :mod:`agent.sinch.transfers`: callers who are passed on, and come back to the agent.
- :mod:`agent.sinch.leg_endings`: whoever hangs up; :mod:`agent.sinch.endings`: calls that end.

They stand on :mod:`agent.sinch.stream_legs` (the agent's end of a call),
:mod:`agent.sinch.legs` (what all processes know, and orders to an agent elsewhere) and
:mod:`agent.sinch.hang_ups` (requests to hang up); none of them knows this file.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

import structlog

from agent.call.orders import TransferCaller
from agent.personas.routing import Routing
from agent.settings.sinch import SinchSettings
from agent.sinch.api.svaml import Svaml
from agent.sinch.api.versions import ANSWERS
from agent.sinch.callbacks import (
    BRIEFING,
    Callback,
    IncomingCall,
    LegAnswered,
    LegEnded,
    MenuAnswered,
    Other,
)
from agent.sinch.contracts import Actions, Dial, LocalCalls, StreamTarget
from agent.sinch.dialling.answer_watch import AnswerWatch
from agent.sinch.dialling.dial_rules import DialRules
from agent.sinch.dialling.line_endings import LineEndings
from agent.sinch.dialling.outgoing import OutgoingCalls
from agent.sinch.dialling.parties import Parties
from agent.sinch.dialling.party_answers import PartyAnswers
from agent.sinch.dialling.placing import Dialling
from agent.sinch.dialling.told_alone import ToldAlone
from agent.sinch.endings import CallEndings
from agent.sinch.follow_ups import FollowUps
from agent.sinch.hang_ups import HangUps
from agent.sinch.incoming import IncomingCalls
from agent.sinch.leg_endings import LegEndings, own_leg
from agent.sinch.leg_records import LegRecords
from agent.sinch.legs.directory import CallDirectory
from agent.sinch.legs.dispatch import OrderDispatch
from agent.sinch.legs.leg_kinds import (
    BridgedCall,
    OwnLeg,
    PartyLeg,
    PlacedLeg,
    TakeOver,
    TransferLeg,
)
from agent.sinch.legs.processes import OtherProcesses
from agent.sinch.line_watch import LineWatch
from agent.sinch.stream_legs import StreamLegs
from agent.sinch.tokens import Claims, StreamTokens
from agent.sinch.transfers.passing_on import Summary, Transfers
from agent.store.opt_outs import How
from agent.warm_transfers import WarmTransfer

log = structlog.get_logger()


class CallControl:
    """Answers callbacks, and places, moves and ends calls. Close it in the end.

    Args:
        settings: The section ``sinch``.
        stream: Where calls are connected to.
        routing: Which agent answers.
        tokens: For the streams.
        directory: What all processes know of legs and calls.
        processes: The others, which may hold the stream of a call.
        actions: What we can ask the platform for; None if we have no account to do it with.
        calls: Those of this process.
    """

    def __init__(
        self,
        *,
        settings: SinchSettings,
        stream: StreamTarget,
        routing: Routing,
        tokens: StreamTokens,
        directory: CallDirectory,
        processes: OtherProcesses,
        actions: Actions | None,
        calls: LocalCalls,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._rules = rules = DialRules(settings, directory.dials, directory.opt_outs)
        self._follow_ups = follow_ups = FollowUps()
        self.hang_ups = hang_ups = HangUps(directory, actions)
        dispatch = OrderDispatch(directory, processes, calls)
        stream_legs = StreamLegs(
            stream, settings.token_lifetime, tokens, directory, actions, hang_ups, follow_ups
        )
        self._incoming = IncomingCalls(settings, routing, directory, stream_legs, actions, calls)
        watch = AnswerWatch(directory, actions, hang_ups, self._answered, follow_ups, processes)
        self._leg_records = records = LegRecords(directory, calls)
        self._transfers = Transfers(
            settings, directory, dispatch, hang_ups, actions, rules, follow_ups, watch
        )
        lines_left = LineWatch(directory, actions, hang_ups, self._ended, follow_ups, processes)
        self._endings = endings = CallEndings(
            directory, calls, dispatch, hang_ups, follow_ups, records, lines_left
        )
        self._told_alone = ToldAlone(directory, records, actions, follow_ups)
        lines = LineEndings(directory, dispatch, endings, records, hang_ups, follow_ups)
        self.parties = parties = Parties(
            settings, directory, hang_ups, lines, actions, rules, watch
        )
        self._party_answers = PartyAnswers(
            settings, directory, stream_legs, dispatch, hang_ups, lines, calls, follow_ups
        )
        self._leg_endings = LegEndings(
            directory, self._transfers.endings, lines, endings, records, hang_ups, rules, follow_ups
        )
        self._dialling = Dialling(settings, directory, actions, rules, parties, calls, watch)
        self._outgoing = OutgoingCalls(
            settings, directory, stream_legs, dispatch, hang_ups, actions, calls, follow_ups
        )

    async def aclose(self) -> None:
        """Finish what was begun on behalf of calls, in a few seconds; then let it be."""
        await self._follow_ups.aclose()

    # Callbacks

    async def answer(self, callback: Callback) -> Svaml:
        """Return what the platform is to do. Does not wait for anything but the store.

        Args:
            callback: Read, trusted, and not answered before.

        Raises:
            StoreError: If the database fails; :meth:`sorry` has an answer then.
        """
        answers = ANSWERS[callback.leg.version]
        match callback:
            case IncomingCall():
                return await self._incoming.answer(callback)
            case LegAnswered():
                answer = await self._answered(callback)
                return answer if callback.asks else answers.nothing()
            case LegEnded():
                return await self._ended(callback)
            case MenuAnswered():
                return await self._menu_answered(callback)
            case Other(name="pie"):
                return answers.leave_alone()  # of a menu that is not ours
        return answers.nothing()

    def sorry(self, callback: Callback) -> Svaml:
        """Return the answer for when something is wrong with us."""
        answers, settings = ANSWERS[callback.leg.version], self._settings
        match callback:
            case IncomingCall() | LegAnswered(asks=True):
                ringing = isinstance(callback, IncomingCall)
                return answers.say_and_hang_up(settings.sorry, settings.announcer, answer=ringing)
            case MenuAnswered(menu=menu) if menu in (BRIEFING, callback.leg.custom):
                return answers.hang_up()  # their leg ends by that, and the agent hears of it
            case MenuAnswered() | Other(name="pie"):
                return answers.leave_alone()
        return answers.nothing()

    def answer_late(self, callback: Callback) -> None:
        """Do what there is to be done though a callback was answered without a look at it.

        Of an end, that is all: nobody tells of it again. Whoever has answered is hung up by
        :meth:`sorry`, and their end is told. Returns at once.
        """
        if isinstance(callback, LegEnded):
            self._leg_endings.see_later(callback)

    async def _answered(self, callback: LegAnswered) -> Svaml:
        leg = await own_leg(self._directory, callback.leg)
        answer = await self._answer_of(leg, callback)
        if leg is not None:
            self._told_alone.answered(leg)
        return answer

    async def _answer_of(self, leg: OwnLeg | None, callback: LegAnswered) -> Svaml:
        match leg:
            case PlacedLeg():
                return await self._outgoing.answered(leg, callback)
            case TransferLeg():
                return await self._transfers.answered(leg, callback)
            case PartyLeg():
                return await self._party_answers.answered(leg, callback)
        return ANSWERS[callback.leg.version].leave_alone()

    async def _ended(self, callback: LegEnded) -> Svaml:
        return await self._leg_endings.answer(callback)

    async def _menu_answered(self, callback: MenuAnswered) -> Svaml:
        leg = await own_leg(self._directory, callback.leg, callback.menu)
        if isinstance(leg, TransferLeg) and callback.menu in (BRIEFING, leg.name):
            self._told_alone.to_its_end(leg)  # the menu comes behind it
            return await self._transfers.decided(leg, callback)
        return ANSWERS[callback.leg.version].leave_alone()

    async def let_go(self, name: str) -> None:
        """See to a call whose process has died; see :meth:`CallEndings.let_go`."""
        await self._endings.let_go(name)

    # What an operator may ask for

    async def dial(self, request: Dial, idempotency_key: str = "") -> PlacedLeg:
        """Place a call; see :meth:`Dialling.dial`."""
        return await self._dialling.dial(request, idempotency_key)

    async def placed(self, name: str) -> PlacedLeg | None:
        """Return what is known of a call that we placed; None if there is none of that name."""
        return await self._directory.placed(name)

    async def hang_up(self, name: str, *, goodbye: bool) -> None:
        """Hang up a call; see :meth:`CallEndings.hang_up`."""
        await self._endings.hang_up(name, goodbye=goodbye)

    async def request_transfer(
        self, name: str, order: TransferCaller, take_over: TakeOver | None = None
    ) -> None:
        """Have the agent of a call pass its caller on; see :meth:`Transfers.request`."""
        await self._transfers.request(name, order, take_over)

    async def give_back(self, name: str) -> None:
        """Have the agent of a call talk to its caller again, alone; see :meth:`Transfers.stop`."""
        await self._transfers.stop(name)

    # What the process with the stream of a call asks for, by the claims of its token

    async def bridged(self, claims: Claims) -> tuple[BridgedCall | None, bool]:
        """Return the call of this stream, None if it is not known, and whether it can be moved."""
        call = await self._directory.call(_name(claims))
        return call, call is not None and self._transfers.can_move(call)

    async def transfer(
        self,
        claims: Claims,
        to: str,
        warm: WarmTransfer | None = None,
        summary: Summary | None = None,
        *,
        leg_name: str = "",
        helpers: Collection[str] = (),
    ) -> None:
        """Dial ``to`` into the caller's conversation; see :meth:`Transfers.dial`."""
        leg = await self._transfers.dial(
            _name(claims), to, warm, summary, leg_name=leg_name, helpers=helpers
        )
        note = partial(self._leg_records.dialled, leg, to)
        await self._follow_ups.finish(note, "record who was dialled", otherwise=None)

    async def opt_out(self, to: str, agent: str, how: How) -> bool:
        """Keep that somebody wants no more calls; return whether that is new.

        Args:
            to: As it was dialled.
            agent: Whose call it was.
            how: On whose word.

        Raises:
            StoreError: If the database fails.
        """
        return await self._rules.opt_out(to, agent, how)

    async def machine_answered(self, claims: Claims) -> None:
        """Note that the agent of this stream has heard a machine, and is about to hang up.

        Raises:
            StoreError: If the database fails.
        """
        await self._outgoing.machine_answered(_name(claims))

    def stream_ended(self, claims: Claims, *, moved: bool, hung_up: bool = False) -> None:
        """Let go of a call whose record we have closed; see :meth:`CallEndings.stream_ended`.

        Args:
            claims: Of the stream, whether it was answered or not.
            moved: Whether the caller talks to somebody else now.
            hung_up: Whether the call is over because one of us wanted that.
        """
        self._endings.stream_ended(_name(claims), claims.call, moved=moved, hung_up=hung_up)


def _name(claims: Claims) -> str:
    """Return our name of the call that a stream belongs to."""
    return claims.dialled or claims.call
