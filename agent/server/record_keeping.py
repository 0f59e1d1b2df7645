"""What keeps the records of the calls of a process: built of the settings, and run beside calls."""

from __future__ import annotations

from pathlib import Path

from agent.records.call_records import CallRecords
from agent.records.loader import RecordLoader
from agent.records.seals import NoSeal, Seal
from agent.records.spool import Spool
from agent.records.stored_records import StoredRecords
from agent.records.writer import RecordWriter
from agent.settings import Settings
from agent.store.store import Store
from pipelines.background import BackgroundTasks

JOURNALS = "journals"
"""Folder of journals that are not in the database yet, in that of transcripts."""


class RecordKeeping:
    """The parts that keep records, each with the settings that it takes. Close it in the end.

    Args:
        settings: The whole tree.
        store: The database, open; None if there is none, and records stay in their journals.
    """

    def __init__(self, settings: Settings, store: Store | None) -> None:
        seal: Seal = NoSeal()
        folder: Path = settings.transcripts
        self.spool = Spool(folder)
        """What is written here, and not in the database yet."""

        self.records = CallRecords(store.database, seal) if store is not None else None
        """What is in the database; None without one."""

        self.stored = StoredRecords(store.database, seal) if store is not None else None
        """Takes it there."""

        self._loader: RecordLoader | None = None
        if self.stored is not None:
            self.spool = Spool(folder / JOURNALS, settings.records.spool_limit)
            keep = folder if settings.records.keep_files else None
            self._loader = RecordLoader(
                self.spool, self.stored, seal, keep=keep, transcripts=folder
            )
        self.writer = RecordWriter(self.spool, seal=seal)
        """Takes the lines of calls."""

    def run_in(self, background: BackgroundTasks) -> None:
        """Start what runs beside the calls."""
        background.keep_running(self.writer.keep, "syncing records")
        if self._loader is not None:
            background.keep_running(self._loader.run, "storing records")

    async def aclose(self) -> None:
        """Write what is left, and store it."""
        await self.writer.aclose()
        if self._loader is not None:
            await self._loader.aclose()
