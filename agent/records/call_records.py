"""The records of calls in the database: listed, searched and read."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select, tuple_

from agent.records.conversation import answer_time
from agent.records.events import CallRecord, Disclosed, Outcome, RecordedEvent
from agent.records.seals import Seal, SealError
from agent.records.search import call_numbers
from agent.records.search.number_forms import looked_up_as
from agent.records.search.search_words import Question, question
from agent.records.search.word_search import OUTCOME, fact, narrowed, with_fact
from agent.store.engine import Database
from agent.store.errors import StoreError
from agent.store.record_tables import RECORD_ID, call_events, call_languages, call_records
from agent.store.tables import digest

T = TypeVar("T")

Place = tuple[float, int]
"""``started`` and ``number`` of a record, by which records are in their order."""

TURN_WITHIN = 2.0
"""Seconds for those who read before to be done: as long as one of them may take."""

EVENTS_AT_ONCE = 1000
"""Lines of a record that are read at once: some 0.3 MB, and 10 ms."""

_ID = re.compile(rf"[\w.-]{{1,{RECORD_ID}}}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFilter:
    """Which records are wanted; what is None is not asked for."""

    since: float | None = None
    """Unix time, from which on they started."""

    before: float | None = None
    """Unix time, before which they started."""

    caller: str | None = None
    """A number with its country in any form, or an address."""

    called: str | None = None
    number: str | None = None
    """Of whoever called or was called, was on the line or was passed on to, in the same forms."""

    agent: str | None = None
    outcome: Outcome | None = None
    direction: str | None = None
    disclosed: Disclosed | None = None

    words: str | None = None
    """What was said in them: see :func:`agent.records.search.search_words.question`."""

    language: str | None = None
    """The language of those words; None is any in which something was said."""


class SeveralRecordsError(Exception):
    """What somebody calls a record is the beginning of several ids.

    Args:
        ids: Some of them.
    """

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__("several calls begin so")
        self.ids = ids


class CallRecords:
    """The records of calls.

    Every method raises StoreError if the database fails, and SealError if there is no key for what
    it has to show. One question of a process is answered after the other, and none takes longer
    than a transaction may: reading never holds up calls, which ask the same database.

    Args:
        database: Shared by all processes.
        seal: Hides what people said.
    """

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal
        self._turn = asyncio.Lock()
        self._whole_words = seal.look_up("beginning") != "beginning"

    async def find(
        self,
        wanted: RecordFilter,
        *,
        after: Place | None = None,
        limit: int = 50,
    ) -> list[CallRecord]:
        """Return records, the latest first.

        Of one that there is no key for, ``data`` is empty.

        Args:
            wanted: Which.
            after: ``started`` and ``number`` of the last of the page before; None for the first.
            limit: Most that are returned.

        Raises:
            QuestionError: If ``wanted.words`` are none.
        """
        if not is_storable(wanted):
            return []
        asked = await self.asked(wanted)

        def read(connection: Connection) -> list[CallRecord]:
            dialect = connection.dialect.name
            found = selected(self._seal, wanted, asked, dialect=dialect, after=after)
            return [listed(self._seal, row) for row in connection.execute(found.limit(limit))]

        return await self._read(read)

    async def asked(self, wanted: RecordFilter) -> Question:
        """Return the words that are wanted, in their forms; empty if none are.

        Raises:
            QuestionError: If there is no word in them.
        """
        if wanted.words is None:
            return ()
        languages = [wanted.language or ""]
        if wanted.language is None:
            known = select(call_languages.c.language)
            languages = await self._read(lambda c: [*c.execute(known).scalars()])
        return question(wanted.words, languages, whole_words=self._whole_words)

    async def get(self, name: str) -> CallRecord | None:
        """Return a record by its id, or the latest of a call; None if there is none.

        Args:
            name: Of the record; of the call, as the platform has it; or ours of one we placed.
        """

        def read(connection: Connection) -> CallRecord | None:
            row = named(connection, self._seal, name)
            return None if row is None else record_of(self._seal, row)

        return await self._read(read)

    async def one(self, name: str) -> CallRecord | None:
        """Return the record that somebody names: as :meth:`get`, or by a beginning of its id.

        Raises:
            SeveralRecordsError: If several ids begin so.
        """
        if (record := await self.get(name)) is not None:
            return record
        ids = await self.beginning(name)
        if len(ids) > 1:
            raise SeveralRecordsError(ids)
        return await self.get(ids[0]) if ids else None

    async def beginning(self, prefix: str) -> list[str]:
        """Return ids of records that begin so: three at the most, which is too many already."""
        if not _ID.fullmatch(prefix):
            return []
        ids = call_records.c.id
        found = select(ids).where(ids >= prefix, ids < f"{prefix}zzzz")  # by its index
        found = found.where(func.substr(ids, 1, len(prefix)) == prefix).limit(3)
        return await self._read(lambda c: [*c.execute(found).scalars()])

    async def events(
        self, record: CallRecord, *, after: int = 0, limit: int | None = None
    ) -> list[RecordedEvent]:
        """Return the lines of a record in the order in which they were stored.

        Args:
            record: Whose.
            after: ``id`` of the last that is known already.
            limit: Most that are returned; None for all.
        """
        found: list[RecordedEvent] = []
        while limit is None or len(found) < limit:
            most = EVENTS_AT_ONCE if limit is None else min(limit - len(found), EVENTS_AT_ONCE)
            page = await self._events(record, found[-1].id if found else after, most)
            found += page
            if len(page) < most:
                break
        return found

    async def answer_times(self, records: Sequence[CallRecord]) -> Mapping[int, float | None]:
        """Return how long callers waited for an answer, in seconds, by number of the record.

        It is the median of the call, from the end of their speech to the first audio that they
        heard; None if there was no answer. A call that is over has it in its record; the lines of
        one that is not are read.
        """
        times = {one.number: one.data.get("answer_time") for one in records}
        live = [one.number for one in records if one.ended is None]
        if not live:
            return times
        return times | await self._read(
            lambda c: {number: answer_time_of(c, self._seal, number) for number in live}
        )

    async def _events(self, record: CallRecord, after: int, most: int) -> list[RecordedEvent]:
        found = select(call_events).where(
            call_events.c.record == record.number, call_events.c.id > after
        )

        def read(connection: Connection) -> list[RecordedEvent]:
            return [
                event_of(self._seal, row)
                for row in connection.execute(found.order_by(call_events.c.id).limit(most)).all()
            ]

        return await self._read(read)

    async def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            async with asyncio.timeout(TURN_WITHIN):
                await self._turn.acquire()
        except TimeoutError:
            raise StoreError("too much is read at once") from None
        try:
            return await self._database.read(work)
        finally:
            self._turn.release()


def named(connection: Connection, seal: Seal, name: str) -> Row[Any] | None:
    """Return the record of that name, or the latest of a call of that name; None if there is none.

    Args:
        connection: To the database.
        seal: Gives what names are looked up by.
        name: Of the record; of the call, as the platform has it; or ours of one we placed.
    """
    by_name = call_records.c.call_id == digest(name)
    if _ID.fullmatch(name):
        by_name |= call_records.c.id == name
    latest = call_records.c.number.desc()
    found = select(call_records).where(by_name).order_by(latest).limit(1)
    if (row := connection.execute(found).first()) is not None:
        return row
    dialled = fact("dialled", seal.look_up(name))
    numbers = with_fact(dialled, connection.dialect.name)
    found = select(call_records).where(call_records.c.number.in_(numbers))
    return connection.execute(found.order_by(latest).limit(1)).first()


def listed(seal: Seal, row: Row[Any]) -> CallRecord:
    """Return a record; of one that there is no key for, what is not hidden."""
    try:
        return record_of(seal, row)
    except SealError:
        return record_with(row, {})


def record_of(seal: Seal, row: Row[Any]) -> CallRecord:
    """Return the record that a row of ``call_records`` holds.

    Raises:
        SealError: If there is no key for it.
    """
    return record_with(row, shown(seal, row.data))


def event_of(seal: Seal, row: Row[Any]) -> RecordedEvent:
    """Return the line that a row of ``call_events`` holds.

    Raises:
        SealError: If there is no key for it.
    """
    return RecordedEvent(id=row.id, kind=row.kind, at=row.at, fields=shown(seal, row.data))


def record_with(row: Row[Any], data: Mapping[str, Any]) -> CallRecord:
    """Return the record of a row of ``call_records``, with what could be read of its ``data``."""
    is_over = row.ended is not None and row.outcome != "not answered"
    return CallRecord(
        number=row.number,
        id=row.id,
        started=row.started,
        ended=row.ended,
        direction=row.direction,
        agent=row.agent,
        outcome=row.outcome,
        data=data,
        disclosed=row.disclosed or ("no" if is_over else None),
    )


def selected(
    seal: Seal,
    wanted: RecordFilter,
    asked: Question,
    *,
    dialect: str,
    after: Place | None = None,
) -> Select[Any]:
    """Return the one selection of the records that are wanted, the latest first.

    Args:
        seal: Gives what numbers and words are looked up by.
        wanted: Which; see :func:`is_storable`.
        asked: Its words, of :meth:`CallRecords.asked`.
        dialect: Of the database: ``sqlite`` or ``postgresql``.
        after: As of :meth:`CallRecords.find`.
    """
    columns = call_records.c
    found = select(call_records).order_by(columns.started.desc(), columns.number.desc())
    found = found.where(*_conditions(wanted))
    facts = []
    for name, values in _looked_up(seal, wanted):
        if len(values) > 1:  # a number, by keys of before too
            found = found.where(columns[name].in_(values))
            continue
        found = found.where(columns[name] == values[0])
        facts.append(fact(name, values[0]))
    if wanted.number is not None:
        stored = seal.look_ups(looked_up_as(wanted.number))
        found = found.where(call_numbers.had(stored, dialect))
    if after is not None:
        found = found.where(tuple_(columns.started, columns.number) < tuple_(*after))
    if not asked:
        return found
    until = min((one for one in (wanted.before, after and after[0]) if one), default=None)
    return narrowed(found, asked, facts, seal, span=(wanted.since, until), dialect=dialect)


def answer_time_of(connection: Connection, seal: Seal, record: int) -> float | None:
    """Return the median of the seconds that the caller waited for answers, by what is stored.

    What there is no key for counts for nothing.
    """
    found = select(call_events.c.data).where(
        call_events.c.record == record, call_events.c.kind == "timing"
    )
    times: list[float] = []
    for data in connection.execute(found).scalars():
        with suppress(SealError):
            times += answer_time(shown(seal, data))
    return round(median(times), 3) if times else None


def _looked_up(seal: Seal, wanted: RecordFilter) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Yield what a record has to have in its columns: one of these."""
    for name in ("caller", "called"):
        if (number := getattr(wanted, name)) is not None:
            yield name, seal.look_ups(looked_up_as(number))
    for name in ("agent", OUTCOME, "direction"):
        if (value := getattr(wanted, name)) is not None:
            yield name, (value,)


