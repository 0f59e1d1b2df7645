"""What was dialled in the last day: how often, how much at once, for how much money."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from agent.store.engine import Database
from agent.store.sweep import KEPT
from agent.store.tables import Now, dials, digest

LOCK = 0x44494C53
"""The advisory lock, on PostgreSQL, of whoever counts and adds: two who do so at the same time
would each find room for one more."""


class UsedUp(enum.Enum):
    """A limit that is reached."""

    NUMBER = enum.auto()
    AT_ONCE = enum.auto()
    AMOUNT = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class DialsLimits:
    """How much may be dialled."""

    to_a_number: int
    """In a day."""

    at_once: int
    amount: float
    """In a day, in the currency of whoever bills it."""


class Dials:
    """Counts what is dialled, for all processes together.

    Every method raises StoreError if the database fails.

    Args:
        database: Shared by all processes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, name: str, number: str, *, amount: float, open_for: float, limits: DialsLimits
    ) -> UsedUp | None:
        """Count a call, unless that passes a limit; return the limit, None if it is counted.

        Args:
            name: Of its leg; no two have the same.
            number: What is counted as one number. Only its digest is kept.
            amount: The most that it may cost.
            open_for: Seconds that it may last.
            limits: What there may be, this call included.
        """

        def work(connection: Connection) -> UsedUp | None:
            if connection.dialect.name == "postgresql":  # SQLite lets one write at a time
                connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
            lately = dials.c.at > Now() - KEPT
            same = dials.c.number == digest(number)
            if _count(connection, lately, same) >= limits.to_a_number:
                return UsedUp.NUMBER
            if _count(connection, dials.c.until > Now()) >= limits.at_once:
                return UsedUp.AT_ONCE
            sums = select(func.coalesce(func.sum(dials.c.amount), 0.0)).where(lately)
            if connection.execute(sums).scalar_one() + amount > limits.amount:
                return UsedUp.AMOUNT
            row = {"name": digest(name), "number": digest(number), "amount": amount}
            connection.execute(insert(dials).values(**row, until=Now() + open_for, at=Now()))
            return None

        return await self._database.write(work)

    async def settle(self, name: str, *, amount: float | None, open_for: float) -> None:
        """Note what a call has cost, or will at the most. If it was not counted, nothing is done.

        Args:
            name: Of its leg.
            amount: What it has cost; None leaves it as it was counted.
            open_for: Seconds that it may still last.
        """
        values = {"until": Now() + open_for} | ({} if amount is None else {"amount": amount})
        change = update(dials).where(dials.c.name == digest(name)).values(values)
        await self._database.write(lambda c: c.execute(change))

    async def forget(self, name: str) -> None:
        """Undo the counting of a call that nobody has placed."""
        row = delete(dials).where(dials.c.name == digest(name))
        await self._database.write(lambda c: c.execute(row))


def _count(connection: Connection, *wanted: object) -> int:
    counted = select(func.count()).select_from(dials).where(*wanted)  # type: ignore[arg-type]
    return int(connection.execute(counted).scalar_one())
