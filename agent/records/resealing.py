"""Everything that is stored, sealed anew with the first key: after a key was put before others."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    delete,
    not_,
    or_,
    select,
    update,
)

from agent.records.events import JournalLine
from agent.records.journals import lines, locks
from agent.records.journals.record_files import DAMAGED
from agent.records.legs import numbers_of
from agent.records.recordings.audio_log import ENDING
from agent.records.recordings.encoding import SEALED
from agent.records.recordings.kept import CONTENT_TYPES
from agent.records.seals import FILE_MARK, MARK, KeySeal, SealError
from agent.records.search import call_numbers, words_index
from agent.records.search.number_forms import looked_up_as
from agent.settings.sealing_keys import SealingKey
from agent.store.engine import Database
from agent.store.record_tables import call_events, call_records, seal_keys

AT_ONCE = 100
"""Rows changed in one transaction: some milliseconds."""

FileOutcome = Literal["sealed", "left", "written on", "unreadable"]
"""What became of a file; ``left``: it is sealed with the first key already."""

PIECE = 65_536
"""Bytes of a file that are read at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resealed:
    """What was sealed anew."""

    rows: int
    files: int
    unreadable: int
    """Rows and files whose key is missing; they are as they were."""

    waiting: int
    """Files that are written at the moment: by the next time they are closed."""


