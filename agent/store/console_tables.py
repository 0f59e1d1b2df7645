"""The tables of the console: who is signed in, what was said a moment ago, agents as they were.

A migration of a later version adds to these; what they hold is theirs who read and write them.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, String, Table, Text

from agent.store.record_tables import Counted
from agent.store.tables import DIGEST, JsonObject, metadata

console_entries = Table(
    "console_entries",
    metadata,
    Column("name", String(DIGEST), primary_key=True),
    Column("value", JsonObject),
    Column("at", Float(53), nullable=False, index=True),  # Unix time of the last change
)
"""Sessions of people who are signed in, and tickets of the browser phone, by the digest of the
secret that they bring. A row goes once it has not changed for a day."""

live_feed = Table(
    "live_feed",
    metadata,
    Column("id", Counted, primary_key=True, autoincrement=True),
    Column("process", String(DIGEST), nullable=False, index=True),  # that it is for
    Column("data", Text, nullable=False),  # sealed, if records are
    Column("at", Float(53), nullable=False, index=True),  # Unix time
    sqlite_autoincrement=True,
)
"""What happens in calls whose process is another than the one that somebody looks at them by. Only
while somebody does, and only of the last seconds."""

agent_versions = Table(
    "agent_versions",
    metadata,
    Column("id", Counted, primary_key=True, autoincrement=True),
    Column("agent", String(200), nullable=False),
    Column("version", String(64), nullable=False),  # of the file, by its contents
    Column("made", Float(53), nullable=False),  # Unix time
    Column("who", String(200), nullable=False),  # "" if the file was changed on disk
    Column("text", Text, nullable=False),
    Index("ix_agent_versions_agent", "agent", "id"),
    sqlite_autoincrement=True,
)
"""Agent files as they were saved, or found, the latest last."""
