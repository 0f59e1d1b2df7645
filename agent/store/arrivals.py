"""When to look for orders: PostgreSQL tells us, an SQLite file is looked at again and again."""

from __future__ import annotations

import asyncio
from typing import Protocol

LOOK_EVERY = 0.2
"""Seconds between two looks at an SQLite file."""

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
