"""Recordings are finished, and moved to their bucket: after their calls, one at a time.

What is to be done is what lies in the folder, so nothing of it is lost with a process: another, or
the next, does what this one has left. Whose a recording is that is still being made, the lock on
its file says.
"""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

import structlog

from agent.records import locks
from agent.records.audio_log import ENDING, DamagedError
from agent.records.buckets import BucketError
from agent.records.encoding import (
    SEALED,
    Finished,
    Format,
    GaveUpError,
    about,
    finish,
    hides,
    spooled,
)
from agent.records.journal_reader import READ_ONLY, opened
from agent.records.recording_files import RecordingCounts
from agent.records.recordings import CONTENT_TYPES, Place, Recordings
from agent.records.seals import SealError
from pipelines.backoff import longer
from pipelines.clock import now

T = TypeVar("T")

log = structlog.get_logger()

LOOK_EVERY = 15.0
"""Seconds between two looks for what other processes have left."""

AGAIN_FIRST, AGAIN_LONGEST = 5.0, 300.0
"""Seconds until a bucket that failed is asked again."""

LEFT_WITHIN = 10.0
"""Seconds, when the process ends, for what is left to be finished and moved: where its disk goes
with the machine, nobody else will."""

DAMAGED = ".damaged"
"""Ends the name of what is no recording, and is let be."""

FINISHED = tuple(kind + sealed for kind in CONTENT_TYPES for sealed in ("", SEALED))
"""How the names of finished recordings end."""

Told = Callable[[str, Mapping[str, object]], None]
"""Given the id of a record and the fields of a ``recording`` line: stored, or failed."""

Done = tuple[str, dict[str, object]]
"""What it is given."""


class RecordingFinisher:
    """Finishes the recordings in a folder. Close it in the end.

    Args:
        recordings: Where they are, and the bucket that they are moved to.
        kind: What they become.
        counts: Told what was done.
        told: Told of each recording that is finished, or cannot be.
        threads: Does what blocks; a thread of its own if None.
    """

    def __init__(
        self,
        recordings: Recordings,
        kind: Format,
        counts: RecordingCounts,
        told: Told,
        threads: Executor | None = None,
    ) -> None:
        self._folder = recordings.folder
        self._recordings = recordings
        self._seal = recordings.seal
        self._ending = f".{kind}" + (SEALED if hides(recordings.seal) else "")
        self._counts = counts
        self._told = told
        self._threads = threads or ThreadPoolExecutor(1, "finishing recordings")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due = asyncio.Event()
        self._stopping = threading.Event()
        self._wait = self._again_at = 0.0  # for the bucket, since it failed
        self._let_be: set[str] = set()  # the thread's

    def look(self) -> None:
        """See what there is to do: a recording is over. For any thread; returns at once."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._due.set)

    async def run(self) -> None:
        """Finish what there is, and what comes, until this is cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._due.clear()
            await self._see_to_all()
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._due.wait()
            except TimeoutError:
                continue

    async def aclose(self) -> None:
        """Do what is left, within :data:`LEFT_WITHIN`, and end the thread."""
        try:
            async with asyncio.timeout(LEFT_WITHIN):
                await self._see_to_all()
        except TimeoutError:
            log.warning("recordings are left to the next process")
        self._stopping.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _see_to_all(self) -> None:
        for name in await self._in_thread(self._left):
            if name.endswith(ENDING):
                done = await self._in_thread(partial(self._finish, name))
            elif now() < self._again_at:
                continue
            else:
                done = await self._in_thread(partial(self._move, name, now()))
            if done is not None:
                self._told(*done)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    # In the thread

    def _left(self) -> list[str]:
        """Return the names of what is to be done: first what is to be finished."""
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 - a hundred thousand, in a tenth of the time
        except FileNotFoundError:
            return []  # nothing was recorded yet
        except OSError as error:
            log.warning("recordings cannot be looked at", error=error.strerror)
            return []
        left = sorted(name for name in names if name.endswith(ENDING))
        if self._recordings.bucket is not None:
            made = {Path(name.removesuffix(ENDING)).stem + self._ending for name in left}
            left += sorted(made.union(name for name in names if name.endswith(FINISHED)))
        return left

    def _finish(self, part: str) -> Done | None:
        """Finish a recording that nobody writes any more; return what to tell of it."""
        path = self._folder / part
        record = Path(part.removesuffix(ENDING)).stem
        final = record + self._ending
        try:
            with _opened(path) as file:
                if not (locks.hold(file) and _is_still(path, file)):
                    return None  # it is being made; or was finished by another
                done = finish(path, self._folder / final, self._seal, self._rest)
        except (FileNotFoundError, GaveUpError):
            return None  # it was deleted, or is left to the next process
        except DamagedError as error:
            log.error("a recording is lost", file=part, reason=str(error))  # noqa: TRY400 - no bug
            return self._lost(path, record)
        except (OSError, SealError) as error:
            log.error("a recording cannot be finished", file=part, reason=str(error))  # noqa: TRY400
            return None
        self._counts.finished += 1
        return record, _stored(final.removesuffix(SEALED), done)

    def _lost(self, path: Path, record: str) -> Done | None:
        try:
            path.rename(path.with_name(path.name + DAMAGED))
        except OSError:
            return None
        return record, {"status": "failed"}

    def _move(self, name: str, at: float) -> Done | None:
        """Move a finished recording to the bucket; return what to tell of it."""
        bucket, path = self._recordings.bucket, self._folder / name
        if bucket is None:
            return None
        try:
            with _opened(path) as file:
                if not (locks.hold(file) and _is_still(path, file)):
                    return None  # another moves it, or has
                place = Place(name, os.fstat(file.fileno()).st_size, path=path)
                done = self._about(place)
                bucket.put(name, path, place.stored_type)
                if not _is_still(path, file):  # deleted meanwhile, or silenced: that counts
                    bucket.delete((name,))
                    return None
                path.unlink()
        except (FileNotFoundError, DamagedError) as error:  # it holds up no other
            if isinstance(error, DamagedError) and name not in self._let_be:
                log.warning("a recording is not moved", file=name, reason=str(error))
                self._let_be.add(name)
            return None
        except (BucketError, OSError, SealError) as error:
            self._counts.move_failures += 1
            self._wait = longer(self._wait, first=AGAIN_FIRST, longest=AGAIN_LONGEST)
            self._again_at = at + self._wait
            log.warning(
                "a recording is not moved yet", file=name, reason=str(error), again_in=self._wait
            )
            return None
        self._wait = 0.0
        self._counts.moved += 1
        record = Path(name.removesuffix(SEALED)).stem
        return record, _stored(bucket.address(name.removesuffix(SEALED)), done)

    def _about(self, place: Place) -> Finished:
        with spooled(self._recordings.read(place), self._folder) as file:
            return about(file)

    def _rest(self, seconds: float) -> bool:
        return not self._stopping.wait(seconds)


def _stored(file: str, done: Finished) -> dict[str, object]:
    began, seconds = round(done.began, 3), round(done.seconds, 3)
    return {"status": "stored", "file": file, "began": began, "seconds": seconds}


def _opened(path: Path) -> BinaryIO:
    """Open a recording; no link is followed, and no pipe waited for.

    Raises:
        DamagedError: If it is no file.
        OSError: If it cannot be opened.
    """
    if not stat.S_ISREG(path.lstat().st_mode):
        raise DamagedError("this is no file")
    return opened(path, READ_ONLY)


def _is_still(path: Path, file: BinaryIO) -> bool:
    """Return whether an open file is the one of that name."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
