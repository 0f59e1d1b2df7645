"""How often something may be tried: per address, per name, per kind of request.

Workers of one service count each other's tries in: each writes its own into a ring in a file of
their supervisor's folder, and reads those of all. As on the board there are no locks; a try is
told before others are counted, so that many at once are no more than many in a row.
"""

from __future__ import annotations

from collections import OrderedDict, deque

import numpy as np

from agent.server.workers.board import ROWS, digest
from agent.server.workers.shared_words import SharedWords
from agent.server.workers.worker_slot import WorkerSlot

MOST_KEPT = 10_000
"""Addresses and names that are kept; the ones that were longest silent go first."""

RING = 8192
"""Tries of one worker that others know of, the latest: more than are taken in the time that any of
them counts, but of a flood from thousands of addresses."""

_FILE, _WORDS = "tries", 2 * RING


class SharedTries:
    """The rings.

    Args:
        slot: Of this worker, whose ring it writes.
    """

    def __init__(self, slot: WorkerSlot) -> None:
        self._words = SharedWords(slot.folder / _FILE, make=True)
        self._slot = slot.number
        self._own = [(0, 0)] * RING
        self._words.write(self._slot * _WORDS, [0] * _WORDS)  # of a worker that has ended
        self._next = 0

    def note(self, key: int, at: float) -> int:
        """Note a try; return where, for :meth:`take_back`."""
        place, self._next = self._next, (self._next + 1) % RING
        self._tell(place, (key, int(at * 1e6)))
        return place

    def take_back(self, place: int, key: int) -> None:
        """Forget a try, if it is still noted there."""
        noted, at = self._own[place]
        if noted == key:
            self._tell(place, (0, at))

    def of_others(self, key: int, since: float) -> list[float]:
        """Return when others have noted tries of a key, those of before ``since`` left out."""
        times: list[float] = []
        for slot in range(min(ROWS, -(-self._words.length // _WORDS))):
            if slot != self._slot:
                ring = self._words.read(slot * _WORDS, _WORDS)
                found = np.frombuffer(ring, dtype=np.uint64).reshape(RING, 2)
                times += (found[:, 1][found[:, 0] == key] / 1e6).tolist()
        return [at for at in times if at > since]

    def _tell(self, place: int, noted: tuple[int, int]) -> None:
        self._own[place] = noted
        self._words.write(self._slot * _WORDS + 2 * place, noted)


class Throttle:
    """Counts tries by key. It is told the time, by the event loop's clock.

    Args:
        most: Tries of one key.
        within: Seconds over which they count.
        shared: What other workers count; None if this is the only process.
        name: Tells its keys from those of other throttles, in every worker alike.
    """

    def __init__(
        self, most: int, within: float, shared: SharedTries | None = None, name: str = ""
    ) -> None:
        self._most = most
        self._within = within
        self._shared = shared
        self._name = name
        self._tries: OrderedDict[str, deque[tuple[float, int]]] = OrderedDict()
        """When each was, and where it is noted."""

    def wait(self, key: str, at: float) -> int:
        """Count a try; or return the seconds until one is taken again, and count nothing.

        It counts before its outcome is known, so that many at once are no more than many in a row.
        """
        tries = self._tries.setdefault(key, deque())
        self._tries.move_to_end(key)
        while len(self._tries) > MOST_KEPT:
            self._tries.popitem(last=False)
        while tries and at - tries[0][0] >= self._within:
            tries.popleft()
        if len(tries) >= self._most:
            return self._left(tries[0][0], at)
        tries.append((at, self._note(key, at)))
        others = self._of_others(key, at)
        if len(tries) + len(others) > self._most:
            self.forgive(key)
            return self._left(min([*others, *(one for one, _ in tries)]), at)
        return 0

    def forgive(self, key: str) -> None:
        """Take the last try back: it was right."""
        if tries := self._tries.get(key):
            _, place = tries.pop()
            if self._shared is not None:
                self._shared.take_back(place, self._digest(key))

    def _left(self, first: float, at: float) -> int:
        return int(self._within - (at - first)) + 1

    def _digest(self, key: str) -> int:
        return digest(f"{self._name} {key}")

    def _note(self, key: str, at: float) -> int:
        return self._shared.note(self._digest(key), at) if self._shared is not None else 0

    def _of_others(self, key: str, at: float) -> list[float]:
        if self._shared is None:
            return []
        return self._shared.of_others(self._digest(key), at - self._within)
