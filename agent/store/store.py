"""The database of a service, open: what all processes share, and what this one tells the others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from agent.settings.database import DatabaseUrl
from agent.store import schema, tables
from agent.store.arrivals import Arrivals, Looking
from agent.store.claims import StoredClaims
from agent.store.console_tables import console_entries
from agent.store.dials import Dials
from agent.store.engine import Database, SqlDatabase
from agent.store.entries import Entries
from agent.store.errors import StoreError
from agent.store.live_calls import LiveCalls
from agent.store.live_mail import LiveMail
from agent.store.opt_outs import OptOuts
from agent.store.orders import Orders
from agent.store.sweep import keep_sweeping
from pipelines.background import BackgroundTasks

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """What is kept, by what it is. Nothing here waits longer than a transaction may take."""

    claims: StoredClaims
    legs: Entries
    calls: Entries
    orders: Orders
    live_calls: LiveCalls
    dials: Dials
    opt_outs: OptOuts
    live_mail: LiveMail
    console: Entries
    """Sessions and tickets, by :data:`~agent.store.console_tables.console_entries`."""

    database: Database
    """For the records of calls, which know their own tables."""


def store_in(database: Database, arrivals: Arrivals) -> Store:
    """Return what is kept in a database, whose tables are up to date."""
    live_calls = LiveCalls(database)
    return Store(
        claims=StoredClaims(database, live_calls.process),
        legs=Entries(database, tables.legs),
        calls=Entries(database, tables.calls),
        orders=Orders(database, arrivals),
        live_calls=live_calls,
        dials=Dials(database),
        opt_outs=OptOuts(database),
        live_mail=LiveMail(database),
        console=Entries(database, console_entries),
        database=database,
    )


@asynccontextmanager
async def opened(url: DatabaseUrl) -> AsyncIterator[Store]:
    """Open a database: bring its tables up to date, tell that we are alive, and sweep.

    Raises:
        StoreError: If it cannot be used.
    """
    database = SqlDatabase(url)
    background = BackgroundTasks()
    try:
        if (before := await schema.upgrade(database)) != "current":
            log.info("the tables of the database", were=before, wanted=schema.HEAD)
        store = store_in(database, _arrivals(url))
        await store.live_calls.beat()
        background.keep_running(store.live_calls.keep, "telling which calls are here")
        background.keep_running(store.orders.arrivals.listen, "listening for orders")
        background.keep_running(lambda: keep_sweeping(database), "sweeping the database")
        yield store
        await background.aclose()
        await database.settle()  # or a heartbeat that is under way might come after we have left
        with suppress(StoreError):  # then they find out by our heart that beats no more
            await store.live_calls.leave()
    finally:
        await background.aclose()
        await database.aclose()


def _arrivals(url: DatabaseUrl) -> Arrivals:
    if not url.is_postgresql:
        return Looking()
    from agent.store.listening import Listening  # noqa: PLC0415 - an extra

    return Listening(url.get_secret_value())
