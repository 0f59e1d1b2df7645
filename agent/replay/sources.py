"""Where recorded calls come from: the database, or a folder of recordings."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from agent.records.call_records import CallRecords, RecordFilter, SeveralRecordsError
from agent.records.events import CallRecord, RecordedEvent
from agent.records.recordings import stereo
from agent.records.recordings.buckets import BucketError
from agent.records.recordings.kept import NOT_RECORDED, NoRecordingError, Recordings, recording_of
from agent.records.recordings.stereo import NoAudioError, StereoAudio
from agent.records.seals import SealError
from agent.records.values import moment
from agent.replay.recorded_call import NotReplayedError, RecordedCall, recorded_call
from agent.settings import SettingsError

SUFFIXES = (".flac", ".opus", ".ogg", ".wav")
"""Of recordings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSource:
    """A call that may be replayed."""

    name: str
    load: Callable[[], RecordedCall]
    """Reads it from the disk; raises :class:`NotReplayedError`."""

    record: str = ""
    """Id of its record in the database."""


async def by_ids(
    records: CallRecords, names: Sequence[str], recordings: Recordings
) -> list[RecordedSource]:
    """Return the calls of ``names``, ids of ours or the platform's, in that order.

    Args:
        records: The database.
        names: Of calls, or the beginning of an id.
        recordings: Has theirs.

    Raises:
        StoreError: If the database fails.
        SealError: If there is no key for what it holds.
    """
    found: list[RecordedSource] = []
    for name in dict.fromkeys(names):
        try:
            record = await records.one(name)
        except SeveralRecordsError as error:
            found.append(_failing(name, str(error)))
            continue
        if record is None:
            found.append(_failing(name, "no such call"))
        else:
            found.append(await _of_record(records, record, recordings))
    return found


async def by_filter(
    records: CallRecords, wanted: RecordFilter, limit: int, recordings: Recordings
) -> list[RecordedSource]:
    """Return the latest calls that are wanted, the latest first.

    Raises:
        StoreError: If the database fails.
        SealError: If there is no key for what it holds.
    """
    found = await records.find(wanted, limit=limit)
    return [await _of_record(records, record, recordings) for record in found]


def _failing(name: str, why: str) -> RecordedSource:
    def load() -> RecordedCall:
        raise NotReplayedError(why)

    return RecordedSource(name=name, load=load)


async def _of_record(
    records: CallRecords, record: CallRecord, recordings: Recordings
) -> RecordedSource:
    try:
        events = await records.events(record)
    except SealError as error:
        return _failing(record.id, f"its record cannot be shown: {error}")
    load = partial(_load_record, record, events, recordings)
    return RecordedSource(name=record.id, load=load, record=record.id)


def _load_record(
    record: CallRecord, events: Sequence[RecordedEvent], recordings: Recordings
) -> RecordedCall:
    if record.outcome == "in progress":
        raise NotReplayedError("it is still in progress")
    file, _ = recording_of(record.data, events)
    if not file:
        raise NotReplayedError(NOT_RECORDED)
    return recorded_call(
        record.id,
        _sound(file, recordings.sound),
        _without_call(events),
        record.data,
        started=moment(record.started) or datetime.fromtimestamp(0, UTC),
        hear=f"voice-agent calls play {record.id}",
    )


def _sound(file: str, read: Callable[[str], StereoAudio]) -> StereoAudio:
    try:
        return read(file)
    except OSError as error:
        raise NotReplayedError(f"its recording {file} cannot be read: {error.strerror}") from None
    except (NoRecordingError, NoAudioError, BucketError, SealError, SettingsError) as error:
        raise NotReplayedError(f"its recording {file}: {error}") from None


def _without_call(events: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    return [one for one in events if one.kind != "call"]


def in_folder(folder: Path) -> list[RecordedSource]:
    """Return the recordings of a folder, by name. ``NAME.jsonl`` beside one is its record.

    Raises:
        OSError: If the folder cannot be read.
    """
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    return [RecordedSource(name=path.name, load=partial(_load_file, path)) for path in paths]


def _load_file(path: Path) -> RecordedCall:
    lines, unreadable = _journal(path.with_suffix(".jsonl"))
    first = lines[0] if lines and lines[0].get("kind") == "call" else {}
    events = [
        RecordedEvent(id=n, kind=str(one["kind"]), at=_seconds(one.get("at")), fields=_fields(one))
        for n, one in enumerate(lines)
        if one["kind"] != "call"
    ]
    try:
        started = datetime.fromisoformat(str(first.get("started", "")))
    except ValueError:
        try:
            started = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except OSError as error:
            raise NotReplayedError(f"{path}: {error.strerror}") from None
    if started.tzinfo is None:
        started = started.replace(tzinfo=UTC)
    sound = _sound(str(path), lambda file: stereo.read(Path(file)))
    call = recorded_call(path.name, sound, events, first, started=started, hear=str(path))
    note = [f"{unreadable} lines of its record cannot be read"] if unreadable else []
    return replace(call, notes=[*call.notes, *note])


def _journal(path: Path) -> tuple[list[Mapping[str, Any]], int]:
    """Return the lines of a record, and how many are none; nothing if there is no record."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise NotReplayedError(f"its record {path} cannot be read: {error.strerror}") from None
    read = list(map(_line, text.splitlines()))
    return [one for one in read if one is not None], sum(one is None for one in read)


def _line(text: str) -> Mapping[str, Any] | None:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) and "kind" in read else None


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _fields(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name not in ("kind", "at")}
