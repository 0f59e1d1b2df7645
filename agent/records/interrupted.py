"""Records that nobody closes any more, because the process of their call has died."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import structlog

from agent.records import locks

log = structlog.get_logger()

NAME = re.compile(r"(\d{8}T\d{6})\.\d{3}-.*\.jsonl")
"""Of a record: it begins with the time of the answer."""

AS_OLD_AS = timedelta(hours=25)
"""What began before is let be: a call takes four hours at the most."""

TAIL = 65_536
"""Bytes at the end of a record that are read: the last lines are among them."""

HEAD = 4096


def close_interrupted(folder: Path, now: datetime) -> int:
    """Close every record in ``folder`` whose process has died; return how many these were.

    The last line of each is as of a call that ended, with the reason ``interrupted``. Records of
    processes that live are let be, which hold them locked. Reads files: run it in a thread.
    """
    since = f"{(now.astimezone(UTC) - AS_OLD_AS):%Y%m%dT%H%M%S}"
    closed = 0
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except FileNotFoundError:
        return 0  # nobody has called yet
    except OSError as error:
        log.warning("records cannot be looked at", path=str(folder), error=error.strerror)
        return 0
    for name in names:
        found = NAME.fullmatch(name)
        if found is not None and found[1] >= since:
            closed += _close(folder / name)
    if closed:
        log.warning("records of a process that died are closed", records=closed)
    return closed


def _close(path: Path) -> bool:
    try:
        # One that is empty is being begun: it is locked before the first line is in it.
        if not path.stat().st_size:
            return False
        with path.open("r+b") as file:
            return locks.hold(file) and _close_file(file)
    except OSError as error:
        log.warning("a record cannot be closed", path=str(path), error=error.strerror)
        return False


def _close_file(file: BinaryIO) -> bool:
    first = _line(file.read(HEAD).partition(b"\n")[0])
    if first.get("kind") != "call" or "agent" not in first:
        return False  # nobody has answered it
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - TAIL))
    tail = file.read()
    lines = [_line(line) for line in tail.split(b"\n")]
    if any(line.get("kind") == "ended" for line in lines):
        return False
    last = max((at for line in lines if isinstance(at := line.get("at"), int | float)), default=0)
    ended = json.dumps({"kind": "ended", "at": last, "reason": "interrupted"}).encode()
    # It may have died in the middle of a line.
    file.write((b"" if tail.endswith(b"\n") else b"\n") + ended + b"\n")
    return True


def _line(text: bytes) -> dict[str, Any]:
    """Return what a line says; nothing if it is cut off, or none of ours."""
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
