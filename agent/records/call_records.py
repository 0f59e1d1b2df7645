"""The records of calls in the database: written line by line, listed, read."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, Select, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from agent.records.events import CallRecord, JournalLine, Outcome, RecordedEvent
from agent.records.seals import Seal
from agent.store.engine import Database
from agent.store.record_tables import call_events, call_records
from agent.store.tables import digest

OF_THE_CALL = ("ended", "platform", "summary", "recording")
"""Kinds of lines whose last is known of a record without its events."""

BY_REASON: Mapping[str, Outcome] = {
    "the caller hung up": "caller hung up",
    "the agent hung up": "agent hung up",
    "the operator hung up": "operator hung up",
    "the caller was passed on": "passed on",
    "interrupted": "interrupted",
    "failed": "failed",
}
"""Outcome by the reason of an ``ended`` line; any other is a limit, or the service's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFilter:
    """Which records are wanted; what is None is not asked for."""

    since: float | None = None
    """Unix time, from which on they started."""

    before: float | None = None
    """Unix time, before which they started."""

    caller: str | None = None
    called: str | None = None
    agent: str | None = None
    outcome: Outcome | None = None
    direction: str | None = None


class CallRecords:
    """The records of calls.

    Every method raises StoreError if the database fails.

    Args:
        database: Shared by all processes.
        seal: Hides what people said.
    """

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    async def add(self, lines: Sequence[JournalLine]) -> None:
        """Store lines of journals; those that were stored before are let be.

        A journal begins with its ``call`` line; lines of one whose record is not there are dropped.
        """
        ordered = sorted(lines, key=lambda one: (one.journal, one.line))
        await self._database.write(lambda c: self._add(c, ordered))

    async def find(
        self,
        wanted: RecordFilter,
        *,
        after: tuple[float, str] | None = None,
        limit: int = 50,
    ) -> list[CallRecord]:
        """Return records, the latest first.

        Args:
            wanted: Which.
            after: ``started`` and ``id`` of the last of the page before; None for the first page.
            limit: Most that are returned.
        """
        found = select(call_records)
        if wanted.since is not None:
            found = found.where(call_records.c.started >= wanted.since)
        if wanted.before is not None:
            found = found.where(call_records.c.started < wanted.before)
        for name in ("caller", "called"):
            if (number := getattr(wanted, name)) is not None:
                found = found.where(call_records.c[name] == self._seal.look_up(number))
        for name in ("agent", "outcome", "direction"):
            if (value := getattr(wanted, name)) is not None:
                found = found.where(call_records.c[name] == value)
        key = tuple_(call_records.c.started, call_records.c.id)
        if after is not None:
            found = found.where(key < tuple_(*after))
        found = found.order_by(call_records.c.started.desc(), call_records.c.id.desc())
        return await self._read(found.limit(limit))

    async def get(self, name: str) -> CallRecord | None:
        """Return a record by its id, or the latest of a call by the platform's; None if none is."""
        found = select(call_records).where(
            (call_records.c.id == name) | (call_records.c.call_id == digest(name))
        )
        records = await self._read(found.order_by(call_records.c.number.desc()).limit(1))
        return records[0] if records else None

    async def events(self, record: CallRecord, *, after: int = 0) -> list[RecordedEvent]:
        """Return the lines of a record in the order in which they were stored.

        Args:
            record: Whose.
            after: ``id`` of the last that is known already.
        """
        found = select(call_events).where(
            call_events.c.record == record.number, call_events.c.id > after
        )
        rows = await self._database.read(
            lambda c: c.execute(found.order_by(call_events.c.id)).all()
        )
        return [
            RecordedEvent(id=row.id, kind=row.kind, at=row.at, fields=self._shown(row.data))
            for row in rows
        ]

    async def _read(self, found: Select[Any]) -> list[CallRecord]:
        rows = await self._database.read(lambda c: c.execute(found).all())
        return [self._record(row) for row in rows]

    def _record(self, row: Row[Any]) -> CallRecord:
        return CallRecord(
            number=row.number,
            id=row.id,
            started=row.started,
            ended=row.ended,
            direction=row.direction,
            agent=row.agent,
            outcome=row.outcome,
            data=self._shown(row.data),
        )

    def _add(self, connection: Connection, lines: Sequence[JournalLine]) -> None:
        for journal, group in groupby(lines, key=lambda one: one.journal):
            theirs = list(group)
            if theirs[0].kind == "call":
                self._begin(connection, theirs[0])
            row = connection.execute(
                select(call_records).where(call_records.c.id == journal).with_for_update()
            ).first()
            if row is None:
                continue
            new = {
                "record": row.number,
                "journal": journal,
            }
            stored = [
                {
                    **new,
                    "line": one.line,
                    "kind": one.kind,
                    "at": one.at,
                    "data": self._hidden(one.fields),
                }
                for one in theirs
            ]
            connection.execute(upsert(call_events).on_conflict_do_nothing(), stored)
            self._change(connection, row, theirs)

    def _begin(self, connection: Connection, line: JournalLine) -> None:
        given = line.fields
        row = {
            "id": line.journal,
            "call_id": digest(str(given.get("call_id", ""))),
            "started": _unix(given.get("started")),
            "direction": given.get("direction", "incoming"),
            "agent": str(given.get("agent", ""))[:200],
            "caller": self._seal.look_up(str(given.get("caller", ""))),
            "called": self._seal.look_up(str(given.get("called", ""))),
            "outcome": "in progress",
            "changed": time.time(),
            "data": self._hidden(given),
        }
        connection.execute(upsert(call_records).values(row).on_conflict_do_nothing())

    def _change(self, connection: Connection, row: Row[Any], lines: Iterable[JournalLine]) -> None:
        data = dict(self._shown(row.data))
        changed: dict[str, object] = {"changed": time.time()}
        for line in lines:
            if line.kind in OF_THE_CALL:
                data[line.kind] = {"at": line.at, **line.fields}
            elif line.kind == "usage":
                data["usage"] = [*data.get("usage", ()), dict(line.fields)]
            if line.kind == "ended":
                changed["ended"] = row.started + (line.at or 0.0)
                changed["outcome"] = BY_REASON.get(str(line.fields.get("reason")), "stopped")
        connection.execute(
            update(call_records)
            .where(call_records.c.number == row.number)
            .values(data=self._hidden(data), **changed)
        )

    def _hidden(self, fields: Mapping[str, Any]) -> str:
        return self._seal.hide(json.dumps(dict(fields)))

    def _shown(self, stored: str) -> Mapping[str, Any]:
        read = json.loads(self._seal.show(stored))
        return read if isinstance(read, dict) else {}


def _unix(started: object) -> float:
    try:
        return datetime.fromisoformat(str(started)).timestamp()
    except ValueError:
        return time.time()
