"""The tables of what calls leave behind, for as long as the settings say.

What people said, and whom they are, stands in ``data``, a text that may be sealed
(:mod:`agent.records.seals`); in ``caller`` and ``called`` stands what the seal gives to look a
number up by. The columns besides are what records are listed by.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, String, Table, Text, text

from agent.store.tables import DIGEST, metadata

Counted = BigInteger().with_variant(Integer, "sqlite")
"""A number that the database gives; SQLite counts in one type only."""

RECORD_ID = 32
"""Characters of our name of a record, and of a journal."""

LOOKED_UP = 80
"""Characters of a number, or of what it is looked up by."""

_DUE = text("summary_due IS NOT NULL")

call_records = Table(
    "call_records",
    metadata,
    Column("number", Counted, primary_key=True, autoincrement=True),
    Column("id", String(RECORD_ID), nullable=False, unique=True),
    Column("call_id", String(DIGEST), nullable=False, index=True),  # digest of the platform's
    Column("started", Float(53), nullable=False),  # Unix time of the answer: the call's zero
    Column("ended", Float(53)),  # Unix time; None while it is in progress
    Column("direction", String(8), nullable=False),  # incoming or outgoing
    Column("agent", String(200), nullable=False),
    Column("caller", String(LOOKED_UP), nullable=False),
    Column("called", String(LOOKED_UP), nullable=False),
    Column("outcome", String(24), nullable=False),
    Column("changed", Float(53), nullable=False, index=True),  # Unix time of the last line
    Column("summary_due", Float(53)),  # Unix time; None if none is wanted, or it is there
    Column("data", Text, nullable=False),
    Index("ix_call_records_started", "started", "id"),
    Index("ix_call_records_summary_due", "summary_due", sqlite_where=_DUE, postgresql_where=_DUE),
    Index("ix_call_records_agent", "agent", "started"),
    Index("ix_call_records_caller", "caller", "started"),
    Index("ix_call_records_called", "called", "started"),
    Index("ix_call_records_outcome", "outcome", "started"),
    sqlite_autoincrement=True,
)
"""One row a call. ``number`` grows in the order in which records were begun."""

call_events = Table(
    "call_events",
    metadata,
    Column("id", Counted, primary_key=True, autoincrement=True),
    Column("record", Counted, nullable=False),  # number of the record
    Column("journal", String(RECORD_ID), nullable=False),
    Column("line", Integer, nullable=False),
    Column("kind", String(24), nullable=False),
    Column("at", Float(53)),  # seconds since the answer; None where there is none
    Column("data", Text, nullable=False),
    Index("ix_call_events_record", "record", "id"),
    Index("ux_call_events_line", "journal", "line", unique=True),
    sqlite_autoincrement=True,
)
"""One row a line of a journal, in the order of ``id``; one that comes twice is stored once."""
