"""The lines of one journal in the database, by their number: for whoever follows a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from agent.records.call_records import shown
from agent.records.seals import Seal
from agent.store.engine import Database
from agent.store.record_tables import call_events

AT_ONCE = 500
"""Lines that are read at once: some 0.15 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLine:
    """One of them."""

    number: int
    kind: str
    fields: Mapping[str, Any]
    """With ``at``, where there is one."""


class StoredLines:
    """Reads them.

    Args:
        database: Shared by all processes.
        seal: Shows what is hidden in them.
    """

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    async def after(self, journal: str, number: int) -> list[StoredLine]:
        """Return the lines behind one, in their order: :data:`AT_ONCE` at the most.

        Args:
            journal: Its name: of a call's own, the id of the record.
            number: Of the last line that is known; -1 for none.

        Raises:
            StoreError: If the database fails.
            SealError: If there is no key for one.
        """
        columns = call_events.c
        found = select(columns.line, columns.kind, columns.at, columns.data)
        found = found.where(columns.journal == journal, columns.line > number)
        found = found.order_by(columns.line).limit(AT_ONCE)
        rows = await self._database.read(lambda c: c.execute(found).all())
        return [
            StoredLine(
                number=row.line,
                kind=row.kind,
                fields={
                    **({} if row.at is None else {"at": row.at}),
                    **shown(self._seal, row.data),
                },
            )
            for row in rows
        ]
