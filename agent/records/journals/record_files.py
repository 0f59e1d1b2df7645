"""The journals of calls in their folder, found and deleted. Touches files: for a thread."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from agent.records.journals import locks
from agent.records.journals.journal_names import NAME, OLD_NAME, file_name

JOURNALS = "journals"
"""Folder of journals that are not in the database yet, in that of transcripts."""

DAMAGED = ".damaged"
"""Ends the name of a journal in which something could not be read."""


def journals_of(folder: Path, record: str, call_id: str) -> list[Path]:
    """Return the journals of a call, by our name of its record or the platform's of the call.

    Lines that came after a call are in journals of their own, which are called by either.

    Raises:
        OSError: If the folder cannot be read.
    """
    endings = tuple(file_name("", name) for name in (record, call_id) if name)
    return [
        path
        for path in _paths(folder)
        if path.name.startswith(f"{record}-") or path.name.removesuffix(DAMAGED).endswith(endings)
    ]


def journals_before(folder: Path, before: float) -> Iterator[Path]:
    """Yield journals of calls that were answered before a Unix time.

    Raises:
        OSError: If the folder cannot be read.
    """
    until = f"{datetime.fromtimestamp(before, UTC):%Y%m%dT%H%M%S}"
    for path in _paths(folder):
        name = path.name.removesuffix(DAMAGED)
        found = NAME.fullmatch(name) or OLD_NAME.fullmatch(name)
        if found is not None and found["stamp"] < until:
            yield path


def delete(path: Path) -> bool:
    """Delete a journal; return False if a process that lives still writes it.

    Raises:
        OSError: If it cannot be deleted.
    """
    try:
        with path.open("r+b") as file:
            if os.name != "nt" and not locks.hold(file):
                return False
            file.truncate()  # for whoever has it open
        path.unlink(missing_ok=True)
    except FileNotFoundError:
        return True
    return True


def _paths(folder: Path) -> Iterator[Path]:
    """Yield what is in the folder of transcripts, and in that of journals below it."""
    for where in (folder, folder / JOURNALS):
        with suppress(FileNotFoundError):
            # A hundred thousand names, in a tenth of the time that iterdir() takes.
            yield from (where / name for name in os.listdir(where))  # noqa: PTH208
