"""The journals that are open in a process. All of it is used in one thread."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from agent.records.journals.journal_file import JournalFile
from agent.records.journals.journal_names import new_journal
from agent.records.journals.journal_sync import JournalSync
from agent.records.journals.spool import Spool
from agent.records.seals import Seal

MOST_UNFINISHED = 10_000
"""Calls that are over and whose last line waits for room on the disk."""


class OpenJournals:
    """Where the lines of calls are written.

    Nothing here raises, whatever the disk does.

    Args:
        spool: The folder of journals.
        seal: Hides what people said.
    """

    def __init__(self, spool: Spool, seal: Seal) -> None:
        self._spool = spool
        self._seal = seal
        self.sync = JournalSync(spool.folder)
        self._open: dict[str, JournalFile] = {}
        """By the platform's name of the call."""

        self._unfinished: dict[JournalFile, None] = {}

    @property
    def due(self) -> bool:
        """Whether :meth:`tick` has something to do."""
        return self.sync.due or bool(self._unfinished)

    def begin(self, journal: str, call_id: str) -> JournalFile:
        """Return a new journal, which its first line will open."""
        file = JournalFile(self._spool, journal, call_id, self._seal)
        self._open[call_id] = file
        return file

    def add(self, file: JournalFile, kind: str, fields: Mapping[str, Any]) -> None:
        """Write a line."""
        file.add(kind, fields)
        self.sync.changed(file)

    def end(self, file: JournalFile, call_id: str) -> None:
        """Close a journal; one whose last line is not written yet is tried again."""
        if self._open.get(call_id) is file:
            del self._open[call_id]
        if file.close():
            return
        self._unfinished[file] = None
        if len(self._unfinished) > MOST_UNFINISHED:
            oldest = next(iter(self._unfinished))
            oldest.give_up()
            del self._unfinished[oldest]

    def add_later(
        self,
        kind: str,
        call_id: str,
        record: str,
        fields: Mapping[str, Any],
        about: Mapping[str, object],
    ) -> None:
        """Write a line of a call whose journal may be closed, or another's."""
        if (file := self._open.get(call_id)) is not None:
            self.add(file, kind, fields)
            return
        whose: Mapping[str, object] = {"call_id": call_id} | ({"id": record} if record else {})
        whose = {**whose, **({"about": dict(about)} if about else {})}
        file = JournalFile(
            self._spool, new_journal(datetime.now(UTC)), call_id or record, self._seal
        )
        self.add(file, kind, {**whose, **fields})
        self.end(file, call_id)

    def tick(self) -> None:
        """Write what there was no room for, and begin to sync what has changed."""
        for file in list(self._unfinished):
            if not file.close():
                break  # the disk is as full for the others
            del self._unfinished[file]
            self.sync.changed(file)
        self.sync.begin()

    def finish(self) -> None:
        """Write what can be written, for the last time."""
        self.tick()
        self.sync.begin(at_last=True)
        for file in self._unfinished:
            file.give_up()
        self._unfinished.clear()
