"""The recordings that are being made in a process, written in a thread, within bounds.

A disk that is slow, full or gone ends recordings, never calls: a recording that cannot go on says
why in ``failed``, and what was written of it stays.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import structlog

from agent.records.recordings.audio_log import ENDING, AudioLog, LogHead, Side
from agent.records.recordings.sides import PlacedAudio
from agent.records.recordings.silences import Silence
from agent.records.seals import Seal

log = structlog.get_logger()

MOST_WAITING = 32_000_000
"""Bytes that wait for the disk, of all calls of a process: twenty seconds of a hundred calls at
8 kHz. A disk that is behind that far does not catch up."""

WRITTEN_WITHIN = 2.0
"""Seconds for the last of it to be on the disk."""

LOOK_EVERY = 5.0
"""Seconds between two looks at how full the disk is."""

COUNT_EVERY = 60.0
"""Seconds between two countings of the folder; what is written here is added meanwhile."""

MB = 1_000_000

Reason = Literal["limit", "disk", "slow"]
"""Why a recording cannot go on: the folder is as large as it may be; the disk is full, or fails; it
does not keep up."""

Written = tuple[Side, PlacedAudio]


@dataclass(slots=True)
class RecordingCounts:
    """What became of the recordings of a process, since its start."""

    begun: int = 0
    finished: int = 0
    moved: int = 0
    """To the bucket."""

    move_failures: int = 0
    deleted: int = 0
    """Because their callers did not want to be recorded."""

    stopped: Counter[Reason] = field(default_factory=Counter)
    """Those that could not go on; the calls did."""


class RecordingWriter:
    """Writes what is recorded. Close it in the end, once no call is left.

    Args:
        folder: Where recordings are.
        seal: Hides them.
        limit_mb: Megabytes that the folder may hold.
        min_free_mb: Megabytes of the disk that are left to others.
        threads: Does what blocks, in the order in which it comes; a thread of its own if None.
        silenced: Whether stretches of recordings are to be silenced: each is open, and finished by
            nobody, until :meth:`settle` says that all of them are known.
    """

    def __init__(
        self,
        folder: Path,
        seal: Seal,
        *,
        limit_mb: float,
        min_free_mb: float,
        threads: Executor | None = None,
        silenced: bool = False,
    ) -> None:
        self.folder = folder
        self.seal = seal
        self.counts = RecordingCounts()
        self.closed: Callable[[], None] = lambda: None
        """Called, in the thread, when a recording is there to be finished."""

        self._limit = limit_mb * MB
        self._min_free = min_free_mb * MB
        self._threads = threads or ThreadPoolExecutor(1, "recordings")
        self._pending: deque[tuple[Future[None], int]] = deque()
        self._waiting = 0
        self._giving = threading.Lock()  # what to silence comes from another thread
        self._unsettled: dict[str, RecordingFile] | None = {} if silenced else None
        # The thread's.
        self._full: Reason | None = None
        self._size = 0.0
        self._looked_at = self._counted_at = -COUNT_EVERY

    def begin(self, name: str, head: LogHead) -> RecordingFile:
        """Begin a recording that will be called ``name``. Returns at once, raises nothing."""
        self.counts.begun += 1
        settled = self._unsettled is None
        file = RecordingFile(self, self.folder / (name + ENDING), head, settled=settled)
        if self._unsettled is not None:
            self._unsettled[Path(name).stem] = file
        return file

    def silence(self, record: str, silence: Silence) -> None:
        """Have a stretch of a recording be silenced, if there is one. For any thread."""
        if self._unsettled and (file := self._unsettled.get(record)) is not None:
            file.silence(silence)

    def settle(self, record: str) -> None:
        """Note that all is known that is to be silenced in a recording. For any thread."""
        if self._unsettled and (file := self._unsettled.pop(record, None)) is not None:
            file.settle()

    def do(self, work: Callable[[], None], size: int = 0) -> bool:
        """Have ``work`` done after all that was given before; return False if too much waits.

        Args:
            work: What to do.
            size: Bytes that it holds until then.
        """
        with self._giving:
            while self._pending and self._pending[0][0].done():
                self._waiting -= self._pending.popleft()[1]
            if self._waiting + size > MOST_WAITING:
                return False
            try:
                future = self._threads.submit(work)
            except RuntimeError:  # it is closed: what is left is the next process's
                return False
            self._pending.append((future, size))
            self._waiting += size
        future.add_done_callback(_tell_of_a_bug)
        return True

    async def aclose(self) -> None:
        """Write what is left, and end the thread. One that hangs on a disk is left to itself."""
        if self._pending and not (last := self._pending[-1][0]).done():
            await asyncio.wait([asyncio.wrap_future(last)], timeout=WRITTEN_WITHIN)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def no_room(self, size: int) -> Reason | None:
        """Return why nothing more can be written; None if it can. In the thread only.

        Args:
            size: Bytes that are about to be.
        """
        self._size += size
        at = time.monotonic()
        if at - self._looked_at < LOOK_EVERY:
            return self._full
        self._looked_at = at
        if at - self._counted_at >= COUNT_EVERY:
            self._counted_at = at
            self._size = folder_size(self.folder)
        before, self._full = self._full, None
        if shutil.disk_usage(self.folder).free < self._min_free:
            self._full = "disk"
        elif self._size > self._limit:
            self._full = "limit"
        if self._full is not None and before is None:
            log.error("calls are not recorded: there is no room", by=self._full)
        return self._full


class RecordingFile:
    """The recording of one call, as the call sees it. Nothing here waits, and nothing raises."""

    def __init__(
        self, writer: RecordingWriter, path: Path, head: LogHead, *, settled: bool = True
    ) -> None:
        self._writer = writer
        self._path = path
        self._rate = head.rate
        self._settled, self._over = settled, False  # the thread's
        self._log: AudioLog | None = None  # the thread's
        self.failed: Reason | None = None
        """Why it cannot go on; None if it can. What is added then is dropped."""

        self._do(lambda: self._open(head))

    def add(self, written: Sequence[Written]) -> None:
        """Write stretches, soon."""
        size = sum(len(stretch.pcm) for _, stretch in written)
        self._do(lambda: self._write(written, size), size)

    def close(self, end: int) -> None:
        """Note the sample at which it ends, and close it; it is to be finished then."""
        self._do(lambda: self._end(end))

    def silence(self, silence: Silence) -> None:
        """Have a stretch of it be silent once it is finished. For any thread."""
        self._do(lambda: self._silence(silence))

    def settle(self) -> None:
        """Note that no more is to be silenced: it can be finished once it is over."""
        self._do(self._settle)

    def discard(self) -> None:
        """Close and delete it."""
        self._do(self._delete)

    def _do(self, work: Callable[[], None], size: int = 0) -> None:
        if not self._writer.do(work, size):
            self._fail("slow")

    def _fail(self, reason: Reason) -> None:
        if self.failed is None:
            self.failed = reason
            self._writer.counts.stopped[reason] += 1

    def _open(self, head: LogHead) -> None:
        try:
            log_ = AudioLog(self._path, head, self._writer.seal)
        except OSError as error:
            self._give_up(error)
            return
        self._log = log_
        self._look(log_.size)

    def _write(self, written: Sequence[Written], size: int) -> None:
        if self._log is None or (self.failed and size):
            return
        try:
            for side, stretch in written:
                self._log.add(side, stretch)
        except OSError as error:
            self._give_up(error)
            return
        self._look(size)

    def _end(self, end: int) -> None:
        self._write((("end", PlacedAudio(end, b"")),), 0)
        self._over = True
        if self._settled:
            self._close()

    def _silence(self, silence: Silence) -> None:
        if self._log is None:
            return
        start, end = (max(0, round(at * self._rate)) for at in (silence.start, silence.end))
        try:
            self._log.silence(start, end, sure=silence.sure)
        except OSError as error:  # rather none than one with what was not to be kept
            self._give_up(error)
            log.error("a recording is deleted: what it may not hold cannot be noted")  # noqa: TRY400
            self._delete()

    def _settle(self) -> None:
        self._settled = True
        self._write((("settled", PlacedAudio(0, b"")),), 0)
        if self._over:
            self._close()

    def _look(self, size: int) -> None:
        try:
            full = self._writer.no_room(size)
        except OSError as error:
            self._give_up(error)
            return
        if full is not None:
            self._fail(full)

    def _close(self) -> None:
        if self._log is None:
            return
        try:
            self._log.close()
        except OSError as error:
            self._give_up(error)
        self._log = None
        self._writer.closed()

    def _delete(self) -> None:
        self._close()
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("a recording is not deleted", file=self._path.name, error=error.strerror)

    def _give_up(self, error: OSError) -> None:
        if self.failed is None:
            log.error("a call is recorded no more", file=self._path.name, error=error.strerror)
        self._fail("disk")


def folder_size(folder: Path) -> int:
    """Return the bytes of the files in a folder; those that go meanwhile count nothing.

    Raises:
        OSError: If it cannot be read.
    """
    size = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                size += entry.stat(follow_symlinks=False).st_size
    return size


def _tell_of_a_bug(future: Future[None]) -> None:
    if not future.cancelled() and (error := future.exception()) is not None:
        log.error("a recording is incomplete: this is a bug", exc_info=error)
