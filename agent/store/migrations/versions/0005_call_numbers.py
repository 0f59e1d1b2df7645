"""Who was on the line of a call, beside caller and called."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0005"
down_revision = "0004"

COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade(op: Operations) -> None:
    """Make the table."""
    op.create_table(
        "call_numbers",
        sa.Column("id", COUNTED, primary_key=True, autoincrement=True),
        sa.Column("record", COUNTED, nullable=False),
        sa.Column("number", sa.String(80), nullable=False),
        sa.Index("ux_call_numbers_record", "record", "number", unique=True),
        sa.Index("ix_call_numbers_number", "number"),
        sqlite_autoincrement=True,
    )
