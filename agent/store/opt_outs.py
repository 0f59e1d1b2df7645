"""Who has said that they want no more calls: kept until somebody takes it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from sqlalchemy import Column, Connection, Float, Index, String, Table, delete, insert, select
from sqlalchemy.exc import IntegrityError

from agent.store.engine import Database
from agent.store.tables import DIGEST, Now, digest, metadata

How = Literal["model", "keys", "words", "operator"]
"""On whose word: what they said, by a language model or the lookup stage; a key that they pressed;
what they said to the question for their consent; or whoever runs the service."""

MOST_LISTED = 1000
"""Of one page of the list."""

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("address", String(DIGEST), primary_key=True),
    Column("number", String(300), nullable=False),
    Column("agent", String(64), nullable=False),
    Column("how", String(16), nullable=False),
    Column("made", Float(53), nullable=False),
    Index("ix_opt_outs_made", "made"),
)
"""Never swept, and not erased with the record of the call in which it was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """Somebody who wants no more calls."""

    number: str
    """In E.164; or a SIP address, or an In-App user, as it is dialled."""

    agent: str
    """Whose call it was; ``""`` if it was said elsewhere."""

    how: How
    made: float
    """Unix time."""


class OptOuts:
    """Those who want no more calls. Every method raises StoreError if the database fails.

    Args:
        database: Shared by all processes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, number: str, *, how: How, agent: str = "") -> bool:
        """Keep that somebody wants no more calls; return whether that is new.

        Args:
            number: As it is dialled.
            how: On whose word.
            agent: Whose call it was.
        """
        row = {"address": digest(number), "number": number[:300], "agent": agent[:64], "how": how}

        def work(connection: Connection) -> bool:
            known = select(opt_outs.c.made).where(opt_outs.c.address == row["address"])
            if connection.execute(known).first() is not None:
                return False
            try:
                with connection.begin_nested():
                    connection.execute(insert(opt_outs).values(**row, made=Now()))
            except IntegrityError:  # another process was faster
                return False
            return True

        return await self._database.write(work)

    async def remove(self, number: str) -> bool:
        """Let somebody be called again; return whether they had opted out."""
        row = delete(opt_outs).where(opt_outs.c.address == digest(number))
        return await self._database.write(lambda c: c.execute(row).rowcount > 0)

    async def holds(self, number: str) -> bool:
        """Return whether somebody wants no more calls."""
        row = select(opt_outs.c.made).where(opt_outs.c.address == digest(number))
        return await self._database.read(lambda c: c.execute(row).first() is not None)

    async def latest(self, most: int = MOST_LISTED, *, skip: int = 0) -> list[OptOut]:
        """Return who has opted out, the latest first.

        Args:
            most: Of them.
            skip: So many of the latest.
        """
        rows = select(opt_outs).order_by(opt_outs.c.made.desc(), opt_outs.c.address)
        found = await self._database.read(lambda c: c.execute(rows.limit(most).offset(skip)).all())
        return [
            OptOut(number=one.number, agent=one.agent, how=cast("How", one.how), made=one.made)
            for one in found
        ]
