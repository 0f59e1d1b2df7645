"""What is left of processes that have died: phones are hung up. Records: the loader's."""

from __future__ import annotations

import asyncio

import structlog

from agent.sinch.call_control import CallControl
from agent.sinch.contracts import CallControlError
from agent.sinch.processes import OtherProcesses
from agent.store.errors import StoreError
from agent.store.live_calls import OrphanCall
from pipelines.clock import now

log = structlog.get_logger()

LOOK_EVERY = 2.0
"""Seconds between two looks."""

STREAM_WITHIN = 20.0
"""Seconds for the stream of an announced call to come to another process."""

TRIES = 5
"""Times that the platform is asked to hang up a phone."""


class Orphans:
    """Sees to what processes leave behind when they die: those before us, and those beside us.

    Args:
        processes: The others.
        call_control: Hangs up phones; None without an account.
    """

    def __init__(self, processes: OtherProcesses, call_control: CallControl | None) -> None:
        self._processes = processes
        self._call_control = call_control
        self._left: list[tuple[OrphanCall, float, int]] = []
        """Calls, when each is due, and how often it was tried."""

    async def watch(self) -> None:
        """Look now and then, until this is cancelled."""
        while True:
            try:
                await self.look()
            except StoreError:  # the database has logged it
                log.debug("nobody can look for processes that died")
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """See to those who have died since the last look, and to what is still left.

        Raises:
            StoreError: If the database fails; the rest is done at the next look.
        """
        if dead := await self._processes.died():
            log.warning("processes died", processes=len(dead))
        for process, at in dead.items():
            for call in await self._processes.inherit(process, at):
                due = now() if call.held else now() + max(0.0, STREAM_WITHIN - call.age)
                self._left.append((call, due, 0))
        waiting, self._left = self._left, []
        while waiting:
            call, due, tries = waiting.pop(0)
            if due > now():
                self._left.append((call, due, tries))
                continue
            try:
                if not await self._let_go(call) and tries + 1 < TRIES:
                    self._left.append((call, due, tries + 1))
                    continue
                await self._processes.settled(call.name)
            except StoreError:
                self._left += [(call, due, tries), *waiting]
                raise

    async def _let_go(self, call: OrphanCall) -> bool:
        """Return whether nobody hangs on any more because of a call."""
        if self._call_control is None:
            return True
        try:
            await self._call_control.let_go(call.name)
        except CallControlError:  # logged where it was raised
            return False
        return True
