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


KEPT = 16 << 20
"""Bytes that are free at the end of the heap and kept there. By itself the C library hands back
more than 128 kB at once and has them cleared anew for the next array: 168 pages each time that an
echo is looked for, 0.3 of 0.8 ms."""

LARGE = 4 << 20
"""Bytes from which on an array has its own pages, which it hands back when it goes."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt, in malloc.h


def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    # Another C library has no need of it.
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None


_GLIBC = _glibc()


def keep_some() -> bool:
    """Have the C library keep what calls use over and over, until it is given back.

    Returns whether that is glibc, and does.
    """
    if _GLIBC is None:
        return False
    keeps = bool(_GLIBC.mallopt(_TRIM_THRESHOLD, KEPT))
    return bool(_GLIBC.mallopt(_MMAP_THRESHOLD, LARGE)) and keeps


def give_back() -> None:
    """Find garbage, and give back what is free, which glibc alone has to be asked for.

    Takes tens of milliseconds; use a thread. The search for garbage holds the interpreter:
    75 ms for all of a service, next to nothing where what its start made
    is left out (:func:`gc.freeze`).
    """
    gc.collect()
    if _GLIBC is not None:
        _GLIBC.malloc_trim(0)
