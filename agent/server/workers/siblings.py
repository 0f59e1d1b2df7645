"""What one worker knows of the others of its service, and tells them: by the board.

Limits are of the whole service: a call counts wherever it is, and a place that one worker keeps for
a call is good at every other, since the platform's stream comes to whichever takes its connection.
Each tells what it has before it looks at what others have, so two that come at the same moment see
each other, and the limit is never passed; at worst both are turned away at its very edge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.server.workers.board import DRAINING, REFUSING, Board, BoardRow, digest
from agent.server.workers.worker_slot import WorkerSlot

A_CALL_MORE = 0.03
"""Seconds for which a connection is left to a worker that has a call less, for each that it has
less: it takes a connection within a millisecond, unless its loop is busy."""

AT_MOST = 0.12
"""Seconds for which it is, however many they are."""

REFUSED = 0.5
"""Seconds for which one that takes no call leaves it to those that do: declining it is worse than
waiting for a loop that is held for a moment. Where all decline, nobody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsElsewhere:
    """What the others have."""

    calls: int = 0
    young: int = 0
    """Of them, how many have only begun."""

    places: int = 0
    """Places that they keep and this worker does not, less those that it keeps for calls which have
    come to one of them."""

    has_place: bool = False
    """Whether one of them keeps a place for the call that is asked about."""

    room: int = 0
    """Calls more that they could carry, as each has last measured."""


class Siblings:
    """The others, and our own row among theirs.

    Args:
        slot: Of this worker.
    """

    def __init__(self, slot: WorkerSlot) -> None:
        self._slot = slot.number
        self._board = Board(slot.folder)
        self._own = self._board[slot.number]
        self._digests: dict[str, int] = {}
        self.leaving = False
        """Whether this worker takes no more connections, whatever becomes of those it has."""

    @property
    def own(self) -> BoardRow:
        """Our row."""
        return self._own

    @property
    def take_calls(self) -> bool:
        """Whether any of the others takes calls now."""
        return any(row.takes_calls for row in self._others)

    @property
    def calls(self) -> int:
        """Calls in progress at the others."""
        return sum(row.calls for row in self._others)

    @property
    def _others(self) -> list[BoardRow]:
        return [row for slot, row in self._board.used().items() if slot != self._slot]

    def describe(self) -> list[Mapping[str, object]]:
        """Return all workers of the service as JSON, this one too."""
        return [
            {
                "slot": slot,
                "pid": row.pid,
                "calls": row.calls,
                "state": "draining"
                if row.draining
                else "taking calls"
                if row.takes_calls
                else "refusing",
            }
            for slot, row in self._board.used().items()
        ]

    def beat(self, *, draining: bool, refusing: bool, room: int = 0) -> None:
        """Tell how this worker is, and what it could carry besides; several times a second."""
        self.own.beat(DRAINING * (draining or self.leaving) | REFUSING * refusing, room)

    def hold(self, calls: Iterable[str], places: Iterable[str], young: int) -> None:
        """Tell which calls are here.

        Args:
            calls: Their names.
            places: The names of those that a place is kept for.
            young: How many have only begun.
        """
        known, self._digests = self._digests, {}

        def digests(names: Iterable[str]) -> list[int]:
            for name in names:
                self._digests[name] = known.get(name) or digest(name)
            return [self._digests[name] for name in names]

        self.own.hold(digests(list(calls)), digests(list(places)), young)

    def elsewhere(self, calls: Iterable[str], places: Iterable[str], name: str) -> CallsElsewhere:
        """Return what the others have. Costs some microseconds a worker.

        Args:
            calls: Names of the calls here.
            places: Names of those that this worker keeps a place for.
            name: Of the call that asks for one; ``""`` if it has none.
        """
        others, own = self._others, digest(name) if name else 0
        here = set[int]().union(*(row.here for row in others))
        kept = set[int]().union(*(row.places for row in others)) - here
        ours = {self._digests.get(one) or digest(one) for one in places} - {own}
        in_progress = {self._digests.get(one) or digest(one) for one in calls}
        return CallsElsewhere(
            calls=sum(row.calls for row in others),
            young=sum(row.young for row in others),
            places=len(kept - ours - in_progress - {own}) - len(ours & here),
            has_place=own in kept,
            room=sum(row.room for row in others),
        )

    def patience(self, *, refusing: bool) -> float:
        """Return the seconds for which a connection that has come is for others to take.

        Args:
            refusing: Whether this worker would take no call.
        """
        loads = [row.load for row in self._others if row.takes_calls]
        if not loads:
            return 0.0
        if refusing:
            return REFUSED
        return min(AT_MOST, max(0, self.own.load - min(loads)) * A_CALL_MORE)
