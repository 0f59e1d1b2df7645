"""What keeps the records of the calls of a process: built of the settings, and run beside calls."""

from __future__ import annotations

from agent.records.call_records import CallRecords
from agent.records.seals import NoSeal, Seal
from agent.records.stored_records import StoredRecords
from agent.records.writer import RecordWriter
from agent.settings import Settings
from agent.store.store import Store
from pipelines.background import BackgroundTasks


class RecordKeeping:
    """The parts that keep records, each with the settings that it takes. Close it in the end.

    Args:
        settings: The whole tree.
        store: The database, open; None if there is none, and records stay in their journals.
    """

    def __init__(self, settings: Settings, store: Store | None) -> None:
        self.writer = RecordWriter(settings.transcripts)
        """Takes the lines of calls."""

        seal: Seal = NoSeal()
        self.records = CallRecords(store.database, seal) if store is not None else None
        """What is in the database; None without one."""

        self.stored = StoredRecords(store.database, seal) if store is not None else None
        """Takes it there."""

    def run_in(self, background: BackgroundTasks) -> None:
        """Start what runs beside the calls."""

    async def aclose(self) -> None:
        """Write what is left."""
        await self.writer.aclose()
