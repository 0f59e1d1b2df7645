"""The records of calls in the database, as they are written: line by line."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects.postgresql import insert

from agent.records import words_index
from agent.records.call_records import hidden, shown
from agent.records.events import JournalLine, Outcome
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


class StoredRecords:
    """Takes the lines of journals into the database. Every method raises StoreError if it fails.

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
                    "data": hidden(self._seal, one.fields),
                }
                for one in theirs
            ]
            connection.execute(insert(call_events).on_conflict_do_nothing(), stored)
            self._change(connection, row, theirs)
            words_index.add(connection, self._seal, row.number, theirs)

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
            "data": hidden(self._seal, given),
        }
        connection.execute(insert(call_records).values(row).on_conflict_do_nothing())

    def _change(self, connection: Connection, row: Row[Any], lines: Iterable[JournalLine]) -> None:
        data = dict(shown(self._seal, row.data))
        changed: dict[str, object] = {"changed": time.time()}
        for line in lines:
            if line.kind in OF_THE_CALL:
                data[line.kind] = {"at": line.at, **line.fields}
            elif line.kind == "usage":
                data["usage"] = [*data.get("usage", ()), dict(line.fields)]
            if line.kind == "wanted" and "summary" not in data:
                changed["summary_due"] = 0.0  # at once, when it has ended
            elif line.kind == "summary":
                changed["summary_due"] = None
            if line.kind == "ended":
                changed["ended"] = row.started + (line.at or 0.0)
                changed["outcome"] = BY_REASON.get(str(line.fields.get("reason")), "stopped")
        connection.execute(
            update(call_records)
            .where(call_records.c.number == row.number)
            .values(data=hidden(self._seal, data), **changed)
        )


def _unix(started: object) -> float:
    try:
        return datetime.fromisoformat(str(started)).timestamp()
    except ValueError:
        return time.time()
