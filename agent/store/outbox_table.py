"""The table of webhooks that are still to be delivered, or were given up.

Nothing of a call stands in it: a message is made when it is sent, of the lines that it points to.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, String, Table

from agent.store.record_tables import OF_A_RECORD, RECORD_ID, Counted
from agent.store.tables import metadata

ENDPOINT = 64
"""Characters of the name of an endpoint."""

PROBLEM = 120
"""Characters of what went wrong."""

webhook_outbox = Table(
    "webhook_outbox",
    metadata,
    Column("id", Counted, primary_key=True, autoincrement=True),
    Column("endpoint", String(ENDPOINT), nullable=False),
    Column("record", Counted, nullable=False),  # number of the record
    Column("journal", String(RECORD_ID), nullable=False),
    Column("line", Integer, nullable=False),
    Column("event", String(24), nullable=False),  # such as call.ended
    Column("made", Float(53), nullable=False, index=True),  # Unix time
    Column("due", Float(53)),  # Unix time of the next attempt; None: given up
    Column("attempts", Integer, nullable=False),
    Column("problem", String(PROBLEM), nullable=False),  # of the last attempt
    Index("ix_webhook_outbox_due", "endpoint", "due"),
    Index("ix_webhook_outbox_call", "endpoint", "record", "id"),
    Index("ux_webhook_outbox_line", "journal", "line", "endpoint", unique=True),
    sqlite_autoincrement=True,
    info={OF_A_RECORD: "number"},
)
"""One row a message to an endpoint. Those to one endpoint of one call are sent by their ``id``."""
