"""``voice-agent calls list`` and ``search``: the records of calls, the latest first."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING

from agent.cli.calls.database import OpenedRecords, opened_records, run_to_the_end
from agent.cli.calls.terminal import clock, harmless, local_time, table, terminal, wrapped
from agent.cli.options import Commands, add_config, whole

if TYPE_CHECKING:
    from agent.records.call_records import RecordFilter
    from agent.records.events import CallRecord

PAGE = 100
"""Records that are read at once."""

USUALLY = 50
"""Records that are listed unless more are wanted: a screen or two."""

WHEN = "when it began: 2026-11-26, today, yesterday, or 3h ago as 3h"

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
    search.add_argument(
        "--language", metavar="TAG", help="of the words, such as de (any that was spoken)"
    )
    for part in (listing, search):
        _add_filters(part)
        add_config(part)
        part.set_defaults(run=_list)
    listing.set_defaults(words=None, language=None)


def _add_filters(part: argparse.ArgumentParser) -> None:
    from agent.records.events import OUTCOMES

    part.add_argument("--since", type=_moment, metavar="WHEN", help=WHEN)
    part.add_argument(
        "--before", type=_moment, metavar="WHEN", help="before that, in the same words"
    )
    part.add_argument("--caller", metavar="NUMBER", help="who called, as people write it")
    part.add_argument("--called", metavar="NUMBER", help="who was called")
    part.add_argument("--agent", metavar="NAME", help="agent file, without .md")
    part.add_argument("--outcome", choices=OUTCOMES, metavar="HOW", help=", ".join(OUTCOMES))
    part.add_argument("--direction", choices=("incoming", "outgoing"), help="who called whom")
    part.add_argument(
        "--limit",
        type=whole(1, 1_000_000),
        default=USUALLY,
        metavar="N",
        help=f"most calls ({USUALLY})",
    )
    part.add_argument("--json", action="store_true", help="a JSON object a line, for programs")


def _moment(given: str) -> float:
    from agent.records.queries import MOMENT, moment

    try:
        return moment(given, datetime.now().astimezone().replace(tzinfo=None))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{given!r}: {MOMENT}") from None


def _list(options: argparse.Namespace) -> int:
    return run_to_the_end(lambda: _print(options))


async def _print(options: argparse.Namespace) -> None:
    async with opened_records(options) as opened:
        wanted, some = _wanted(options, opened), False
        async for page in _pages(opened, wanted, options.limit):
            show = _show_json if options.json else _show
            await show(opened, wanted, page, first=not some)
            some = True
        if not some:
            print("voice-agent: no such calls", file=sys.stderr)


def _wanted(options: argparse.Namespace, opened: OpenedRecords) -> RecordFilter:
    from agent.records.call_records import RecordFilter
    from agent.records.queries import number

    country = opened.settings.sinch.country
    return RecordFilter(
        since=options.since,
        before=options.before,
        caller=None if options.caller is None else number(options.caller, country),
        called=None if options.called is None else number(options.called, country),
        agent=options.agent,
        outcome=options.outcome,
        direction=options.direction,
        words=None if options.words is None else " ".join(map(_as_given, options.words)),
        language=options.language,
    )


def _as_given(word: str) -> str:
    """Return a word of the command line; what a shell took for one because of quotes is one."""
    return f'"{word}"' if " " in word.strip() and '"' not in word else word


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
    from agent.records.found_lines import found_lines
    from agent.server.call_answers import summary

    del first
    times = await opened.records.answer_times(page)
    lines = await found_lines(opened.records, wanted, page)
    for record in page:
        listed = summary(record, times[record.number])
        if (line := lines.get(record.number)) is not None:
            listed["found"] = {"kind": line.kind, "at": line.at, "text": line.fields.get("text")}
        print(json.dumps(listed, ensure_ascii=False))


async def _show(
    opened: OpenedRecords, wanted: RecordFilter, page: list[CallRecord], *, first: bool
) -> None:
    from agent.records.found_lines import found_lines

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


def _row(record: CallRecord, times: list[float]) -> list[str]:
    incoming = record.direction == "incoming"
    other = record.data.get("caller" if incoming else "called") or "?"
    return [
        local_time(record.started),
        "" if record.ended is None else clock(record.ended - record.started),
        "from" if incoming else "to",
        harmless(other)[:40],
        harmless(record.agent)[:40],
        record.outcome,
        f"{median(times):.2f} s" if times else "",
        harmless(record.id),
    ]
