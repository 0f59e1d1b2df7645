"""``voice-agent calls list`` and ``search``: the records of calls, the latest first."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from agent.cli.calls.database import OpenedRecords, opened_records, run_to_the_end
from agent.cli.calls.filters import add_filters, add_language, add_limit, wanted_records
from agent.cli.calls.terminal import clock, harmless, local_time, table, terminal, wrapped
from agent.cli.options import Commands, add_config

if TYPE_CHECKING:
    from agent.records.access_log import Access
    from agent.records.call_records import RecordFilter
    from agent.records.events import CallRecord

PAGE = 100
"""Records that are read at once."""

USUALLY = 50
"""Records that are listed unless more are wanted: a screen or two."""

HEADINGS = ["started", "length", "", "with", "agent", "outcome", "answers", "id"]


def add(parts: Commands) -> None:
    """Declare the options."""
    listing = parts.add_parser("list", help="list calls, the latest first")
    search = parts.add_parser(
        "search",
        help="find calls by what was said in them",
        description="Find calls in which all of the words were said, in whatever form. A "
        '"phrase" stands in quotes; word* is the beginning of one.',
    )
    search.add_argument("words", nargs="+", metavar="WORDS", help="what was said")
    add_language(search)
    for part in (listing, search):
        add_filters(part)
        add_limit(part, USUALLY)
        part.add_argument("--json", action="store_true", help="a JSON object a line, for programs")
        add_config(part)
        part.set_defaults(run=_list)
    listing.set_defaults(words=None, language=None)


def _list(options: argparse.Namespace) -> int:
    return run_to_the_end(lambda: _print(options))


async def _print(options: argparse.Namespace) -> None:
    async with opened_records(options) as opened:
        wanted, some = wanted_records(options, opened.settings), False
        async for page in _pages(opened, wanted, options.limit):
            show = _show_json if options.json else _show
            what: Access = "list" if wanted.words is None else "search"
            await opened.looked(what, [one.id for one in page])
            await show(opened, wanted, page, first=not some)
            some = True
        if not some:
            print("voice-agent: no such calls", file=sys.stderr)


async def _pages(
    opened: OpenedRecords, wanted: RecordFilter, limit: int
) -> AsyncIterator[list[CallRecord]]:
    after, left = None, limit
    while left > 0:
        page = await opened.records.find(wanted, after=after, limit=min(left, PAGE))
        if page:
            yield page
        if len(page) < min(left, PAGE):
            return
        after, left = (page[-1].started, page[-1].number), left - len(page)


async def _show_json(
    opened: OpenedRecords, wanted: RecordFilter, page: list[CallRecord], *, first: bool
) -> None:
    from agent.records.search.found_lines import found_lines
    from agent.server.operator.call_answers import found_in, summary

    del first
    times = await opened.records.answer_times(page)
    lines = await found_lines(opened.records, wanted, page)
    for record in page:
        listed = summary(record, times[record.number])
        if (line := lines.get(record.number)) is not None:
            listed["found"] = found_in(line)
        print(json.dumps(listed, ensure_ascii=False))


async def _show(
    opened: OpenedRecords, wanted: RecordFilter, page: list[CallRecord], *, first: bool
) -> None:
    from agent.records.search.found_lines import found_lines

    out = terminal()
    times = await opened.records.answer_times(page)
    lines = await found_lines(opened.records, wanted, page)
    rows = [HEADINGS, *(_row(one, times[one.number]) for one in page)]
    heading, *written = table(rows, right=(1, 6))
    if first:
        print(out.paint(heading, "dim"))
    for record, row in zip(page, written, strict=True):
        print(row)
        if (line := lines.get(record.number)) is not None:
            said = f"{clock(line.at)} {line.kind}: {harmless(line.fields.get('text', ''))}"
            for one in wrapped(said, None if out.columns is None else out.columns - 6):
                print(f"      {out.paint(one, 'cyan')}")


def _row(record: CallRecord, waited: float | None) -> list[str]:
    incoming = record.direction == "incoming"
    other = record.data.get("caller" if incoming else "called") or "?"
    return [
        local_time(record.started),
        "" if record.ended is None else clock(record.ended - record.started),
        "from" if incoming else "to",
        harmless(other)[:40],
        harmless(record.agent)[:40],
        record.outcome,
        "" if waited is None else f"{waited:.2f} s",
        harmless(record.id),
    ]
