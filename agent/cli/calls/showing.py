"""``voice-agent calls show`` and ``follow``: one call, as it was, and as it goes on."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from agent.cli.calls.database import (
    NoSuchRecordError,
    OpenedRecords,
    one_record,
    opened_records,
    run_to_the_end,
)
from agent.cli.calls.terminal import terminal
from agent.cli.options import Commands, add_config

if TYPE_CHECKING:
    from agent.records.events import CallRecord, RecordedEvent

LOOK_EVERY = 0.5
"""Seconds between two looks at a call in progress: its lines are stored about once a second."""

BEHIND = 2.0
"""Seconds that are waited for what comes behind the end of a call: what the platform says of it."""


OVER_FOR = 60.0
"""Seconds after which nothing more is expected of a call that is over."""


def add(parts: Commands) -> None:
    """Declare the options."""
    show = parts.add_parser("show", help="print one call: what was said, and what happened")
    show.add_argument("id", help="of the record, or its beginning; or the platform's")
    show.set_defaults(run=_show)
    follow = parts.add_parser("follow", help="print a call as it goes on, until it ends")
    follow.add_argument("id", nargs="?", help="as of show (the newest call)")
    follow.set_defaults(run=_follow)
    for part in (show, follow):
        part.add_argument("--json", action="store_true", help="for programs")
        add_config(part)


def _show(options: argparse.Namespace) -> int:
    return run_to_the_end(lambda: _print(options))


def _follow(options: argparse.Namespace) -> int:
    return run_to_the_end(lambda: _print_live(options))


async def _print(options: argparse.Namespace) -> None:
    from agent.cli.calls.written import WrittenConversation, ending, heading
    from agent.records.conversation import whole_replies
    from agent.server.operator.call_answers import whole

    async with opened_records(options) as opened:
        record = await one_record(opened, options.id)
        await opened.looked("show", [record.id])
        events = await opened.records.events(record)
        times = await opened.records.answer_times([record])
    if options.json:
        print(json.dumps(whole(record, times[record.number], events), ensure_ascii=False))
        return
    out = terminal()
    conversation = WrittenConversation(out)
    _write([*heading(record, out), ""])
    for event in in_order(whole_replies(events)):
        _write(conversation.told(event))
    _write(["", *ending(record, out)])


async def _print_live(options: argparse.Namespace) -> None:
    async with opened_records(options) as opened:
        record = await _meant(opened, options.id)
        await opened.looked("follow", [record.id])
        if options.json:
            await _go_along(opened, record, _as_json)
            return
        from agent.cli.calls.written import WrittenConversation, ending, heading

        out = terminal()
        conversation = WrittenConversation(out)
        _write([*heading(record, out), ""])

        def tell(events: Sequence[RecordedEvent]) -> None:
            for event in events:
                _write(conversation.told(event))

        record = await _go_along(opened, record, tell)
        _write(["", *ending(record, out)])


async def _go_along(
    opened: OpenedRecords, record: CallRecord, tell: Callable[[Sequence[RecordedEvent]], None]
) -> CallRecord:
    """Tell the lines of a call as they come, until it is over; return its record then."""
    last, behind = 0, BEHIND
    while True:
        events = await opened.records.events(record, after=last)
        tell(events)
        last = events[-1].id if events else last
        if record.ended is not None:
            if "platform" in record.data or behind <= 0 or time.time() - record.ended > OVER_FOR:
                return record
            behind -= LOOK_EVERY
        await asyncio.sleep(LOOK_EVERY)
        record = await opened.records.get(record.id) or record


async def _meant(opened: OpenedRecords, name: str | None) -> CallRecord:
    """Return the record that is named; or the newest call, one in progress if there is.

    Raises:
        NoSuchRecordError: If there is none.
    """
    from agent.records.call_records import RecordFilter

    if name is not None:
        return await one_record(opened, name)
    for wanted in (RecordFilter(outcome="in progress"), RecordFilter()):
        for record in await opened.records.find(wanted, limit=1):
            return record
    raise NoSuchRecordError("there was no call yet")


def in_order(events: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    """Return lines by the time that they tell of; one without stays behind the one before it.

    Where the time of an answer went is told from the end of the caller's speech on.
    """
    timed, last = [], 0.0
    for event in events:
        at = event.at
        if event.kind == "timing":
            at = event.fields.get("speech_end", event.fields.get("decided", at))
        last = float(at) if isinstance(at, int | float) else last
        timed.append((last, event))
    return [event for _, event in sorted(timed, key=lambda pair: pair[0])]


def _as_json(events: Sequence[RecordedEvent]) -> None:
    _write(
        json.dumps({"kind": one.kind, "at": one.at, **one.fields}, ensure_ascii=False)
        for one in events
    )


def _write(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)
