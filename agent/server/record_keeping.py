"""What keeps the records of the calls of a process: built of the settings, and run beside calls."""

from __future__ import annotations

from collections.abc import Mapping

from agent.records.call_records import CallRecords
from agent.records.finishing import RecordingFinisher
from agent.records.recording_files import RecordingWriter
from agent.records.recordings import Recordings
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
        recording = settings.recording
        self.recordings = Recordings(recording.folder, seal, recording.store)
        """Those that were made, wherever they are."""

        self.recording_writer = RecordingWriter(
            recording.folder,
            seal,
            limit_mb=recording.limit_mb,
            min_free_mb=recording.min_free_mb,
        )
        """Takes those that are being made."""

        self._finisher = RecordingFinisher(
            self.recordings, recording.format, self.recording_writer.counts, self._recorded
        )
        self.recording_writer.closed = self._finisher.look
        self.records = CallRecords(store.database, seal) if store is not None else None
        """What is in the database; None without one."""

        self.stored = StoredRecords(store.database, seal) if store is not None else None
        """Takes it there."""

    def run_in(self, background: BackgroundTasks) -> None:
        """Start what runs beside the calls."""
        background.keep_running(self._finisher.run, "finishing recordings")

    async def aclose(self) -> None:
        """Write what is left."""
        await self.recording_writer.aclose()
        await self._finisher.aclose()
        await self.writer.aclose()

    def _recorded(self, record: str, fields: Mapping[str, object]) -> None:
        """Put on the record of a call what became of its recording."""
        self.writer.add_later("recording", "", fields, record=record)
