"""Transactions on PostgreSQL, by asyncpg. Both are an extra: import this where it is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from inspect import signature
from typing import Any, TypeVar
from weakref import WeakSet

import asyncpg
from sqlalchemy import Connection, event, text
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
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


class PostgresqlEngine:
    """A server's database. Close it in the end.

    Args:
        address: ``postgresql://``, user, host and name.
        within: Seconds for a connection to come about.

    Raises:
        StoreError: If the address is none.
    """

    def __init__(self, address: str, within: float) -> None:
        url = parsed(address)
        self._address = address
        self._failures = failures()
        self._engine = create_async_engine(
            url,
            hide_parameters=True,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=within,
            pool_pre_ping=True,
            pool_recycle=RECYCLED,
            connect_args={"timeout": within},
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
        except self._failures as error:
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

    async def aclose(self) -> None:
        """Disconnect; a server that does not answer is not waited for."""
        try:
            async with asyncio.timeout(CLOSED_WITHIN):
                await self._engine.dispose()
        except TimeoutError:
            for connection in list(self._connections):
                connection.terminate()
            await self._engine.dispose(close=False)


def parsed(address: str) -> URL:
    """Return an address with the name of its driver.

    Raises:
        StoreError: If it is none.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):  # the second: its port is no number
        raise StoreError("this is no address of a database") from None
    # What libpq, and every hosting company's console, calls it.
    known = signature(asyncpg.connect).parameters.keys() | {"sslmode"}
    if any(name not in known and not name.startswith("prepared_") for name in url.query):
        raise StoreError("behind its ? stands a parameter that no connection has")
    if mode := url.query.get("sslmode"):
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    return url.set(drivername="postgresql+asyncpg")


def connect_arguments(url: URL) -> dict[str, Any]:
    """Return an address as the arguments of ``asyncpg.connect``."""
    arguments: dict[str, Any] = dialect().create_connect_args(url)[1]  # type: ignore[no-untyped-call]
    return {name: value for name, value in arguments.items() if not name.startswith("prepared_")}


def failures() -> tuple[type[Exception], ...]:
    """Return what says that the server fails; drivers raise their own while they connect."""
    return (SQLAlchemyError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
