"""Records with their lines, page by page: any number of calls in bounded memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, func, select

from agent.records.call_records import (
    CallRecords,
    Place,
    RecordFilter,
    event_of,
    is_storable,
    record_with,
    selected,
    shown,
)
from agent.records.events import CallRecord, RecordedEvent
from agent.records.seals import Seal, SealError
from agent.store.engine import Database
from agent.store.record_tables import call_events, call_records
from agent.store.tables import digest

PAGE = 100
"""Calls that are read at once, at the most."""

PAGE_CHARACTERS = 4_000_000
"""Of the lines of a page; a call with more is a page by itself. Some 2,000 usual minutes."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeCall:
    """A record with its lines, both as of one moment."""

    record: CallRecord
    """Its ``data`` is empty if that could not be read."""

    events: Sequence[RecordedEvent]
    damaged: int = 0
    """Rows of it that could not be read: no JSON, or sealed by a key that is not here."""


async def calls_matching(
    database: Database, seal: Seal, wanted: RecordFilter
) -> AsyncGenerator[WholeCall, None]:
    """Yield records, the latest first; none that is begun after this was.

    Each comes once, whatever is stored meanwhile; one that is erased meanwhile comes not at all.

    Args:
        database: Shared by all processes.
        seal: Shows what people said.
        wanted: Which.

    Raises:
        StoreError: If the database fails.
        QuestionError: If ``wanted.words`` are none.
    """
    if not is_storable(wanted):
        return
    asked = await CallRecords(database, seal).asked(wanted)
    newest = await database.read(lambda c: c.scalar(select(func.max(call_records.c.number))))
    after: Place | None = None

    def found(dialect: str) -> Select[Any]:
        those = selected(seal, wanted, asked, dialect=dialect, after=after)
        return those.where(call_records.c.number <= (newest or 0)).limit(PAGE)

    while page := await database.read(partial(_page, found)):
        for row, lines in page:
            yield _whole(seal, row, lines)
        last = page[-1][0]
        after = (last.started, last.number)


async def call_named(database: Database, seal: Seal, name: str) -> WholeCall | None:
    """Return a record by its id, or the latest of a call by the platform's; None if none is.

    Raises:
        StoreError: If the database fails.
    """
    found = select(call_records).where(
        (call_records.c.id == name) | (call_records.c.call_id == digest(name))
    )
    latest = found.order_by(call_records.c.number.desc()).limit(1)
    page = await database.read(partial(_page, lambda _dialect: latest))
    return _whole(seal, *page[0]) if page else None


Page = list[tuple[Row[Any], Sequence[Row[Any]]]]


def _page(found: Callable[[str], Select[Any]], connection: Connection) -> Page:
    """Return the first of the rows, each with its lines: as many as are no burden together."""
    if connection.dialect.name == "postgresql":
        # A row and its lines are of one moment; SQLite has it so by itself.
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    rows = connection.execute(found(connection.dialect.name)).all()
    record = call_events.c.record
    sizes = (
        select(record, func.sum(func.length(call_events.c.data)).label("characters"))
        .where(record.in_([row.number for row in rows]))
        .group_by(record)
    )
    size = {line.record: line.characters for line in connection.execute(sizes)}
    taken: dict[int, tuple[Row[Any], list[Row[Any]]]] = {}
    characters = 0
    for row in rows:
        characters += size.get(row.number) or 0
        if taken and characters > PAGE_CHARACTERS:
            break
        taken[row.number] = (row, [])
    lines = select(call_events).where(record.in_(list(taken))).order_by(call_events.c.id)
    for line in connection.execute(lines):
        taken[line.record][1].append(line)
    return list(taken.values())


def _whole(seal: Seal, row: Row[Any], lines: Sequence[Row[Any]]) -> WholeCall:
    data = _readable(lambda: shown(seal, row.data))
    events, damaged = [], int(data is None)
    for line in lines:
        event = _readable(lambda line=line: event_of(seal, line))  # type: ignore[misc]
        if event is None:
            damaged += 1
            continue
        events.append(event)
    return WholeCall(record=record_with(row, data or {}), events=events, damaged=damaged)


def _readable(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except (SealError, ValueError, RecursionError):
        return None
