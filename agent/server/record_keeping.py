"""What keeps the records of the calls of a process: built of the settings, and run beside calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from agent.records.access_log import AccessLog, holder_of
from agent.records.call_records import CallRecords
from agent.records.due_summaries import DueSummaries
from agent.records.erasing import Erasing
from agent.records.events import CallRecord
from agent.records.interrupted import InterruptedRecords
from agent.records.journals.loader import RecordLoader
from agent.records.journals.record_files import JOURNALS
from agent.records.journals.spool import Spool
from agent.records.journals.writer import RecordWriter
from agent.records.private_lines import PrivateLines
from agent.records.recordings.finishing import AT_ONCE, RecordingFinisher
from agent.records.recordings.kept import Recordings
from agent.records.recordings.recording_files import RecordingWriter
from agent.records.retention import Retention
from agent.records.sealing import seal_of
from agent.records.seals import Seal
from agent.records.stored_records import StoredRecords
from agent.records.summaries import Summaries, SummaryModel
from agent.records.webhooks.delivery import Webhooks
from agent.records.webhooks.endpoints import endpoints
from agent.records.webhooks.outbox import Outbox
from agent.records.webhooks.source import MessageSource
from agent.server.erasure import RecordErasure
from agent.settings import Settings
from agent.settings.privacy import PrivacySettings
from agent.store.engine import Database
from agent.store.store import Store
from pipelines.background import BackgroundTasks


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseRecords:
    """What there is of records only with a database."""

    records: CallRecords
    """What is in it."""

    loader: RecordLoader
    """Takes journals there."""

    interrupted: InterruptedRecords
    """Closes the records of calls whose process has died."""

    webhooks: Webhooks
    """Tells the user's systems of what came there."""

    erasing: Erasing
    """Erases what is there."""

    retention: Retention
    erasure: RecordErasure | None
    """Erases for the operator's interface; None without its token."""

    access: AccessLog
    """Notes who looks by that interface, or by the console."""

    summaries: Summaries | None
    """None if nobody writes them."""

    def run_in(self, background: BackgroundTasks) -> None:
        """Start what runs beside the calls."""
        background.keep_running(self.loader.run, "storing records")
        background.keep_running(self.retention.keep, "erasing what was kept long enough")
        self.webhooks.run_in(background)
        if self.summaries is not None:
            background.keep_running(self.summaries.run, "writing summaries")


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
        privacy, recording = settings.privacy, settings.recording
        seal = seal_of(privacy)
        self.recordings = Recordings(recording.folder, seal, recording.store)
        """Those that were made, wherever they are."""

        self.recording_writer = RecordingWriter(
            recording.folder,
            seal,
            limit_mb=recording.limit_mb,
            min_free_mb=recording.min_free_mb,
            silenced=bool(privacy.silence_recording and privacy.redact),
        )
        """Takes those that are being made."""

        self._finisher = RecordingFinisher(
            self.recordings,
            recording.format,
            self.recording_writer.counts,
            self._recorded,
            kept=self._kept,
        )
        self.recording_writer.closed = self._finisher.look
        self.spool = _spool(settings, stored=store is not None)
        """What is written here, and not in the database yet."""

        self.database: DatabaseRecords | None = None
        if store is not None:
            self.database = _in_database(
                settings,
                store.database,
                seal,
                self.spool,
                self.recordings,
                writes,
                self._write_late,
            )
        self.writer = RecordWriter(
            self.spool,
            seal=seal,
            privacy=partial(_private_lines, privacy, self.recording_writer),
            over=self.recording_writer.settle,
        )
        """Takes the lines of calls."""

    def run_in(self, background: BackgroundTasks) -> None:
        """Start what runs beside the calls."""
        background.keep_running(self.writer.keep, "syncing records")
        background.keep_running(self._finisher.run, "finishing recordings")
        if self.database is not None:
            self.database.run_in(background)

    def leave_recordings(self) -> None:
        """Leave those that are not finished to the next process: this one ends at once."""
        self._finisher.left_within = AT_ONCE

    async def aclose(self) -> None:
        """Write what is left, and store it."""
        await self.recording_writer.aclose()
        await self._finisher.aclose()
        await self.writer.aclose()
        if self.database is not None:
            await self.database.loader.aclose()

    def _recorded(self, record: str, fields: Mapping[str, object]) -> None:
        """Put on the record of a call what became of its recording."""
        self.writer.add_later("recording", "", fields, record=record)

    async def _kept(self) -> None:
        await self.writer.written()

    def _write_late(self, record: CallRecord, kind: str, fields: Mapping[str, Any]) -> None:
        call_id = str(record.data.get("call_id", ""))
        self.writer.add_later(kind, call_id, fields, record=record.id)


def _private_lines(
    settings: PrivacySettings, recordings: RecordingWriter, record: str
) -> PrivateLines:
    wanted = settings.silence_recording and record
    silence = partial(recordings.silence, record) if wanted else None
    return PrivateLines(settings.redact, silence)


def _spool(settings: Settings, *, stored: bool) -> Spool:
    if not stored:
        return Spool(settings.transcripts)
    return Spool(settings.transcripts / JOURNALS, settings.records.spool_limit)


def _in_database(
    settings: Settings,
    database: Database,
    seal: Seal,
    spool: Spool,
    recordings: Recordings,
    writes: SummaryModel | None,
    write_late: Callable[[CallRecord, str, Mapping[str, Any]], None],
) -> DatabaseRecords:
    folder, token = settings.transcripts, settings.operator.token
    records = CallRecords(database, seal)
    webhooks = _webhooks(settings, database, seal)
    erasing = Erasing(database, seal, folder, recordings.delete_of)
    holder = holder_of(token.get_secret_value()) if token is not None else ""
    access = AccessLog(database, holder or "console")
    stored = StoredRecords(database, seal, webhooks.outbox)
    return DatabaseRecords(
        records=records,
        loader=RecordLoader(
            spool,
            stored,
            seal,
            keep=folder if settings.records.keep_files else None,
            transcripts=folder,
        ),
        interrupted=InterruptedRecords(database, stored),
        webhooks=webhooks,
        erasing=erasing,
        retention=Retention(settings.privacy, database, seal, folder, erasing),
        erasure=RecordErasure(erasing, access) if holder else None,
        access=access,
        summaries=Summaries(DueSummaries(database, records), records, writes, write_late)
        if writes is not None
        else None,
    )


def _webhooks(settings: Settings, database: Database, seal: Seal) -> Webhooks:
    wanted = endpoints(settings.webhooks)
    outbox = Outbox(database, {name: one.events for name, one in wanted.items()})
    return Webhooks(wanted.values(), outbox, MessageSource(database, seal))
