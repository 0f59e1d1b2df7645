"""Recordings are finished, and moved to their bucket: after their calls, one at a time.

What is to be done is what lies in the folder, so nothing of it is lost with a process: another, or
the next, does what this one has left. Whose a recording is that is still being made, the lock on
its file says. What it was made of is removed once it stands on its record: a process that is killed
between the two leaves both, and the next tells of it.
"""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

import structlog

from agent.records.journals import locks
from agent.records.journals.journal_reader import opened
from agent.records.recordings.audio_log import ENDING, DamagedError
from agent.records.recordings.buckets import BucketError
from agent.records.recordings.encoding import (
    SEALED,
    Finished,
    Format,
    GaveUpError,
    about,
    finish,
    hides,
    spooled,
)
from agent.records.recordings.kept import CONTENT_TYPES, Place, Recordings
from agent.records.recordings.recording_files import RecordingCounts
from agent.records.seals import SealError
from pipelines.backoff import longer
from pipelines.clock import now

T = TypeVar("T")

log = structlog.get_logger()

LOOK_EVERY = 15.0
"""Seconds between two looks for what other processes have left."""

AGAIN_FIRST, AGAIN_LONGEST = 5.0, 300.0
"""Seconds until a bucket that failed is asked again, or a recording tried again that cannot be
finished: twice as long each time."""

LEFT_WITHIN = 5.0
"""Seconds, when the process ends, for what is left to be finished and moved: where its disk goes
with the machine, nobody else will. Whoever stops us waits for 20, of which a goodbye has eight."""

AT_ONCE = 0.5
"""The same, when the process ends at once; what is left is done by the next."""

ENDED_WITHIN = 1.0
"""Seconds then for the thread to let go of what it does."""

DAMAGED = ".damaged"
"""Ends the name of what is no recording, and is let be."""

BUCKET = ""
"""Stands for the bucket among the names of files."""

FINISHED = tuple(kind + sealed for kind in CONTENT_TYPES for sealed in ("", SEALED))
"""How the names of finished recordings end."""

Told = Callable[[str, Mapping[str, object]], None]
"""Given the id of a record and the fields of a ``recording`` line: stored, or failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledRecording:
    """A recording that is finished or moved, and is to be told of."""

    record: str
    fields: Mapping[str, object]
    source: Path
    """What it was made of: removed once it is told of."""

    file: BinaryIO
    """That, open, so that it is nobody else's until then."""

    undo: Callable[[], None]
    """Removes what was made of it, if that was deleted or silenced meanwhile."""


async def _at_once() -> None:
    """Be there already: what is told is kept as it is told."""


