"""How often something may be tried: per address, per name, per kind of request."""

from __future__ import annotations

from collections import OrderedDict, deque

MOST_KEPT = 10_000
"""Addresses and names that are kept; the ones that were longest silent go first."""


class Throttle:
    """Counts tries by key, in this process. It is told the time.

    Args:
        most: Tries of one key.
        within: Seconds over which they count.
    """

    def __init__(self, most: int, within: float) -> None:
        self._most = most
        self._within = within
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, key: str, at: float) -> int:
        """Count a try; or return the seconds until one is taken again, and count nothing.

        It counts before its outcome is known, so that many at once are no more than many in a row.
        """
        tries = self._tries.setdefault(key, deque())
        self._tries.move_to_end(key)
        while len(self._tries) > MOST_KEPT:
            self._tries.popitem(last=False)
        while tries and at - tries[0] >= self._within:
            tries.popleft()
        if len(tries) >= self._most:
            return int(self._within - (at - tries[0])) + 1
        tries.append(at)
        return 0

    def forgive(self, key: str) -> None:
        """Take the last try back: it was right."""
        if tries := self._tries.get(key):
            tries.pop()
