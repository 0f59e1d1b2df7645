"""Orders to calls, left by one process for the one that holds the call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from agent.store.arrivals import CHANNEL, Arrivals
from agent.store.engine import Database
from agent.store.tables import Now, digest, orders


class Orders:
    """Orders by the names of calls. Names may be anything.

    Args:
        database: Shared by all processes.
        arrivals: Says when to look.
    """

    def __init__(self, database: Database, arrivals: Arrivals) -> None:
        self._database = database
        self.arrivals = arrivals

    async def leave(self, call_name: str, order: dict[str, Any]) -> None:
        """Leave ``order`` for the process that holds the call.

        Raises:
            StoreError: If the database fails.
        """
        await self.leave_each({call_name: order})

    async def leave_each(self, given: Mapping[str, dict[str, Any]]) -> None:
        """Leave an order for each of several, in one transaction.

        Raises:
            StoreError: If the database fails.
        """
        rows = [{"call": digest(name), "value": order} for name, order in given.items()]

        def work(connection: Connection) -> None:
            connection.execute(insert(orders).values(at=Now()), rows)
            if connection.dialect.name == "postgresql":
                for row in rows:
                    connection.execute(select(func.pg_notify(CHANNEL, row["call"])))

        if rows:
            await self._database.write(work)

    async def take(self, call_names: Iterable[str]) -> list[tuple[str, dict[str, Any]]]:
        """Take the orders for these calls, oldest first; each is given to one process once.

        One that cannot be read is an empty object.

        Raises:
            StoreError: If the database fails.
        """
        names = {digest(name): name for name in call_names}
        if not names:
            return []
        ours = orders.c.call.in_(list(names))
        waiting = await self._database.read(
            lambda c: c.execute(select(orders.c.id).where(ours).limit(1)).first()
        )
        if waiting is None:
            return []
        taken = delete(orders).where(ours).returning(orders.c.id, orders.c.call, orders.c.value)
        rows = await self._database.write(lambda c: c.execute(taken).all())
        return [(names[row.call], row.value or {}) for row in sorted(rows, key=lambda row: row.id)]
