"""What is known of a call, erased: from the database, its indexes, its log, and from files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Table, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from agent.records.call_records import listed, named
from agent.records.events import CallRecord
from agent.records.journals import record_files
from agent.records.recordings.kept import recording_of
from agent.records.seals import Seal
from agent.records.search import call_numbers, words_index
from agent.records.search.number_forms import forms
from agent.store.engine import Database
from agent.store.record_tables import OF_A_RECORD, call_events, call_records
from agent.store.tables import Now, claims, digest, metadata

AT_ONCE = 500
"""Rows deleted in one transaction: some milliseconds, in which nobody else can write to SQLite."""

OVER_AFTER = 90_000.0
"""Seconds, 25 hours, after which a call is over whatever its record says; one takes four."""

DeleteRecording = Callable[[CallRecord], Awaitable[int]]
"""Deletes the recordings of a call wherever they are; returns how many that were."""


class InProgressError(Exception):
    """A call in progress is written on: it can be erased once it is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What is there of a record to be erased, or was erased."""

    lines: int = 0
    journals: int = 0
    recordings: int = 0

    def __add__(self, other: Erased) -> Erased:
        return Erased(
            lines=self.lines + other.lines,
            journals=self.journals + other.journals,
            recordings=self.recordings + other.recordings,
        )


class Erasing:
    """Erases records. Every method raises StoreError if the database fails.

    Args:
        database: Shared by all processes.
        seal: Shows what recordings a record has.
        journals: Folder of journals.
        delete_recording: See :data:`DeleteRecording`; None if there are none.
    """

    def __init__(
        self,
        database: Database,
        seal: Seal,
        journals: Path,
        delete_recording: DeleteRecording | None = None,
    ) -> None:
        self._database = database
        self._seal = seal
        self._journals = journals
        self._delete_recording = delete_recording
        self._begun = self._finished = 0

    @property
    def unfinished(self) -> bool:
        """Whether something that was erased may still be in the files: :meth:`finish` is due."""
        return self._finished < self._begun

    def begin(self) -> None:
        """Note that something is deleted from now on, which :meth:`finish` is due for.

        :meth:`erase` does, before it deletes the first row.
        """
        self._begun += 1

    async def of_number(self, number: str, country: str = "") -> list[CallRecord]:
        """Return the records of all calls from or to a number, or with it on their line.

        Also of those that were passed on to it.

        Args:
            number: In whatever form people write it.
            country: Two letters, for a number without its own.
        """
        stored = {one for form in forms(number, country) for one in self._seal.look_ups(form)}
        stored.discard("")

        def theirs(connection: Connection) -> list[CallRecord]:
            had = call_numbers.had(stored, connection.dialect.name)
            found = select(call_records).where(had).order_by(call_records.c.number)
            return [listed(self._seal, row) for row in connection.execute(found)]

        return await self._database.read(theirs)

    async def get(self, name: str) -> CallRecord | None:
        """Return a record by what :func:`~agent.records.call_records.named` knows it by."""
        row = await self._database.read(lambda c: named(c, self._seal, name))
        return None if row is None else listed(self._seal, row)

    async def found(self, record: CallRecord) -> Erased:
        """Return what would be erased with a record; changes nothing.

        Raises:
            OSError: If the folder of journals cannot be read.
        """
        count = select(func.count()).where(call_events.c.record == record.number)
        lines = await self._database.read(lambda c: int(c.execute(count).scalar_one()))
        journals = len(await asyncio.to_thread(self._journals_of, record))
        return Erased(
            lines=lines, journals=journals, recordings=int(bool(recording_of(record.data)[0]))
        )

    async def erase(self, record: CallRecord) -> Erased:
        """Erase a record and all that belongs to it. What was begun is done by doing it again.

        The row of the record goes last: while it is there, the rest can be found. Call
        :meth:`finish` when all that is to be erased is.

        Raises:
            InProgressError: If the call is not over.
            OSError: If a file cannot be deleted.
        """
        if is_in_progress(record):
            raise InProgressError("the call is in progress: erase it when it is over")
        recordings = await self.delete_recordings(record)
        journals = await asyncio.to_thread(self._delete_journals, record)
        self.begin()
        lines = 0
        for table, key in _tables_of_records():
            value = getattr(record, key)
            while rows := await self._database.write(
                lambda c, table=table, value=value: _delete_some(c, table, value)  # type: ignore[misc]
            ):
                lines += rows if table is call_events else 0
        await self._database.write(lambda c: _delete_record(c, record))
        # A line of the call may have come meanwhile, of which nobody would know any more.
        await self._database.write(lambda c: _delete_some(c, call_events, record.number))
        return Erased(lines=lines, journals=journals, recordings=recordings)

    async def delete_recordings(self, record: CallRecord) -> int:
        """Delete the recordings of a call, and nothing else; return how many that were."""
        if self._delete_recording is None:
            return 0
        return await self._delete_recording(record)

    async def finish(self) -> None:
        """Have what was erased be gone from the database's files, too. It may take seconds.

        Raises:
            StoreError: If others read in it all the time: it is gone when this is done again.
        """
        begun = self._begun  # what is begun meanwhile may not be gone with it
        await self._database.scrub()
        self._finished = max(begun, self._finished)

    def _journals_of(self, record: CallRecord) -> list[Path]:
        call_id = str(record.data.get("call_id", ""))
        return record_files.journals_of(self._journals, record.id, call_id)

    def _delete_journals(self, record: CallRecord) -> int:
        paths = self._journals_of(record)
        if not all(record_files.delete(path) for path in paths):
            raise InProgressError("its journal is still written: erase it when the call is over")
        return len(paths)


def is_in_progress(record: CallRecord) -> bool:
    """Return whether a call may still be written."""
    return record.ended is None and "platform" not in record.data and is_recent(record.started)


def is_recent(started: float) -> bool:
    """Return whether a call that began then may go on."""
    return started > time.time() - OVER_AFTER


def _tables_of_records() -> list[tuple[Table, str]]:
    """Return the tables with rows of a record, each with the field that these go by."""
    return [
        (table, table.info[OF_A_RECORD])
        for table in metadata.tables.values()
        if OF_A_RECORD in table.info
    ]


def _delete_some(connection: Connection, table: Table, value: object) -> int:
    (key,) = table.primary_key.columns
    some = select(key).where(table.c.record == value).limit(AT_ONCE)
    return connection.execute(delete(table).where(key.in_(some))).rowcount


def was_erased(connection: Connection, call_id: str) -> bool:
    """Return whether the record of a call was erased, as far back as the platform may tell of it.

    Args:
        connection: Of whoever is about to store what the platform tells.
        call_id: Digest of the platform's name of the call.
    """
    name = claims.c.name == digest(f"erased {call_id}")
    return connection.execute(select(claims.c.name).where(name)).first() is not None


def _delete_record(connection: Connection, record: CallRecord) -> None:
    words_index.remove(connection, record.number)
    its = select(call_records.c.call_id).where(call_records.c.number == record.number)
    if (call_id := connection.execute(its).scalar()) not in (None, digest("")):
        # What it costs may be told later, with its numbers: that is not to make a new record.
        gone = {"name": digest(f"erased {call_id}"), "owner": "", "at": Now()}
        connection.execute(insert(claims).values(gone).on_conflict_do_nothing())
    connection.execute(delete(call_records).where(call_records.c.number == record.number))
