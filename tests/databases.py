"""Databases to test with: a file, and a PostgreSQL that the test run starts itself."""

from __future__ import annotations

import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from agent.store import schema, tables
from agent.store.arrivals import Looking
from agent.store.engine import T, Work
from agent.store.errors import StoreError
from agent.store.store import Store, store_in

WANTED = "PostgreSQL is not installed (apt-get install postgresql)"
SUPERUSER = "voice"

FILE = "voice-agent.db"
"""Name of an SQLite file, in the folder of a test."""


def binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs; None if it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    there = shutil.which("initdb")
    return Path(there).resolve().parent if there else None


@dataclass(frozen=True, slots=True)
class PostgresqlServer:
    """A server on a socket in a folder of its own. It refuses to run as root."""

    programs: Path
    folder: Path
    user: str | None

    def run(self, program: str, *arguments: str) -> None:
        """Run one of its programs to the end.

        Raises:
            subprocess.CalledProcessError: If it fails.
        """
        subprocess.run(
            [self.programs / program, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
            cwd=self.folder,
            user=self.user,
            extra_groups=None if self.user is None else [],
        )

    def start(self) -> None:
        """Start it; returns when it answers."""
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c max_connections=60"
        log = str(self.folder / "log")
        self.run("pg_ctl", "-D", self._data, "-w", "-o", options, "-l", log, "start")

    def stop(self) -> None:
        """Stop it at once, whoever is connected."""
        self.run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    def processes(self) -> list[int]:
        """Return the ids of its processes: the first of them is everybody's parent."""
        first = int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def new_database(self) -> str:
        """Return the address of an empty database."""
        name = f"t{uuid.uuid4().hex[:12]}"
        self.run("createdb", "-h", str(self.folder), "-U", SUPERUSER, name)
        return f"postgresql://{SUPERUSER}@/{name}?host={self.folder}"


@contextmanager
def postgresql() -> Iterator[PostgresqlServer | None]:
    """Run a server; None if PostgreSQL is not installed."""
    programs = binaries()
    if programs is None:
        yield None
        return
    user = "nobody" if os.geteuid() == 0 else None
    # The path of a socket has a hundred characters at the most.
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as folder:
        if user is not None:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        server = PostgresqlServer(programs, Path(folder), user)
        server.run("initdb", "-D", f"{folder}/data", "-U", SUPERUSER, "-A", "trust", "-N")
        server.start()
        try:
            yield server
        finally:
            server.stop()


@cache
def new_file() -> bytes:
    """Return an SQLite file as a first start leaves it: its tables are made once a test run."""
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/{FILE}", poolclass=NullPool)
        with engine.begin() as connection:
            schema._migrate(connection)
        return Path(folder, FILE).read_bytes()


class InlineDatabase:
    """An SQLite file in this very thread, for stories in virtual time: nobody waits for anything.

    Args:
        path: Of the file.
    """

    def __init__(self, path: Path) -> None:
        self.away = False
        """Whether it fails, whatever it is asked for."""

        self._engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
        with self._engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA synchronous = OFF")
            tables.metadata.create_all(connection)

    async def read(self, work: Work[T]) -> T:
        return self._run(work)

    async def write(self, work: Work[T]) -> T:
        return self._run(work)

    async def scrub(self) -> None:
        """Nothing of it outlives the test."""

    def _run(self, work: Work[T]) -> T:
        if self.away:
            raise StoreError("away")
        with self._engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA synchronous = OFF")
            return work(connection)


def inline_store(folder: Path) -> Store:
    """Return a store in a file of ``folder``, for stories in virtual time."""
    return store_in(InlineDatabase(folder / FILE), Looking())


def alter(folder: Path, statement: str) -> None:
    """Do something to the database in ``folder``, behind everybody's back."""
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        connection.execute(statement)


def make_older(folder: Path, seconds: float) -> None:
    """Make every row in the database of ``folder`` older."""
    for table in tables.SWEPT:
        alter(folder, f"UPDATE {table.name} SET at = at - {seconds}")  # noqa: S608 - our own names
