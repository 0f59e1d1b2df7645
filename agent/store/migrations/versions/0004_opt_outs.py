"""Who wants no more calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0004"
down_revision = "0003"


def upgrade(op: Operations) -> None:
    """Make the table."""
    op.create_table(
        "opt_outs",
        sa.Column("address", sa.String(40), primary_key=True),
        sa.Column("number", sa.String(300), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("how", sa.String(16), nullable=False),
        sa.Column("made", sa.Float(53), nullable=False),
        sa.Index("ix_opt_outs_made", "made"),
    )
