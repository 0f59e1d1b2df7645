"""Structured logging to stderr: a static message and fields.

What was said, numbers dialled, prompts and keys are never logged, at any level. So a traceback is
shown without the text of its exception, which may quote the value that was wrong; and of what
libraries log (aiohttp a bad request, with its line and so its token) only the fixed text is shown.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Literal

import structlog
from structlog.typing import EventDict, ExcInfo, WrappedLogger


def configure(level: str, style: Literal["auto", "text", "json"]) -> None:
    """Set up structlog, for the whole process.

    Args:
        level: The least that is logged: "debug", "info", "warning" or "error".
        style: "auto" is text on a terminal and JSON lines elsewhere.
    """
    text = style == "text" or (style == "auto" and sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _traceback_without_values,
            structlog.dev.ConsoleRenderer() if text else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Below a warning they quote what they send and get.
    logging.basicConfig(handlers=[_Libraries()], level=logging.WARNING, force=True)


class _Libraries(logging.Handler):
    """What libraries log, in our form and without values."""

    def emit(self, record: logging.LogRecord) -> None:
        text = str(record.msg).partition("\n")[0]
        error = record.exc_info[1] if record.exc_info else None
        structlog.get_logger().log(record.levelno, text, library=record.name, exc_info=error)


def _traceback_without_values(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    given: ExcInfo | BaseException | bool | None = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(_frames(error))
    return event


def _frames(error: BaseException) -> list[str]:
    lines = [line.rstrip() for line in traceback.format_tb(error.__traceback__)]
    lines.append(f"{type(error).__module__}.{type(error).__qualname__}")
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            lines += _frames(inner)
    return lines
