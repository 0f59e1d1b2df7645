"""Who is dialled for the caller, and what record, language model and line are told of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from agent.call.history import History
from agent.call.orders import PartyJoined, PartyLeft
from agent.personas.script import Script
from agent.warm_transfers import WarmTransfer
from pipelines.clock import now
from pipelines.conversation import TRANSFER_CALL, Destination, ToolCall, ToolResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Callee:
    """Somebody who is, was or is to be dialled for the caller."""

    to: str = ""
    """Name of the agent file; of whom an operator asks for, the number or address."""

    leg: str = ""
    """What their leg is called, by which orders tell what became of it."""

    warm: WarmTransfer | None = None
    """How they are asked first; None if they are not."""

    by_operator: bool = False


class TransferNotes:
    """Puts transfers on record, and tells the model and the line of several of them.

    Args:
        script: Has the names that a model knows.
        history: Gets all of it.
    """

    def __init__(self, script: Script, history: History) -> None:
        self._script = script
        self._history = history

    def same(self, to: str, callee: Callee) -> bool:
        """Return whether somebody is asked for by name, or by number, who was dialled by either."""
        number = self._script.numbers.get
        return number(to, to) == number(callee.to, callee.to)

    def step(self, callee: Callee, status: str, **fields: object) -> None:
        """Put a step of a transfer on record; a field that is None is left out."""
        known = {name: value for name, value in fields.items() if value is not None}
        warm = {} if callee.warm is None else {"warm": True, "then": callee.warm.then}
        self._history.record.note("transfer", to=callee.to, status=status, **warm, **known)

    def tell_model(self, to: str, text: str, *, failed: bool = False) -> None:
        """Tell the model what became of it: if it knows the name, else it is a number."""
        if to in self._script.numbers:
            call = ToolCall(TRANSFER_CALL, {"to": to})
            self._history.tool_gave(ToolResult(call, text, failed=failed))

    def helps(self, callee: Callee) -> None:
        """Have the line be one of several: who has been told that, by the introduction or not."""
        told = callee.warm is not None and bool(callee.warm.introduction)
        who = PartyJoined(party=callee.leg, title=self._title(callee))
        self._history.party.joined(who, now(), told=told)

    def left(self, callee: Callee, *, told: bool) -> None:
        """Note that somebody who has helped is on the line no more."""
        who = PartyLeft(party=callee.leg, title="", why="left")
        self._history.party.left(who, now(), told=told)

    def returned(self, callee: Callee, others: Iterable[Callee]) -> None:
        """Tell the model who has left, and with whom it is now."""
        titles = [self._title(one) or "somebody else" for one in others]
        them = " and ".join(["with the caller", *titles]) if titles else "alone with the caller"
        self.tell_model(callee.to, f"{callee.to} has left; you are {them} again.")

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
            self._notes.left(gone, told=False)

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
    text = script.transfer_failures.get("failed", script.transfer_failed)
    return tuple(
        replace(one, refused=why[one.name], announcement=text) if why[one.name] else one
        for one in known
    )
