"""A caller on their way to somebody else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Literal

import structlog

from agent.call.history import History
from agent.call.keys import KEYPAD
from agent.call.orders import (
    CalleeBriefed,
    CallerMoved,
    CallerNotMoved,
    Order,
    PartyJoined,
    PartyLeft,
    ReturnToCaller,
    TransferCaller,
)
from agent.call.reply import Announcement
from agent.personas.script import Script
from agent.warm_transfers import WarmTransfer
from pipelines.clock import now
from pipelines.conversation import TRANSFER_CALL, ToolCall, ToolResult
from pipelines.stages.usage import Usage

log = structlog.get_logger()

JOINED_AFTER = 1.0
"""Seconds from a yes until both are introduced: the platform brings whoever said it to the caller
meanwhile, and does not tell when they are there."""


_KEYS = KEYPAD.format("")


class TransferError(Exception):
    """The caller cannot be passed on. The message is fit for a log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A caller who is to be passed on."""

    to: str
    """A number, a SIP address, or an In-App user."""

    warm: WarmTransfer | None = None
    """How whoever is called is asked first; None if they are not."""

    said: Sequence[Mapping[str, str]] = ()
    """Of the call so far, who spoke and what, in order."""

    language: str = "en"
    """BCP 47 tag."""

    usage: Usage = field(default_factory=Usage)
    """Of the call; whoever asks a provider about it adds to it."""


Mover = Callable[[Handover], Awaitable[None]]
"""Dials somebody into the conversation; raises :class:`TransferError`. What becomes of it comes as
an order to the call: moved, or not moved; and before, if they are asked first, that they are."""


class CallTransfer:
    """Whom we dial for the caller, at most one at a time; we stay with them until it is answered.

    Args:
        mover: Dials; None if this call cannot be passed on.
        script: Whom callers can be passed on to, and how: number or SIP address by the name that
            the agent file has for them.
        history: Gets a line when it begins, and when it is over; the model is told.
    """

    def __init__(self, mover: Mover | None, script: Script, history: History) -> None:
        self._mover = mover
        self._script = script
        self._history = history
        self._to = ""  # of the last one, if it is over
        self._warm: WarmTransfer | None = None
        self._asked: dict[str, WarmTransfer | None] = {}  # by an operator, by whom they named
        self._status = ""
        self._away = False  # the caller has talked to them without us
        self._helpers, self._helper = count(1), ""  # who is on the line beside the caller and us
        self.under_way = False
        """Whether somebody is being dialled, or asked."""

        self.together = False
        """Whether whoever took the call is with the caller and us."""

    def obey(self, order: Order) -> Announcement | None:
        """Take an order that is about a transfer; return what is said about it, None for nothing.

        It may come twice: what is known is not said, or noted, again.
        """
        match order:
            case TransferCaller():
                self._asked[order.to] = order.warm and self._completed(order.warm)
                # Whoever talks over it does not undo what an operator has decided.
                return Announcement(text=order.announcement, transfer=order.to, interruptible=False)
            case CalleeBriefed() if self.under_way and self._status == "started":
                self._step("briefed")
            case CallerMoved(introduction=text) if text and not self.together:
                return self._introduction(order)
            case CallerMoved(introduction="") if self.under_way or not order.helps:
                self._moved(order)
            case CallerNotMoved() if self.under_way:
                return self._failed(order)
            case ReturnToCaller(by=by) if self.together:
                return self._returned(by)
        return None

    def _completed(self, warm: WarmTransfer) -> WarmTransfer:
        """Return how an operator wants it, with the texts of the agent file for those left out."""
        usual = next(iter(self._script.warm.values()), WarmTransfer())
        texts = {name: getattr(warm, name) for name in ("briefing", "consent", "introduction")}
        given = {name: text for name, text in texts.items() if text}
        with_summary = "" if warm.briefing else usual.with_summary
        return replace(usual, then=warm.then, **{**given, "with_summary": with_summary})

    async def dial(self, to: str) -> bool:
        """Dial somebody, unless that is under way; return False if they cannot be reached.

        Have :meth:`obey` told what became of it, at once if this returns False.
        """
        if self.together and not self.under_way:
            self._tell_model(to, f"{to} was not dialled: somebody helps already", failed=True)
            return True
        if self.under_way:
            return True
        self._to, self.under_way = to, True
        self._warm = self._asked[to] if to in self._asked else self._script.warm.get(to)
        self._step("started")
        if self._mover is None:
            return False
        try:
            await self._mover(self._handover(to))
        except TransferError as error:
            log.warning("the caller cannot be passed on", reason=str(error))
            said = f"{to} was not dialled, and cannot be reached now: {error}"
            self._tell_model(to, said, failed=True)
            return False
        if self._warm is not None:
            self._tell_model(
                to,
                f"{to} is being called, and asked whether they take the caller. Until that is "
                "known the caller stays with you: go on talking with them, promise nothing.",
            )
        return True

    def _handover(self, to: str) -> Handover:
        who, agreed = {"user": "caller", "assistant": "agent"}, self._history.consent.is_given
        lines = [
            one
            for one in self._history.conversation
            if agreed
            and one.text
            and not (self._script.keys_are_secret and one.text.startswith(_KEYS))
        ]
        return Handover(
            to=self._script.numbers.get(to, to),
            warm=self._warm,
            said=tuple({"who": who[one.role], "text": one.text} for one in lines),
            language=self._script.brief.language,
            usage=self._history.usage,
        )

    def _introduction(self, order: CallerMoved) -> Announcement:
        """Return what is said to both, now that somebody takes the caller.

        Once it was heard the rest of the order is done, if they are :attr:`together` by then.
        """
        self.together = True
        if self._warm is not None:
            self._step("accepted")
        return Announcement(
            text=order.introduction,
            interruptible=False,
            not_before=now() + JOINED_AFTER,
            order=replace(order, introduction=""),
        )

    def _moved(self, order: CallerMoved) -> None:
        """Note that the caller talks to them now: alone, or with us, who help."""
        if self._warm is not None and not self.together:
            self._step("accepted")
        self._step("done")
        if order.helps:
            said = f"{self._to} is on the line now, and hears you and the caller. Help both."
            self._tell_model(self._to, said)
            self._helps()
        self.together, self.under_way = order.helps or order.stay, False
        self._away = not order.helps

    def _helps(self) -> None:
        """Have the line be one of several: who has been told that, by the introduction or not."""
        self._helper = f"transfer {next(self._helpers)}"
        title = self._to if self._to in self._script.numbers else ""
        who = PartyJoined(party=self._helper, title=title)
        told = self._warm is not None and bool(self._warm.introduction)
        self._history.party.joined(who, now(), told=told)

    def _failed(self, order: CallerNotMoved) -> Announcement:
        """Note that nobody takes the caller; return what they are told."""
        if order.why == "declined":
            self._step("declined")
        self._step("failed", why=order.why)
        if self._warm is not None and order.why is not None:
            said = f"{self._to} does not take the caller: {order.why}."
            self._tell_model(self._to, said, failed=True)
        self.together = self.under_way = False
        own = self._script.transfer_failures
        text = own.get(order.why or "failed", self._script.transfer_failed)
        return self._history.consent.not_passed_on(Announcement(text=text))

    def _returned(self, by: Literal["operator", "service"]) -> Announcement:
        """Note that we are alone with the caller again; return what they are told."""
        if self.under_way:
            self._step("failed")
        else:
            self._step("returned", by=by)
        if self._helper:
            who = PartyLeft(party=self._helper, title="", why="left")
            self._history.party.left(who, now(), told=True)
            self._helper = ""
        self._tell_model(self._to, f"{self._to} has left; you are alone with the caller again.")
        if self._away:
            self._history.colleague_talked()
        self.together = self.under_way = self._away = False
        return self._history.consent.not_passed_on(Announcement(text=self._script.returned))

    def _step(self, status: str, **fields: object) -> None:
        self._status = status
        known = {name: value for name, value in fields.items() if value is not None}
        warm = {} if self._warm is None else {"warm": True, "then": self._warm.then}
        self._history.record.note("transfer", to=self._to, status=status, **warm, **known)

    def _tell_model(self, to: str, text: str, *, failed: bool = False) -> None:
        """Tell the model what became of it: if it knows the name, else it is a number."""
        if to in self._script.numbers:
            call = ToolCall(TRANSFER_CALL, {"to": to})
            self._history.tool_gave(ToolResult(call, text, failed=failed))
