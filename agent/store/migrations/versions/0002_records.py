"""What calls leave behind: a row a call, a row a line of its journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0002"
down_revision = "0001"

ID = sa.String(32)
COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")
DUE = sa.text("summary_due IS NOT NULL")


def upgrade(op: Operations) -> None:
    """Make the tables."""
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
        sa.Index("ix_call_records_started", "started", "id"),
        sa.Index(
            "ix_call_records_summary_due", "summary_due", sqlite_where=DUE, postgresql_where=DUE
        ),
        sa.Index("ix_call_records_agent", "agent", "started"),
        sa.Index("ix_call_records_caller", "caller", "started"),
        sa.Index("ix_call_records_called", "called", "started"),
        sa.Index("ix_call_records_outcome", "outcome", "started"),
        sqlite_autoincrement=True,
    )
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
