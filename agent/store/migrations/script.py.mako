"""${message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Change the tables so that the version before can still read and write them."""
    ${upgrades if upgrades else "raise NotImplementedError"}
