"""What is done once, whichever process does it: the first to claim a name does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from agent.store.engine import Database
from agent.store.tables import Now, claims, digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim that somebody has made before."""

    age: float
    """Seconds since then."""

    owner: str
    """The process that made it."""

    value: dict[str, Any] | None
    """What was left with it; None if nothing."""


class StoredClaims:
    """Claims by name. Names may be anything.

    Every method raises StoreError if the database fails: nothing may be taken for the first time
    then.

    Args:
        database: Shared by all processes.
        owner: This process, by its name of :mod:`agent.store.live_calls`.
    """

    def __init__(self, database: Database, owner: str) -> None:
        self._database = database
        self._owner = owner

    async def claim(self, name: str, value: dict[str, Any] | None = None) -> Claim | None:
        """Claim ``name``; return None if this is the first time, else the claim before.

        Args:
            name: What is done.
            value: What to leave with the claim, if it is the first.
        """
        return await self._database.write(lambda c: self._claim(c, name, value))

    async def claim_each(self, names: Sequence[str]) -> list[Claim]:
        """Claim all of these at once; return the claims that were made before."""
        # In one order, so that two processes do not wait for each other.
        ordered = sorted(names, key=digest)
        found = await self._database.write(
            lambda c: [self._claim(c, name, None) for name in ordered]
        )
        return [claim for claim in found if claim is not None]

    async def find(self, name: str) -> Claim | None:
        """Return the claim of ``name``; None if nobody has made it."""
        return await self._database.read(lambda c: _find(c, name))

    async def leave(self, names: Sequence[str], value: dict[str, Any]) -> None:
        """Leave ``value`` with claims that were made."""
        wanted = claims.c.name.in_([digest(name) for name in names])
        await self._database.write(
            lambda c: c.execute(update(claims).where(wanted).values(value=value))
        )

    async def release(self, name: str) -> None:
        """Undo a claim of ours."""
        await self._database.write(
            lambda c: c.execute(delete(claims).where(claims.c.name == digest(name)))
        )

    def _claim(
        self, connection: Connection, name: str, value: dict[str, Any] | None
    ) -> Claim | None:
        row = {"name": digest(name), "owner": self._owner, "value": value, "at": Now()}
        # SQLite has the same words for this.
        made = insert(claims).values(row).on_conflict_do_nothing().returning(claims.c.name)
        if connection.execute(made).first() is not None:
            return None
        return _find(connection, name)


def _find(connection: Connection, name: str) -> Claim | None:
    age = (Now() - claims.c.at).label("age")
    found = select(age, claims.c.owner, claims.c.value).where(claims.c.name == digest(name))
    row = connection.execute(found).first()
    if row is None:
        return None
    return Claim(age=max(0.0, row.age), owner=row.owner, value=row.value)
