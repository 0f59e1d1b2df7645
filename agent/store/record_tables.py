"""The tables of what calls leave behind, for as long as the settings say.

What people said, and whom they are, stands in ``data``, a text that may be sealed
(:mod:`agent.records.seals`); in ``caller`` and ``called`` stands what the seal gives to look a
number up by. The columns besides are what records are listed by.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    event,
    text,
)

from agent.store.tables import DIGEST, metadata

Counted = BigInteger().with_variant(Integer, "sqlite")
"""A number that the database gives; SQLite counts in one type only."""

RECORD_ID = 32
"""Characters of our name of a record, and of a journal."""

LANGUAGE = 35
"""Characters of a language tag: as RFC 5646 has it, those that anybody uses are shorter."""

LOOKED_UP = 80
"""Characters of a number, or of what it is looked up by."""

OF_A_RECORD = "of a record"
"""In ``info`` of a table: its column ``record`` holds the ``number`` or the ``id`` of the record
that a row belongs to, and is erased with."""
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
    Column("erased", Integer, nullable=False, server_default="0"),  # what of it, by its bits
    Column("disclosed", String(8)),  # that a machine talks: yes, cut-off; None if it was not said
    Index("ix_call_records_erased", "erased", "started"),
    Index("ix_call_records_started", "started", "number"),
    Index("ix_call_records_summary_due", "summary_due", sqlite_where=_DUE, postgresql_where=_DUE),
    Index("ix_call_records_agent", "agent", "started"),
    Index("ix_call_records_caller", "caller", "started"),
    Index("ix_call_records_called", "called", "started"),
    Index("ix_call_records_outcome", "outcome", "started"),
    Index("ix_call_records_disclosed", "disclosed", "started"),
    sqlite_autoincrement=True,
)
"""One row a call. ``number`` grows in the order in which records were begun."""

call_numbers = Table(
    "call_numbers",
    metadata,
    Column("id", Counted, primary_key=True, autoincrement=True),
    Column("record", Counted, nullable=False),  # number of the record
    Column("number", String(LOOKED_UP), nullable=False),
    Index("ux_call_numbers_record", "record", "number", unique=True),
    Index("ix_call_numbers_number", "number"),
    sqlite_autoincrement=True,
    info={OF_A_RECORD: "number"},
)
"""Who was on the line of a call, or whom it was passed on to, beside caller and called."""

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
    info={OF_A_RECORD: "number"},
)
"""One row a line of a journal, in the order of ``id``; one that comes twice is stored once."""

record_reads = Table(
    "record_reads",
    metadata,
    Column("id", Counted, primary_key=True, autoincrement=True),
    Column("at", Float(53), nullable=False, index=True),  # Unix time
    Column("who", String(200), nullable=False),  # a user and a host, or a token by its label
    Column("what", String(16), nullable=False),
    Column("record", String(RECORD_ID), nullable=False, index=True),  # "" where it is no more
    sqlite_autoincrement=True,
)
"""Who has looked at which record, or erased one: a row each time."""

seal_keys = Table(
    "seal_keys",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("proof", String(64), nullable=False),  # what only the key itself can give
)
"""The keys that something may be sealed with, known by their names."""

call_languages = Table(
    "call_languages", metadata, Column("language", String(LANGUAGE), primary_key=True)
)
"""Languages in which something was said, ever: in which a question may have been meant."""

WORDS_INDEX = {
    "sqlite": (
        """CREATE VIRTUAL TABLE IF NOT EXISTS call_words USING fts5(
            words, record UNINDEXED, upto UNINDEXED, size UNINDEXED,
            tokenize = "ascii tokenchars '=.'", columnsize = 0)""",
    ),
    "postgresql": (
        """CREATE TABLE IF NOT EXISTS call_words (
            record BIGINT PRIMARY KEY, upto BIGINT NOT NULL, size INTEGER NOT NULL,
            words TSVECTOR NOT NULL)""",
        "CREATE INDEX IF NOT EXISTS ix_call_words_words ON call_words USING gin (words)",
    ),
}
"""The words of calls, by database: a row a record, whose words are made by
:mod:`agent.records.search.words_index`. In SQLite ``rowid`` grows with the time of the call.
``upto`` is the id of the last event that is in it, ``size`` the bytes of its words."""

for _dialect, _statements in WORDS_INDEX.items():
    for _statement in _statements:
        made = DDL(_statement).execute_if(dialect=_dialect)  # type: ignore[no-untyped-call]
        event.listen(metadata, "after_create", made)
