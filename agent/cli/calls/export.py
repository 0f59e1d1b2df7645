"""``voice-agent calls export``: records for other programs."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from agent.cli.calls.database import (
    NO_SUCH_CALL,
    NoSuchRecordError,
    OpenedRecords,
    id_of,
    opened_records,
)
from agent.cli.calls.filters import add_filters, add_words, given_filters, wanted_records
from agent.cli.options import FAILED, USAGE, Commands, add_config, fail

if TYPE_CHECKING:
    from agent.records.exports.formats import Export
    from agent.records.exports.pages import WholeCall

GOES_WITH = {
    "events": ("jsonl",),
    "turns": ("csv", "parquet"),
    "bom": ("csv",),
}
"""Formats that an option is for."""

MOST_TOLD = 20
"""Calls that are told one by one: damaged ones may be many."""


def add(parts: Commands) -> None:
    """Declare the options."""
    export = parts.add_parser(
        "export", help="write records as JSON Lines, CSV, Parquet or captions (WebVTT)"
    )
    export.add_argument("ids", nargs="*", metavar="ID", help="ours or the platform's; else FILTERS")
    export.add_argument("--format", choices=("jsonl", "csv", "parquet", "vtt"), default="jsonl")
    export.add_argument(
        "--output",
        type=Path,
        metavar="PATH",
        help="a file, for nobody but you; with vtt also a folder (standard output)",
    )
    export.add_argument("--events", action="store_true", help="jsonl: a line an event, not a call")
    export.add_argument("--turns", action="store_true", help="csv, parquet: a row a turn")
    export.add_argument("--bom", action="store_true", help="csv: a mark that Excel wants")
    wanted = export.add_argument_group("filters")
    add_filters(wanted)
    add_words(wanted)
    add_config(export)
    export.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from agent.records.search.search_words import QuestionError
    from agent.settings import SettingsError
    from agent.store.errors import StoreError

    if mistake := _mistake(options):
        return fail(ValueError(mistake), USAGE)
    told = _Told()
    try:
        asyncio.run(_export(options, told))
    except QuestionError as error:
        return fail(error, USAGE)
    except (SettingsError, StoreError, ModuleNotFoundError) as error:
        return fail(error)
    return told.status()


def _mistake(options: argparse.Namespace) -> str:
    """Say what of the options does not go together; ``""`` if all of it does."""
    for name, formats in GOES_WITH.items():
        if getattr(options, name) and options.format not in formats:
            return f"--{name} goes with --format {' or '.join(formats)}"
    if options.ids and given_filters(options):
        return "give ids, or filters such as --since"
    if options.format == "parquet" and options.output is None and sys.stdout.isatty():
        return "Parquet is nothing to read: --output FILE"
    return _wrong_output(options)


def _wrong_output(options: argparse.Namespace) -> str:
    """Say why an export cannot go where it is to go; ``""`` if it can."""
    output: Path | None = options.output
    folder = options.format == "vtt" and len(options.ids) != 1
    if output is None:
        return "captions of several calls need a folder: --output FOLDER" if folder else ""
    wrong = ""
    if not output.parent.is_dir():
        wrong = f"there is no folder {str(output.parent)!r}"
    elif folder and output.exists() and not output.is_dir():
        wrong = "captions of several calls need a folder"
    elif options.format != "vtt" and output.is_dir():
        wrong = "this is a folder; name a file in it"
    return wrong and f"--output {str(output)!r}: {wrong}"


class _Told:
    """What was said on standard error of what is not in the export."""

    def __init__(self) -> None:
        self.calls = 0
        self._wrong = 0

    def of(self, call: WholeCall) -> None:
        """Count a call, and tell if a part of it is missing."""
        self.calls += 1
        if call.damaged:
            why = "damaged, or sealed by a key that is not here; the rest is exported"
            self.wrong(f"{call.record.id}: lines that cannot be read: {call.damaged} ({why})")

    def wrong(self, line: str) -> None:
        """Tell of something that is missing."""
        self._wrong += 1
        if self._wrong <= MOST_TOLD:
            fail(ValueError(line))

    def status(self) -> int:
        """Tell the rest; return the exit status."""
        if self._wrong > MOST_TOLD:
            fail(ValueError(f"and {self._wrong - MOST_TOLD} more"))
        if not self.calls and not self._wrong:
            print("voice-agent: there are no such calls", file=sys.stderr)
        return FAILED if self._wrong else 0


async def _export(options: argparse.Namespace, told: _Told) -> None:
    async with opened_records(options) as opened:
        calls = _calls(opened, options, told)
        async with aclosing(calls):
            if options.format == "vtt":
                await _write_captions(calls, options, told)
                return
            with _written(options.output) as file:
                export = _format(options, file)
                async for call in calls:
                    told.of(call)
                    export.add(call)
                export.close()


async def _calls(
    opened: OpenedRecords, options: argparse.Namespace, told: _Told
) -> AsyncGenerator[WholeCall, None]:
    from agent.records.exports.pages import call_named, calls_matching

    if not options.ids:
        found = calls_matching(
            opened.database, opened.seal, wanted_records(options, opened.settings)
        )
        async with aclosing(found):
            async for call in found:
                await opened.looked("export", [call.record.id])
                yield call
    for name in options.ids:
        try:
            one = await call_named(opened.database, opened.seal, await id_of(opened, name))
        except NoSuchRecordError as error:
            told.wrong(f"{name!r}: {error}")
            continue
        if one is None:
            told.wrong(f"{name!r}: {NO_SUCH_CALL}")
        else:
            await opened.looked("export", [one.record.id])
            yield one


def _format(options: argparse.Namespace, file: BinaryIO) -> Export:
    from agent.records.exports.columns import CALLS, TURNS
    from agent.records.exports.formats import Csv, JsonLines
    from agent.records.exports.parquet import Parquet

    columns = TURNS if options.turns else CALLS
    new: dict[str, Callable[[], Export]] = {
        "jsonl": lambda: JsonLines(file, events=options.events),
        "csv": lambda: Csv(file, columns, bom=options.bom),
        "parquet": lambda: Parquet(file, columns),
    }
    return new[options.format]()


async def _write_captions(
    calls: AsyncIterator[WholeCall], options: argparse.Namespace, told: _Told
) -> None:
    from agent.private_files import make_private_folder
    from agent.records.exports.captions import webvtt

    output: Path | None = options.output
    several = len(options.ids) != 1 or (output is not None and output.is_dir())  # noqa: ASYNC240 - nothing else runs
    async for call in calls:
        told.of(call)
        path = output
        if several and output is not None:
            make_private_folder(output)
            path = output / f"{_file_name(call.record.id)}.vtt"
        with _written(path) as file:
            # Half a character, in what a caller said, is none.
            file.write(webvtt(call).encode("utf-8", "replace"))


def _file_name(record_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", record_id) or "call"


@contextmanager
def _written(path: Path | None) -> Iterator[BinaryIO]:
    """Give what is written into: a file that is whole or not there, or standard output."""
    from agent.private_files import whole_private_file

    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with whole_private_file(path) as file:
        yield file
