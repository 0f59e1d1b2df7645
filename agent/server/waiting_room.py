"""Sockets that have not said yet which call they bring, and have no token to show for it.

Anyone can open one. They are few in all, and fewer of one address; when there is no room for
another, the one goes that has waited longest, since whoever brings a call says so at once. Nobody
is turned away for those who wait, however many they are, and those with a token wait elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from agent.stream.budget import FrameBudget, of_an_address

log = structlog.get_logger()

ADDRESSES = 1024
"""Addresses whose budgets are remembered; whoever has more of them has other means."""


class WaitingRoom:
    """The sockets that wait, by address.

    Args:
        places: How many there are; half of them for any one address.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._waiting: dict[str, dict[object, Callable[[], None]]] = defaultdict(dict)
        self._budgets: dict[str, FrameBudget] = {}
        self.sent_away = 0
        """Sockets that had to go, since the start."""

    def __len__(self) -> int:
        """Return how many wait."""
        return sum(map(len, self._waiting.values()))

    @contextmanager
    def place(self, address: str, leave: Callable[[], None]) -> Iterator[None]:
        """Have a place until the block is left.

        Args:
            address: As it is counted.
            leave: Called, at most once, if the place is wanted for another: let go of the socket.
        """
        if len(self._waiting.get(address, ())) >= max(1, self._places // 2):
            self._send_away(address)
        elif len(self) >= self._places:
            self._send_away(max(self._waiting, key=lambda one: len(self._waiting[one])))
        name = object()
        self._waiting[address][name] = leave
        try:
            yield
        finally:
            self._forget(address, name)

    def budget(self, address: str) -> FrameBudget:
        """Return what all who wait at an address may send together."""
        budget = self._budgets.pop(address, None) or of_an_address()
        self._budgets[address] = budget  # behind those that were not asked for as lately
        while len(self._budgets) > ADDRESSES:
            del self._budgets[next(iter(self._budgets))]
        return budget

    def _send_away(self, address: str) -> None:
        """Send away the one of an address that has waited longest."""
        name, leave = next(iter(self._waiting[address].items()))
        self._forget(address, name)
        self.sent_away += 1
        if self.sent_away.bit_count() == 1:  # the first, the second, the fourth and so on
            log.warning("sockets had to go: others came", sent_away=self.sent_away, remote=address)
        leave()

    def _forget(self, address: str, name: object) -> None:
        waiting = self._waiting.get(address, {})
        waiting.pop(name, None)
        if not waiting:
            self._waiting.pop(address, None)
