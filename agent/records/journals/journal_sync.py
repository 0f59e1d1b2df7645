"""Journals from the memory of the operating system to the disk, in a thread of its own.

A process that is killed loses nothing that it has written; a host that loses power loses what was
not synced.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import structlog

from agent.records.journals.journal_file import JournalFile

log = structlog.get_logger()

_sync = getattr(os, "fdatasync", os.fsync)
"""The size of a file is synced by either."""


class JournalSync:
    """Syncs journals that have changed. Use it in one thread; close it in the end.

    Args:
        folder: Of the journals.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads: ThreadPoolExecutor | None = None
        self._running: Future[None] | None = None
        self._changed: dict[JournalFile, int | None] = {}
        """With a descriptor of ours, since it may be closed meanwhile."""

        self._failing = False

    @property
    def due(self) -> bool:
        """Whether there is something to sync."""
        return bool(self._changed)

    def changed(self, file: JournalFile) -> None:
        """Tell that something was written to a journal."""
        if file not in self._changed:
            self._changed[file] = file.duplicate()

    def begin(self, *, at_last: bool = False) -> None:
        """Sync what has changed, unless the disk is still busy with the last time."""
        busy = self._running is not None and not self._running.done()
        if not self._changed or (busy and not at_last):
            return
        changed, self._changed = self._changed, {}
        descriptors = [one for one in changed.values() if one is not None]
        names = any(file.is_new for file in changed)
        for file in changed:
            file.is_new = False
        if self._threads is None:
            self._threads = ThreadPoolExecutor(1, "records sync")
        self._running = self._threads.submit(self._run, descriptors, names=names)

    async def aclose(self, within: float) -> None:
        """Wait so many seconds for what is being synced, and end the thread."""
        if self._threads is None or self._running is None:
            return
        if not self._running.done():
            await asyncio.wait([asyncio.wrap_future(self._running)], timeout=within)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _run(self, descriptors: list[int], *, names: bool) -> None:
        error = ""
        if names and hasattr(os, "O_DIRECTORY"):  # a file that nobody finds is as good as lost
            error = _synced(self._folder)
        for descriptor in descriptors:
            try:
                _sync(descriptor)
            except OSError as failed:
                error = failed.strerror or type(failed).__name__
            finally:
                os.close(descriptor)
        if error and not self._failing:
            log.error("records are written, and cannot be synced to the disk", error=error)
        self._failing = bool(error)


def _synced(folder: Path) -> str:
    """Sync the names in a folder; return why that fails, or ``""``."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""
