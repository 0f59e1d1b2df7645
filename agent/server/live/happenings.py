"""What is told of calls in progress, and those who are told: they are never waited for.

Who watches the list has a set of the calls that have changed. Who follows a call has a queue that
drops its oldest, and reads what is missing from the record.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from agent.store.live_calls import HOST

MOST_QUEUED = 500
"""Lines that wait for whoever follows a call: minutes of it. More of them, and the oldest are
dropped; they stand in the record."""

Floor = Literal["caller", "agent", "nobody"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What does not change of a call in progress."""

    name: str
    """Ours, as in orders."""

    agent: str
    record: str = ""
    """Id of its record; ``""`` if it is not known yet."""

    direction: str = ""
    caller: str = ""
    called: str = ""
    started: float = 0.0
    """Unix time of the answer."""

    host: str = HOST
    pid: int = os.getpid()
    """Of the process that holds it."""


@dataclass(frozen=True, slots=True)
class LastWords:
    """What was said last."""

    who: Literal["caller", "agent"]
    text: str


@dataclass(frozen=True, slots=True)
class LiveLine:
    """A line of the record of a call, as it was written."""

    number: int | None
    """Its place in the journal, from 0; None if it is missing there."""

    kind: str
    fields: Mapping[str, Any]
    """Of :mod:`agent.records.events`, ``at`` among them."""


@dataclass(frozen=True, slots=True)
class FloorChange:
    """Somebody else has the floor now."""

    floor: Floor
    at: float
    """Seconds on the call's clock."""


@dataclass(frozen=True, slots=True)
class CallOver:
    """The call is over, and its record closed."""


Happening = LiveLine | FloorChange | CallOver


class Follower:
    """Somebody who follows one call."""

    def __init__(self) -> None:
        self._waiting: deque[Happening] = deque(maxlen=MOST_QUEUED)
        self._came = asyncio.Event()

    def tell(self, *what: Happening) -> None:
        """Take what happens. Returns at once; of too much, the oldest is dropped."""
        self._waiting.extend(what)
        self._came.set()

    def take(self) -> list[Happening]:
        """Return what has happened since the last time."""
        taken = [*self._waiting]
        self._waiting.clear()
        self._came.clear()
        return taken

    async def wait(self) -> None:
        """Return once there is something to :meth:`take`. Cancelling is safe."""
        await self._came.wait()


class ListWatch:
    """Somebody who looks at the list of calls."""

    def __init__(self) -> None:
        self._changed: dict[str, None] = {}
        self._came = asyncio.Event()

    def tell(self, *names: str) -> None:
        """Note that calls have begun, changed or ended. Returns at once."""
        self._changed.update(dict.fromkeys(names))
        self._came.set()

    def take(self) -> list[str]:
        """Return the names of the calls that have changed since the last time."""
        taken = [*self._changed]
        self._changed.clear()
        self._came.clear()
        return taken

    async def wait(self) -> None:
        """Return once there is something to :meth:`take`. Cancelling is safe."""
        await self._came.wait()
