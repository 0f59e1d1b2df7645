"""The tables as a database has them, and how they are brought up to what this version expects.

Migrations are Alembic's, in the folder ``migrations``. Alembic is loaded only where one is due.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, inspect, text

from agent.store import console_tables, opt_outs, outbox_table, record_tables, tables
from agent.store.engine import SqlDatabase
from agent.store.errors import StoreError

MIGRATIONS = Path(__file__).parent / "migrations"

HEAD = "0006"
"""The newest migration: what this version expects."""

EXPECTED = tables.metadata
"""All tables: those of other files are among them once these are imported."""

IMPORTED = (record_tables, outbox_table, console_tables, opt_outs)

UPGRADED_WITHIN = 60.0
"""Seconds for migrations, and for those of another process that is faster."""

State = Literal["current", "empty", "older", "later"]
"""``later`` is what a later version than this has made."""


async def state(database: SqlDatabase) -> State:
    """Return how the tables are; changes nothing.

    Raises:
        StoreError: If the database fails, or somebody has dropped one of them.
    """
    return await database.read(_state)


async def upgrade(database: SqlDatabase) -> State:
    """Bring the tables up to date, once, however many processes ask; return how they were.

    What a later version has made is left as it is: versions run side by side while they are rolled
    out, and a migration leaves what the version before it reads and writes.

    Raises:
        StoreError: If the database fails.
    """
    try:
        async with asyncio.timeout(UPGRADED_WITHIN):
            return await database.run_alone(_migrate)
    except TimeoutError:
        raise StoreError("another process has been changing its tables for a minute") from None


def _state(connection: Connection) -> State:
    if not inspect(connection).has_table("alembic_version"):
        return "empty"
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if version is None:
        return "empty"
    if version != HEAD:  # they are numbered
        return "older" if version < HEAD else "later"
    expected = {*EXPECTED.tables, "call_words"}
    if missing := expected - set(inspect(connection).get_table_names()):
        raise StoreError(f"a table is missing: {min(missing)}")
    return "current"


def _migrate(connection: Connection) -> State:
    before = _state(connection)
    if before in ("current", "later"):
        return before
    # Takes a quarter of a second, and is seldom due.
    from alembic.operations import Operations  # noqa: PLC0415
    from alembic.runtime.migration import MigrationContext, MigrationStep  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    scripts = ScriptDirectory(MIGRATIONS)

    def steps(heads: tuple[str, ...], _: MigrationContext) -> list[MigrationStep]:
        due = list(scripts.iterate_revisions(HEAD, heads, implicit_base=True))
        return [MigrationStep.upgrade_from_script(scripts.revision_map, step) for step in due[::-1]]

    # Neither Alembic's commands nor its `op`: both keep their connection in a global, and two
    # databases that are opened at once would be migrated over one of them.
    context = MigrationContext.configure(connection, opts={"fn": steps})
    context.run_migrations(op=Operations(context))
    return before
