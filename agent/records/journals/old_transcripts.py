"""Transcripts of the version before, which kept them as files alone: taken into the database.

Their calls have no id of ours in the first line; they are given one by the name of the file, always
the same, so that a file may be read any number of times.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import structlog

from agent.private_files import make_private_folder
from agent.records.events import JournalLine
from agent.records.journals import locks
from agent.records.journals.journal_names import OLD_NAME, STAMP, file_name
from agent.records.journals.journal_reader import (
    READ_ONLY,
    JournalPlace,
    beginning,
    interrupted,
    opened,
    read_piece,
)
from agent.records.journals.lines import LONGEST, read
from agent.records.seals import NoSeal, Seal, SealError

log = structlog.get_logger()

AS_OLD_AS = timedelta(hours=25)
"""What began before is let be: a call takes four hours at the most."""

AT_ONCE = 200
"""Lines that are stored in one transaction."""


class StillWrittenError(Exception):
    """A transcript is being written by a process that lives."""


def adopt(transcripts: Path, journals: Path, now: datetime) -> int:
    """Make journals of the transcripts that processes of the version before died over.

    Returns:
        How many these were.
    """
    since = f"{(now.astimezone(UTC) - AS_OLD_AS):{STAMP}}"
    adopted = 0
    try:
        names = sorted(entry.name for entry in os.scandir(transcripts) if entry.is_file())
    except OSError:  # the loader tells what is wrong with it
        return 0
    for name in names:
        found = OLD_NAME.fullmatch(name)
        if found is None or found["stamp"] < since:
            continue
        path = transcripts / name
        try:
            if _is_left(path):
                make_private_folder(journals)
                path.rename(journals / file_name(beginning(name, old=True).journal, found["call"]))
                adopted += 1
        except (OSError, SealError) as error:
            why = getattr(error, "strerror", None) or str(error)
            log.warning("a record cannot be closed", path=str(path), error=why)
    return adopted


def lines_of(path: Path, seal: Seal) -> Iterator[tuple[list[JournalLine], JournalPlace]]:
    """Yield the lines of a transcript, some at a time, with the place behind them.

    Nothing is written to it: one that nobody has closed counts as interrupted.

    Raises:
        OSError: If it cannot be read.
        SealError: If there is no key for it.
        StillWrittenError: If its process lives.
    """
    with _lockable(path) as file:
        if not locks.hold(file):
            raise StillWrittenError
        place = beginning(path.name, old=not _has_id(file.readline(LONGEST)))
        while True:
            piece = read_piece(file, place, seal, most=AT_ONCE, whole=True)
            lines, place = piece.lines, piece.then
            if piece.at_end and place.to_end:
                lines = [*lines, interrupted(place)]
            yield lines, place
            if piece.at_end:
                return


def _lockable(path: Path) -> BinaryIO:
    """Open a transcript so that it can be locked on NFS, too: to be written, if that is allowed."""
    try:
        return opened(path)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        return opened(path, READ_ONLY)


def _is_left(path: Path) -> bool:
    """Return whether a transcript of the version before is closed by nobody."""
    with _lockable(path) as file:
        first = file.readline(LONGEST)
        if not first or _has_id(first) or not locks.hold(file):
            return False
        place, piece = beginning(path.name, old=True), None
        while piece is None or not piece.at_end:
            piece = read_piece(file, place, NoSeal(), most=AT_ONCE, whole=True)
            place = piece.then
        return place.to_end


def _has_id(line: bytes) -> bool:
    """Return whether a first line is of this version."""
    try:
        found = read(NoSeal(), line)
    except SealError:  # the version before hid nothing
        return True
    return found is not None and "id" in found[2]
