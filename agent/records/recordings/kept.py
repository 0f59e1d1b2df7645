"""Recordings that were made, wherever they are: read, deleted, silenced. Use a thread.

What a record calls ``file`` is the name of a recording, or the address to which it was moved. The
file may be in the folder as that, or hidden (:data:`~agent.records.recordings.encoding.SEALED`
behind it), or not finished yet (:data:`~agent.records.recordings.audio_log.ENDING`); or in a
bucket.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from tempfile import TemporaryDirectory, gettempdir
from typing import IO, Any

from agent.records.events import CallRecord, RecordedEvent
from agent.records.journals.journal_reader import READ_ONLY, opened
from agent.records.recordings import stereo
from agent.records.recordings.audio_log import ENDING
from agent.records.recordings.buckets import URL, Bucket
from agent.records.recordings.encoding import SEALED, TEMPORARY, silence, spooled, write_file
from agent.records.recordings.stereo import StereoAudio
from agent.records.seals import Seal

CONTENT_TYPES = {".flac": "audio/flac", ".opus": "audio/ogg"}

NOT_RECORDED = "the call was not recorded (what records calls: `record: true` in the agent's file)"
"""What commands say of a call that has no recording."""

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}\.(?:flac|opus)")

_BLOCK = 65_536


class NoRecordingError(Exception):
    """There is no such recording here; the message says why, if that is known."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a recording is."""

    name: str
    """Of the file or the object."""

    size: int
    """Bytes stored; of a hidden one, more than there are in it."""

    path: Path | None = None
    bucket: Bucket | None = None

    @property
    def sealed(self) -> bool:
        """Whether it is hidden."""
        return self.name.endswith(SEALED)

    @property
    def content_type(self) -> str:
        """What it is, once it is shown."""
        return CONTENT_TYPES[Path(self.name.removesuffix(SEALED)).suffix]

    @property
    def stored_type(self) -> str:
        """What is stored: nothing that can be played, if it is hidden."""
        return "application/octet-stream" if self.sealed else self.content_type

    def bytes(self, start: int, end: int) -> Iterator[bytes]:
        """Yield what is stored, from ``start`` up to ``end``.

        Raises:
            OSError: If it cannot be read.
            BucketError: As well.
        """
        if self.bucket is not None:
            yield from self.bucket.read(self.name, start, end)
        elif self.path is not None:
            with opened(self.path, READ_ONLY) as file:
                file.seek(start)
                left = end - start
                while left > 0 and (block := file.read(min(_BLOCK, left))):
                    left -= len(block)
                    yield block


def recording_of(
    data: Mapping[str, Any], events: Sequence[RecordedEvent] = ()
) -> tuple[str, float]:
    """Return what a record calls the recording of its call, and where that begins.

    Args:
        data: Of the record.
        events: Of the record; they have what ``data`` has not yet.

    Returns:
        The file, ``""`` if the call has none, and seconds since the answer.
    """
    known = data.get("recording")
    lines: list[Mapping[str, Any]] = [known] if isinstance(known, dict) else []
    lines += [event.fields for event in reversed(events) if event.kind == "recording"]
    file = next((line["file"] for line in lines if isinstance(line.get("file"), str)), "")
    began = next((line["began"] for line in lines if isinstance(line.get("began"), int | float)), 0)
    return file, float(began)


