"""What the workers of one service on one machine tell each other: a row each, in a file.

A row is written by its worker alone and read by all: there are no locks, and nobody waits for a
worker that hangs or has died. What is read may be a moment old, which every reader has to bear. A
worker writes all of its row anew several times a second, so that nothing is lost for long if the
file is. The supervisor empties the row of a worker that has ended.
"""

from __future__ import annotations

import hashlib
import os
import struct
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from agent.server.workers.shared_words import SharedWords

NAME = "board"

ROWS = 256
"""Workers at a time, those that drain included. Rows that nobody has used take no memory."""

HERE, PLACES = 1024, 1024
"""Calls in progress, and places kept for calls that come, whose names a row has room for: more than
a process carries. What is beyond counts no more."""

_PID, _BEAT, _FLAGS, _LOAD, _YOUNG, _CALLS, _KEPT, _ROOM, _HEAD = range(9)
"""Words of the head of a row. The heads of all stand before what else is in rows, so that one look
tells which there are."""

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
        words: The file.
        slot: Which row of it.
    """

    def __init__(self, words: SharedWords, slot: int) -> None:
        self._words = words
        self._first_of_head = slot * _HEAD
        self._here = ROWS * _HEAD + slot * (HERE + PLACES)
        self._own = [0] * _HEAD
        """The head as it was written last, if this row is ours."""

    def _head(self) -> tuple[int, ...]:
        return struct.unpack(f"{_HEAD}Q", self._words.read(self._first_of_head, _HEAD))

    @property
    def pid(self) -> int:
        """Its process; 0 if nobody serves there."""
        return self._head()[_PID]

    @property
    def load(self) -> int:
        """Streams, and connections of which nobody knows yet what they bring."""
        return self._head()[_LOAD]

    @property
    def young(self) -> int:
        """Calls whose cost is not known yet."""
        return self._head()[_YOUNG]

    @property
    def calls(self) -> int:
        """Calls in progress."""
        return self._head()[_CALLS]

    @property
    def room(self) -> int:
        """Calls more that it could carry, as it was last measured."""
        return self._head()[_ROOM] if self.takes_calls else 0

    @property
    def draining(self) -> bool:
        """Whether it is about to end."""
        return bool(self._head()[_FLAGS] & DRAINING)

    @property
    def takes_calls(self) -> bool:
        """Whether it serves, its loop turns, and it would take one now."""
        head = self._head()
        late = time.monotonic_ns() // 1000 - head[_BEAT]
        return bool(head[_PID] and not head[_FLAGS] and late < SILENT * 1e6)

    @property
    def here(self) -> set[int]:
        """Digests of the names of its calls."""
        return self._digests(self._here, min(HERE, self.calls))

    @property
    def places(self) -> set[int]:
        """Digests of the names of calls that it keeps a place for."""
        return self._digests(self._here + HERE, min(PLACES, self._head()[_KEPT]))

    def _digests(self, first: int, count: int) -> set[int]:
        return set(struct.unpack(f"{count}Q", self._words.read(first, count)))

    # Of the worker itself

    def serve(self) -> None:
        """Tell that calls are taken from now on."""
        self._own[_PID] = os.getpid()
        self.beat(0)

    def beat(self, flags: int, room: int = 0) -> None:
        """Tell that the loop turns, and how things are."""
        self._own[_FLAGS], self._own[_ROOM] = flags, room
        self._own[_BEAT] = time.monotonic_ns() // 1000
        self._tell()

    def bear(self, load: int) -> None:
        """Tell the load."""
        self._own[_LOAD] = load
        self._tell()

    def hold(self, here: Iterable[int], places: Iterable[int], young: int) -> None:
        """Tell which calls are here, and for which a place is kept, by their digests."""
        calls, kept = list(here)[:HERE], list(places)[:PLACES]
        self._words.write(self._here, calls)
        self._words.write(self._here + HERE, kept)
        self._own[_YOUNG], self._own[_CALLS], self._own[_KEPT] = young, len(calls), len(kept)
        self._tell()

    def empty(self) -> None:
        """Forget a worker that has ended. For the supervisor."""
        self._own = [0] * _HEAD
        self._tell()

    def _tell(self) -> None:
        self._words.write(self._first_of_head, self._own)


class Board:
    """The file.

    Args:
        folder: Of the supervisor, who makes the file by :meth:`make` before anybody opens it.
    """

    def __init__(self, folder: Path) -> None:
        self._words = SharedWords(folder / NAME)
        self._rows = [BoardRow(self._words, slot) for slot in range(ROWS)]

    @staticmethod
    def make(folder: Path) -> Board:
        """Make the file, with nobody in it; return it.

        Raises:
            OSError: If it cannot be made.
        """
        os.close(os.open(folder / NAME, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        return Board(folder)

    def __getitem__(self, slot: int) -> BoardRow:
        """Return the row of a slot."""
        return self._rows[slot]

    def used(self) -> Mapping[int, BoardRow]:
        """Return the rows in which somebody serves, by their slots in order; by one look."""
        heads = struct.unpack(f"{ROWS * _HEAD}Q", self._words.read(0, ROWS * _HEAD))
        serving = heads[_PID::_HEAD]
        return {slot: self._rows[slot] for slot, pid in enumerate(serving) if pid}
