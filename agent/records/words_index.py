"""The words of calls, as they are searched for."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from agent.records.events import JournalLine
from agent.records.seals import Seal


def add(connection: Connection, seal: Seal, record: int, lines: Sequence[JournalLine]) -> None:
    """Add the words of the lines of one record, in the transaction that stores them.

    Args:
        connection: Of that transaction.
        seal: Gives what words are looked up by.
        record: Number of the record.
        lines: Of its journal; some may have been added before.
    """
