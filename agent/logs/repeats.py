"""How often a message may be said: no fault fills the log, however often it happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

PER_SECOND = 5
"""Times that one message is logged within a second: enough to see who is concerned."""

WINDOW = 1.0
"""Seconds."""

MOST_KINDS = 100
"""Messages that are counted by themselves within a second. Ours are fewer; a library may put
anything into its own. What is beyond shares one allowance."""

Kind = tuple[str, str, str]
"""Level, library (``""`` for ours) and text."""

OTHERS: Kind = ("warning", "", "messages of many kinds")


@dataclass(slots=True)
class _Count:
    began: float
    said: int = 0
    more: int = 0


class Repeats:
    """Counts messages by their kind, a second at a time. Any thread may ask.

    No clock and no I/O: it is told the time. The lock may be taken again by the thread that has it,
    since the garbage collector may run anything in between, which may log.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._counts: dict[Kind, _Count] = {}

    def passes(self, kind: Kind, now: float) -> bool:
        """Return whether a message may be said; what may not is counted."""
        with self._lock:
            count = self._counts.get(kind)
            if count is None and len(self._counts) >= MOST_KINDS:
                self._forget(now)
                if len(self._counts) >= MOST_KINDS:
                    kind, count = OTHERS, self._counts.get(OTHERS)
            if count is None:
                count = self._counts[kind] = _Count(now)
            elif not count.more and now - count.began >= WINDOW:
                count.began, count.said = now, 0
            if count.said >= PER_SECOND:
                count.more += 1
                return False
            count.said += 1
            return True

    @property
    def holding(self) -> bool:
        """Whether something was not said that :meth:`due` will tell of."""
        with self._lock:
            return any(count.more for count in self._counts.values())

    def due(self, now: float, *, all_: bool = False) -> Iterator[tuple[Kind, int]]:
        """Yield what was not said in a second that is over, and how often; it starts over then.

        Args:
            now: The time.
            all_: Whether seconds count as well that are not over.
        """
        with self._lock:
            held = [
                (kind, count)
                for kind, count in self._counts.items()
                if count.more and (all_ or now - count.began >= WINDOW)
            ]
            found = [(kind, count.more) for kind, count in held]
            for _, count in held:
                count.began, count.said, count.more = now, 0, 0
        yield from found

    def _forget(self, now: float) -> None:
        old = [k for k, c in self._counts.items() if not c.more and now - c.began >= WINDOW]
        for kind in old:
            self._counts.pop(kind, None)
