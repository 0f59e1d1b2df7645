"""``voice-agent db``: look at the database, and bring its tables up to date."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.options import Commands, add_config, fail

if TYPE_CHECKING:
    from agent.settings.database import DatabaseUrl
    from agent.store.schema import State


def add(commands: Commands) -> None:
    """Declare the commands below it, and their options."""
    db = commands.add_parser("db", help="look at the database, bring its tables up to date")
    parts = db.add_subparsers(title="commands", required=True, metavar="COMMAND")
    upgrade = parts.add_parser("upgrade", help="bring the tables up to date, as `serve` does")
    upgrade.set_defaults(run=_upgrade)
    check = parts.add_parser("check", help="exit with 0 if the tables are what this version wants")
    check.set_defaults(run=_check)
    importing = parts.add_parser(
        "import-transcripts", help="store the transcripts that a version before left as files"
    )
    importing.add_argument("folder", type=Path, help="of transcripts; they stay as they are")
    importing.set_defaults(run=_import)
    for part in (upgrade, check, importing):
        add_config(part)


def _upgrade(options: argparse.Namespace) -> int:
    return _run(options, check=False)


def _check(options: argparse.Namespace) -> int:
    return _run(options, check=True)


def _run(options: argparse.Namespace, *, check: bool) -> int:
    from agent.settings import SettingsError, load
    from agent.store.errors import StoreError

    try:
        url = load(options.config).database
        before = asyncio.run(_state(url, check=check))
    except SettingsError as error:
        return fail(error)
    except StoreError as error:
        return fail(StoreError(f"database = {str(url)!r}: {error}"))
    if not check and before in ("empty", "older"):
        print(f"{url}: brought up to date; it was {before}")
        return 0
    print(f"{url}: {SAID[before]}")
    # A version that is rolled back runs on the tables of the later one: see agent.store.schema.
    return 0 if before == "current" or (before == "later" and not check) else 1


def _import(options: argparse.Namespace) -> int:
    from agent.settings import SettingsError
    from agent.store.errors import StoreError

    if not options.folder.is_dir():
        return fail(OSError(f"{options.folder}: no such folder"))
    try:
        failed = asyncio.run(_store_transcripts(options))
    except (SettingsError, StoreError) as error:
        return fail(error)
    return 1 if failed else 0


async def _store_transcripts(options: argparse.Namespace) -> int:
    """Store every transcript in a folder; return how many could not be read whole."""
    from agent.cli.calls.database import opened_records
    from agent.records.old_transcripts import InProgressError, lines_of
    from agent.records.seals import SealError
    from agent.records.stored_records import StoredRecords

    stored_files = stored_lines = failed = 0
    async with opened_records(options) as opened:
        stored = StoredRecords(opened.database, opened.seal)
        for path in sorted(options.folder.glob("*.jsonl")):
            damaged = None
            try:
                for lines, place in lines_of(path, opened.seal):
                    await stored.add(lines)
                    stored_lines, damaged = stored_lines + len(lines), place.damaged
            except InProgressError:
                print(f"{path}: the call is in progress")
                continue
            except (OSError, SealError) as error:
                print(f"{path}: {error}", file=sys.stderr)
                failed += 1
                continue
            if damaged is not None:
                print(f"{path}:{damaged + 1}: this cannot be read", file=sys.stderr)
                failed += 1
            stored_files += 1
    print(f"{stored_files} transcripts are in the database, {stored_lines} lines")
    return failed


SAID = {
    "current": "up to date",
    "empty": "no tables yet; `voice-agent serve` or `db upgrade` makes them",
    "older": "of an earlier version; `voice-agent serve` or `db upgrade` brings it up to date",
    "later": "of a later version than this one, and left as it is",
}


async def _state(url: DatabaseUrl, *, check: bool) -> State:
    """Return how the tables are, or were before they were brought up to date."""
    from agent.store import schema
    from agent.store.engine import SqlDatabase

    file = "" if url.is_postgresql else url.get_secret_value().removeprefix("sqlite:///")
    if check and file and not Path(file).exists():  # noqa: ASYNC240 - nothing else runs
        return "empty"
    database = SqlDatabase(url, quiet=True)
    try:
        return await (schema.state(database) if check else schema.upgrade(database))
    finally:
        await database.aclose()
