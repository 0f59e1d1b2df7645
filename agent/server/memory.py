"""Memory that calls needed, given back to the machine once they are over.

What they let go of stays with the C library, in pieces between what is still used, and so counts as
the process's. It is asked for what it can do without while nobody is in a call: it locks what it
looks through.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

QUIET_FOR = 5.0
"""Seconds without a call until memory is given back: records are stored by then, and who rings just
behind another does not wait for it."""


class MemoryReturn:
    """When there is memory to give back."""

    def __init__(self) -> None:
        self._used = False
        self._quiet_since: float | None = None
        self.times = 0
        """How often it was given back, since the start."""

    def due(self, calls: int, at: float) -> bool:
        """Return whether it is to be given back now: once after calls, when they have gone.

        Args:
            calls: In progress.
            at: Seconds, on any clock that never goes back.
        """
        if calls:
            self._used, self._quiet_since = True, None
        elif self._quiet_since is None:
            self._quiet_since = at
        elif self._used and at - self._quiet_since >= QUIET_FOR:
            self._used = False
            self.times += 1
            return True
        return False


def _found() -> Callable[[int], int] | None:
    if sys.platform != "linux":
        return None
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # another C library than glibc, which has no need of it
        return None
    return trim


_TRIM = _found()


def give_back() -> None:
    """Give back what is free. Takes tens of milliseconds: use a thread. Does nothing elsewhere."""
    if _TRIM is not None:
        _TRIM(0)
