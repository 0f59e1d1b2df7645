"""Transactions on PostgreSQL, by asyncpg. Both are an extra: import this where it is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit
from weakref import WeakSet

import asyncpg
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from agent.store.errors import StoreError, reason
from pipelines.masking import without_secrets

T = TypeVar("T")

CONNECTIONS = 5
"""Connections of a process: transactions take a millisecond or two."""

RECYCLED = 1800
"""Seconds after which a connection is made anew: firewalls forget those that last."""

CLOSED_WITHIN = 0.5
"""Seconds for connections to be closed in good order; then they are broken off."""

LOCK = 0x564F4943
"""The advisory lock of whoever is to be alone."""

LIBPQ_ONLY = (
    "channel_binding", "client_encoding", "connect_timeout", "fallback_application_name",
    "gssencmode", "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval",
    "load_balance_hosts", "sslcompression", "sslsni", "tcp_user_timeout",
)  # fmt: skip
"""What addresses of hosting companies have and asyncpg has not: it does without. Whatever else it
does not know is a setting of the session, which the server takes or refuses."""


class PostgresqlEngine:
    """A server's database. Close it in the end.

    Args:
        address: ``postgresql://``, user, host and name.
        within: Seconds for a connection to come about.

    Raises:
        StoreError: If the address is none.
    """

    def __init__(self, address: str, within: float) -> None:
        dsn = parsed(address)
        self._address = address
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=partial(connect, dsn, within),
            hide_parameters=True,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=within,
            pool_pre_ping=True,
            pool_recycle=RECYCLED,
        )
        self._connections: WeakSet[asyncpg.Connection] = WeakSet()

        @event.listens_for(self._engine.sync_engine, "connect")
        def connected(connection: Any, _record: object) -> None:  # noqa: ANN401 - SQLAlchemy's adapter
            self._connections.add(connection.driver_connection)

    async def transact(self, work: Callable[[Connection], T], *, writes: bool) -> T:
        """Run ``work`` in a transaction.

        Raises:
            StoreError: If the server fails.
        """
        del writes  # there is no difference here
        try:
            async with self._engine.begin() as connection:
                return await connection.run_sync(work)
        except FAILURES as error:
            # Servers name the user whom they refuse.
            raise StoreError(without_secrets(reason(error), self._address)) from None

    async def run_alone(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction, once no other process is in here.

        Raises:
            StoreError: If the server fails.
        """

        def alone(connection: Connection) -> T:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            return work(connection)

        return await self.transact(alone, writes=True)

    async def scrub(self) -> None:
        """Do nothing: the server's autovacuum gives the space away; see docs/privacy.md."""

    async def aclose(self) -> None:
        """Disconnect; a server that does not answer is not waited for."""
        try:
            async with asyncio.timeout(CLOSED_WITHIN):
                await self._engine.dispose()
        except TimeoutError:
            for connection in list(self._connections):
                connection.terminate()
            await self._engine.dispose(close=False)


def parsed(address: str) -> str:
    """Return an address as asyncpg takes it.

    Raises:
        StoreError: If it is none.
    """
    place, _, query = address.partition("?")
    try:
        options = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
        port = urlsplit(place).port if "," not in place else None  # several hosts have several
    except ValueError:
        raise StoreError(NO_ADDRESS) from None
    if port == 0:
        raise StoreError(NO_ADDRESS)
    known = [(name, value) for name, value in options if name not in LIBPQ_ONLY]
    return f"{place}?{urlencode(known)}" if known else place


async def connect(dsn: str, within: float) -> asyncpg.Connection:
    """Return a connection, as libpq would make it of the same address.

    Args:
        dsn: What :func:`parsed` gave.
        within: Seconds for it to come about.

    Raises:
        StoreError: If the address says what cannot be understood.
        Exception: One of :data:`FAILURES`.
    """
    try:
        return await asyncpg.connect(dsn, timeout=within)
    except asyncpg.InterfaceError:
        raise
    except (TypeError, ValueError, OverflowError):  # they may quote the address, and its password
        raise StoreError(NO_ADDRESS) from None


NO_ADDRESS = "this is no address of a database"

FAILURES = (SQLAlchemyError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What says that the server fails; drivers raise their own while they connect."""
