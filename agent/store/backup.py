"""A copy of an SQLite file, made while the service runs."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from agent.private_files import FILE
from agent.settings.database import DatabaseUrl
from agent.store.errors import StoreError, reason

WITHIN = 30.0
"""Seconds to wait for whoever writes at the moment."""


def back_up(url: DatabaseUrl, to: Path) -> int:
    """Copy the database into a new file, as it is at this moment; return its bytes.

    The copy is SQLite's own (``VACUUM INTO``): others read and write meanwhile. It is for its owner
    alone, and has been opened and checked when this returns. Blocks: a gigabyte takes seconds.

    Raises:
        StoreError: If it is no SQLite file, there is a file of that name already, or it cannot be
            written; then none is left.
    """
    if url.is_postgresql:
        raise StoreError("this is PostgreSQL: pg_dump backs it up")
    file = Path(url.get_secret_value().removeprefix("sqlite:///"))
    if not file.is_file():
        raise StoreError("there is no such file")
    try:
        # Empty, which SQLite takes; nobody else can read it, and no file is ever overwritten.
        os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE))
    except FileExistsError:
        raise StoreError(f"{to} is there already, and is not overwritten") from None
    except OSError as error:
        raise StoreError(f"{to} cannot be made: {error.strerror}") from None
    try:
        _copy(file, to)
        _check(to)
    except (sqlite3.Error, OSError) as error:
        to.unlink(missing_ok=True)
        raise StoreError(reason(error)) from None
    return to.stat().st_size


def _copy(file: Path, to: Path) -> None:
    address = f"{file.absolute().as_uri()}?mode=rw"  # never makes a file
    with closing(sqlite3.connect(address, uri=True, timeout=WITHIN)) as connection:
        connection.execute("VACUUM INTO ?", (str(to),))
    with to.open("rb+") as copied:
        os.fsync(copied.fileno())


def _check(copied: Path) -> None:
    with closing(sqlite3.connect(f"{copied.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError("the copy is damaged: the database may be, too")
        connection.execute("SELECT version_num FROM alembic_version").fetchone()
