"""Files that people write: read as text, whatever editor wrote them, or refused in one line."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 1_048_576
"""A file of settings above this is none."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks, and what they say. Windows' Notepad and PowerShell write them."""

_NAMES = {"utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}


class UnreadableTextError(ValueError):
    """It is no text that could be read. One line, without the name of the file."""


def decode(content: bytes) -> str:
    r"""Return the text that the bytes of a file are, with ``\n`` at the end of its lines.

    UTF-8, or what a byte order mark says; the mark is left out.

    Raises:
        UnreadableTextError: If it is in another encoding, or no text.
    """
    mark, encoding = next(
        ((mark, encoding) for mark, encoding in _MARKS if content.startswith(mark)), (b"", "utf-8")
    )
    if not mark and content[:200].count(0) * 3 > len(content[:200]):
        raise UnreadableTextError("UTF-16 without a byte order mark, or no text; save it as UTF-8")
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        before = content[len(mark) :][: error.start].decode(encoding, "replace")
        name = _NAMES.get(encoding, "UTF-32")
        raise UnreadableTextError(f"not {name} (line {_line(before)}); save it as UTF-8") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        line = _line(text[: text.index("\0")])
        raise UnreadableTextError(f"no text: a NUL character is in line {line}")
    return text


def _line(before: str) -> int:
    return before.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1


def open_file(path: Path) -> BinaryIO:
    """Open a file to be read; close it. A pipe that nobody writes to is not waited for.

    Raises:
        OSError: If it cannot be opened.
        UnreadableTextError: If it is a folder, a pipe or a device.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise UnreadableTextError("a folder, not a file" if stat.S_ISDIR(mode) else "not a file")


def read_text(path: Path) -> str:
    r"""Return the text of a file, as :func:`decode` does. It may take as long as the disk likes.

    Raises:
        FileNotFoundError: If there is none.
        UnreadableTextError: If it cannot be read, is too large, or no text.
    """
    try:
        with open_file(path) as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableTextError(f"cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise UnreadableTextError(f"larger than {MAX_BYTES} bytes")
    return decode(content)
