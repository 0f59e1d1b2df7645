"""Legs, calls, sessions, as JSON objects by name, read and changed in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.dialects.postgresql import insert

from agent.store.engine import Database
from agent.store.tables import Now, digest

T = TypeVar("T")
Entry = dict[str, Any]


class Entries:
    """The entries of one table. Names may be anything.

    Every method raises StoreError if the database fails.

    Args:
        database: Shared by all processes.
        table: With the columns ``name``, ``value`` and ``at``.
    """

    def __init__(self, database: Database, table: Table) -> None:
        self._database = database
        self._table = table

    async def put(self, name: str, value: Entry) -> None:
        """Keep ``value`` under ``name``, in place of what was there."""
        await self._database.write(lambda c: self._put(c, name, value))

    async def get(self, name: str) -> Entry | None:
        """Return what is kept under ``name``; None if nothing is, or nothing that can be read."""
        return await self._database.read(lambda c: self._get(c, name, lock=False))

    async def take(self, name: str) -> Entry | None:
        """Return what is kept under ``name``, and keep it no more: one caller only gets it."""

        def work(connection: Connection) -> Entry | None:
            this = self._table.c.name == digest(name)
            taken = delete(self._table).where(this).returning(self._table.c.value)
            row = connection.execute(taken).first()
            return None if row is None else row.value

        return await self._database.write(work)

    async def change(self, name: str, after: Callable[[Entry], tuple[Entry, T] | None]) -> T | None:
        """Change what is kept under ``name``, while nobody else does.

        Args:
            name: Of the entry; if there is none, nothing is done.
            after: Gets the entry as it is; returns it as it is to be, and what to return of that.
                None lets it be. It may be asked in another thread, so it must do no more than that.

        Returns:
            The second of what ``after`` returns; None if nothing has changed.
        """

        def work(connection: Connection) -> T | None:
            before = self._get(connection, name, lock=True)
            changed = None if before is None else after(before)
            if changed is None:
                return None
            entry, result = changed
            self._put(connection, name, entry)
            return result

        return await self._database.write(work)

    def _get(self, connection: Connection, name: str, *, lock: bool) -> Entry | None:
        found = select(self._table.c.value).where(self._table.c.name == digest(name))
        row = connection.execute(found.with_for_update() if lock else found).first()
        return None if row is None else row.value

    def _put(self, connection: Connection, name: str, value: Entry) -> None:
        row = {"name": digest(name), "value": value, "at": Now()}
        # SQLite has the same words for this.
        new = insert(self._table).values(row)
        changed = {"value": new.excluded.value, "at": new.excluded.at}
        connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=changed))
