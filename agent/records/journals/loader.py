"""Takes journals into the database, beside the calls: a little at a time, and all of it once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import structlog

from agent.records.events import JournalLine
from agent.records.journals.journal_folder import JournalFolder, Taken
from agent.records.journals.old_transcripts import adopt
from agent.records.journals.spool import Spool
from agent.records.seals import Seal, SealError
from agent.store.errors import StoreError
from pipelines.backoff import longer
from pipelines.clock import now

log = structlog.get_logger()

T = TypeVar("T")

LOAD_EVERY = 1.0
"""Seconds between two looks for new lines."""

FEWEST, MOST = 40, 200
"""Lines in one transaction, which costs as much as some fifty lines do."""

SHORT, LONG = 0.015, 0.05
"""Seconds of a transaction: of one that is shorter, the next may be larger; of one that is longer,
it has to be smaller. Call control waits behind it, which has 2 s for all that it does."""

OTHERS_HAVE = 2.0
"""Times as long as we have the database, and a core, others have it: calls go before a backlog."""

AGAIN_FIRST, AGAIN_LONGEST = 1.0, 10.0
"""Seconds until a database that fails is tried again."""

LAST_WITHIN = 2.0
"""Seconds for the last lines of a process to be stored; if they are not, the next process does."""


class Stores(Protocol):
    """Where lines are stored; what was stored before is let be."""

    async def add(self, lines: Sequence[JournalLine]) -> None:
        """Store lines of journals, those of each in their order.

        Raises:
            StoreError: If the database fails.
            SealError: If there is no key for what is there already.
        """
        ...


class RecordLoader:
    """Loads the journals of a folder, this process's and those of dead ones. Close it in the end.

    Args:
        spool: The folder; from now on it keeps the journals of this process for us.
        stored: Where they go.
        seal: Shows what was hidden in them.
        keep: Folder for journals that are stored; None if they are deleted.
        transcripts: Folder in which the version before has written; None if there is none.
    """

    def __init__(
        self,
        spool: Spool,
        stored: Stores,
        seal: Seal,
        *,
        keep: Path | None = None,
        transcripts: Path | None = None,
    ) -> None:
        spool.own = {}
        self._spool = spool
        self._stored = stored
        self._transcripts = transcripts
        self._folder = JournalFolder(spool, seal, keep)
        self._threads = ThreadPoolExecutor(1, "records loader")
        self._lines = FEWEST
        """In the next transaction."""

        self._pause = 0.0
        """Seconds since the database fails, twice as long each time; 0 while it does not."""

    async def run(self) -> None:
        """Load what comes, until this is cancelled, which is safe."""
        if self._transcripts is not None:
            before = partial(adopt, self._transcripts, self._spool.folder, datetime.now(UTC))
            await self._in_thread(before)
        while True:
            await self.load()
            await asyncio.sleep(self._pause or LOAD_EVERY)

    async def load(self) -> None:
        """Load all that there is, for now, or until the database fails."""
        batch = await self._in_thread(lambda: self._folder.take(self._lines))
        while batch:
            began = now()
            stored = await self._store(batch)
            await self._in_thread(lambda stored=stored: self._folder.settle(stored))  # type: ignore[misc]
            if not stored:
                break
            await asyncio.sleep(OTHERS_HAVE * (now() - began))
            batch = await self._in_thread(lambda: self._folder.take(self._lines))

    async def aclose(self) -> None:
        """Load what is left, once nobody writes any more, and end the thread."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WITHIN):
                await self.load()
        self._threads.submit(self._folder.close)
        self._threads.shutdown(wait=False)

    async def _store(self, batch: Sequence[Taken]) -> list[Taken]:
        """Return of what was taken that which is stored."""
        error = await self._add([line for taken in batch for line in taken.lines])
        if not error:
            self._works()
            return list(batch)
        stored: list[Taken] = []
        failed: list[Taken] = []
        for taken in batch if len(batch) > 1 else ():
            # One may have what the database does not take; the others are not to wait for it.
            why = await self._add(taken.lines)
            (failed if why else stored).append(taken)
            if len(failed) > 1 and not stored:
                break
        if not stored:
            self._spool.store_failing = error
            self._pause = longer(self._pause, first=AGAIN_FIRST, longest=AGAIN_LONGEST)
            await self._in_thread(lambda: self._folder.rotate(failed))
            return []
        await self._in_thread(lambda: self._folder.postpone(failed, error))
        self._works()
        return stored

    def _works(self) -> None:
        if self._spool.store_failing:
            log.info("records are stored again", journals=self._spool.waiting.journals)
        self._spool.store_failing, self._pause = "", 0.0

    async def _add(self, lines: Sequence[JournalLine]) -> str:
        """Store lines; return why that fails, or ``""``."""
        if not lines:
            return ""
        began, error = now(), ""
        try:
            await self._stored.add(lines)
        except (StoreError, SealError) as failed:
            error = str(failed) or type(failed).__name__
        took = now() - began
        self._spool.longest_store = max(self._spool.longest_store, took)
        if took > LONG or error:
            self._lines = max(FEWEST, self._lines // 2)
        elif took < SHORT:
            self._lines = min(MOST, self._lines * 2)
        return error

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
