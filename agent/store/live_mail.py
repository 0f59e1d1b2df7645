"""What happens in calls, left by the process that holds them for one where somebody looks."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, insert, select

from agent.store.console_tables import live_feed
from agent.store.engine import Database
from agent.store.tables import Now, digest

FRESH_FOR = 10.0
"""Seconds that it is left for: whoever looks takes it within one, or has died."""


class LiveMail:
    """Texts for processes, by their names. Every method raises StoreError if the database fails.

    Args:
        database: Shared by all processes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def leave(self, texts: Mapping[str, str]) -> None:
        """Leave a text for each of some processes, and throw away what nobody has taken."""
        rows = [{"process": digest(process), "data": text} for process, text in texts.items()]
        old = delete(live_feed).where(live_feed.c.at < Now() - FRESH_FOR)
        new = insert(live_feed).values(at=Now())
        await self._database.write(lambda c: (c.execute(old), c.execute(new, rows)))

    async def take(self, process: str) -> list[str]:
        """Take what was left for a process, the oldest first; it is there no more then."""
        ours = live_feed.c.process == digest(process)
        waiting = select(live_feed.c.id).where(ours).limit(1)
        if await self._database.read(lambda c: c.execute(waiting).first()) is None:
            return []
        taken = delete(live_feed).where(ours).returning(live_feed.c.id, live_feed.c.data)
        rows = await self._database.write(lambda c: c.execute(taken).all())
        return [row.data for row in sorted(rows, key=lambda row: row.id)]
