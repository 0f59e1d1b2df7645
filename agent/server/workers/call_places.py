"""Which calls have a place before they are in progress: here, and at the other workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass

from agent.server.load.capacity import Capacity
from agent.server.workers.siblings import CallsElsewhere, Siblings
from pipelines.clock import now


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesTaken:
    """How full the service is, for one who asks."""

    taken: int
    """Calls in progress, and places that are kept for others."""

    here: int
    """Of them, those of this process."""

    young: int
    """Of them, how many have only begun, or not yet."""

    has_place: bool
    """Whether one is kept for whoever asks."""

    room_elsewhere: int
    """Calls more that the other workers could carry."""

    kept: int
    """Places that this process keeps for others than who asks."""

    def refusal(self, capacity: Capacity) -> str:
        """Return why this process takes no call, as :meth:`Capacity.refusal` has it."""
        return capacity.refusal(
            taken=self.taken, here=self.here, young=self.young, has_place=self.has_place
        )

    def refusal_elsewhere(self, reason: str, capacity: Capacity) -> str:
        """Return why no worker takes a call that this one does not take, for a reason.

        Where this one is full, or drains, others may have room: for those, too, that it keeps a
        place for already.
        """
        if reason and self.room_elsewhere > self.kept:
            return capacity.refusal_everywhere(taken=self.taken, young=self.young)
        return reason

    def room_left(self, own: int, most: int) -> int:
        """Return how many more calls the service takes: ``most`` in all, ``own`` more here."""
        return max(0, min(most - self.taken, own + self.room_elsewhere))


class CallPlaces:
    """The places that this worker keeps, and what others need to know of its calls.

    Args:
        siblings: The other workers; None if this is the only process.
    """

    def __init__(self, siblings: Siblings | None = None) -> None:
        self._siblings = siblings
        self._until: dict[str, float] = {}
        """Of those that are expected, by their names."""

        self._coming: Counter[str] = Counter()
        """Those whose socket is there, and how many have come for each: all but one are turned
        away, once their token is looked at."""

        self._here: Set[str] = frozenset()
        self._young = 0

    def keep(self, name: str, seconds: float) -> None:
        """Keep a place for a call that is expected."""
        self._until[name] = now() + seconds
        self._tell()

    def give_up(self, name: str) -> None:
        """Keep none any more, if one was kept."""
        if self._until.pop(name, None) is not None:
            self._tell()

    @contextmanager
    def coming(self, name: str) -> Iterator[None]:
        """Keep a place for a call whose socket is there, until the block is left."""
        self._coming[name] += 1
        self._tell()
        try:
            yield
        finally:
            self._coming[name] -= 1
            self._coming += Counter()  # without those of which there is none
            self._tell()

    def hold(self, calls: Set[str], young: int) -> None:
        """Note which calls are in progress here, and how many of them have only begun."""
        self._here, self._young = calls, young
        self._tell()

    def look(self, name: str) -> PlacesTaken:
        """Return how full the service is, for a call of that name; ``""`` if it has none.

        What is here is told to the others before: two that look at the same moment see each other.
        """
        self._tell()
        kept, expected = self._kept, self._expected
        there = CallsElsewhere()
        if self._siblings is not None:
            there = self._siblings.elsewhere(self._here, kept, name)
        waiting = len(kept - {name}) + there.places
        return PlacesTaken(
            taken=len(self._here) + there.calls + waiting,
            here=len(self._here) + len(kept - {name}),
            young=self._young + there.young + waiting,
            has_place=name in expected or there.has_place,
            room_elsewhere=there.room,
            kept=len(kept - {name}),
        )

    @property
    def _expected(self) -> set[str]:
        at = now()
        return {name for name, until in self._until.items() if at < until}

    @property
    def _kept(self) -> set[str]:
        return self._expected | self._coming.keys()

    def _tell(self) -> None:
        if self._siblings is not None:
            self._siblings.hold(self._here, self._kept, self._young)
