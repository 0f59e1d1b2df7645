"""What keeps the records of the calls of a process: built of the settings, and run beside calls."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.records.access_log import AccessLog, holder_of
from agent.records.call_records import CallRecords
from agent.records.due_summaries import DueSummaries
from agent.records.erasing import Erasing
from agent.records.events import CallRecord
from agent.records.finishing import RecordingFinisher
from agent.records.loader import RecordLoader
from agent.records.private_lines import PrivateLines
from agent.records.record_files import JOURNALS
from agent.records.recording_files import RecordingWriter
from agent.records.recordings import Recordings
from agent.records.retention import Retention
from agent.records.sealing import seal_of
from agent.records.seals import Seal
from agent.records.spool import Spool
from agent.records.stored_records import StoredRecords
from agent.records.summaries import Summaries, SummaryModel
from agent.records.webhooks.delivery import Webhooks
from agent.records.webhooks.endpoints import endpoints
from agent.records.webhooks.outbox import Outbox
from agent.records.webhooks.source import MessageSource
from agent.records.writer import RecordWriter
from agent.server.erasure import RecordErasure
from agent.settings import Settings
from agent.store.engine import Database
from agent.store.store import Store
from pipelines.background import BackgroundTasks


class RecordKeeping:
    """The parts that keep records, each with the settings that it takes. Close it in the end.

    Args:
        settings: The whole tree.
        store: The database, open; None if there is none, and records stay in their journals.
        writes: Who writes summaries of calls; None for nobody.

    Raises:
        ValueError: If a secret of a webhook is none; a check has told so before.
    """

    def __init__(
        self, settings: Settings, store: Store | None, writes: SummaryModel | None = None
    ) -> None:
        privacy = settings.privacy
        seal = seal_of(privacy)
        folder: Path = settings.transcripts
        self.spool = Spool(folder)
        """What is written here, and not in the database yet."""

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

        self.webhooks = _webhooks(settings, store.database, seal) if store is not None else None
        """Tells the user's systems of it."""

        outbox = self.webhooks.outbox if self.webhooks is not None else None
        self.stored = StoredRecords(store.database, seal, outbox) if store is not None else None
        """Takes it there."""

        self._loader: RecordLoader | None = None
        if self.stored is not None:
            self.spool = Spool(folder / JOURNALS, settings.records.spool_limit)
            keep = folder if settings.records.keep_files else None
            self._loader = RecordLoader(
                self.spool, self.stored, seal, keep=keep, transcripts=folder
            )
        self.writer = RecordWriter(
            self.spool, seal=seal, privacy=lambda: PrivateLines(privacy.redact)
        )
        """Takes the lines of calls."""

        self.erasing = (
            Erasing(store.database, seal, folder, self.recordings.delete_of)
            if store is not None
            else None
        )
        """Erases what is there; None without a database."""

        token = settings.operator.token
        self.erasure = (
            RecordErasure(
                self.erasing,
                AccessLog(store.database, holder_of(token.get_secret_value())),
            )
            if store is not None and self.erasing is not None and token is not None
            else None
        )
        """The same for the operator's interface; None without its token, or a database."""

        self._retention = (
            Retention(privacy, store.database, seal, settings.transcripts, self.erasing)
            if store is not None and self.erasing is not None
            else None
        )

        self._summaries: Summaries | None = None
        if store is not None and self.records is not None and writes is not None:
            due = DueSummaries(store.database, self.records)
            self._summaries = Summaries(due, self.records, writes, self._write_late)

    def run_in(self, background: BackgroundTasks) -> None:
        """Start what runs beside the calls."""
        background.keep_running(self.writer.keep, "syncing records")
        if self._loader is not None:
            background.keep_running(self._loader.run, "storing records")
        background.keep_running(self._finisher.run, "finishing recordings")
        if self._retention is not None:
            background.keep_running(self._retention.keep, "erasing what was kept long enough")
        if self.webhooks is not None:
            self.webhooks.run_in(background)
        if self._summaries is not None:
            background.keep_running(self._summaries.run, "writing summaries")

    def _write_late(self, record: CallRecord, kind: str, fields: Mapping[str, Any]) -> None:
        call_id = str(record.data.get("call_id", ""))
        self.writer.add_later(kind, call_id, fields, record=record.id)

    async def aclose(self) -> None:
        """Write what is left, and store it."""
        await self.recording_writer.aclose()
        await self._finisher.aclose()
        await self.writer.aclose()
        if self._loader is not None:
            await self._loader.aclose()

    def _recorded(self, record: str, fields: Mapping[str, object]) -> None:
        """Put on the record of a call what became of its recording."""
        self.writer.add_later("recording", "", fields, record=record)


def _webhooks(settings: Settings, database: Database, seal: Seal) -> Webhooks:
    wanted = endpoints(settings.webhooks)
    outbox = Outbox(database, {name: one.events for name, one in wanted.items()})
    return Webhooks(wanted.values(), outbox, MessageSource(database, seal))
