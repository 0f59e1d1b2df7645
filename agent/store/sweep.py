"""Throws away what is old, a little at a time, beside everything else."""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection, Table, delete, select

from agent.store.console_tables import console_entries, live_feed
from agent.store.engine import Database
from agent.store.errors import StoreError
from agent.store.tables import SWEPT, Now

KEPT = 86_400.0
"""Seconds that anything is kept: longer than the longest call (14,400) and any idempotency key."""

LIVE_KEPT = 60.0
"""Seconds that what was said a moment ago is kept, if whoever looked has died: it is deleted as it
is read."""

SWEEP_EVERY = 600.0
"""Seconds between two looks for what is older."""

AT_ONCE = 500
"""Rows deleted in one transaction: some milliseconds, in which no other process can write to an
SQLite file."""

PAUSE = 0.05
"""Seconds between two of these."""


async def keep_sweeping(database: Database) -> None:
    """Sweep now and then, until this is cancelled."""
    while True:
        try:
            await sweep(database)
        except StoreError:  # the database has logged it
            await asyncio.sleep(PAUSE)
        await asyncio.sleep(SWEEP_EVERY)


async def sweep(database: Database) -> int:
    """Delete all that is old; return how many rows that were.

    Raises:
        StoreError: If the database fails; what was deleted before stays so.
    """
    deleted = 0
    for table in (*SWEPT, console_entries, live_feed):
        while rows := await database.write(lambda c, table=table: _delete_some(c, table)):  # type: ignore[misc]
            deleted += rows
            await asyncio.sleep(PAUSE)
    return deleted


def _delete_some(connection: Connection, table: Table) -> int:
    (key,) = table.primary_key.columns
    old = table.c.at < Now() - (LIVE_KEPT if table is live_feed else KEPT)
    if connection.execute(select(key).where(old).limit(1)).first() is None:
        return 0
    some = select(key).where(old).limit(AT_ONCE)
    return connection.execute(delete(table).where(key.in_(some))).rowcount
