"""The database of records, as commands read it; the service need not run."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.records.call_records import CallRecords
    from agent.records.seals import Seal
    from agent.settings import Settings
    from agent.store.engine import SqlDatabase


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRecords:
    """What a command has to work with."""

    settings: Settings
    database: SqlDatabase
    records: CallRecords
    seal: Seal


@asynccontextmanager
async def opened_records(options: argparse.Namespace) -> AsyncIterator[OpenedRecords]:
    """Open the database that the settings name, for a command with ``--config``.

    Raises:
        SettingsError: If a setting is wrong.
        StoreError: If the database fails, or has no tables yet.
    """
    from agent.records.call_records import CallRecords
    from agent.records.sealing import seal_of
    from agent.settings import load
    from agent.store import schema
    from agent.store.engine import SqlDatabase
    from agent.store.errors import StoreError

    settings = load(options.config)
    database = SqlDatabase(settings.database, quiet=True)
    try:
        if await schema.state(database) in ("empty", "older"):
            raise StoreError("it has no records yet: `voice-agent db upgrade` makes its tables")
        seal = seal_of(settings.privacy)
        yield OpenedRecords(
            settings=settings,
            database=database,
            records=CallRecords(database, seal),
            seal=seal,
        )
    finally:
        await database.aclose()
