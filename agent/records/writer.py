"""The records of a process, written in a thread: a disk that is slow holds up no call."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from agent.records.transcript import Transcript, add_late_line

log = structlog.get_logger()

MOST_WAITING = 10_000
"""Lines that wait for a disk: some 2 MB, and minutes of a full process. More are dropped."""

WRITTEN_WITHIN = 2.0
"""Seconds for the last lines of a call, or of a process, to be on the disk."""

REMEMBERED = 4096
"""Calls whose file is known when the platform tells of their end; others are looked for by name."""


class RecordWriter:
    """Writes the transcripts of a process, each line as it comes. Close it in the end.

    Args:
        folder: Where they are kept.
        threads: Does what blocks, in the order in which it comes; a thread of its own if None.
    """

    def __init__(self, folder: Path, threads: Executor | None = None) -> None:
        self._folder = folder
        self._threads = threads or ThreadPoolExecutor(1, "records")
        self._waiting: deque[Future[None]] = deque()
        self._paths: OrderedDict[str, Path] = OrderedDict()  # the thread's
        self._closed = self._full = False

    def begin(self, call_id: str, started: datetime) -> Record:
        """Begin the transcript of a call; see :class:`~agent.records.transcript.Transcript`."""
        return Record(self, partial(self._open, call_id, started))

    def platform_line(self, call_id: str, fields: Mapping[str, Any]) -> None:
        """Add what the platform said of a call to its transcript, or to a new one."""
        self.add_later("platform", call_id, fields)

    def add_later(
        self,
        kind: str,
        call_id: str,
        fields: Mapping[str, Any],
        *,
        record: str = "",  # noqa: ARG002 - files are called as the platform calls the call
    ) -> None:
        """Add what is known after the end of a call to its transcript, or to a new one."""
        self.do(
            lambda: add_late_line(self._folder, call_id, kind, self._paths.get(call_id), **fields)
        )

    def do(self, work: Callable[[], None], *, always: bool = False) -> None:
        """Have ``work`` done after all that was given before. Returns at once, raises nothing.

        Args:
            work: What to do; whatever it raises is logged as a bug.
            always: Whether it is done even if too much waits already.
        """
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft()
        if self._closed or (len(self._waiting) >= MOST_WAITING and not always):
            if not self._full:
                log.error("records are dropped: the disk does not keep up, or is closed already")
            self._full = True
            return
        self._full = False
        future = self._threads.submit(work)
        future.add_done_callback(_tell_of_a_bug)
        self._waiting.append(future)

    async def written(self) -> None:
        """Return once all that was given is written, or after :data:`WRITTEN_WITHIN`.

        Cancelling is safe: it is written all the same.
        """
        if self._waiting and not self._waiting[-1].done():
            await asyncio.wait([asyncio.wrap_future(self._waiting[-1])], timeout=WRITTEN_WITHIN)

    async def aclose(self) -> None:
        """Write what is left, and end the thread. One that hangs on a disk is left to itself."""
        await self.written()
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _open(self, call_id: str, started: datetime) -> Transcript:
        transcript = Transcript(self._folder, call_id, started)
        self._paths[call_id] = transcript.path
        while len(self._paths) > REMEMBERED:
            self._paths.popitem(last=False)
        return transcript


def _tell_of_a_bug(future: Future[None]) -> None:
    if not future.cancelled() and (error := future.exception()) is not None:
        log.error("a record is incomplete: this is a bug", exc_info=error)


class Record:
    """The transcript of one call, as the call sees it: a :class:`~agent.call.history.Journal`."""

    def __init__(self, writer: RecordWriter, begin: Callable[[], Transcript]) -> None:
        self._writer = writer
        self._begin = begin
        self._transcript: Transcript | None = None  # the thread's
        writer.do(self._open)

    def add(self, kind: str, **fields: object) -> None:
        """Write one line, soon: a crash loses no more than what was said within milliseconds."""
        self._writer.do(partial(self._write, kind, fields))

    async def aclose(self) -> None:
        """Close it; returns once all of it is written, or the disk has had its time."""
        self._writer.do(self._close, always=True)
        await self._writer.written()

    def _open(self) -> None:
        self._transcript = self._begin()

    def _write(self, kind: str, fields: Mapping[str, Any]) -> None:
        if self._transcript is not None:
            self._transcript.add(kind, **fields)

    def _close(self) -> None:
        if self._transcript is not None:
            self._transcript.close()
