"""How words of strangers are printed: harmlessly, in columns, in colours where there are some."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from agent.logs.colours import wanted

JOINERS = "\u200c\u200d"
"""What is not seen and yet a part of words and emoji; all else that is not seen is written out."""

MOST_COLUMNS, FEWEST_COLUMNS = 140, 60

_CODES = {"bold": "1", "dim": "2", "green": "32", "cyan": "36", "red": "31", "yellow": "33"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """What standard output can do."""

    colours: bool
    columns: int | None
    """Characters a line; None if nobody looks at it, and lines are not broken."""

    blocks: bool
    """Whether it has block characters."""

    def paint(self, text: str, *how: str) -> str:
        """Return ``text`` in a colour, if there are any."""
        if not self.colours or not text:
            return text
        return f"\x1b[{';'.join(_CODES[one] for one in how)}m{text}\x1b[0m"


def terminal() -> Terminal:
    """Return what standard output is."""
    out = sys.stdout
    if out is None:
        return Terminal(colours=False, columns=None, blocks=False)
    seen = out.isatty()
    columns = min(max(shutil.get_terminal_size().columns, FEWEST_COLUMNS), MOST_COLUMNS)
    return Terminal(
        colours=wanted(os.environ, terminal=seen),
        columns=columns if seen else None,
        blocks=(out.encoding or "").lower().replace("-", "").startswith("utf"),
    )


def harmless(text: object) -> str:
    """Return a text on one line, whose control characters are written out and control nothing."""
    return "".join(_shown(char) for char in " ".join(str(text).split()))


def _shown(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Cc", "Cs") or (category == "Cf" and char not in JOINERS):
        return char.encode("unicode_escape").decode()
    return char


def width(text: str) -> int:
    """Return the columns that a text takes: two for a Chinese character, none for an accent."""
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def padded(text: str, columns: int, *, right: bool = False) -> str:
    """Return a text with spaces, so that it takes so many columns."""
    space = " " * max(columns - width(text), 0)
    return space + text if right else text + space


def table(rows: list[list[str]], *, right: tuple[int, ...] = ()) -> list[str]:
    """Return rows as lines, whose columns stand below each other.

    Args:
        rows: Each with as many cells.
        right: Columns that end below each other.
    """
    if not rows:
        return []
    widths = [max(width(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [
        "  ".join(
            padded(cell, widths[at], right=at in right) for at, cell in enumerate(row)
        ).rstrip()
        for row in rows
    ]


def wrapped(text: str, columns: int | None) -> Iterator[str]:
    """Yield the lines of a text; one, if nothing says how long they may be.

    Where there are no spaces, a line ends after any character.
    """
    if columns is None:
        yield text
        return
    line, taken = "", 0
    for word in text.split(" "):
        wide = width(word)
        if line and taken + 1 + wide > columns:
            yield line
            line, taken = "", 0
        elif line:
            line, taken = f"{line} ", taken + 1
        for char in word if wide > columns - taken else (word,):
            more = width(char)
            if line and taken + more > columns:
                yield line
                line, taken = "", 0
            line, taken = line + char, taken + more
    if line:
        yield line


def local_time(moment: float) -> str:
    """Return a Unix time by the clock of this machine; ``?`` where that has no such year."""
    try:
        return f"{datetime.fromtimestamp(moment).astimezone():%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "?"


def clock(seconds: float | None) -> str:
    """Return seconds as ``1:02:03``, or ``2:03``; ``""`` if they are not known."""
    if seconds is None:
        return ""
    sign, whole = "-" * (seconds < 0), int(abs(seconds))
    hours, rest = divmod(whole, 3600)
    if hours:
        return f"{sign}{hours}:{rest // 60:02}:{rest % 60:02}"
    return f"{sign}{rest // 60}:{rest % 60:02}"
