"""What the console keeps: who is signed in, what is said now, agents as they were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0003"
down_revision = "0002"

COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade(op: Operations) -> None:
    """Make the tables."""
    op.create_table(
        "console_entries",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.Text),
        sa.Column("at", sa.Float(53), nullable=False, index=True),
    )
    op.create_table(
        "live_feed",
        sa.Column("id", COUNTED, primary_key=True, autoincrement=True),
        sa.Column("process", sa.String(40), nullable=False, index=True),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False, index=True),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "agent_versions",
        sa.Column("id", COUNTED, primary_key=True, autoincrement=True),
        sa.Column("agent", sa.String(200), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("made", sa.Float(53), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Index("ix_agent_versions_agent", "agent", "id"),
        sqlite_autoincrement=True,
    )
