"""The journals of calls in their folder, found and deleted. Touches files: for a thread."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from agent.records import locks
from agent.records.interrupted import NAME
from agent.records.transcript import file_name


def journals_of(folder: Path, record: str, call_id: str) -> list[Path]:
    """Return the journals of a call, by our name of its record or the platform's of the call.

    Raises:
        OSError: If the folder cannot be read.
    """
    endings = tuple(f"-{file_name(one)}.jsonl" for one in (record, call_id) if one)
    return [folder / name for name in _names(folder) if name.endswith(endings)]


def journals_before(folder: Path, before: float) -> Iterator[Path]:
    """Yield journals of calls that were answered before a Unix time.

    Raises:
        OSError: If the folder cannot be read.
    """
    until = f"{datetime.fromtimestamp(before, UTC):%Y%m%dT%H%M%S}"
    for name in _names(folder):
        found = NAME.fullmatch(name)
        if found is not None and found[1] < until:
            yield folder / name


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


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - a hundred thousand, in a tenth of the time
    except FileNotFoundError:
        return []
