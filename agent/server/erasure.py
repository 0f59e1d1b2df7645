"""Records erased by whoever holds the operator's token."""

from __future__ import annotations

from dataclasses import asdict

import structlog

from agent.records.access_log import AccessLog
from agent.records.erasing import Erasing
from agent.sinch.refusals import NoSuchCallError
from agent.store.errors import StoreError

log = structlog.get_logger()


class RecordErasure:
    """Erases a record at a time.

    Args:
        erasing: Does it.
        access: Notes that it was done, not whose it was.
    """

    def __init__(self, erasing: Erasing, access: AccessLog) -> None:
        self._erasing = erasing
        self._access = access

    async def erase(self, name: str) -> dict[str, int]:
        """Erase a record, by its id or the platform's of the call; return how much that was.

        Raises:
            NoSuchCallError: If there is none.
            InProgressError: If the call is not over.
            StoreError: If the database fails.
            OSError: If a file cannot be deleted.
        """
        record = await self._erasing.get(name)
        if record is None:
            raise NoSuchCallError
        try:
            erased = await self._erasing.erase(record)
        finally:  # what was deleted before something failed is to be gone, too
            await self._finish()
        await self._access.note("erase", [""])
        return asdict(erased)

    async def _finish(self) -> None:
        try:
            if self._erasing.unfinished:
                await self._erasing.finish()
        except StoreError as error:  # the next sweep does it
            log.warning("what was erased is still in the log of the database", error=str(error))
