"""Claims, legs, calls, orders, processes and their calls, what was dialled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0001"
down_revision = None

DIGEST = sa.String(40)


def upgrade(op: Operations) -> None:
    """Make the tables."""
    op.create_table("claims", name(), required("owner"), *value_and_age("claims"))
    op.create_table("legs", name(), *value_and_age("legs"))
    op.create_table("calls", name(), *value_and_age("calls"))
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        required("call", index=True),
        *value_and_age("orders"),
        sqlite_autoincrement=True,
    )
    op.create_table("processes", name("id"), *value_and_age("processes"))
    op.create_table(
        "live_calls", name(), required("process", index=True), *value_and_age("live_calls")
    )
    op.create_table(
        "dials",
        name(),
        required("number", index=True),
        sa.Column("amount", sa.Float(53), nullable=False),
        sa.Column("until", sa.Float(53), nullable=False, index=True),
        *age("dials"),
    )


def name(column: str = "name") -> sa.Column[str]:
    """Return the column that rows go by: a digest."""
    return sa.Column(column, DIGEST, primary_key=True)


def required(column: str, *, index: bool = False) -> sa.Column[str]:
    """Return a column with another digest."""
    return sa.Column(column, DIGEST, nullable=False, index=index)


def value_and_age(table: str) -> tuple[sa.Column[str], sa.Column[float], sa.Index]:
    """Return the columns for a JSON object and for the Unix time of the last change."""
    return sa.Column("value", sa.Text), *age(table)


def age(table: str) -> tuple[sa.Column[float], sa.Index]:
    """Return the column by which rows are swept, and its index."""
    return sa.Column("at", sa.Float(53), nullable=False), sa.Index(f"ix_{table}_at", "at")
