"""A caller on their way to somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf

import structlog

from agent.call.history import History
from agent.call.keys import KEYPAD
from agent.call.orders import (
    CalleeBriefed,
    CallerMoved,
    CallerNotMoved,
    Order,
    ReturnToCaller,
    TransferCaller,
)
from agent.call.reply import Announcement, Reply
from agent.call.transfer_notes import Callee, Callees, Helpers, TransferNotes, destinations, failure
from agent.personas.script import Script
from agent.warm_transfers import WarmTransfer
from pipelines.clock import now
from pipelines.stages.usage import Usage
from pipelines.turn_taking.turns import Event

log = structlog.get_logger()

JOINED_AFTER = 1.0
"""Seconds from a yes until both are introduced: the platform brings whoever said it to the caller
meanwhile, and does not tell when they are there."""


_KEYS = KEYPAD.format("")


class TransferError(Exception):
    """The caller cannot be passed on. The message is fit for a log."""


class HasAnsweredError(TransferError):
    """Whoever was dialled before has just answered, so that nobody else was dialled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A caller who is to be passed on."""

    to: str
    """A number, a SIP address, or an In-App user."""

    leg: str = ""
    """What their leg is called, by which orders tell what became of it."""

    warm: WarmTransfer | None = None
    """How whoever is called is asked first; None if they are not."""

    beside: tuple[str, ...] = ()
    """Legs of those who are on the line already, to help, and stay there."""

    said: Sequence[Mapping[str, str]] = ()
    """Of the call so far, who spoke and what, in order."""

    language: str = "en"
    """BCP 47 tag."""

    usage: Usage = field(default_factory=Usage)
    """Of the call; whoever asks a provider about it adds to it."""


Mover = Callable[[Handover], Awaitable[None]]
"""Dials somebody into the conversation; raises :class:`TransferError`. What becomes of it comes as
an order to the call: moved, or not moved; and before, if they are asked first, that they are.
Whoever rings for the caller already is given up first; if they have just answered, it raises
:class:`HasAnsweredError`, and they are with the caller. Who helps stays on the line."""


class CallTransfer:
    """Whom we dial for the caller, at most one at a time; we stay with them until it is answered.

    Who is asked for while another rings takes their place: the caller was told so. What an operator
    has asked for is not undone by the agent. Who has come to help stays on the line while another
    is dialled, and when that one has come: until they hang up.

    Args:
        mover: Dials; None if this call cannot be passed on.
        script: Whom callers can be passed on to, and how.
        history: Gets a line when it begins, and when it is over; the model is told.
    """

    def __init__(self, mover: Mover | None, script: Script, history: History) -> None:
        self._mover, self._script, self._history = mover or _nobody, script, history
        self._notes, self._callees = TransferNotes(script, history), Callees(script)
        self._callee = Callee()  # the last one, if it is over
        self._next: Callee | None = None  # who is to be dialled instead
        self._before = Callee()  # of whom, while it is not known that they were given up
        self._dialling, self._status = asyncio.Lock(), ""
        self._joined = self._away = False  # the callee is with the caller: and us, or without us
        self._came_at = -inf  # when the last one who has come has
        self._helpers = Helpers(self._notes)
        self.under_way = False
        """Whether somebody is being dialled, or asked."""

        history.destinations = partial(destinations, self._refusal, script)
        history.before_end = self._cut_off

    @property
    def together(self) -> bool:
        """Whether somebody who took the call is with the caller and us."""
        return self._joined or len(self._helpers) > 0

    def obey(self, order: Order) -> Announcement | None:
        """Take an order that is about a transfer; return what is said about it, None for nothing.

        It may come twice: what is known is not said, or noted, again.
        """
        if not self.knows(order):
            if isinstance(order, ReturnToCaller):
                self._helpers.left(order.leg)  # others are there still
            return None
        match order:
            case TransferCaller():
                self._callees.ask(order)
                # Whoever talks over it does not undo what an operator has decided.
                return Announcement(text=order.announcement, transfer=order.to, interruptible=False)
            case CalleeBriefed() if self.under_way and self._status == "started":
                self._step("briefed")
            case CallerMoved():
                return self._came(order)
            case CallerNotMoved() if self.under_way:
                return self._failed(order)
            case ReturnToCaller():
                return self._returned(order)
        return None

    def knows(self, order: Order) -> bool:
        """Return whether an order changes what we do; asked twice, it returns the same.

        It does not if it is about somebody who was given up, or has left already, or leaves others
        here. It may be the first to tell which of two is dialled: that is noted.
        """
        if isinstance(order, ReturnToCaller):
            return self._is_left_by(order.leg)
        if not isinstance(order, CalleeBriefed | CallerMoved | CallerNotMoved) or not order.leg:
            return True
        if self._next is not None and order.leg == self._next.leg:  # faster than the mover
            self._begin(self._next)
        elif isinstance(order, CallerMoved) and order.leg == self._before.leg:
            if self.under_way:
                self._step("failed", why="replaced")
            self._callee, self._before, self.under_way = self._before, Callee(), True
        return order.leg == self._callee.leg

    def _is_left_by(self, leg: str) -> bool:
        if not leg or (self._joined and leg == self._callee.leg):  # "": all have left
            return self.together
        return self._helpers.has(leg) and not (self._joined or len(self._helpers) > 1)

    def introduced(self, order: Order) -> bool:
        """Return whether who was introduced, and of whom an order is, is there still."""
        return self._joined and self.under_way and self.knows(order)

    # Whom to dial

    def _refusal(self, to: str) -> str:
        """Return why somebody is not dialled now; ``""`` if they are, or ring already."""
        if any(self._callees.same(to, one) for one in self._helpers):
            return f"{to} helps already"
        if self._joined and (self.under_way or self._away):
            return f"{self._callee.to} takes the caller already"
        instead = self.under_way and not self._callees.same(to, self._callee)
        if instead and self._callee.by_operator and not self._callees.asked(to):
            return "an operator has somebody else called for the caller"
        return ""

    async def dial(self, to: str) -> Announcement | None:
        """Dial somebody, and give up whoever rings for the caller already, unless it is they.

        Have :meth:`obey` told what became of it.

        Returns:
            What the caller is told if they are not dialled; None if there is nothing to be said.
        """
        async with self._dialling:
            if why := self._refusal(to):
                self._callees.forget(to)
                self._notes.not_dialled(to, why)
                if self._joined and self.under_way:
                    return None
                return self._history.consent.not_passed_on(failure(self._script))
            if not self.under_way:
                self._begin(self._callees.new(to))
            elif self._callees.same(to, self._callee):
                self._notes.rings_already(to)
                return None
            else:
                self._next = self._callees.new(to)
            return await self._dial(self._next or self._callee)

    async def _dial(self, callee: Callee) -> Announcement | None:
        try:
            await self._mover(_handover(callee, self._helpers.legs, self._script, self._history))
        except HasAnsweredError as error:
            self._next = None
            self._notes.not_dialled(callee.to, str(error))
            if callee is self._callee:  # and it was not known that another is dialled
                self._step("failed")
                self._callee, self._before, self.under_way = self._before, Callee(), False
            return None
        except TransferError as error:
            self._begin(callee)
            log.warning("the caller cannot be passed on", reason=str(error))
            self._notes.not_dialled(callee.to, str(error), cannot_be_reached=True)
            return self.obey(CallerNotMoved(leg=callee.leg))
        self._begin(callee)
        self._before = Callee()  # given up
        if self.under_way and not self._joined and callee.warm is not None:
            self._notes.asked_first(callee.to)
        return None

    def _begin(self, callee: Callee) -> None:
        """Note that somebody is dialled: instead of whoever was, if they were not given up yet."""
        self._next = None
        if callee is self._callee:
            return
        if self.under_way:
            self._step("failed", why="replaced")
        if not self._joined:
            self._before = self._callee
        self._callee, self.under_way, self._joined = callee, True, False
        self._step("started")

    # What became of it

    def _came(self, order: CallerMoved) -> Announcement | None:
        """Note who takes the caller; return what is said to all before the rest of it is done."""
        is_new = self.under_way or (order.leg and not self._joined)
        if (silent := order.helps and not order.introduction) and is_new:
            self.moved(order)
        if self._joined or silent:
            return None
        self._joined, self.under_way, self._came_at = True, True, now()
        if self._callee.warm is not None:
            self._step("accepted")
        if order.helps:
            self._helpers.joined(self._callee)
        else:  # they greet each other, maybe before we have introduced them
            self._history.party.passed_on_at = now()
        return Announcement(
            text=order.introduction,
            interruptible=False,
            not_before=now() + JOINED_AFTER,
            order=replace(order, introduction=""),
        )

    def moved(self, order: CallerMoved) -> None:
        """Note that the caller talks to them now: alone, or with us, who help.

        The order is one that :meth:`knows`, and whose introduction was said, if there was one.
        """
        if not self._joined:
            self._came_at = now()
            if self._callee.warm is not None:
                self._step("accepted")
        self._step("done")
        if order.helps:
            self._notes.moved(self._callee)
            self._helpers.joined(self._callee)
        self._history.party.passed_on_at = inf
        self._joined, self.under_way = order.helps or order.stay, False
        self._away = not order.helps

    def ends_as(self, reply: Reply) -> Event:
        """Return what the end of a reply is for the table, now that it was heard.

        A goodbye hangs up on nobody who has come to take the caller, or to help, while it was made
        or said. What an operator wants to end is ended.
        """
        came = (self._joined and self.under_way) or reply.made_at <= self._came_at
        if self.together and came and reply.hung_up_by == "agent" and reply.interruptible:
            return Event.REPLY_ENDED
        return reply.ends_as

    def _failed(self, order: CallerNotMoved) -> Announcement | None:
        """Note that nobody takes the caller; return what they are told."""
        if order.why == "declined":
            self._step("declined")
        self._step("failed", why=order.why, by=order.by or None)
        self._notes.not_moved(self._callee, order)
        self._helpers.left(self._callee.leg)
        self._joined = self.under_way = False
        self._history.party.passed_on_at = inf
        # Who is dialled instead was announced already.
        if self._next is not None:
            return None
        return self._history.consent.not_passed_on(failure(self._script, order.why))

    def _returned(self, order: ReturnToCaller) -> Announcement | None:
        """Note who has left; return what is said if we are alone with the caller, or talk again."""
        callee, joined = self._callee, self._joined and order.leg in ("", self._callee.leg)
        gone, others = self._helpers.take(order.leg), [*self._helpers]
        speaks = not others or (joined and (self.under_way or self._away))
        self._notes.left(gone, told=speaks)
        last = callee if joined else gone[-1]
        if joined and self.under_way:
            self._step("failed")
        elif speaks:
            self._notes.step(last, "returned", by=order.by)
        self._notes.returned(last, others)
        if joined:
            if self._away:
                self._history.colleague_talked()
            self._history.party.passed_on_at = inf
            self._callee = Callee()
            self._joined = self.under_way = self._away = False
        consent, text = self._history.consent, self._script.returned
        return consent.not_passed_on(text) if speaks else None

    def _cut_off(self) -> None:
        """Note that the call has ended before it was known what becomes of a transfer."""
        if self.under_way:
            self._step("cut off")
            self.under_way = False

    def _step(self, status: str, **fields: object) -> None:
        self._status = status
        self._notes.step(self._callee, status, **fields)


async def _nobody(_handover: Handover) -> None:
    raise TransferError("this call cannot be passed on")


def _handover(
    callee: Callee, beside: tuple[str, ...], script: Script, history: History
) -> Handover:
    """Return what whoever dials has to know."""
    who = {"user": "caller", "assistant": "agent"}
    lines = [
        one
        for one in (history.conversation if history.consent.is_given else ())
        if one.text and not (script.keys_are_secret and one.text.startswith(_KEYS))
    ]
    return Handover(
        to=callee.number,
        leg=callee.leg,
        warm=callee.warm,
        beside=beside,
        said=tuple({"who": who[one.role], "text": one.text} for one in lines),
        language=script.brief.language,
        usage=history.usage,
    )