class RecordingFinisher:
    """Finishes the recordings in a folder. Close it in the end.

    Args:
        recordings: Where they are, and the bucket that they are moved to.
        kind: What they become.
        counts: Told what was done.
        told: Told of each recording that is finished, or cannot be.
        kept: Returns once what was told is on the disk.
        threads: Does what blocks; a thread of its own if None.
    """

    def __init__(
        self,
        recordings: Recordings,
        kind: Format,
        counts: RecordingCounts,
        told: Told,
        kept: Callable[[], Awaitable[None]] = _at_once,
        threads: Executor | None = None,
    ) -> None:
        self._folder = recordings.folder
        self._recordings = recordings
        self._seal = recordings.seal
        self._ending = f".{kind}" + (SEALED if hides(recordings.seal) else "")
        self._counts = counts
        self._told = told
        self._kept = kept
        self._settled: deque[SettledRecording] = deque()
        """To be told of, also if whoever waited for it is there no more."""

        self._lost: deque[str] = deque()
        self._failing: dict[str, tuple[float, float]] = {}
        """Files that cannot be done, and the bucket if it fails: seconds until they are tried
        again, and when that is."""

        self._threads = threads or ThreadPoolExecutor(1, "finishing recordings")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due = asyncio.Event()
        self._stopping = threading.Event()
        self.left_within = LEFT_WITHIN
        """Seconds that :meth:`aclose` has for what is left."""

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
        """Do what is left, in the time there is, and end the thread."""
        try:
            async with asyncio.timeout(self.left_within):
                await self._see_to_all()
        except TimeoutError:
            log.warning("recordings are left to the next process")
        self._stopping.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDED_WITHIN):
                await self._in_thread(lambda: None)
                await self._tell()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _see_to_all(self) -> None:
        left = await self._in_thread(self._left)
        await self._tell()
        for name in self._failing.keys() - {*left, BUCKET}:
            del self._failing[name]
        for name in left:
            if self._waits(name):
                continue
            if name.endswith(ENDING):
                await self._in_thread(partial(self._finish, name, now()))
            elif self._waits(BUCKET):
                continue
            else:
                await self._in_thread(partial(self._move, name, now()))
            await self._tell()

    def _waits(self, name: str) -> bool:
        return now() < self._failing.get(name, (0.0, 0.0))[1]

    async def _tell(self) -> None:
        """Tell of what was done, also for one who was cancelled while it was."""
        while self._lost:
            self._told(self._lost.popleft(), {"status": "failed"})
        while self._settled:
            settled = self._settled.popleft()
            self._told(settled.record, settled.fields)
            try:
                await self._kept()
            finally:
                await self._in_thread(partial(self._clear, settled, now()))

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

    def _finish(self, part: str, at: float) -> None:
        """Finish a recording that nobody writes any more."""
        path = self._folder / part
        record = Path(part.removesuffix(ENDING)).stem
        with ExitStack() as stack:
            try:
                file = stack.enter_context(_opened(path))
                if not (locks.hold(file) and _is_still(path, file)):
                    return  # it is being made; or was finished by another
                final, done = self._made(path, record)
            except (FileNotFoundError, GaveUpError):
                return  # it was deleted, or is left to the next process
            except DamagedError as error:
                log.error("a recording is lost", file=part, reason=str(error))  # noqa: TRY400 - no bug
                self._lose(path, record, at)
                return
            except (OSError, SealError) as error:
                self._postpone(part, at, error)
                return
            self._counts.finished += 1
            self._settled.append(
                SettledRecording(
                    record=record,
                    fields=_stored(final.name.removesuffix(SEALED), done),
                    source=path,
                    file=file,
                    undo=partial(final.unlink, missing_ok=True),
                )
            )
            stack.pop_all()  # it is held until it is told of

    def _made(self, part: Path, record: str) -> tuple[Path, Finished]:
        """Return what a recording has become, if one that was killed has finished it, or becomes.

        It is not made again then: it may have been silenced since.
        """
        for ending in FINISHED:
            final = self._folder / (record + ending)
            with suppress(FileNotFoundError, DamagedError):
                return final, self._about(Place(final.name, final.stat().st_size, path=final))
        final = self._folder / (record + self._ending)
        return final, finish(part, final, self._seal, self._rest)

    def _lose(self, path: Path, record: str, at: float) -> None:
        try:
            path.rename(path.with_name(path.name + DAMAGED))
        except OSError as error:
            self._postpone(path.name, at, error)
            return
        self._lost.append(record)

    def _postpone(self, name: str, at: float, why: Exception) -> None:
        wait = self._again_in(name, at)
        log.error("a recording cannot be finished", file=name, reason=str(why), again_in=wait)

    def _again_in(self, name: str, at: float) -> float:
        before, _ = self._failing.get(name, (0.0, 0.0))
        wait = longer(before, first=AGAIN_FIRST, longest=AGAIN_LONGEST)
        self._failing[name] = (wait, at + wait)
        return wait

    def _clear(self, settled: SettledRecording, at: float) -> None:
        """Remove what a recording was made of, now that this stands on its record."""
        source = settled.source
        try:
            if _is_still(source, settled.file):
                source.unlink()
            else:
                settled.undo()
        except (OSError, BucketError) as error:
            self._postpone(source.name, at, error)
        finally:
            settled.file.close()

    def _move(self, name: str, at: float) -> None:
        """Move a finished recording to the bucket."""
        bucket, path = self._recordings.bucket, self._folder / name
        if bucket is None:
            return
        with ExitStack() as stack:
            try:
                file = stack.enter_context(_opened(path))
                if not (locks.hold(file) and _is_still(path, file)):
                    return  # another moves it, or has
                place = Place(name, os.fstat(file.fileno()).st_size, path=path)
                done = self._about(place)
                bucket.put(name, path, place.stored_type)
                if not _is_still(path, file):  # deleted meanwhile, or silenced: that counts
                    bucket.delete((name,))
                    return
            except FileNotFoundError:
                return
            except DamagedError as error:  # it holds up no other
                wait = self._again_in(name, at)
                log.warning("a recording is not moved", file=name, reason=str(error), again_in=wait)
                return
            except (BucketError, OSError, SealError) as error:
                self._counts.move_failures += 1
                wait = self._again_in(BUCKET, at)
                log.warning(
                    "a recording is not moved yet",
                    file=name,
                    reason=str(error),
                    again_in=wait,
                )
                return
            self._failing.pop(BUCKET, None)
            self._counts.moved += 1
            self._settled.append(
                SettledRecording(
                    record=Path(name.removesuffix(SEALED)).stem,
                    fields=_stored(bucket.address(name.removesuffix(SEALED)), done),
                    source=path,
                    file=file,
                    undo=partial(bucket.delete, (name,)),
                )
            )
            stack.pop_all()  # it is held until it is told of

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
    return opened(path)


def _is_still(path: Path, file: BinaryIO) -> bool:
    """Return whether an open file is the one of that name."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
