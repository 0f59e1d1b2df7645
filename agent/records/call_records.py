"""The records of calls in the database: listed and read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, select, tuple_

from agent.records.events import CallRecord, Outcome, RecordedEvent
from agent.records.number_forms import forms
from agent.records.seals import Seal
from agent.store.engine import Database
from agent.store.record_tables import call_events, call_records
from agent.store.tables import digest


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
                stored = {one for form in forms(number) for one in self._seal.look_ups(form)}
                found = found.where(call_records.c[name].in_(stored))
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
            RecordedEvent(id=row.id, kind=row.kind, at=row.at, fields=shown(self._seal, row.data))
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
            data=shown(self._seal, row.data),
        )


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
