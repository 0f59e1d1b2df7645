"""Records of calls whose process has died with its disk: closed in the database, by another.

Who dies and leaves its journals is seen to by whoever finds these: the next start of its folder. A
machine that is gone, or a pod with its disk, leaves none; its calls would be in progress for ever.
"""

from __future__ import annotations

from typing import Protocol

import structlog
from sqlalchemy import Connection, func, select

from agent.records.events import JournalLine
from agent.records.journals.loader import Stores
from agent.records.seals import SealError
from agent.store.engine import Database
from agent.store.record_tables import call_events, call_records
from agent.store.tables import digest, live_calls

log = structlog.get_logger()


class ClosesRecords(Protocol):
    """Closes what a dead process cannot close."""

    async def close(self, call_id: str) -> None:
        """Close the records of a call that are still in progress; there may be none.

        Raises:
            StoreError: If the database fails.
        """
        ...


class InterruptedRecords:
    """Closes records in the database.

    Args:
        database: Shared by all processes.
        stored: Takes the line that closes a record.
    """

    def __init__(self, database: Database, stored: Stores) -> None:
        self._database = database
        self._stored = stored

    async def close(self, call_id: str) -> None:
        """Close the records of a call of a dead process that are still in progress.

        They end with the last that is known of them, as ``interrupted``, once, however many
        processes ask. Should their journal come to light later, what it says counts.

        Args:
            call_id: The platform's name of the call; if a process holds it, it is let be.

        Raises:
            StoreError: If the database fails.
        """
        if not (lines := await self._database.read(lambda c: _endings(c, call_id))):
            return
        try:
            await self._stored.add(lines)
        except SealError as error:
            log.warning("a record of a process that died stays open", error=str(error))
            return
        log.warning("records of a process that died are closed", records=len(lines))


def _endings(connection: Connection, call_id: str) -> list[JournalLine]:
    """Return the last lines of the records of a call that have none."""
    records, events = call_records.c, call_events.c
    last = select(func.max(events.at)).where(events.record == records.number).scalar_subquery()
    held = select(live_calls.c.name).where(live_calls.c.name == digest(call_id))
    found = select(records.id, last.label("at")).where(
        records.call_id == digest(call_id), records.ended.is_(None), records.call_id.not_in(held)
    )
    return [
        JournalLine(
            # Always the same: whoever is second adds nothing.
            journal=f"{row.id[:28]}-end",
            line=0,
            kind="ended",
            at=row.at or 0.0,
            fields={"id": row.id, "reason": "interrupted"},
        )
        for row in connection.execute(found)
    ]
