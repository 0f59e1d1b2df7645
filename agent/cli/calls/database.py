"""The database of records, as commands read it; the service need not run."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.cli.options import USAGE, fail

if TYPE_CHECKING:
    from agent.records.access_log import Access
    from agent.records.call_records import CallRecords
    from agent.records.events import CallRecord
    from agent.records.seals import Seal
    from agent.settings import Settings
    from agent.store.engine import SqlDatabase

EMPTY = "it has no records yet: `voice-agent db upgrade` makes its tables"


NO_SUCH_CALL = "no such call: `voice-agent calls list` has their ids"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRecords:
    """What a command has to work with."""

    settings: Settings
    database: SqlDatabase
    records: CallRecords
    seal: Seal

    async def looked(self, what: Access, records: Sequence[str]) -> None:
        """Note that records, by their ids, are about to be shown to whoever runs the command.

        Raises:
            StoreError: If that cannot be noted: then they are not to be shown.
        """
        from agent.records.access_log import AccessLog, this_user

        await AccessLog(self.database, this_user()).note(what, records)


class NoSuchRecordError(Exception):
    """There is no record, or more than one, that was meant; the message says so."""


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
    from agent.store.checking import is_made
    from agent.store.engine import SqlDatabase
    from agent.store.errors import StoreError

    settings = load(options.config)
    if not is_made(settings.database):  # to open it would make it
        raise StoreError(EMPTY)
    database = SqlDatabase(settings.database, quiet=True)
    try:
        if await schema.state(database) in ("empty", "older"):
            raise StoreError(EMPTY)
        seal = seal_of(settings.privacy)
        yield OpenedRecords(
            settings=settings,
            database=database,
            records=CallRecords(database, seal),
            seal=seal,
        )
    finally:
        await database.aclose()


async def id_of(opened: OpenedRecords, name: str) -> str:
    """Return the id of a record that somebody names by its beginning; another name as it is.

    Nothing of the record is read, so that there is also one whose key is lost.

    Raises:
        NoSuchRecordError: If several begin so.
    """
    ids = await opened.records.beginning(name)
    if len(ids) > 1 and name not in ids:
        raise _several(ids)
    return name if name in ids or not ids else ids[0]


async def one_record(opened: OpenedRecords, name: str) -> CallRecord:
    """Return the record that somebody names, by its id or the beginning of it, or by its call.

    Raises:
        NoSuchRecordError: If there is none, or several begin so.
    """
    from agent.records.call_records import SeveralRecordsError

    try:
        record = await opened.records.one(name)
    except SeveralRecordsError as error:
        raise _several(error.ids) from None
    if record is None:
        raise NoSuchRecordError(NO_SUCH_CALL)
    return record


def _several(ids: Sequence[str]) -> NoSuchRecordError:
    return NoSuchRecordError(f"several calls begin so: {', '.join(ids[:2])}, ...")


def run_to_the_end(work: Callable[[], Awaitable[None]]) -> int:
    """Do what a command does with records; return its exit status, having said what is wrong."""
    from agent.records.seals import SealError
    from agent.records.search.search_words import QuestionError
    from agent.settings import SettingsError
    from agent.store.errors import StoreError

    async def main() -> None:
        await work()

    try:
        asyncio.run(main())
    except QuestionError as error:
        return fail(error, USAGE)
    except StoreError as error:
        return fail(StoreError(f"database: {error}"))
    except (SettingsError, SealError, NoSuchRecordError) as error:
        return fail(error)
    return 0
