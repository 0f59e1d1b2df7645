"""What of records is on this machine's disk and not in the database yet, counted.

Told by the threads that write and load journals; read by whoever asks how it is. Each number has
one thread that changes it; those of dropped lines, which have two, have a lock.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from threading import Lock
from time import monotonic

import structlog

log = structlog.get_logger()


OVER_AFTER = 3.0
"""Seconds without a line that is dropped until that is over."""


TOLD_FOR = 60.0
"""Seconds for which a dropped line is a warning: with no call, no other tells that it is over."""


@dataclass(slots=True)
class OwnJournal:
    """A journal of this process, of which something is not loaded yet."""

    path: Path
    written: int = 0
    """Bytes."""

    since: float | None = None
    """When the oldest line was written that is not loaded, by a monotonic clock."""

    closed: bool = False
    descriptor: int | None = None
    """Open, and so locked, until it is loaded; None if it was let go of."""

    def release(self) -> None:
        """Close the file."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


@dataclass(slots=True, kw_only=True)
class Waiting:
    """What is not in the database yet, as it was when somebody looked last."""

    journals: int = 0
    bytes: int = 0
    since: float | None = None
    """When the oldest line of it was written, by a monotonic clock."""


@dataclass(slots=True)
class Spool:
    """The journals in a folder."""

    folder: Path
    limit: float = inf
    """Bytes of all that is in the folder. Beyond it, lines are dropped."""

    own: dict[str, OwnJournal] | None = None
    """Those of this process, by their names; None if nobody loads them."""

    written: int = 0
    """Bytes that this process has written, all in all."""

    measured: tuple[int, int] = (0, 0)
    """Bytes in the folder, when it was looked at last, and what was ``written`` by then."""

    waiting: Waiting = field(default_factory=Waiting)
    lines_stored: int = 0
    lines_dropped: int = 0
    damaged: int = 0
    """Journals in which something could not be read."""

    not_loaded: int = 0
    """Journals that cannot be loaded, while others can."""

    longest_store: float = 0.0
    """Seconds of the longest transaction."""

    failing: str = ""
    """Why lines are dropped; ``""`` if none are."""

    store_failing: str = ""
    """Why nothing is stored; ``""`` if it is."""

    dropped_since: int = 0
    """Lines, since that began."""

    dropped_at: float = 0.0
    """When the last was."""

    _dropping: Lock = field(default_factory=Lock, repr=False, compare=False)
    """Held for a few sums: the event loop and the thread that writes both drop lines."""

    def has_room(self, size: int, *, needed: bool) -> bool:
        """Return whether so many bytes may be written. What is needed has a tenth more."""
        most = self.limit * 1.1 if needed else self.limit
        measured, by_then = self.measured
        return measured + self.written - by_then + size <= most

    def dropped(self, why: str, lines: int = 1) -> None:
        """Count lines that are dropped; the first of them is told."""
        with self._dropping:
            self.lines_dropped += lines
            self.dropped_since += lines
            first = not self.failing
            self.failing, self.dropped_at = why, monotonic()
        if first:
            log.error("records cannot be written", path=str(self.folder), error=why)

    def works(self) -> None:
        """Tell that lines are written."""
        if not self.failing:
            return
        with self._dropping:
            if monotonic() - self.dropped_at < OVER_AFTER:
                return
            dropped, self.failing, self.dropped_since = self.dropped_since, "", 0
        log.warning("records are written again", lines_dropped=dropped)

    @property
    def oldest(self) -> float:
        """Seconds for which the oldest line waits to be stored."""
        return 0.0 if self.waiting.since is None else max(0.0, monotonic() - self.waiting.since)

    @property
    def warning(self) -> str:
        """What is the matter, in one line; ``""`` if nothing."""
        if self.failing and monotonic() - self.dropped_at < TOLD_FOR:
            return f"lines of records are dropped: {self.failing}"
        if self.store_failing:
            return f"{self.waiting.journals} journals wait for the database: {self.store_failing}"
        if self.not_loaded:
            return f"{self.not_loaded} journals cannot be loaded: the log says which, and why"
        return ""
