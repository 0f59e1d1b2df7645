"""Run by Alembic: it gets the connection of :mod:`agent.store.schema`, and our tables."""

from __future__ import annotations

from alembic import context

from agent.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot change a column in place
)
with context.begin_transaction():
    context.run_migrations()