def _conditions(wanted: RecordFilter) -> Iterable[ColumnElement[bool]]:
    """Yield what has to be true of a record that is not looked up by a value."""
    columns = call_records.c
    if wanted.since is not None:
        yield columns.started >= wanted.since
    if wanted.before is not None:
        yield columns.started < wanted.before
    if wanted.disclosed == "no":
        yield columns.disclosed.is_(None)
        yield columns.ended.is_not(None) & (columns.outcome != "not answered")
    elif wanted.disclosed is not None:
        yield columns.disclosed == wanted.disclosed


def is_storable(wanted: RecordFilter) -> bool:
    """Return whether a record can be so: no database keeps a NUL, nor half a character."""
    given = (wanted.caller, wanted.called, wanted.number, wanted.agent, wanted.direction)
    return not any(one and re.search("[\0\ud800-\udfff]", one) for one in given)


def shown(seal: Seal, stored: str) -> dict[str, Any]:
    """Return the object that was stored.

    Raises:
        SealError: If there is no key for it.
    """
    read = json.loads(seal.show(stored))
    return read if isinstance(read, dict) else {}


def hidden(seal: Seal, fields: Mapping[str, Any]) -> str:
    """Return what is stored for an object."""
    return seal.hide(json.dumps(dict(fields)))
