"""A clock that stands still while others have the core: a busy machine makes nothing slow."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

SCHEDULED = Path("/proc/thread-self/schedstat")
"""Of Linux: for how many nanoseconds this thread has run, and was ready and had no core."""


def now() -> float:
    """Return seconds; whoever is in this thread, on either side of a socket, waits with it.

    What the thread waits for otherwise, a timer or a socket, counts. Where the system does not tell
    what it waited for a core, that does, too.
    """
    try:
        return time.monotonic() - _without_a_core(SCHEDULED.read_bytes())
    except OSError:
        return time.monotonic()


class OwnTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock is that of the thread that makes it, in which it must run.

    For stories in real time whose parties are all in this loop: no deadline of theirs is over, and
    nobody has waited longer, because the machine had something else to do.
    """

    def __init__(self) -> None:
        try:
            self._schedstat: int | None = os.open(SCHEDULED, os.O_RDONLY)
        except OSError:
            self._schedstat = None
        super().__init__()

    def time(self) -> float:
        if self._schedstat is None:
            return time.monotonic()
        return time.monotonic() - _without_a_core(os.pread(self._schedstat, 100, 0))

    def close(self) -> None:
        super().close()
        if self._schedstat is not None:
            os.close(self._schedstat)
            self._schedstat = None


def _without_a_core(scheduled: bytes) -> float:
    return int(scheduled.split()[1]) / 1e9
