"""The time by which a call counts: one clock for everything that waits."""

from __future__ import annotations

import asyncio
import threading


class _Latest(threading.local):
    """The loop that ran in this thread when it was last asked for.

    To ask costs a system call in Python 3.11, which is most of what the time costs.
    """

    loop: asyncio.AbstractEventLoop | None = None


_latest = _Latest()


def now() -> float:
    """Return seconds on the running event loop's clock, which never goes back.

    Deadlines and sleeps count on the same clock, and tests turn it by hand; the wall clock is for
    records alone.

    Raises:
        RuntimeError: If no event loop runs in this thread.
    """
    loop = _latest.loop
    if loop is None or not loop.is_running():
        loop = _latest.loop = asyncio.get_running_loop()
    return loop.time()
