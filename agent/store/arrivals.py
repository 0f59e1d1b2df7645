"""When to look for orders: PostgreSQL tells us, an SQLite file is looked at again and again."""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from agent.store.errors import StoreError, reason
from agent.store.postgresql import connect_arguments, failures, parsed
from pipelines.backoff import longer

log = structlog.get_logger()

LOOK_EVERY = 0.2
"""Seconds between two looks at an SQLite file."""

LISTENING_CHECKED = 5.0
"""Seconds between two looks whether the connection that listens still does; connections may die
without a word."""

ANSWERS_WITHIN = 2.0
"""Seconds for PostgreSQL to say that it does."""

AGAIN_FIRST, AGAIN_LONGEST = 0.2, 5.0
"""Seconds until it is connected to again."""

CHANNEL = "voice_agent_orders"
"""What is told on it is the digest of a call; whoever has no such call need not look."""


class Arrivals(Protocol):
    """Says when there may be orders."""

    async def wait(self) -> None:
        """Return when it is time to look; at once if something came while nobody waited."""
        ...

    def look(self) -> None:
        """Have the next wait return at once: there is a call whose orders may be waiting."""
        ...

    async def listen(self) -> None:
        """Hear of orders for as long as this runs, which is until it is cancelled."""
        ...


class Looking:
    """For a database that tells nothing: looks are short, and often."""

    async def wait(self) -> None:
        """See :class:`Arrivals`."""
        await asyncio.sleep(LOOK_EVERY)

    def look(self) -> None:
        """See :class:`Arrivals`."""

    async def listen(self) -> None:
        """See :class:`Arrivals`; there is nothing to hear."""
        await asyncio.Event().wait()


class Listening:
    """For PostgreSQL: a connection that only listens.

    Whatever was told while there was none is found by looking, each time that there is one again.

    Args:
        address: Of the database.

    Raises:
        StoreError: If the address is none, or the driver is not installed.
    """

    def __init__(self, address: str) -> None:
        self._arguments = connect_arguments(parsed(address))
        self._arrived = asyncio.Event()
        self._again = 0.0

    async def wait(self) -> None:
        """See :class:`Arrivals`."""
        await self._arrived.wait()
        self._arrived.clear()

    def look(self) -> None:
        """See :class:`Arrivals`."""
        self._arrived.set()

    async def listen(self) -> None:
        """See :class:`Arrivals`; connects again whenever the connection is lost."""
        failing: tuple[type[Exception], ...] = (StoreError, *failures())
        while True:
            try:
                await self._listen()
            except failing as error:
                if not self._again:
                    log.warning("orders of other processes are not heard", error=reason(error))
                self._again = longer(self._again, first=AGAIN_FIRST, longest=AGAIN_LONGEST)
            await asyncio.sleep(self._again)

    async def _listen(self) -> None:
        """Listen until the connection is lost.

        Raises:
            StoreError: When it is.
            Exception: What :func:`~agent.store.postgresql.failures` has.
        """
        import asyncpg  # noqa: PLC0415 - an extra

        lost = asyncio.Event()
        connection = await asyncpg.connect(**self._arguments, timeout=ANSWERS_WITHIN)
        try:
            connection.add_termination_listener(lambda _connection: lost.set())
            await connection.add_listener(CHANNEL, lambda *_told: self.look())
            self._again = 0.0
            while not lost.is_set():
                self.look()
                try:
                    async with asyncio.timeout(LISTENING_CHECKED):
                        await lost.wait()
                except TimeoutError:
                    await connection.fetchval("SELECT 1", timeout=ANSWERS_WITHIN)
        finally:
            connection.terminate()
        raise StoreError("the connection was lost")
