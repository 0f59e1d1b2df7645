"""The records that want a summary and have none: each taken by one process at a time."""

from __future__ import annotations

import time
from collections.abc import Sequence

import structlog
from sqlalchemy import Connection, Select, select, update

from agent.records.call_records import CallRecords
from agent.records.events import CallRecord
from agent.records.seals import SealError
from agent.store.engine import Database
from agent.store.record_tables import call_records

log = structlog.get_logger()

TAKEN_FOR = 900.0
"""Seconds that a record is its process's; then it is due again. A summary takes three providers
with three answers of 60 s at the very most."""


class DueSummaries:
    """The records whose summary is due. Every method raises StoreError if the database fails.

    Args:
        database: Shared by all processes.
        records: Reads it.
    """

    def __init__(self, database: Database, records: CallRecords) -> None:
        self._database = database
        self._records = records

    async def take(self, most: int) -> list[CallRecord]:
        """Return records whose call is over, those that were due first; they are ours then.

        A record is due again after :data:`TAKEN_FOR`, unless its summary was stored meanwhile: what
        a process that died has begun is done by another, or at the next start. One that cannot be
        read, for want of its key, is given up.
        """
        if not await self._database.read(lambda c: c.execute(_due(1)).first()):
            return []  # and nothing is locked
        ids = await self._database.write(lambda c: _take(c, most))
        found = []
        for one in ids:
            try:
                record = await self._records.get(one)
            except SealError as error:
                log.warning("a call has no summary", record=one, reason=str(error))
                await self.give_up(one)
                continue
            found += [record] if record is not None else []
        return found

    async def give_up(self, record: str) -> None:
        """Have a record, by its id, due no more: it cannot be read."""
        never = update(call_records).where(call_records.c.id == record)
        await self._database.write(lambda c: c.execute(never.values(summary_due=None)))

    async def put_off(self, record: CallRecord, seconds: float) -> None:
        """Have a record that we have taken due again in so many seconds."""
        mine = call_records.c.number == record.number
        due = update(call_records).where(mine, call_records.c.summary_due.is_not(None))
        at = time.time() + seconds
        await self._database.write(lambda c: c.execute(due.values(summary_due=at)))


def _due(most: int) -> Select[tuple[int, str]]:
    return (
        select(call_records.c.number, call_records.c.id)
        .where(call_records.c.summary_due <= time.time(), call_records.c.ended.is_not(None))
        .order_by(call_records.c.summary_due, call_records.c.number)
        .limit(most)
    )


def _take(connection: Connection, most: int) -> Sequence[str]:
    rows = connection.execute(_due(most).with_for_update(skip_locked=True)).all()
    numbers = [row.number for row in rows]
    taken = update(call_records).where(call_records.c.number.in_(numbers))
    if numbers:
        connection.execute(taken.values(summary_due=time.time() + TAKEN_FOR))
    return [row.id for row in rows]
