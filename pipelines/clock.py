"""The time by which a call counts: one clock for everything that waits."""

from __future__ import annotations

import asyncio


def now() -> float:
    """Return seconds on the running event loop's clock, which never goes back.

    Deadlines and sleeps count on the same clock, and tests turn it by hand; the wall clock is for
    records alone.

    Raises:
        RuntimeError: If no event loop runs in this thread.
    """
    return asyncio.get_running_loop().time()
