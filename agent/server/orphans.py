"""What is left of processes that have died: phones are hung up, and records closed.

Phones that they had dialled onto a line ring on, but no longer than they may.

Records whose journals are still on a disk are the loader's, of whoever finds them there.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import structlog

from agent.records.interrupted import ClosesRecords
from agent.sinch.call_control import CallControl
from agent.sinch.legs.processes import OtherProcesses
from agent.sinch.refusals import CallControlError
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

RECORD_WITHIN = 20.0
"""Seconds for a process that is started again in the folder of a dead one to close its records by
their journals, which know more than the database. Then they are closed in the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Left:
    """A call of a dead process."""

    call: OrphanCall
    due: float
    tries: int = 0
    """How often the platform was asked to hang up."""

    alone: bool = False
    """Whether nobody hangs on any more: its record is what is left."""


class Orphans:
    """Sees to what processes leave behind when they die: those before us, and those beside us.

    Args:
        processes: The others.
        call_control: Hangs up phones; None without an account.
        records: Closes records; None if there are none in the database.
    """

    def __init__(
        self,
        processes: OtherProcesses,
        call_control: CallControl | None,
        records: ClosesRecords | None = None,
    ) -> None:
        self._processes = processes
        self._call_control = call_control
        self._records = records
        self._left: list[_Left] = []

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
                wait = 0.0 if call.held else (call.rings_for or STREAM_WITHIN) - call.age
                due = now() + max(0.0, wait)
                self._left.append(_Left(call=call, due=due))
        waiting, self._left = self._left, []
        while waiting:
            left = waiting.pop(0)
            if left.due > now():
                self._left.append(left)
                continue
            try:
                if (more := await self._see_to(left)) is not None:
                    self._left.append(more)
            except StoreError:
                self._left += [left, *waiting]
                raise

    async def _see_to(self, left: _Left) -> _Left | None:
        """Do what is due about a call; return what is still to be done."""
        call = left.call
        if left.alone and self._records is not None:
            await self._records.close(call.name)
            return None
        if not await self._let_go(call) and left.tries + 1 < TRIES:
            return replace(left, tries=left.tries + 1)
        await self._processes.settled(call.name)
        if not call.held or self._records is None:
            return None
        return replace(left, due=now() + RECORD_WITHIN, alone=True)

    async def _let_go(self, call: OrphanCall) -> bool:
        """Return whether nobody hangs on any more because of a call."""
        if self._call_control is None:
            return True
        try:
            await self._call_control.let_go(call.name)
        except CallControlError:  # logged where it was raised
            return False
        return True
