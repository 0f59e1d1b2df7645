"""The lines of journals, some at a time, as they are to be stored. Reads files: use a thread."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from agent.records.events import JournalLine
from agent.records.journals.journal_names import MADE, NAME, OLD_NAME, began, journal_of
from agent.records.journals.lines import LONGEST, read, written
from agent.records.seals import Seal

AT_ONCE = 256 * 1024
"""Bytes that are read of a journal at once, and a line."""

READ_ONLY = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)
READ_AND_ADD = READ_ONLY | os.O_RDWR | os.O_APPEND
"""No link is followed, and no pipe waited for: whatever lies there, it is a file or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalPlace:
    """How far a journal has been read."""

    journal: str
    call_id: str
    """As it stands in the name of the file."""

    offset: int = 0
    line: int = 0
    last_at: float = 0.0
    begun: bool = False
    """Whether a line was read that says whose it is."""

    to_end: bool = False
    """Whether a line that closes it has to come."""

    cut_off: bool = False
    """Whether the last line has no end."""

    damaged: int | None = None
    """The first line that cannot be read, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalPiece:
    """Lines of a journal, and where it goes on behind them."""

    lines: list[JournalLine] = field(default_factory=list)
    then: JournalPlace
    at_end: bool
    """Whether there is nothing behind them, for now."""


def opened(path: Path, flags: int = READ_AND_ADD) -> BinaryIO:
    """Open a journal, to be read and added to.

    Raises:
        OSError: If it is no file of ours.
    """
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("this is no file")
    return os.fdopen(descriptor, "rb")


def beginning(name: str, *, old: bool = False) -> JournalPlace:
    """Return the beginning of a journal, by the name of its file.

    Args:
        name: Of the file.
        old: Whether it is a transcript of the version before.
    """
    found = NAME.fullmatch(name)
    if found is not None and not old:
        return JournalPlace(journal=found["journal"], call_id=found["call"])
    found = OLD_NAME.fullmatch(name)
    return JournalPlace(journal=journal_of(name), call_id=found["call"] if found else "")


def read_piece(
    file: BinaryIO, place: JournalPlace, seal: Seal, *, most: int, whole: bool
) -> JournalPiece:
    """Return the next lines of a journal. Of what cannot be read, the place has the first.

    Args:
        file: The journal.
        place: From where on.
        seal: Shows what was hidden.
        most: Lines.
        whole: Whether nobody writes to it any more, so that a last line without an end is cut off.

    Raises:
        OSError: If it cannot be read.
        SealError: If there is no key for it.
    """
    file.seek(place.offset)
    lines: list[JournalLine] = []
    offset, at_end = place.offset, False
    while len(lines) < most and offset - place.offset < AT_ONCE:
        line = file.readline(LONGEST + 1)
        size, has_end = len(line), line.endswith(b"\n")
        while line and not has_end and (more := file.readline(LONGEST)):
            size, has_end, line = size + len(more), more.endswith(b"\n"), b"too long"
        if not line or not (has_end or whole):
            at_end = True
            break
        offset += size
        place, taken = _taken(place, line, seal)
        place = replace(place, cut_off=not has_end)
        lines += taken
    return JournalPiece(lines=lines, then=replace(place, offset=offset), at_end=at_end)


def closed(file: BinaryIO, piece: JournalPiece, seal: Seal) -> JournalPiece:
    """Close a journal that nobody closes any more, because its process has died.

    Its last line is as of a call that has ended, with the reason ``interrupted``.

    Raises:
        OSError: If it cannot be written.
    """
    then = piece.then
    ended = interrupted(then)
    line = written(seal, ended.kind, {"at": ended.at, **ended.fields})
    # It may have died in the middle of a line. The file is at its end, where all is added.
    data = (b"\n" if then.cut_off else b"") + line
    os.write(file.fileno(), data)
    then = replace(then, offset=then.offset + len(data), line=then.line + 1, to_end=False)
    return JournalPiece(lines=[*piece.lines, ended], then=then, at_end=True)


def interrupted(place: JournalPlace) -> JournalLine:
    """Return the last line of a call whose process has died."""
    return JournalLine(
        journal=place.journal,
        line=place.line,
        kind="ended",
        at=place.last_at,
        fields={"reason": "interrupted"},
    )


def _taken(place: JournalPlace, line: bytes, seal: Seal) -> tuple[JournalPlace, list[JournalLine]]:
    """Return the place behind a line, and what is stored of it."""
    number = place.line
    if (found := read(seal, line)) is None:
        first = place.damaged if place.damaged is not None else number
        return replace(place, line=number + 1, damaged=first), []
    kind, at, fields = found
    taken = JournalLine(journal=place.journal, line=number, kind=kind, at=at, fields=fields)
    place = replace(place, line=number + 1, last_at=max(place.last_at, at or 0.0))
    if place.begun:
        return replace(place, to_end=place.to_end and kind != "ended"), [taken]
    place = replace(place, begun=True)
    if kind == "call":
        # In the version before, one that nobody has answered has neither an agent nor an end.
        return replace(place, to_end="agent" in fields), [taken]
    if number == 0 and ("call_id" in fields or "id" in fields):
        return place, [taken]
    return replace(place, to_end=kind != "ended"), [_made(place), taken]


def _made(place: JournalPlace) -> JournalLine:
    """Return what is known of a call whose first line cannot be read."""
    fields: Mapping[str, Any] = {"id": place.journal, "call_id": place.call_id}
    if (at := began(place.journal)) is not None:
        fields = {**fields, "started": datetime.fromtimestamp(at, UTC).isoformat()}
    return JournalLine(journal=place.journal, line=MADE, kind="call", at=None, fields=fields)
