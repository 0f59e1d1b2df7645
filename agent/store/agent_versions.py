"""Agent files as they were: every version that was saved in the console, or found on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from agent.store.console_tables import agent_versions
from agent.store.engine import Database
from agent.store.tables import Now

LOCK = 0x41474E54
"""The advisory lock, on PostgreSQL, of whoever looks at the latest version and adds one: two
processes that find the same change would each add it."""

KEPT = 100
"""Versions of an agent; older ones go. 25 MB at the most, for an agent of 256 KB; ours has 1.6."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentVersion:
    """A version of an agent file."""

    agent: str
    version: str
    """Of its text, as it stands in the record of a call."""

    made: float
    """Unix time at which it was saved, or found."""

    who: str
    """Whoever saved it; ``""`` if the file was changed on the disk."""

    text: str = ""
    """Left out of a list."""


class AgentVersions:
    """The versions of agents, by their names. Every method raises StoreError if the database fails.

    Args:
        database: Shared by all processes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, agent: str, version: str, text: str, who: str = "", *, anew: bool = True
    ) -> bool:
        """Keep a version, unless it is that of the latest already; return whether it was added.

        Args:
            agent: Its name.
            version: Of ``text``.
            text: The whole file.
            who: Whoever saved it; ``""`` if it was found so.
            anew: Whether the file has just changed. If not, a version is added only if it is not
                there at all: a start adds nothing, whatever files other machines have.
        """
        own = agent_versions.c.agent == agent

        def work(connection: Connection) -> bool:
            if connection.dialect.name == "postgresql":  # SQLite lets one write at a time
                connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
            latest = select(agent_versions.c.id, agent_versions.c.version).where(own)
            latest = latest.order_by(agent_versions.c.id.desc()).limit(1)
            if not anew:
                latest = latest.where(agent_versions.c.version == version)
            there = connection.execute(latest).first()
            if there is not None and there.version == version:
                if who:  # another process was faster to find it
                    nobody = (agent_versions.c.id == there.id, agent_versions.c.who == "")
                    connection.execute(update(agent_versions).where(*nobody).values(who=who[:200]))
                return False
            row = {"agent": agent, "version": version, "made": Now(), "who": who[:200]}
            connection.execute(insert(agent_versions).values(**row, text=text))
            kept = select(agent_versions.c.id).where(own).order_by(agent_versions.c.id.desc())
            oldest = kept.offset(KEPT - 1).limit(1).scalar_subquery()
            connection.execute(delete(agent_versions).where(own, agent_versions.c.id < oldest))
            return True

        return await self._database.write(work)

    async def of(self, agent: str) -> Sequence[AgentVersion]:
        """Return the versions of an agent, the latest first, without their texts."""
        columns = [one for one in agent_versions.c if one.name not in ("id", "text")]
        found = select(*columns).where(agent_versions.c.agent == agent)
        latest_first = found.order_by(agent_versions.c.id.desc()).limit(KEPT)

        def work(connection: Connection) -> list[AgentVersion]:
            return [AgentVersion(**row) for row in connection.execute(latest_first).mappings()]

        return await self._database.read(work)

    async def get(
        self, agent: str, version: str
    ) -> tuple[AgentVersion, AgentVersion | None] | None:
        """Return a version, the last of its kind, and the one before it; None if it is not there.

        The one before is None if it is the first that is kept.
        """
        own = agent_versions.c.agent == agent
        latest = agent_versions.c.id.desc()
        this = select(agent_versions).where(own, agent_versions.c.version == version)

        def work(connection: Connection) -> tuple[AgentVersion, AgentVersion | None] | None:
            row = connection.execute(this.order_by(latest).limit(1)).first()
            if row is None:
                return None
            earlier = select(agent_versions).where(own, agent_versions.c.id < row.id)
            before = connection.execute(earlier.order_by(latest).limit(1)).first()
            return _version(row), _version(before) if before is not None else None

        return await self._database.read(work)


def _version(row: Row[tuple[object, ...]]) -> AgentVersion:
    return AgentVersion(
        agent=row.agent, version=row.version, made=row.made, who=row.who, text=row.text
    )
