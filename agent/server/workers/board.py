"""What the workers of one service on one machine tell each other: a row each, in a mapped file.

A row is written by its worker alone, an aligned word of 64 bits at a time, and read by all: there
are no locks, and nobody waits for a worker that hangs or has died. What is read may be a moment
old, which every reader has to bear. The supervisor empties the row of a worker that has ended.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

NAME = "board"

ROWS = 256
"""Workers at a time, those that drain included. Rows that nobody has used take no memory."""

HERE, PLACES = 1024, 1024
"""Calls in progress, and places kept for calls that come, whose names a row has room for: more than
a process carries. What is beyond counts no more."""

_PID, _BEAT, _FLAGS, _LOAD, _YOUNG, _CALLS, _KEPT, _ROOM, _FIRST = range(9)
_WORDS = _FIRST + HERE + PLACES
_BYTES = 8 * _WORDS

DRAINING, REFUSING = 1, 2
"""Flags."""

SILENT = 2.0
"""Seconds without a beat after which nobody waits for a worker: its loop is held, or it is gone."""


def digest(name: str) -> int:
    """Return what stands for the name of a call: never 0, the same in every worker."""
    found = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(found) or 1


class BoardRow:
    """The row of one worker.

    Args:
        words: Its part of the file.
    """

    def __init__(self, words: memoryview) -> None:
        self._words = words

    @property
    def pid(self) -> int:
        """Its process; 0 if nobody serves there."""
        return int(self._words[_PID])

    @property
    def load(self) -> int:
        """Streams, and connections of which nobody knows yet what they bring."""
        return int(self._words[_LOAD])

    @property
    def young(self) -> int:
        """Calls whose cost is not known yet."""
        return int(self._words[_YOUNG])

    @property
    def calls(self) -> int:
        """Calls in progress."""
        return int(self._words[_CALLS])

    @property
    def room(self) -> int:
        """Calls more that it could carry, as it was last measured."""
        return int(self._words[_ROOM]) if self.takes_calls else 0

    @property
    def draining(self) -> bool:
        """Whether it is about to end."""
        return bool(self._words[_FLAGS] & DRAINING)

    @property
    def takes_calls(self) -> bool:
        """Whether it serves, its loop turns, and it would take one now."""
        late = time.monotonic_ns() // 1000 - self._words[_BEAT]
        return bool(self.pid and not self._words[_FLAGS] and late < SILENT * 1e6)

    @property
    def here(self) -> set[int]:
        """Digests of the names of its calls."""
        return set(self._words[_FIRST : _FIRST + min(HERE, self.calls)].tolist())

    @property
    def places(self) -> set[int]:
        """Digests of the names of calls that it keeps a place for."""
        first, kept = _FIRST + HERE, min(PLACES, int(self._words[_KEPT]))
        return set(self._words[first : first + kept].tolist())

    # Of the worker itself

    def serve(self) -> None:
        """Tell that calls are taken from now on."""
        self.beat(0)
        self._words[_PID] = os.getpid()

    def beat(self, flags: int, room: int = 0) -> None:
        """Tell that the loop turns, and how things are."""
        self._words[_FLAGS] = flags
        self._words[_ROOM] = room
        self._words[_BEAT] = time.monotonic_ns() // 1000

    def bear(self, load: int) -> None:
        """Tell the load."""
        self._words[_LOAD] = load

    def hold(self, here: Iterable[int], places: Iterable[int], young: int) -> None:
        """Tell which calls are here, and for which a place is kept, by their digests."""
        self._words[_YOUNG] = young
        self._write(_CALLS, _FIRST, list(here)[:HERE])
        self._write(_KEPT, _FIRST + HERE, list(places)[:PLACES])

    def empty(self) -> None:
        """Forget a worker that has ended. For the supervisor."""
        for word in (_PID, _FLAGS, _LOAD, _YOUNG, _CALLS, _KEPT, _ROOM):
            self._words[word] = 0

    def _write(self, count: int, first: int, digests: list[int]) -> None:
        for number, one in enumerate(digests, first):
            if self._words[number] != one:
                self._words[number] = one
        self._words[count] = len(digests)


class Board:
    """The file.

    Args:
        folder: Of the supervisor, who makes the file by :meth:`make` before anybody opens it.
    """

    def __init__(self, folder: Path) -> None:
        descriptor = os.open(folder / NAME, os.O_RDWR)
        try:
            self._map = mmap.mmap(descriptor, ROWS * _BYTES)
        finally:
            os.close(descriptor)
        words = memoryview(self._map).cast("Q")
        self._rows = [BoardRow(words[n * _WORDS : (n + 1) * _WORDS]) for n in range(ROWS)]

    @staticmethod
    def make(folder: Path) -> Board:
        """Make the file, with nobody in it; return it.

        Raises:
            OSError: If it cannot be made.
        """
        descriptor = os.open(folder / NAME, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            os.truncate(descriptor, ROWS * _BYTES)
        finally:
            os.close(descriptor)
        return Board(folder)

    def __getitem__(self, slot: int) -> BoardRow:
        """Return the row of a slot."""
        return self._rows[slot]

    def __iter__(self) -> Iterator[BoardRow]:
        """Return the rows in their order, the empty ones too."""
        return iter(self._rows)