class Resealing:
    """Seals anew. What was begun and not ended goes on where it was.

    Args:
        database: Shared by all processes.
        keys: The first seals, the others open.
    """

    def __init__(self, database: Database, keys: Sequence[SealingKey]) -> None:
        self._database = database
        self._keys = keys
        self._seal = KeySeal(keys)
        self._current = f"{MARK}{self._seal.first}:"

    async def run(self, folders: Sequence[Path], recordings: Path | None = None) -> Resealed:
        """Seal all rows anew, and the files in these folders; then forget the other keys.

        Args:
            folders: Of journals; what else is in them is let be.
            recordings: Folder of recordings; those in a bucket stay as they are.

        Raises:
            StoreError: If the database fails; what was done stays so.
            OSError: If a file cannot be read or written.
        """
        rows = unreadable = 0
        for table in (call_records, call_events):
            (key,) = table.primary_key.columns
            after: int | None = 0
            while after is not None:
                after, done, lost = await self._database.write(
                    lambda c, t=table, k=key, a=after: self._some(c, t, k, a)  # type: ignore[misc]
                )
                rows, unreadable = rows + done, unreadable + lost
        files = waiting = 0
        for path in await asyncio.to_thread(_files, folders, recordings):
            outcome = await asyncio.to_thread(self._file, path)
            files += outcome == "sealed"
            waiting += outcome == "written on"
            unreadable += outcome == "unreadable"
        if not unreadable and not waiting:
            others = delete(seal_keys).where(seal_keys.c.name != self._seal.first)
            await self._database.write(lambda c: c.execute(others))
        await self._database.scrub()  # what the old key can open is not to stay in the file
        return Resealed(rows=rows, files=files, unreadable=unreadable, waiting=waiting)

    def _some(
        self,
        connection: Connection,
        table: Table,
        key: Column[Any],
        after: int,
    ) -> tuple[int | None, int, int]:
        """Seal some rows; return the last that was looked at, how many were, how many could not."""
        old = self._is_other(table.c.data)
        if table is call_records:  # what it is found by is older than a line that came late
            first = select(call_events.c.data).where(call_events.c.record == table.c.number)
            old = or_(
                old, self._is_other(first.order_by(call_events.c.id).limit(1).scalar_subquery())
            )
        limit = AT_ONCE if table is call_events else AT_ONCE // 20  # each with all its words
        found = select(table).where(and_(key > after, old)).order_by(key).limit(limit)
        rows = connection.execute(found.with_for_update()).all()
        changed, lost = [], 0
        for row in rows:
            try:
                text = self._seal.show(row.data)
            except SealError:
                lost += 1
                continue
            changed.append({"row": getattr(row, key.name), "data": self._seal.hide(text)})
            if table is call_records:
                changed[-1] |= self._looked_up(text)
                self._numbers(connection, row.number, text)
                self._index(connection, row.number)
        if changed:
            names = [name for name in changed[0] if name != "row"]
            given = [{n if n == "row" else f"new_{n}": v for n, v in c.items()} for c in changed]
            change = (
                update(table)
                .where(key == bindparam("row"))
                .values({name: bindparam(f"new_{name}") for name in names})
            )
            connection.execute(change, given)
        last = getattr(rows[-1], key.name) if len(rows) == limit else None
        return last, len(changed), lost

    def _is_other(self, data: ColumnElement[str]) -> ColumnElement[bool]:
        return not_(data.startswith(self._current, autoescape=True))

    def _looked_up(self, text: str) -> dict[str, str]:
        """Return what the numbers of a record are looked up by."""
        data = json.loads(text)
        return {
            name: self._seal.look_up(looked_up_as(str(data.get(name, ""))))
            for name in ("caller", "called")
        }

    def _numbers(self, connection: Connection, record: int, text: str) -> None:
        """Have a record found by the numbers of its other legs by the new key."""
        call_numbers.remove(connection, record)
        call_numbers.add(connection, self._seal, record, numbers_of(json.loads(text)))

    def _index(self, connection: Connection, record: int) -> None:
        """Put the words of a record into the index anew: they are looked up by the key, too."""
        found = select(call_events).where(call_events.c.record == record)
        lines = []
        for row in connection.execute(found.order_by(call_events.c.id)):
            try:
                fields = json.loads(self._seal.show(row.data))
            except SealError:
                continue
            lines.append(
                JournalLine(
                    journal=row.journal, line=row.line, kind=row.kind, at=row.at, fields=fields
                )
            )
        words_index.remove(connection, record)
        words_index.add(connection, self._seal, {record: lines})

    def _file(self, path: Path) -> FileOutcome:
        """Seal a file anew, or say why it is left as it is.

        Raises:
            OSError: If it cannot be read or written.
        """
        journal = _is_journal(path)
        to = path if journal or path.name.endswith(SEALED) else Path(f"{path}{SEALED}")
        new = path.with_name(f"{path.name}.resealing")
        try:
            with path.open("r+b") as file:
                if not journal and not self._is_old(file):
                    return "left"
                if path.name.endswith(ENDING) or not locks.hold(file):
                    return "written on"
                descriptor = os.open(new, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
                with os.fdopen(descriptor, "wb") as sealed:
                    pieces = self._lines(file) if journal else self._bytes(file)
                    for piece in pieces:
                        sealed.write(piece)
                    sealed.flush()
                    os.fsync(sealed.fileno())
                new.replace(to)
                if to != path:
                    path.unlink()
        except FileNotFoundError:
            return "left"  # it was stored, moved or erased meanwhile
        except SealError:
            new.unlink(missing_ok=True)
            return "unreadable"
        return "sealed"

    def _is_old(self, file: BinaryIO) -> bool:
        head = file.read(len(FILE_MARK) + 20)
        file.seek(0)
        return not head.startswith(FILE_MARK + self._seal.first.encode() + b"\n")

    def _bytes(self, file: BinaryIO) -> Iterator[bytes]:
        return self._seal.hide_bytes(self._seal.show_bytes(iter(lambda: file.read(PIECE), b"")))

    def _lines(self, file: BinaryIO) -> Iterator[bytes]:
        for line in file:
            found = lines.read(self._seal, line)
            if found is None:  # cut off, when its process died
                yield line
                continue
            kind, at, fields = found
            yield lines.written(self._seal, kind, fields | ({} if at is None else {"at": at}))


def _is_journal(path: Path) -> bool:
    return path.name.removesuffix(DAMAGED).endswith(".jsonl")


def _files(folders: Sequence[Path], recordings: Path | None) -> list[Path]:
    found = [path for folder in folders for path in _in(folder) if _is_journal(path)]
    kinds = (*CONTENT_TYPES, *(f"{one}{SEALED}" for one in CONTENT_TYPES), ENDING)
    return found + [path for path in _in(recordings) if path.name.endswith(kinds)]


def _in(folder: Path | None) -> list[Path]:
    if folder is None or not folder.is_dir():
        return []
    return [path for path in sorted(folder.iterdir()) if path.is_file()]
