"""Structured logging to stderr: a static message and fields.

What was said, numbers dialled, prompts and keys are never logged, at any level. So a traceback is
shown without the text of its exception, which may quote the value that was wrong; and of what
libraries log (aiohttp a bad request, with its line and so its token) only the fixed text is shown.

To log raises nothing and waits for nothing: an entry is made plain data (:mod:`agent.logs.plain`),
passes a gate that lets no message repeat itself without end (:mod:`agent.logs.repeats`), and is
written by a thread (:mod:`agent.logs.writer`), whatever has become of stderr.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import sys
import threading
import time
import warnings
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, WrappedLogger

from agent.logs.colours import wanted
from agent.logs.plain import frames, plain
from agent.logs.repeats import Repeats
from agent.logs.writer import Entry, Line, LogWriter, json_line, text_line

STDERR = 2
"""Its descriptor. Python's own object would hold a lock while it waits for a reader that does not
read, and the process could not end then."""

TURNS = "log"
"""Name of the file by which processes take turns."""

FLUSHED_WITHIN = 1.0
"""Seconds for what still waits to be written when the process ends."""

_open = ExitStack()
"""Closes the writer that is in use."""

_writers: list[LogWriter] = []
"""The one that is in use, if there is one."""

_VARYING = re.compile(r"0x[0-9a-fA-F]+|\d+")
"""What differs from one message of a library to the next that is the same."""


def configure(
    level: str,
    style: Literal["auto", "text", "json"],
    worker: int | None = None,
    folder: Path | None = None,
) -> None:
    """Set up structlog, for the whole process. What waits is written when the process ends.

    Args:
        level: The least that is logged: "debug", "info", "warning" or "error".
        style: "auto" is text on a terminal and JSON lines elsewhere.
        worker: Which one this is of several that write to the same stderr; None if it is alone.
        folder: Of all of these: they take turns by a file there, so that each line stays whole.
    """
    close()
    descriptor = None if sys.stderr is None else STDERR  # it was closed before we began
    terminal = descriptor is not None and os.isatty(STDERR)
    text = style == "text" or (style == "auto" and terminal)
    repeats = Repeats()
    line = text_line(colours=wanted(os.environ, terminal=terminal)) if text else json_line
    if worker is not None:
        line = partial(_of_worker, worker, line)
    writer = LogWriter(descriptor, line, repeats, folder / TURNS if folder is not None else None)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _Gate(repeats, writer),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _plain_entry,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=lambda *_: _Logger(writer),
        cache_logger_on_first_use=True,
    )
    # Below a warning they quote what they send and get.
    logging.basicConfig(handlers=[_Libraries()], level=logging.WARNING, force=True)
    warnings.showwarning = _warned
    sys.unraisablehook = _not_raised
    threading.excepthook = _thread_failed
    _open.callback(writer.close, FLUSHED_WITHIN)
    _writers[:] = [writer]


def waiting() -> int:
    """Return how many entries are not written yet."""
    return sum(writer.waiting for writer in _writers)


def lost() -> int:
    """Return how many entries were lost, since the writer in use was made."""
    return sum(writer.lost for writer in _writers)


def close() -> None:
    """Write what waits, within :data:`FLUSHED_WITHIN`; what is logged afterwards is lost."""
    _open.close()


atexit.register(close)


def _of_worker(worker: int, line: Line, fields: dict[str, Any]) -> str:
    return line({**fields, "worker": worker})


class _Logger:
    """What structlog hands an entry to, by the name of its level."""

    def __init__(self, writer: LogWriter) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = writer.put


class _Gate:
    """Drops what has been said often enough just now."""

    def __init__(self, repeats: Repeats, writer: LogWriter) -> None:
        self._repeats = repeats
        self._writer = writer

    def __call__(self, _logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        text, library = plain(event.get("event")), plain(event.get("library", ""))
        event["event"] = text
        if library:
            text = _VARYING.sub("#", str(text))
        if self._repeats.passes((str(event["level"]), str(library), str(text)), time.monotonic()):
            return event
        self._writer.wake()
        raise structlog.DropEvent


def _plain_entry(
    _logger: WrappedLogger, _name: str, event: EventDict
) -> tuple[tuple[Entry], dict[str, Any]]:
    """Make an entry plain data, which cannot change or fail any more."""
    given: ExcInfo | BaseException | bool | None = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given
    told = frames(error) if isinstance(error, BaseException) else ()
    fields = {name: plain(value) for name, value in event.items()}
    return (Entry(fields=fields, frames=told),), {}


class _Libraries(logging.Handler):
    """What libraries log, in our form and without values."""

    def emit(self, record: logging.LogRecord) -> None:
        # An object in the place of the text may be an exception, which quotes values.
        given = record.msg if isinstance(record.msg, str) else f"<{type(record.msg).__name__}>"
        error = record.exc_info[1] if record.exc_info else None
        log = structlog.get_logger()
        say = log.warning if record.levelno < logging.ERROR else log.error
        say(given.partition("\n")[0], library=record.name, exc_info=error)


def _warned(
    message: Warning | str,  # noqa: ARG001 - its text may quote values
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001 - Python's signature
    line: str | None = None,  # noqa: ARG001
) -> None:
    where = f"{filename}:{lineno}"
    structlog.get_logger().warning("a warning of Python", category=category.__name__, where=where)


def _not_raised(unraisable: sys.UnraisableHookArgs) -> None:
    error = unraisable.exc_value
    structlog.get_logger().error("an error that nobody could be told of", exc_info=error)


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    structlog.get_logger().error("a thread failed: this is a bug", exc_info=failed.exc_value)
