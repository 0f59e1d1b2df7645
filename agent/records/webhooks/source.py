"""What a message is made of, read when it is sent."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from agent.records.call_records import event_of, record_of
from agent.records.journals.journal_names import began
from agent.records.seals import Seal, SealError
from agent.records.webhooks.messages import message
from agent.records.webhooks.outbox import WaitingMessage
from agent.store.engine import Database
from agent.store.record_tables import call_events, call_records


class UnreadableRecordError(Exception):
    """What a message is to be made of is damaged, or sealed by a key that is not here."""


class MessageSource:
    """Makes messages of the records of calls.

    Args:
        database: Shared by all processes.
        seal: Shows what people said.
    """

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    async def body(self, waiting: WaitingMessage, *, conversation: bool) -> bytes | None:
        """Return the body of a message; None if its record was erased.

        Args:
            waiting: Which.
            conversation: Whether it may hold what was said.

        Raises:
            UnreadableRecordError: If there is nothing to make it of.
            StoreError: If the database fails.
        """
        all_lines = conversation and waiting.event == "call.ended"
        found = await self._database.read(lambda c: _read(c, waiting, all_lines=all_lines))
        if found is None:
            return None
        row, *rows = found
        try:
            record = record_of(self._seal, row)
            line, *said = [event_of(self._seal, one) for one in rows]
        except (SealError, ValueError, RecursionError):
            raise UnreadableRecordError("damaged, or sealed by a key that is not here") from None
        # What comes after the call has a journal of its own, called by the time.
        came = began(waiting.journal) if waiting.journal != record.id else None
        return message(waiting.event, record, line, said if conversation else None, came)


def _read(
    connection: Connection, waiting: WaitingMessage, *, all_lines: bool
) -> list[Row[Any]] | None:
    """Return the rows of the record, of the line that is told, and perhaps of all before it."""
    events = call_events.c
    record = select(call_records).where(call_records.c.number == waiting.record)
    line = select(call_events).where(events.journal == waiting.journal, events.line == waiting.line)
    row, told = connection.execute(record).first(), connection.execute(line).first()
    if row is None or told is None:
        return None
    before = select(call_events).where(events.record == row.number, events.id <= told.id)
    said = connection.execute(before.order_by(events.id)).all() if all_lines else ()
    return [row, told, *said]
