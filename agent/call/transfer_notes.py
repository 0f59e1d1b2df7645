"""Who is dialled for the caller, and what record, language model and line are told of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from agent.call.history import History
from agent.call.orders import CallerNotMoved, NotReached, PartyJoined, PartyLeft, TransferCaller
from agent.personas.disclosures import told_alone
from agent.personas.script import Script
from agent.warm_transfers import WarmTransfer
from pipelines.clock import now
from pipelines.conversation import TRANSFER_CALL, Destination, ToolCall, ToolResult

ASKED_FIRST = (
    "{} is being called, and asked whether they take the caller. Until that is known the caller "
    "stays with you: go on talking with them, promise nothing."
)
"""What the model knows once somebody is called who is asked first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callee:
    """Somebody who is, was or is to be dialled for the caller."""

    to: str = ""
    """Name of the agent file; of whom an operator asks for, the number or address."""

    number: str = ""
    """Where they are dialled: a number, a SIP address, or an In-App user."""

    leg: str = ""
    """What their leg is called, by which orders tell what became of it."""

    warm: WarmTransfer | None = None
    """How they are asked first; None if they are not."""

    by_operator: bool = False


class Callees:
    """Who can be dialled: whom the agent file names, and whom an operator has asked for.

    Args:
        script: Has the names, numbers and ways of the file.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._asked: dict[str, WarmTransfer | None] = {}  # by whom they named

    def ask(self, order: TransferCaller) -> None:
        """Note whom an operator wants dialled, and how, until it is done, or refused."""
        warm = order.warm
        self._asked[order.to] = None if warm is None else _completed(warm, order, self._script)

    def asked(self, to: str) -> bool:
        """Return whether an operator wants somebody dialled who is not yet."""
        return to in self._asked

    def forget(self, to: str) -> None:
        """Note that somebody is not dialled, though an operator may have asked for it."""
        self._asked.pop(to, None)

    def number(self, to: str) -> str:
        """Return where somebody is dialled who has a name in the agent file; or else ``to``."""
        return self._script.numbers.get(to, to)

    def same(self, to: str, callee: Callee) -> bool:
        """Return whether somebody is asked for by name, or by number, who was dialled by either."""
        return self.number(to) == callee.number != ""

    def new(self, to: str) -> Callee:
        """Return somebody who is to be dialled now: as an operator wants it, or as in the file."""
        asked = self.asked(to)
        warm = self._asked.pop(to) if asked else self._script.warm.get(to)
        leg = f"t{uuid.uuid4().hex[:24]}"
        return Callee(to=to, number=self.number(to), leg=leg, warm=warm, by_operator=asked)


def _completed(warm: WarmTransfer, order: TransferCaller, script: Script) -> WarmTransfer:
    """Return how an operator wants it, with the texts of the agent file for those left out."""
    usual = next(iter(script.warm.values()), WarmTransfer())
    texts = {name: getattr(warm, name) for name in ("briefing", "consent", "introduction")}
    given = {name: text for name, text in texts.items() if text}
    helps = warm.then == "help" and order.discloses
    told = told_alone(script.discloses_alone, order.to, script.brief.language) if helps else ""
    given["with_summary"] = "" if warm.briefing else usual.with_summary
    return replace(usual, then=warm.then, disclosure=told, **given)


class TransferNotes:
    """Puts transfers on record, and tells the model and the line of several of them.

    Args:
        script: Has the names that a model knows.
        history: Gets all of it.
    """

    def __init__(self, script: Script, history: History) -> None:
        self._script = script
        self._history = history

    def step(self, callee: Callee, status: str, **fields: object) -> None:
        """Put a step of a transfer on record; a field that is None is left out."""
        known = {name: value for name, value in fields.items() if value is not None}
        warm = {} if callee.warm is None else {"warm": True, "then": callee.warm.then}
        self._history.record.note("transfer", to=callee.to, status=status, **warm, **known)

    def not_dialled(self, to: str, why: str, *, cannot_be_reached: bool = False) -> None:
        """Tell the model why somebody was not dialled, and whether it is of no use to try again."""
        more = ", and cannot be reached now" if cannot_be_reached else ""
        self._tell_model(to, f"{to} was not dialled{more}: {why}", failed=True)

    def rings_already(self, to: str) -> None:
        """Tell the model that whoever it asks for is being dialled."""
        self._tell_model(to, f"{to} is being called already: go on with the caller.")

    def asked_first(self, to: str) -> None:
        """Tell the model that somebody is called who is asked first."""
        self._tell_model(to, ASKED_FIRST.format(to))

    def moved(self, callee: Callee) -> None:
        """Tell the model that somebody has come to help."""
        said = f"{callee.to} is on the line now, and hears you and the caller. Help both."
        self._tell_model(callee.to, said)

    def not_moved(self, callee: Callee, order: CallerNotMoved) -> None:
        """Tell the model that somebody does not come, and why, if that is known."""
        to = callee.to
        if order.by:
            self._tell_model(to, f"An operator does not want {to} called any more.", failed=True)
        elif callee.warm is not None and order.why is not None:
            self._tell_model(to, f"{to} does not take the caller: {order.why}.", failed=True)

    def _tell_model(self, to: str, text: str, *, failed: bool = False) -> None:
        if to in self._script.numbers:  # by the name that it knows; else it is a number
            call = ToolCall(TRANSFER_CALL, {"to": to})
            self._history.tool_gave(ToolResult(call, text, failed=failed))

    def helps(self, callee: Callee) -> None:
        """Have the line be one of several: who has been told that, by the introduction or not."""
        told = callee.warm is not None and bool(callee.warm.introduction)
        who = PartyJoined(party=callee.leg, title=self._title(callee))
        self._history.party.joined(who, now(), told=told)

    def left(self, gone: Sequence[Callee], *, told: bool) -> None:
        """Note that some who have helped are on the line no more."""
        for one in gone:
            who = PartyLeft(party=one.leg, title="", why="left")
            self._history.party.left(who, now(), told=told)

    def returned(self, callee: Callee, others: Iterable[Callee]) -> None:
        """Tell the model who has left, and with whom it is now."""
        titles = [self._title(one) or "somebody else" for one in others]
        them = " and ".join(["with the caller", *titles]) if titles else "alone with the caller"
        self._tell_model(callee.to, f"{callee.to} has left; you are {them} again.")

    def _title(self, callee: Callee) -> str:
        """Return the name of the agent file for somebody, also if an operator gave the number."""
        names = self._script.numbers
        if callee.to in names:
            return callee.to
        return next((name for name, number in names.items() if number == callee.to), "")


class Helpers:
    """Who has come to help, and is on the line beside the caller and the agent.

    Args:
        notes: Are told of each.
    """

    def __init__(self, notes: TransferNotes) -> None:
        self._notes = notes
        self._there: dict[str, Callee] = {}

    def __len__(self) -> int:
        return len(self._there)

    def __iter__(self) -> Iterator[Callee]:
        return iter(self._there.values())

    @property
    def legs(self) -> tuple[str, ...]:
        """Names of their legs."""
        return tuple(self._there)

    def has(self, leg: str) -> bool:
        """Return whether somebody is there by that leg."""
        return leg in self._there

    def joined(self, callee: Callee) -> None:
        """Note who is there; a second time, nothing happens."""
        if callee.leg not in self._there:
            self._there[callee.leg] = callee
            self._notes.helps(callee)

    def left(self, leg: str) -> None:
        """Note that somebody is not, while others are, who hear of it as on any line."""
        if (gone := self._there.pop(leg, None)) is not None:
            self._notes.left([gone], told=False)

    def take(self, leg: str) -> list[Callee]:
        """Return who leaves by that leg, ``""`` for all, and count them no more."""
        gone = [one for one in self if leg in ("", one.leg)]
        for one in gone:
            del self._there[one.leg]
        return gone


def destinations(
    refusal: Callable[[str], str], script: Script, known: Sequence[Destination]
) -> tuple[Destination, ...]:
    """Return whom a model may ask for, each with why it may not now: before it announces them.

    What is said in place of the announcement is what the caller hears of any failure.
    """
    why = {one.name: refusal(one.name) for one in known}
    text = failure(script)
    return tuple(
        replace(one, refused=why[one.name], announcement=text) if why[one.name] else one
        for one in known
    )


def failure(script: Script, why: NotReached | None = None) -> str:
    """Return what a caller hears of a transfer that fails; why may not be known."""
    return script.transfer_failures.get(why or "failed", script.transfer_failed)
