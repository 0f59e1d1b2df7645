"""Whether it was heard in a call that a machine talks, so that calls are listed by it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0006"
down_revision = "0005"


def upgrade(op: Operations) -> None:
    """Add the column; a call of before has nothing in it."""
    op.add_column("call_records", sa.Column("disclosed", sa.String(8)))
    op.create_index("ix_call_records_disclosed", "call_records", ["disclosed", "started"])
