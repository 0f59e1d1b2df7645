"""What keeps the records of the calls of a process: built of the settings, and run beside calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.records.call_records import CallRecords
from agent.records.due_summaries import DueSummaries
from agent.records.events import CallRecord
from agent.records.seals import NoSeal, Seal
from agent.records.stored_records import StoredRecords
from agent.records.summaries import Summaries, SummaryModel
from agent.records.writer import RecordWriter
from agent.settings import Settings
from agent.store.store import Store
from pipelines.background import BackgroundTasks


class RecordKeeping:
    """The parts that keep records, each with the settings that it takes. Close it in the end.

    Args:
        settings: The whole tree.
        store: The database, open; None if there is none, and records stay in their journals.
        writes: Who writes summaries of calls; None for nobody.
    """

    def __init__(
        self, settings: Settings, store: Store | None, writes: SummaryModel | None = None
    ) -> None:
        self.writer = RecordWriter(settings.transcripts)
        """Takes the lines of calls."""

        seal: Seal = NoSeal()
        self.records = CallRecords(store.database, seal) if store is not None else None
        """What is in the database; None without one."""

        self.stored = StoredRecords(store.database, seal) if store is not None else None
        """Takes it there."""

        self._summaries: Summaries | None = None
        if store is not None and self.records is not None and writes is not None:
            due = DueSummaries(store.database, self.records)
            self._summaries = Summaries(due, self.records, writes, self._write_late)

    def run_in(self, background: BackgroundTasks) -> None:
        """Start what runs beside the calls."""
        if self._summaries is not None:
            background.keep_running(self._summaries.run, "writing summaries")

    def _write_late(self, record: CallRecord, kind: str, fields: Mapping[str, Any]) -> None:
        call_id = str(record.data.get("call_id", ""))
        self.writer.add_later(kind, call_id, fields, record=record.id)

    async def aclose(self) -> None:
        """Write what is left."""
        await self.writer.aclose()
