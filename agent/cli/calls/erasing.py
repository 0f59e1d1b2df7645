"""``voice-agent calls erase``: what is known of a call, or of all calls of a number, erased."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from agent.cli.calls.database import (
    NO_SUCH_CALL,
    NoSuchRecordError,
    OpenedRecords,
    id_of,
    opened_records,
)
from agent.cli.calls.terminal import local_time
from agent.cli.options import FAILED, USAGE, Commands, add_config, fail

if TYPE_CHECKING:
    from agent.records.erasing import Erased, Erasing
    from agent.records.events import CallRecord

SHOWN = 20
"""Records that are named before it is asked; of more, how many there are."""


def add(parts: Commands) -> None:
    """Declare the options."""
    erase = parts.add_parser("erase", help="erase calls: record, words, recording, journal")
    erase.add_argument("id", nargs="*", metavar="ID", help="of a record, or the platform's")
    erase.add_argument(
        "--number",
        metavar="NUMBER",
        help="every call from, to or with it on the line, however it is written",
    )
    erase.add_argument("--dry-run", action="store_true", help="say what would go; erase nothing")
    erase.add_argument("--yes", action="store_true", help="do not ask")
    add_config(erase)
    erase.set_defaults(run=_erase)


def _erase(options: argparse.Namespace) -> int:
    from agent.records.recordings.buckets import BucketError
    from agent.settings import SettingsError
    from agent.store.errors import StoreError

    if bool(options.id) == bool(options.number):
        return fail(ValueError("erase: name records by their ids, or one number"), USAGE)
    try:
        return asyncio.run(_run(options))
    except (SettingsError, StoreError, BucketError, NoSuchRecordError) as error:
        return fail(error)
    except OSError as error:
        return fail(OSError(f"a file cannot be deleted: {error.strerror}"))


async def _run(options: argparse.Namespace) -> int:
    from agent.records.erasing import Erasing
    from agent.records.recordings.kept import Recordings

    async with opened_records(options) as opened:
        settings = opened.settings
        recordings = Recordings(settings.recording.folder, opened.seal, settings.recording.store)
        erasing = Erasing(opened.database, opened.seal, settings.transcripts, recordings.delete_of)
        if options.number:
            found = await erasing.of_number(options.number, settings.sinch.country)
        else:
            each = [await erasing.get(await id_of(opened, name)) for name in options.id]
            if None in each:
                name = options.id[each.index(None)]
                return fail(NoSuchRecordError(f"{name!r}: {NO_SUCH_CALL}"))
            found = list({one.number: one for one in each if one is not None}.values())
        if not found:
            print("No call of that number is on record.")
            return 0
        await _tell(erasing, found)
        if options.dry_run:
            print("Nothing was erased.")
            return 0
        if not options.yes and not _agreed():
            print("Nothing was erased.")
            return FAILED
        return await _erase_all(opened, erasing, found)


async def _tell(erasing: Erasing, found: list[CallRecord]) -> None:
    """Say what there is to be erased; of numbers and words, nothing."""
    from agent.records.erasing import Erased, is_in_progress

    total = Erased()
    for place, record in enumerate(found):
        total += await erasing.found(record)
        if place < SHOWN:
            late = "  in progress: not now" if is_in_progress(record) else ""
            print(f"{local_time(record.started)}  {record.id}  {record.agent}{late}")
    if len(found) > SHOWN:
        print(f"… and {len(found) - SHOWN} more")
    print(f"{len(found)} calls: {_counted(total)}")


def _counted(erased: Erased) -> str:
    return f"{erased.lines} lines, {erased.recordings} recordings, {erased.journals} journal files"


def _agreed() -> bool:
    try:
        answer = input("Erase them? There is no way back. [y/N] ")
    except EOFError:
        print()
        return False
    return answer.strip().lower() in ("y", "yes")


async def _erase_all(opened: OpenedRecords, erasing: Erasing, found: list[CallRecord]) -> int:
    from agent.records.access_log import AccessLog, this_user
    from agent.records.erasing import Erased, InProgressError

    access = AccessLog(opened.database, this_user())
    total, late = Erased(), 0
    try:
        for record in found:
            try:
                total += await erasing.erase(record)
            except InProgressError:
                late += 1
                continue
            await access.note("erase", [""])  # that it was done, not whose it was
    finally:  # what was deleted before something failed is to be gone, too
        if erasing.unfinished:
            await erasing.finish()
    print(f"Erased {len(found) - late} calls: {_counted(total)}.")
    if late:
        print(f"{late} in progress: erase them when they are over.")
    return FAILED if late else 0
