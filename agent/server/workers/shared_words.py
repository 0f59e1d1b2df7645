"""A file of numbers by which the workers of one service on one machine tell each other things.

It is read and written, not mapped: whoever is the same user, or cleans up, may truncate it, which
ends a process that looks at a mapped page by SIGBUS. What is not there is read as zeros, and what
is written makes the file as long as it has to be. It is never synced: its pages are memory.
"""

from __future__ import annotations

import os
import struct
import weakref
from collections.abc import Sequence
from pathlib import Path

import structlog

log = structlog.get_logger()

BYTES = 8
"""Of a word, which is a number of 64 bits."""


class SharedWords:
    """The file, open.

    Args:
        path: Where it is.
        make: Whether it is made if it is not there.

    Raises:
        OSError: If it cannot be opened.
    """

    def __init__(self, path: Path, *, make: bool = False) -> None:
        self._file = os.open(path, os.O_RDWR | (os.O_CREAT if make else 0), 0o600)
        weakref.finalize(self, os.close, self._file)  # it is open for as long as the process serves

    @property
    def length(self) -> int:
        """Words that it is long."""
        return os.fstat(self._file).st_size // BYTES

    def read(self, first: int, count: int) -> bytes:
        """Return so many words from the first on, 8 bytes each, in the order of this machine."""
        found = os.pread(self._file, count * BYTES, first * BYTES)
        return found.ljust(count * BYTES, b"\0")

    def write(self, first: int, words: Sequence[int]) -> None:
        """Write words. If there is no room on the disk, others know what they knew before."""
        try:
            os.pwrite(self._file, struct.pack(f"{len(words)}Q", *words), first * BYTES)
        except OSError as error:
            log.debug("the other workers are not told", error=error.strerror)
