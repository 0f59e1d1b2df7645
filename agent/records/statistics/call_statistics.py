"""How calls went, in figures: counted by the database, and read of the lines of each call once.

What the columns of records tell (how many calls, how they ended) is counted by the database, of all
calls. Response times, interruptions, failures and cost stand in lines, which may be sealed, so that
no database can count them: they are read, a few calls at a time, and what is counted of a call
is kept in memory by its number for as long as nothing is added to it. What is kept has no words and
no numbers of people, and counts only while its record is there: a call that is erased is in no
figure from then on. Of more calls than can be read, every second, third, ... is, and
:class:`Figures` says so.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import groupby, islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, func, select, tuple_

from agent.records.call_records import Place, RecordFilter, event_of, is_storable, selected
from agent.records.events import RecordedEvent
from agent.records.seals import Seal, SealError
from agent.records.statistics.call_figures import COUNTED, CallFigures, figures_of
from agent.records.statistics.figures import Counted, Figures, summed
from agent.records.statistics.periods import TimeSpan
from agent.store.engine import Database
from agent.store.errors import StoreError
from agent.store.record_tables import call_events, call_records

MOST_READ = 20_000
"""Calls whose lines are read for one answer; of more, every k-th. Their figures are some 10 MB."""

MOST_KEPT = 3 * MOST_READ
"""Calls whose figures are kept: of a period, of the one before it, and of another."""

SPANS_AT_ONCE = 31
"""Days that are counted in one transaction."""

ROWS_AT_ONCE = 1000
"""Rows of records in one transaction: 5 ms, on PostgreSQL of the event loop."""

CALLS_AT_ONCE = 25
"""Calls whose lines are read in one transaction: some hundred lines. On PostgreSQL they are decoded
in the event loop, in 3 ms; a hundred calls hold it for 10 to 30."""

MOST_AGENTS = 200
"""Names of agents that can be chosen from."""

WITHIN = 30.0
"""Seconds for an answer. What was read until then is kept, so that the next comes further."""

T = TypeVar("T")


class CallStatistics:
    """Counts calls. One question is answered after the other, in many short transactions.

    Every method raises StoreError if the database fails or takes too long.

    Args:
        database: Shared by all processes.
        seal: Shows what stands in lines.
        most_read: See :data:`MOST_READ`.
    """

    def __init__(self, database: Database, seal: Seal, most_read: int = MOST_READ) -> None:
        self._database = database
        self._seal = seal
        self._most_read = most_read
        self._turn = asyncio.Lock()
        self._kept: dict[int, tuple[float, CallFigures]] = {}
        """Figures by number of the record, with when it was changed last; the oldest first."""

    async def of(self, wanted: RecordFilter, spans: Sequence[TimeSpan]) -> list[Figures]:
        """Return the figures of each span, and behind them those of all together.

        Args:
            wanted: Which calls; of what was said in them, nothing is asked.
            spans: One behind the other without gaps; at least one.
        """
        wanted = replace(wanted, since=spans[0].since, before=spans[-1].before, words=None)
        if not is_storable(wanted):
            return summed(spans, [])
        outcomes: list[Counter[str]] = []
        try:
            async with asyncio.timeout(WITHIN), self._turn:
                calls = await self._database.read(partial(self._count, wanted))
                every = -(-calls // self._most_read) or 1
                if every > 1:
                    for first in range(0, len(spans), SPANS_AT_ONCE):
                        some = spans[first : first + SPANS_AT_ONCE]
                        outcomes += await self._database.read(partial(self._outcomes, wanted, some))
                counted = await self._counted(wanted, every)
        except TimeoutError:
            raise StoreError(f"no statistics within {WITHIN:g} s") from None
        return await asyncio.to_thread(summed, spans, counted, every, outcomes)

    async def agents(self) -> list[str]:
        """Return the names of all agents that have had a call: 200 at the most."""
        agent = call_records.c.agent

        def read(connection: Connection) -> list[str]:
            found: list[str] = []
            name = ""  # each is looked up in the index, behind the one before
            while len(found) < MOST_AGENTS:
                following = select(func.min(agent)).where(agent > name)
                if (name := connection.scalar(following)) is None:
                    break
                found.append(name)
            return found

        return await self._database.read(read)

    def _count(self, wanted: RecordFilter, connection: Connection) -> int:
        found = self._selected(connection, wanted).with_only_columns(func.count())
        return int(connection.execute(found.order_by(None)).scalar_one())

    def _outcomes(
        self, wanted: RecordFilter, spans: Sequence[TimeSpan], connection: Connection
    ) -> list[Counter[str]]:
        outcome, counts = call_records.c.outcome, []
        for span in spans:
            its = replace(wanted, since=span.since, before=span.before)
            found = self._selected(connection, its).with_only_columns(outcome, func.count())
            rows = connection.execute(found.order_by(None).group_by(outcome))
            counts.append(Counter({str(name): int(count) for name, count in rows}))
        return counts

    async def _counted(self, wanted: RecordFilter, every: int) -> list[Counted]:
        """Return every k-th of the calls with its figures; lines are read where they are new."""
        found: list[Counted] = []
        after: Place | None = None
        while rows := await self._rows(wanted, every, after):
            await self._read_new(rows)
            found += [
                Counted(row.started, row.ended, row.outcome, self._kept[row.number][1])
                for row in rows
            ]
            after = (rows[-1].started, rows[-1].number)
            if len(rows) < ROWS_AT_ONCE:
                break
        for oldest in list(islice(self._kept, max(0, len(self._kept) - MOST_KEPT))):
            del self._kept[oldest]
        return found

    async def _rows(self, wanted: RecordFilter, every: int, after: Place | None) -> list[Row[Any]]:
        columns = call_records.c
        place = tuple_(columns.started, columns.number)

        def read(connection: Connection) -> list[Row[Any]]:
            found = self._selected(connection, wanted).with_only_columns(
                columns.number, columns.started, columns.ended, columns.outcome, columns.changed
            )
            if every > 1:
                found = found.where(columns.number % every == 0)
            if after is not None:
                found = found.where(place > tuple_(*after))
            found = found.order_by(None).order_by(columns.started, columns.number)
            return [*connection.execute(found.limit(ROWS_AT_ONCE))]

        return await self._database.read(read)

    def _selected(self, connection: Connection, wanted: RecordFilter) -> Select[Any]:
        return selected(self._seal, wanted, (), dialect=connection.dialect.name)

    async def _read_new(self, rows: Sequence[Row[Any]]) -> None:
        kept = self._kept
        new = [one for one in rows if kept.get(one.number, (None,))[0] != one.changed]
        for first in range(0, len(new), CALLS_AT_ONCE):
            some = new[first : first + CALLS_AT_ONCE]
            lines = await self._lines([one.number for one in some])
            figures = await asyncio.to_thread(self._figures, lines)
            for row in some:
                kept.pop(row.number, None)  # it is the youngest now
                kept[row.number] = (row.changed, figures.get(row.number) or figures_of(()))

    async def _lines(self, numbers: Sequence[int]) -> list[Row[Any]]:
        columns = call_events.c
        found = select(columns.record, columns.id, columns.kind, columns.at, columns.data).where(
            columns.record.in_(numbers), columns.kind.in_(COUNTED)
        )
        ordered = found.order_by(columns.record, columns.id)
        return await self._database.read(lambda c: [*c.execute(ordered)])

    def _figures(self, lines: Sequence[Row[Any]]) -> Mapping[int, CallFigures]:
        """Return figures by number of the record; what there is no key for counts for nothing."""
        found = {}
        for number, theirs in groupby(lines, key=lambda row: row.record):
            events: list[RecordedEvent] = []
            for row in theirs:
                with suppress(SealError, ValueError):
                    events.append(event_of(self._seal, row))
            found[number] = figures_of(events)
        return found
