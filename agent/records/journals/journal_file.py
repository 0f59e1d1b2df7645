"""The journal of a call: JSON lines on disk, each written through as it comes.

What stands in a line is in :mod:`agent.records.events`. A disk that fails costs lines, never the
call; it is tried again with each line, and how many are missing stands where they are missing.
"""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import structlog

from agent.private_files import FILE, make_private_folder
from agent.records.journals import locks
from agent.records.journals.journal_names import file_name, new_journal
from agent.records.journals.lines import written
from agent.records.journals.spool import OwnJournal, Spool
from agent.records.seals import Seal

log = structlog.get_logger()

NEEDED = {"call", "ended", "platform", "leg", "summary", "recording"}
"""Kinds that are written as soon as they can be, if they cannot at once: what a call is listed by.
There are a few of a call."""

FLAGS = os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_WRONLY | getattr(os, "O_BINARY", 0)
"""Never two in one file; and what is written goes to its end, where it was cut."""


class JournalFile:
    """One journal. Close it when the call is over.

    Nothing here raises, whatever the disk does. Use it in one thread.

    Args:
        spool: The folder, made if it is missing; it is told what is written.
        name: Of the journal; no other has it.
        call_id: The platform's name of the call. Not trusted: it may hold anything.
        seal: Hides what people said.
    """

    def __init__(self, spool: Spool, name: str, call_id: str, seal: Seal) -> None:
        self._spool = spool
        self._seal = seal
        self._name = name
        self._call_id = call_id
        self.path: Path = spool.folder / file_name(name, call_id)
        self.is_new = False
        """Whether it is in the folder now, and that was not synced."""

        self.lines = 0
        """How many stand in it: the next has this number."""

        self._descriptor: int | None = None
        self._own = OwnJournal(self.path)
        self._owed: deque[bytes] = deque()
        """Lines that are needed, and not written yet."""

        self._missing = 0
        """Lines that were dropped, which is not written yet."""

        self._torn = False
        """Whether the last line in the file is cut off."""

        self._first: bytes = b""
        """The line that says whose the journal is, once there is one."""

        self._closed = False

    def add(self, kind: str, fields: Mapping[str, object]) -> None:
        """Write one line through to the operating system; a crash of ours does not lose it."""
        if self._closed:
            return
        line = written(self._seal, kind, fields)
        if kind == "call":
            self._first = line
        if kind in NEEDED:
            self._owed.append(line)
            self._write_out(None, fields.get("at"))
        else:
            self._write_out(line, fields.get("at"))

    def miss(self, lines: int) -> None:
        """Put on the record that so many lines are missing here."""
        self._missing += lines

    def close(self) -> bool:
        """Write what is owed, and close the file; return False if it has to be tried again."""
        if self._owed:
            self._write_out(None, None)
        if self._owed:
            return False
        self._let_go()
        return True

    def give_up(self) -> None:
        """Close the file without what is owed."""
        self._spool.dropped("it is too late", len(self._owed))
        self._owed.clear()
        self._let_go()

    def duplicate(self) -> int | None:
        """Return another descriptor of the file, to be synced and closed; None if there is none."""
        try:
            return None if self._descriptor is None else os.dup(self._descriptor)
        except OSError:  # too many are open: it is not synced, then
            return None

    def _let_go(self) -> None:
        self._closed = True
        self._own.descriptor, self._descriptor = self._descriptor, None
        if self._spool.own is None:  # nobody loads it
            self._own.release()
        self._own.closed = True

    def _write_out(self, line: bytes | None, at: object) -> None:
        """Write what is owed, then how many lines are missing, then ``line``."""
        try:
            if self._descriptor is not None and not self._is_there():
                self._begin_anew()
            if self._descriptor is None:
                self._open()
            while self._owed:
                self._write(self._owed[0], at, needed=True)
                self._owed.popleft()
            if line is not None:
                self._write(line, at, needed=False)
                self._spool.works()
        except OSError as error:
            self._missing += line is not None
            self._spool.dropped(error.strerror or type(error).__name__, int(line is not None))

    def _is_there(self) -> bool:
        """Return whether the file is still where it was made: else nobody finds what it holds."""
        try:
            there, ours = self.path.lstat(), os.fstat(self._descriptor or 0)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    def _begin_anew(self) -> None:
        """Go on in another journal of the same record; lines of this one may be stored already."""
        log.error("a journal was removed while its call goes on", path=str(self.path))
        self._let_go()
        self._closed = self._torn = False
        self.lines = 0
        self._name = new_journal(datetime.now(UTC))
        self.path = self._spool.folder / file_name(self._name, self._call_id)
        self._own = OwnJournal(self.path)
        if self._first and self._first not in self._owed:
            self._owed.appendleft(self._first)

    def _open(self) -> None:
        if not self._spool.folder.exists():
            make_private_folder(self._spool.folder)
        # Words are private: only the service's user may read them.
        self._descriptor = os.open(self.path, FLAGS, FILE)
        self.is_new = True
        locks.hold(self._descriptor)  # as long as this process lives, or until it is loaded
        if self._spool.own is not None:
            self._spool.own[self._name] = self._own

    def _write(self, line: bytes, at: object, *, needed: bool) -> None:
        """Write a line whole, or not at all; before it, how many are missing.

        Raises:
            OSError: If there is no room for it, or the disk fails.
        """
        own, descriptor = self._own, self._descriptor
        tells = self._missing > 0 and own.written > 0  # behind the first line, which says whose
        if tells:
            when = {} if at is None else {"at": at}
            line = written(self._seal, "dropped", {**when, "lines": self._missing}) + line
        if descriptor is None or not self._spool.has_room(len(line), needed=needed):
            raise OSError(errno.EDQUOT, "records.spool_limit is reached")
        data, done = (b"\n" + line if self._torn else line), 0
        try:
            while done < len(data):
                done += os.write(descriptor, data[done:])
        except OSError:
            if done:
                self._cut(descriptor)
            raise
        self._torn = False
        self.lines += 1 + tells
        self._missing = 0 if tells else self._missing
        own.written += len(data)
        self._spool.written += len(data)
        if own.since is None:
            own.since = monotonic()

    def _cut(self, descriptor: int) -> None:
        """Take half a line out of the file again."""
        try:
            os.ftruncate(descriptor, self._own.written)
        except OSError:
            self._torn = True
            self._own.written = os.fstat(descriptor).st_size
