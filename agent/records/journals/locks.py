"""Whose file is whose: a lock that ends with the process that has it, however that ends."""

from __future__ import annotations

import sys
from typing import IO, Any

if sys.platform != "win32":
    import fcntl

    def hold(file: IO[Any] | int) -> bool:
        """Lock an open file, until it is closed; return False, at once, if another has it.

        So it is where the file system has no locks: then any file may be another's.
        """
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

else:

    def hold(file: IO[Any] | int) -> bool:  # noqa: ARG001
        """Return False: there is no such lock, so any file may be another's."""
        return False
