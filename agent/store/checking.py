"""Whether a database can be written, asked by somebody who leaves nothing in it."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import Connection, insert

from agent.settings.database import DatabaseUrl
from agent.store import schema
from agent.store.engine import SqlDatabase
from agent.store.errors import StoreError
from agent.store.tables import Now, processes

NAME = "check"
"""Of a process that there never is."""


async def writable(url: DatabaseUrl) -> schema.State:
    """Return how its tables are, if the database can be written. It is left as it is.

    A file that is not there is not made: it counts as empty.

    Raises:
        StoreError: If it cannot be used, or does not answer in time.
    """
    if not is_made(url):
        return "empty"
    database = SqlDatabase(url, quiet=True)
    try:
        state = await schema.state(database)
        if state in ("current", "later"):  # else `serve` brings the tables up to date
            await database.write(_write)
        return state
    finally:
        await database.aclose()


def _write(connection: Connection) -> None:
    with connection.begin_nested() as undone:
        connection.execute(insert(processes).values(id=NAME, value={}, at=Now()))
        undone.rollback()


def is_made(url: DatabaseUrl) -> bool:
    """Return whether there is a file; of PostgreSQL, only a connection tells, so that it is true.

    Raises:
        StoreError: If there is none, and none can be made.
    """
    if url.is_postgresql:
        return True
    file = Path(url.get_secret_value().removeprefix("sqlite:///"))
    folder = file.parent
    while not folder.exists() and folder.parent != folder:
        folder = folder.parent
    if not file.exists() and not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise StoreError(f"{folder} cannot be written")
    return file.exists()
