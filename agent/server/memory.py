"""Memory that calls needed, given back to the machine once they are over.

Most of what calls leave is garbage that points at itself, and Python looks for that the more seldom
the larger the process is: of 70 MB that sixty calls add, 36 were that, and were kept until the next
calls. What is free then stays with the C library, in pieces between what is used, until it is asked
for it. Both hold up whoever wants memory, so it is done while nobody is in a call.
"""

from __future__ import annotations

import ctypes
import gc
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
    """Find garbage, and give back what is free, which glibc alone has to be asked for.

    Takes tens of milliseconds; use a thread. The search for garbage holds the interpreter:
    75 ms for all of a service, next to nothing where what its start made
    is left out (:func:`gc.freeze`).
    """
    gc.collect()
    if _TRIM is not None:
        _TRIM(0)
