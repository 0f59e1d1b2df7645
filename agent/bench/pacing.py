"""One clock for all calls: which of them send now, and how late that was."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Iterator

from agent.bench.line import CallLine
from pipelines.audio import FRAME_SECONDS

SLOTS = 10
"""Calls do not all send at the same moment, as callers on a network do not: a tenth of them every
2 ms."""

TICK = FRAME_SECONDS / SLOTS


class CallPacer:
    """Sends for all calls. :meth:`run` is a task of its own."""

    def __init__(self) -> None:
        self._slots: list[list[CallLine]] = [[] for _ in range(SLOTS)]
        self._next = 0
        self.woken = array("d")
        """Seconds that each tick began late: the lag of the generator's event loop."""

        self.sent = array("d")
        """Seconds that the last frame of each tick left late."""

    def add(self, line: CallLine) -> None:
        """Have a call sent for, from now on."""
        self._slots[self._next % SLOTS].append(line)
        self._next += 1

    def clear(self) -> None:
        """Send for nobody."""
        for slot in self._slots:
            slot.clear()

    def __iter__(self) -> Iterator[CallLine]:
        """Iterate over the calls."""
        return (line for slot in self._slots for line in slot)

    def begin_measuring(self) -> None:
        """Forget how late it was so far."""
        self.woken, self.sent = array("d"), array("d")

    async def run(self) -> None:
        """Send until this is cancelled; what is late is caught up with at once."""
        clock = time.perf_counter
        due, tick = clock(), 0
        while True:
            wait = due - clock()
            if wait > 0:
                await asyncio.sleep(wait)
            elif tick % SLOTS == 0:
                await asyncio.sleep(0)  # what came meanwhile is taken first
            at = clock()
            self.woken.append(max(0.0, at - due))
            slot = self._slots[tick % SLOTS]
            for line in slot:
                line.tick(at)
            if slot:
                self.sent.append(max(0.0, clock() - due))
            tick += 1
            due += TICK
