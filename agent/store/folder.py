"""What the processes of one service share: a folder.

A callback may reach one process, and the stream of its call another. What both must know stands in
small files here, each made by one atomic system call, so that no lock and no server is needed. The
processes may be restarted at any time; hosts have to share the folder to share the state.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

KEPT = 86_400.0
"""Seconds that anything is kept: longer than the longest call (14,400) and any idempotency key."""

SWEEP_EVERY = 600.0
"""Seconds between two looks for what is older."""


class FolderStore:
    """Claims, notes and orders, in files.

    Names may be anything: only their digests are file names. The folder is readable by its owner
    only, because notes hold numbers.

    Args:
        folder: Made if missing.

    Raises:
        OSError: If the folder cannot be made or written.
    """

    def __init__(self, folder: Path) -> None:
        self._claims = folder / "claims"
        self._notes = folder / "notes"
        self._orders = folder / "orders"
        for part in (self._claims, self._notes, self._orders):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._swept = 0.0
        self._sweep()

    def claim(self, name: str) -> float | None:
        """Claim ``name``; return None if this is the first time, else the seconds since then.

        Raises:
            OSError: If the disk is full or gone: nothing may be taken for the first time then.
        """
        self._sweep()
        path = self._claims / _digest(name)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return max(0.0, time.time() - _modified(path))
        return None

    def claimed(self, name: str) -> bool:
        """Return whether somebody has claimed ``name``."""
        return (self._claims / _digest(name)).exists()

    def release(self, name: str) -> None:
        """Undo a claim of ours."""
        (self._claims / _digest(name)).unlink(missing_ok=True)

    def note(self, name: str, value: dict[str, Any]) -> None:
        """Keep ``value`` under ``name``, in place of what was there.

        Raises:
            OSError: If it cannot be written.
        """
        _write(self._notes / _digest(name), value)

    def noted(self, name: str) -> dict[str, Any] | None:
        """Return what is kept under ``name``; None if nothing is."""
        return _read(self._notes / _digest(name))

    def order(self, call_id: str, order: dict[str, Any]) -> None:
        """Leave ``order`` for the process that holds the call ``call_id``.

        Raises:
            OSError: If it cannot be written.
        """
        name = f"{_digest(call_id)}-{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"
        _write(self._orders / name, order)

    def orders(self, call_ids: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Take the orders for these calls, oldest first; each is given to one process once."""
        by_digest = {_digest(call_id): call_id for call_id in call_ids}
        for name in sorted(path.name for path in self._orders.iterdir()):
            call_id = by_digest.get(name.partition("-")[0])
            if call_id is None:
                continue
            order = _read(self._orders / name)
            (self._orders / name).unlink(missing_ok=True)
            if order is not None:
                yield call_id, order

    def _sweep(self) -> None:
        now = time.time()
        if now - self._swept < SWEEP_EVERY:
            return
        self._swept = now
        for folder in (self._claims, self._notes, self._orders):
            for path in folder.iterdir():
                if now - _modified(path) > KEPT:
                    path.unlink(missing_ok=True)


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # swept by another process
        return time.time()


def _write(path: Path, value: dict[str, Any]) -> None:
    """Write a file that is there whole or not at all."""
    draft = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump(value, file)
    draft.replace(path)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):  # the second: a host that lost power left it empty
        return None
    return value if isinstance(value, dict) else None
