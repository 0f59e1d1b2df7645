"""The records of a process, written in a thread: a disk that is slow holds up no call."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import structlog

from agent.records.journals.journal_file import NEEDED, JournalFile
from agent.records.journals.journal_names import new_journal
from agent.records.journals.open_journals import OpenJournals
from agent.records.journals.spool import Spool
from agent.records.private_lines import PrivateLines
from agent.records.seals import NoSeal, Seal

log = structlog.get_logger()

MOST_WAITING = 10_000
"""Lines that wait for a disk: some 2 MB, and minutes of a full process. More are dropped; those
that a call is listed by have as much again."""

SAID = {"caller", "understood", "heard", "agent"}
"""Kinds of lines that hold words of a conversation."""

Told = Callable[[int | None, str, Mapping[str, Any]], None]
"""Told of a line as it was written, in the thread of the writer: its number in the journal, None if
it did not get there; kind; fields. It returns at once, and changes nothing of them."""

Watch = Callable[[str, str, Mapping[str, Any]], None]
"""Told, in the thread of the writer, of every line as it may be written, whether or not the disk
took it: id of the record, ``""`` if that is not known; kind; fields. It returns within
microseconds, raises nothing, and changes nothing of them."""

NOT_TAKEN = "the disk does not keep up, or the service ends"

WRITTEN_WITHIN = 2.0
"""Seconds for the last lines of a call, or of a process, to be on the disk."""

SYNCED_EVERY = 1.0
"""Seconds for which lines may be in the hands of the operating system alone: what is lost with the
power of a host."""


class RecordWriter:
    """Writes the journals of a process, each line as it comes. Close it in the end.

    Args:
        spool: The folder of journals, or its path.
        threads: Does what blocks, in the order in which it comes; a thread of its own if None.
        seal: Hides what people said.
        privacy: Gives each record, by its id, what makes its lines such as may be written; ``""``
            is for a line that comes when its call may be over.
        over: Told, in the thread, the id of each record that is at its end.
    """

    def __init__(
        self,
        spool: Spool | Path,
        threads: Executor | None = None,
        seal: Seal | None = None,
        privacy: Callable[[str], PrivateLines] = lambda _record: PrivateLines(),
        over: Callable[[str], None] = lambda _record: None,
    ) -> None:
        self.spool = Spool(spool) if isinstance(spool, Path) else spool
        self.seal = seal or NoSeal()
        self.journals = OpenJournals(self.spool, self.seal)
        """The thread's."""

        self.privacy = privacy
        self.over = over
        self.watches: Sequence[Watch] = ()
        """Whoever counts what happens in calls. Set it before the first."""

        self._threads = threads or ThreadPoolExecutor(1, "records")
        self._waiting: deque[Callable[[], None]] = deque()
        self._writing = self._closed = False

    @property
    def waiting(self) -> int:
        """How much waits to be written."""
        return len(self._waiting)

    def begin(self, call_id: str, started: datetime) -> Record:
        """Begin the journal of a call.

        Args:
            call_id: The platform's name of it. Not trusted: it may hold anything.
            started: When it was answered.
        """
        return Record(self, call_id, new_journal(started))

    def platform_line(
        self,
        call_id: str,
        fields: Mapping[str, Any],
        about: Mapping[str, object] = MappingProxyType({}),
        kind: str = "platform",
    ) -> None:
        """Add what the platform said of a call to its record, or to a new one about it.

        Args:
            call_id: The platform's name of the call.
            fields: Of the line.
            about: As of :meth:`add_later`.
            kind: ``leg`` if it is about another leg than that of the phone.
        """
        self.add_later(kind, call_id, fields, about=about)

    def add_later(
        self,
        kind: str,
        call_id: str,
        fields: Mapping[str, Any],
        *,
        record: str = "",
        about: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        """Add a line to the record of a call, also of one that is over, or that others have held.

        If its journal is not open here, the line has a journal of its own, which says what it
        belongs to.

        Args:
            kind: Of the line, one of those that a call is listed by.
            call_id: The platform's name of the call; its latest record is meant.
            fields: Of the line.
            record: Its id, if it is known.
            about: What is known of the call, if it has no record: the fields of its first line.
        """
        work = partial(self._add_later, kind, call_id, record, fields, about)
        if not self.do(work, needed=True):
            self.spool.dropped(NOT_TAKEN)

    def do(self, work: Callable[[], None], *, needed: bool = False) -> bool:
        """Have ``work`` done after all that was given before; return whether it will be.

        Returns at once, raises nothing.

        Args:
            work: What to do; whatever it raises is logged as a bug.
            needed: Whether it is done even if too much waits already, up to twice as much.
        """
        if self._closed or len(self._waiting) >= MOST_WAITING * (1 + needed):
            return False
        self._waiting.append(work)
        if not self._writing:
            self._write()
        return True

    async def keep(self) -> None:
        """See to it that what is written is on the disk within a second or two, until cancelled."""
        while True:
            await asyncio.sleep(SYNCED_EVERY)
            if self.journals.due:
                self.do(self.journals.tick, needed=True)

    async def written(self) -> None:
        """Return once all that was given is written, or after :data:`WRITTEN_WITHIN`.

        Cancelling is safe: it is written all the same.
        """
        if not self._writing and not self._waiting:
            return
        done: Future[None] = Future()
        if self.do(partial(done.set_result, None), needed=True) and not done.done():
            await asyncio.wait([asyncio.wrap_future(done)], timeout=WRITTEN_WITHIN)

    async def aclose(self) -> None:
        """Write what is left, and end the threads. One that hangs on a disk is left to itself."""
        self.do(self.journals.finish, needed=True)
        await self.written()
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self.journals.sync.aclose(WRITTEN_WITHIN)

    def tell(self, record: str, kind: str, fields: Mapping[str, Any]) -> None:
        """Tell those who watch of a line that was just written. In the thread."""
        for watch in self.watches:
            watch(record, kind, fields)

    def _add_later(
        self,
        kind: str,
        call_id: str,
        record: str,
        fields: Mapping[str, Any],
        about: Mapping[str, object],
    ) -> None:
        private = self.privacy("")
        about = dict(next((known for _, known in private.take("call", about)), {}))
        for its_kind, its_fields in [*private.take(kind, fields), *private.rest()]:
            self.journals.add_later(its_kind, call_id, record, its_fields, about)
            self.tell(record, its_kind, its_fields)

    def _write(self) -> None:
        self._writing = True
        with suppress(RuntimeError):  # it is closed this very moment
            self._threads.submit(self._do_all).add_done_callback(self._go_on)

    def _do_all(self) -> None:
        self._writing = True
        while self._waiting:
            self._waiting.popleft()()

    def _go_on(self, future: Future[None]) -> None:
        """Go on, in the thread, with what has come meanwhile, or stands behind a bug."""
        if not future.cancelled() and (error := future.exception()) is not None:
            log.error("a record is incomplete: this is a bug", exc_info=error)
        self._writing = False
        if self._waiting and not self._closed:
            self._write()


class Record:
    """The journal of one call, as the call sees it: a :class:`~agent.call.turn_record.Journal`.

    Args:
        writer: Writes it.
        call_id: The platform's name of the call.
        journal: Its name.
    """

    def __init__(self, writer: RecordWriter, call_id: str, journal: str) -> None:
        self._writer = writer
        self._call_id = call_id
        self.id = journal
        """Our name of the record, which is in its first line."""

        self.told: Told | None = None
        """Whoever follows the call; None while nobody does. May be changed in any thread."""

        self.said: tuple[str, Mapping[str, Any]] | None = None
        """Kind and fields of the last line that holds words, as it was written."""

        self._private = writer.privacy(self.id)  # the thread's
        self._file: JournalFile | None = None  # the thread's
        self._missing = 0
        writer.do(self._begin, needed=True)

    def add(self, kind: str, **fields: object) -> None:
        """Write one line, soon: a crash loses no more than what was said within milliseconds."""
        if kind == "call":
            fields = {"id": self.id, **fields}
        if self._writer.do(partial(self._add, kind, fields, self._missing), needed=kind in NEEDED):
            self._missing = 0
        else:
            self._missing += 1
            self._writer.spool.dropped(NOT_TAKEN)

    @property
    def lines(self) -> int:
        """How many lines stand in its journal by now."""
        return self._file.lines if self._file is not None else 0

    async def aclose(self) -> None:
        """Close it; returns once all of it is written, or the disk has had its time."""
        self._writer.do(self._end, needed=True)
        await self._writer.written()

    def _begin(self) -> None:
        self._file = self._writer.journals.begin(self.id, self._call_id)

    def _add(self, kind: str, fields: Mapping[str, Any], missing: int) -> None:
        if self._file is None:
            self._writer.spool.dropped(NOT_TAKEN)
            return
        self._file.miss(missing)
        for its_kind, its_fields in self._private.take(kind, fields):
            self._keep(self._file, its_kind, its_fields)

    def _end(self) -> None:
        rest = self._private.rest()
        self._writer.over(self.id)
        if self._file is None:
            return
        for its_kind, its_fields in rest:
            self._keep(self._file, its_kind, its_fields)
        self._writer.journals.end(self._file, self._call_id)

    def _keep(self, file: JournalFile, kind: str, fields: Mapping[str, Any]) -> None:
        before = file.lines
        self._writer.journals.add(file, kind, fields)
        if kind in SAID and fields.get("text"):
            self.said = kind, fields
        if (told := self.told) is not None:
            told(file.lines - 1 if file.lines > before else None, kind, fields)
        self._writer.tell(self.id, kind, fields)
