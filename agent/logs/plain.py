"""Values and tracebacks as plain data of bounded size. Nothing here raises, whatever comes."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from itertools import islice
from pathlib import PurePath
from types import TracebackType

MOST_CHARACTERS = 2000
"""Of one text: what comes from outside may be long."""

MOST_ITEMS = 50
DEEPEST = 4
LARGEST = 1 << 63

MOST_FRAMES = 40
"""Of one traceback, the innermost: recursion without end has a thousand."""

MOST_ERRORS = 20
"""Of the errors of a group, and of the groups in it."""

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]

Frame = tuple[str, int, str] | str
"""A file, a line and a function; or the name of an error, behind its frames."""


def plain(value: object, depth: int = 0) -> Plain:
    """Return ``value`` as JSON can hold it, cut to a bounded size.

    Of what is no plain value only the name of its class is told: how it describes itself may quote
    anything, and may fail.
    """
    if isinstance(value, PurePath):
        value = str(value)
    if isinstance(value, str):
        return value if len(value) <= MOST_CHARACTERS else f"{value[:MOST_CHARACTERS]}…"
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -LARGEST <= value < LARGEST else "<a large number>"
    if depth < DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [plain(one, depth + 1) for one in islice(tuple(value), MOST_ITEMS)]
    if depth < DEEPEST and isinstance(value, dict):
        pairs = islice(tuple(value.items()), MOST_ITEMS)
        return {str(plain(k, DEEPEST)): plain(v, depth + 1) for k, v in pairs}
    return f"<{type(value).__name__}>"


def frames(error: BaseException) -> tuple[Frame, ...]:
    """Return where an error was raised, and the names of its errors; of none its words.

    The lines of the source are left to whoever writes it: they are on a disk.
    """
    return tuple(_all_frames(error))


def _all_frames(error: BaseException) -> Iterator[Frame]:
    waiting, count = [error], 0
    while waiting and count < MOST_ERRORS:
        one, count = waiting.pop(), count + 1
        yield from _innermost(one.__traceback__)
        yield f"{type(one).__module__}.{type(one).__qualname__}"
        if isinstance(one, BaseExceptionGroup):
            waiting += reversed(one.exceptions)


def _innermost(tb: TracebackType | None) -> list[Frame]:
    found: list[Frame] = []
    while tb is not None:
        code = tb.tb_frame.f_code
        found.append((code.co_filename, tb.tb_lineno, code.co_name))
        tb = tb.tb_next
    return found[-MOST_FRAMES:]


def described(told: tuple[Frame, ...]) -> str:
    """Return :func:`frames` as people read them, with the lines of the source. Reads files."""
    lines: list[str] = []
    for frame in told:
        if isinstance(frame, str):
            lines.append(frame)
        else:
            lines += traceback.format_list([traceback.FrameSummary(*frame)])
    return "\n".join(line.rstrip() for line in lines)
