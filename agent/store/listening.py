"""PostgreSQL tells of orders: by a connection that does nothing but listen."""

from __future__ import annotations

import asyncio

import structlog

from agent.store.arrivals import CHANNEL
from agent.store.errors import StoreError, reason
from agent.store.postgresql import FAILURES, connect, parsed
from pipelines.backoff import longer
from pipelines.masking import without_secrets

log = structlog.get_logger()

LISTENING_CHECKED = 5.0
"""Seconds between two looks whether the connection that listens still does; connections may die
without a word."""

ANSWERS_WITHIN = 2.0
"""Seconds for PostgreSQL to say that it does."""

AGAIN_FIRST, AGAIN_LONGEST = 0.2, 5.0
"""Seconds until it is connected to again."""


class Listening:
    """A connection that only listens.

    Whatever was told while there was none is found by looking, each time that there is one again.

    Args:
        address: Of the database.

    Raises:
        StoreError: If the address is none.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._dsn = parsed(address)
        self._arrived = asyncio.Event()
        self._again = 0.0

    async def wait(self) -> None:
        """See :class:`~agent.store.arrivals.Arrivals`."""
        await self._arrived.wait()
        self._arrived.clear()

    def look(self) -> None:
        """See :class:`~agent.store.arrivals.Arrivals`."""
        self._arrived.set()

    async def listen(self) -> None:
        """See :class:`~agent.store.arrivals.Arrivals`; connects again whenever that is lost."""
        while True:
            try:
                await self._listen()
            except (StoreError, *FAILURES) as error:
                if not self._again:
                    why = without_secrets(reason(error), self._address)
                    log.warning("orders of other processes are not heard", error=why)
                self._again = longer(self._again, first=AGAIN_FIRST, longest=AGAIN_LONGEST)
            await asyncio.sleep(self._again)

    async def _listen(self) -> None:
        """Listen until the connection is lost.

        Raises:
            StoreError: When it is.
            Exception: One of :data:`~agent.store.postgresql.FAILURES`.
        """
        lost = asyncio.Event()
        connection = await connect(self._dsn, ANSWERS_WITHIN)
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
