"""What calls leave behind: a row a call, a row a line of its journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0002"
down_revision = "0001"

ID = sa.String(32)
COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")
DUE = sa.text("summary_due IS NOT NULL")

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


def upgrade(op: Operations) -> None:
    """Make the tables."""
    _records(op)
    _events(op)
    _privacy(op)


def _records(op: Operations) -> None:
    op.create_table(
        "call_records",
        sa.Column("number", COUNTED, primary_key=True, autoincrement=True),
        sa.Column("id", ID, nullable=False, unique=True),
        sa.Column("call_id", sa.String(40), nullable=False, index=True),
        sa.Column("started", sa.Float(53), nullable=False),
        sa.Column("ended", sa.Float(53)),
        sa.Column("direction", sa.String(8), nullable=False),
        sa.Column("agent", sa.String(200), nullable=False),
        sa.Column("caller", sa.String(80), nullable=False),
        sa.Column("called", sa.String(80), nullable=False),
        sa.Column("outcome", sa.String(24), nullable=False),
        sa.Column("changed", sa.Float(53), nullable=False, index=True),
        sa.Column("summary_due", sa.Float(53)),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("erased", sa.Integer, nullable=False, server_default="0"),
        sa.Index("ix_call_records_erased", "erased", "started"),
        sa.Index("ix_call_records_started", "started", "number"),
        sa.Index(
            "ix_call_records_summary_due", "summary_due", sqlite_where=DUE, postgresql_where=DUE
        ),
        sa.Index("ix_call_records_agent", "agent", "started"),
        sa.Index("ix_call_records_caller", "caller", "started"),
        sa.Index("ix_call_records_called", "called", "started"),
        sa.Index("ix_call_records_outcome", "outcome", "started"),
        sqlite_autoincrement=True,
    )


def _events(op: Operations) -> None:
    op.create_table(
        "call_events",
        sa.Column("id", COUNTED, primary_key=True, autoincrement=True),
        sa.Column("record", COUNTED, nullable=False),
        sa.Column("journal", ID, nullable=False),
        sa.Column("line", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("at", sa.Float(53)),
        sa.Column("data", sa.Text, nullable=False),
        sa.Index("ix_call_events_record", "record", "id"),
        sa.Index("ux_call_events_line", "journal", "line", unique=True),
        sqlite_autoincrement=True,
    )
    op.create_table("call_languages", sa.Column("language", sa.String(35), primary_key=True))
    for statement in WORDS_INDEX[op.get_bind().dialect.name]:
        op.execute(statement)
    _make_outbox(op)


def _privacy(op: Operations) -> None:
    op.create_table(
        "record_reads",
        sa.Column("id", COUNTED, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float(53), nullable=False, index=True),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("record", ID, nullable=False, index=True),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "seal_keys",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("proof", sa.String(64), nullable=False),
    )


def _make_outbox(op: Operations) -> None:
    op.create_table(
        "webhook_outbox",
        sa.Column("id", COUNTED, primary_key=True, autoincrement=True),
        sa.Column("endpoint", sa.String(64), nullable=False),
        sa.Column("record", COUNTED, nullable=False),
        sa.Column("journal", ID, nullable=False),
        sa.Column("line", sa.Integer, nullable=False),
        sa.Column("event", sa.String(24), nullable=False),
        sa.Column("made", sa.Float(53), nullable=False, index=True),
        sa.Column("due", sa.Float(53)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("problem", sa.String(120), nullable=False),
        sa.Index("ix_webhook_outbox_due", "endpoint", "due"),
        sa.Index("ix_webhook_outbox_call", "endpoint", "record", "id"),
        sa.Index("ux_webhook_outbox_line", "journal", "line", "endpoint", unique=True),
        sqlite_autoincrement=True,
    )