class Recordings:
    """The recordings that there are.

    Args:
        folder: Where they are unless they were moved.
        seal: Shows what is hidden.
        store: Address of the bucket that they are moved to; ``""`` if they stay.

    Raises:
        SettingsError: If the bucket cannot be used as configured.
    """

    def __init__(self, folder: Path, seal: Seal, store: str = "") -> None:
        self.folder = folder
        self.seal = seal
        self.bucket = Bucket(store) if store else None

    def find(self, file: str) -> Place:
        """Return where a recording is: here, or else in the bucket.

        Raises:
            NoRecordingError: If it is nowhere, or not finished yet.
            BucketError: If the bucket does not tell.
        """
        name, bucket = self._asked(file)
        for stored in (name, name + SEALED):
            try:
                path = self.folder / stored
                status = path.lstat()
            except FileNotFoundError:
                continue
            if not S_ISREG(status.st_mode):  # a link leads anywhere, a pipe never ends
                raise NoRecordingError("what lies there is no file")
            return Place(stored, status.st_size, path=path)
        if bucket is not None:
            for stored in (name, name + SEALED):
                if (size := bucket.size(stored)) is not None:
                    return Place(stored, size, bucket=bucket)
        if (self.folder / (name + ENDING)).exists():
            raise NoRecordingError("it is not finished yet")
        raise NoRecordingError("it is not here: deleted, or on the disk of another machine")

    def read(self, place: Place, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield a recording as it can be played, piece by piece.

        Args:
            place: As :meth:`find` has it.
            start: First byte that is wanted; of a hidden one, only 0 can be.
            end: The byte behind the last; None is all.

        Raises:
            OSError: If it cannot be read.
            BucketError: As well.
            SealError: If there is no key for it, or it was changed.
        """
        stored = place.bytes(start, place.size if end is None else end)
        yield from self.seal.show_bytes(stored) if place.sealed else stored

    @contextmanager
    def playable(self, place: Place) -> Iterator[IO[bytes]]:
        """Open a recording as it can be played, to be sought in; in bounded memory.

        Raises:
            OSError: If it cannot be read.
            BucketError: As well.
            SealError: If there is no key for it, or it was changed.
        """
        if place.path is not None and not place.sealed:
            with opened(place.path, READ_ONLY) as file:
                yield file
            return
        with spooled(self.read(place), Path(gettempdir())) as plain:
            yield plain

    def sound(self, file: str, began: float = 0.0) -> StereoAudio:
        """Return a recording as its samples, wherever it is, hidden or not.

        Args:
            file: As a record has it.
            began: As the record has it.

        Raises:
            NoRecordingError: If it is nowhere, or not finished yet.
            NoAudioError: If it is damaged.
            OSError: If it cannot be read.
            BucketError: As well.
            SealError: If there is no key for it, or it was changed.
        """
        with self.playable(self.find(file)) as plain:
            return stereo.read(plain, began)

    def delete(self, file: str) -> None:
        """Delete a recording wherever it is, in whatever form; none is no mistake.

        One of a call in progress is recorded on, into nothing.

        Raises:
            OSError: If it cannot be deleted, and is still there.
            BucketError: As well.
        """
        name, bucket = self._asked(file)
        for ending in ("", SEALED):
            for unfinished in ("", TEMPORARY):
                (self.folder / (name + ending + unfinished)).unlink(missing_ok=True)
        (self.folder / (name + ENDING)).unlink(missing_ok=True)
        if bucket is not None:
            bucket.delete((name, name + SEALED))

    async def delete_of(self, record: CallRecord) -> int:
        """Delete the recording of a call, in a thread; return how many there were.

        Raises:
            OSError: If it cannot be deleted, and is still there.
            BucketError: As well.
        """
        file, _ = recording_of(record.data)
        if not file:
            return 0
        return await asyncio.to_thread(self._delete_counted, file)

    def _delete_counted(self, file: str) -> int:
        there = 1
        try:
            self.find(file)
        except NoRecordingError:
            there = 0
        with suppress(NoRecordingError):  # none of ours: there is nothing to delete
            self.delete(file)  # also what is not finished
        return there

    def silence(self, file: str, spans: Sequence[tuple[float, float]]) -> None:
        """Silence spans of a recording, on both sides, where it is.

        Args:
            file: As a record has it.
            spans: Beginning and end of each, in seconds since the first sample of the recording:
                times on the call's clock, less ``began`` of the record.

        Raises:
            NoRecordingError: If it is nowhere, or not finished yet.
            OSError: If it cannot be read or written.
            BucketError: As well.
            SealError: If there is no key for it.
        """
        place = self.find(file)
        with (
            TemporaryDirectory(dir=self.folder, prefix="silencing-") as temporary,
            spooled(self.read(place), self.folder) as plain,
        ):
            to = (self.folder if place.bucket is None else Path(temporary)) / place.name
            write_file(to, self.seal, lambda target: silence(plain, target, to, spans))
            if place.bucket is not None:
                place.bucket.put(place.name, to, place.stored_type)

    def _asked(self, file: str) -> tuple[str, Bucket | None]:
        """Return the name of a recording, and the bucket that it may be in.

        Raises:
            NoRecordingError: If that is none of ours.
        """
        bucket, name = self.bucket, file
        if URL.fullmatch(file):
            url, _, name = file.rpartition("/")
            if self.bucket is None or self.bucket.url != url:
                bucket = Bucket(url)
        name = name.removesuffix(SEALED)
        if not _NAME.fullmatch(name):
            raise NoRecordingError("it has no name that a recording of ours has")
        return name, bucket
