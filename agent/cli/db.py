"""``voice-agent db``: look at the database, bring it up to date, back it up, seal it anew."""

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
    db = commands.add_parser("db", help="the database: check, upgrade, back up, seal")
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
    backup = parts.add_parser("backup", help="copy an SQLite file while the service runs")
    backup.add_argument("file", type=Path, metavar="FILE", help="of the copy; never overwritten")
    backup.set_defaults(run=_backup)
    reseal = parts.add_parser("reseal", help="seal all records anew with the first key")
    reseal.add_argument(
        "--give-up", metavar="NAME", help="a key that is lost, and all that it has sealed"
    )
    reseal.set_defaults(run=_reseal)
    for part in (upgrade, check, importing, backup, reseal):
        add_config(part)


def _backup(options: argparse.Namespace) -> int:
    from agent.settings import SettingsError, load
    from agent.store.backup import back_up
    from agent.store.errors import StoreError

    try:
        url = load(options.config).database
        size = back_up(url, options.file)
    except SettingsError as error:
        return fail(error)
    except StoreError as error:
        return fail(StoreError(f"database = {str(url)!r}: {error}"))
    print(f"{options.file}: {size / 1e6:.1f} MB, opened and checked")
    return 0


def _reseal(options: argparse.Namespace) -> int:
    from agent.settings import SettingsError
    from agent.store.errors import StoreError

    try:
        return asyncio.run(_reseal_all(options))
    except (SettingsError, StoreError) as error:
        return fail(error)
    except OSError as error:
        return fail(OSError(f"a file cannot be sealed: {error.strerror}"))


async def _reseal_all(options: argparse.Namespace) -> int:
    from agent.cli.calls.database import opened_records
    from agent.records import sealing
    from agent.records.journals.record_files import JOURNALS
    from agent.records.resealing import Resealing
    from agent.settings import SettingsError

    async with opened_records(options) as opened:
        if options.give_up:
            known = await sealing.give_up(opened.database, options.give_up)
            print(f"{options.give_up}: {'given up' if known else 'nothing is sealed with it'}")
        keys = opened.settings.privacy.sealing_keys()
        if not keys:
            raise SettingsError("privacy.keys: there is no key to seal with (docs/privacy.md)")
        await sealing.take_up(opened.database, keys)
        folder, recordings = opened.settings.transcripts, opened.settings.recording.folder
        resealing = Resealing(opened.database, keys)
        done = await resealing.run([folder, folder / JOURNALS], recordings)
    print(f"Sealed anew with {keys[0].name!r}: {done.rows} rows, {done.files} files.")
    if done.unreadable:
        print(f"{done.unreadable} cannot be opened: their key is missing. The others are done.")
    if done.waiting:
        print(f"{done.waiting} files are written at the moment: do it again when calls are over.")
    return 1 if done.unreadable or done.waiting else 0


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
    from agent.records.journals.old_transcripts import StillWrittenError, lines_of
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
            except StillWrittenError:
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
