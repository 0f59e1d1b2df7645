"""The thread that writes the log: whatever becomes of stderr, nobody else waits for it."""

from __future__ import annotations

import json
import os
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import structlog

from agent.logs.plain import Frame, Plain, described
from agent.logs.repeats import Repeats

if sys.platform != "win32":
    import fcntl

MOST_WAITING = 2000
"""Entries that wait for the thread; what comes beyond is lost, and counted. Some megabytes."""

AGAIN_AFTER = 1.0
"""Seconds between two looks, while something is left to be told."""

READY_WITHIN = 1.0
"""Seconds for a reader that has set the pipe to be non-blocking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the log: plain data."""

    fields: dict[str, Plain]
    """With ``event``, ``level`` and ``timestamp``."""

    frames: tuple[Frame, ...] = ()
    """Of the traceback, if there is one."""


Line = Callable[[dict[str, Any]], str]
"""Makes a line of the fields of an entry."""


def json_line(fields: dict[str, Any]) -> str:
    """Return an entry as JSON."""
    return json.dumps(fields)


def text_line(*, colours: bool) -> Line:
    """Return what makes an entry a line for people, with or without colours of a terminal."""
    renderer = structlog.dev.ConsoleRenderer(colors=colours)
    return lambda fields: str(renderer(None, "", fields))


class LogWriter:
    """Writes entries, in a thread of its own. Close it in the end.

    When stderr fails, or takes nothing, entries are lost; how many is said once it works again.

    Args:
        descriptor: Where to; None writes nowhere.
        line: Makes a line of an entry.
        repeats: Tells what was not said because it had been said so often.
        turns: A file by which processes that write to the same stderr take turns: of what is longer
            than a page of a pipe, or comes while that is full, only a part may be written at once.
    """

    def __init__(
        self, descriptor: int | None, line: Line, repeats: Repeats, turns: Path | None = None
    ) -> None:
        self._descriptor = descriptor
        self._turns = None if turns is None else os.open(turns, os.O_CREAT | os.O_RDWR, 0o600)
        self._line = line
        self._repeats = repeats
        self._counting = threading.RLock()  # the garbage collector, see below
        self._lost = 0
        self.lost = 0
        """Entries that were lost since the start."""

        self._torn = False
        """Whether the last line was written in part."""

        # Its put is reentrant: the garbage collector may log in the middle of another.
        self._waiting: SimpleQueue[Entry | None] = SimpleQueue()
        self._woken = self._closing = False
        # A daemon, since a thread that waits for a reader cannot be stopped.
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many entries wait for the thread."""
        return self._waiting.qsize()

    def put(self, entry: Entry) -> None:
        """Have an entry written. Returns at once; from any thread."""
        if self._waiting.qsize() >= MOST_WAITING:
            self._lose(1)
        else:
            self._waiting.put(entry)

    def wake(self) -> None:
        """Have the thread look whether something is due. Returns at once."""
        if not self._woken:
            self._woken = True
            self._waiting.put(None)

    def close(self, within: float) -> None:
        """Write what waits, for so many seconds at the most; the thread has ended then, or hangs.

        What is put afterwards is lost.
        """
        self._closing = True
        self._waiting.put(None)
        self._thread.join(within)
        if self._turns is not None and not self._thread.is_alive():
            os.close(self._turns)
            self._turns = None

    def _run(self) -> None:
        while not (self._closing and self._waiting.empty()):
            entry = self._next()
            if entry is not None:
                self._tell(entry)
            else:
                self._woken = False
            self._tell_of_more()
        if self._lost:
            self._write()

    def _next(self) -> Entry | None:
        """Return the next entry; None if it is time to look about."""
        left = self._lost or self._repeats.holding
        try:
            return self._waiting.get(timeout=AGAIN_AFTER if left else None)
        except Empty:
            return None

    def _tell(self, entry: Entry) -> None:
        fields = dict(entry.fields)
        if entry.frames:
            fields["exception"] = described(entry.frames)
        self._write(self._line(fields) + "\n")

    def _tell_of_more(self) -> None:
        for (level, library, text), more in self._repeats.due(time.monotonic(), all_=self._closing):
            fields = _fields("more like it", level) | {"more": more, "like": text}
            self._write(self._line(fields | ({"library": library} if library else {})) + "\n")
        if self._lost and self._waiting.empty():
            self._write()

    def _write(self, line: str = "") -> None:
        """Write a line, behind how many were lost before it."""
        with self._counting:
            lost = self._lost
        told = line
        if lost:
            fields = _fields("log lines were lost", "warning") | {"lost": lost}
            told = f"{self._line(fields)}\n{line}"
        if self._torn:
            told = f"\n{told}"
        with _turn(self._turns):
            written = self._written(told.encode("utf-8", "backslashreplace"))
        if written:
            self._lose(-lost)
        elif line:
            self._lose(1)

    def _lose(self, lines: int) -> None:
        with self._counting:
            self._lost += lines
            self.lost += max(0, lines)

    def _written(self, data: bytes) -> bool:
        """Write all of it; return whether that was possible."""
        if self._descriptor is None:
            return True
        left = data
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:
                if not select.select([], [self._descriptor], [], READY_WITHIN)[1]:
                    break
            except OSError:
                break
        self._torn = bool(left) and (len(left) < len(data) or self._torn)
        return not left


@contextmanager
def _turn(descriptor: int | None) -> Iterator[None]:
    """Have the turn among processes until the block is left; one that dies has it no more."""
    if descriptor is None:
        yield
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _fields(event: str, level: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {"event": event, "level": level, "timestamp": now}
