"""A clock that stands still while others have the core: a busy machine makes no adapter slow."""

from __future__ import annotations

import time
from pathlib import Path

SCHEDULED = Path("/proc/thread-self/schedstat")
"""Of Linux: for how many nanoseconds this thread has run, and was ready and had no core."""


def now() -> float:
    """Return seconds; adapter, server and proxy are in one thread, and so all wait with it.

    What the thread waits for otherwise, a timer or a socket, counts. Where the system does not tell
    what it waited for a core, that does, too.
    """
    return time.monotonic() - _without_a_core()


def _without_a_core() -> float:
    try:
        return int(SCHEDULED.read_text(encoding="ascii").split()[1]) / 1e9
    except OSError:
        return 0.0
