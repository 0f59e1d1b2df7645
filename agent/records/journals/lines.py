"""A line of a journal, as it stands in the file: the one place that writes it and reads it.

``kind`` and ``at`` can be read by anybody; the rest goes through the seal, and stands beside them
if that hides nothing, or else in ``sealed``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from agent.records.seals import Seal
from pipelines.encodable import read_json

LONGEST = 1_000_000
"""Bytes of a line that are read: what tools give back and agents say is far less."""

LONGEST_TEXT = 100_000
"""Characters of a text in a line that would be longer than that."""

MOST = 10**15
"""A number that any reader of JSON takes is less."""

LATEST = 10.0**8
"""Seconds since the answer, or before it, of which a line may be: three years."""

LONGEST_KIND = 24
"""Characters; of those that there are, the longest has ten."""

Line = tuple[str, float | None, dict[str, Any]]
"""Kind; seconds since the answer, None where there are none; all other fields."""


def written(seal: Seal, kind: str, fields: Mapping[str, object]) -> bytes:
    """Return a line, with its end. Whatever the fields are, it is one that :func:`read` takes."""
    line = _written(seal, kind, fields)
    if len(line) > LONGEST:
        line = _written(seal, kind, {name: _short(value) for name, value in fields.items()})
    return line


def read(seal: Seal, line: bytes) -> Line | None:
    """Return what a line says; None if it is cut off, or none of ours.

    Raises:
        SealError: If there is no key for it.
    """
    try:
        found = read_json(line.decode())
        if not isinstance(found, dict):
            return None
        sealed = found.pop("sealed", None)
        if isinstance(sealed, str):
            found |= read_json(seal.show(sealed))
    except (ValueError, TypeError):
        return None
    kind, at = found.pop("kind", None), found.pop("at", None)
    if not isinstance(kind, str) or not 0 < len(kind) <= LONGEST_KIND or "\0" in kind:
        return None
    is_time = isinstance(at, int | float) and abs(at) < LATEST and isfinite(at)
    return kind, float(at) if is_time else None, found


def _written(seal: Seal, kind: str, fields: Mapping[str, object]) -> bytes:
    rest = {name: value for name, value in fields.items() if name != "at"}
    try:
        text, seen = _json(rest), {"kind": kind} | {n: v for n, v in fields.items() if n == "at"}
        head = _json(seen)
    except (TypeError, ValueError, RecursionError):
        return _written(seal, kind, {name: _plain(value) for name, value in fields.items()})
    if (hidden := seal.hide(text)) != text:
        text = _json({"sealed": hidden})
    return f"{head[:-1]}, {text[1:]}\n".encode() if text != "{}" else f"{head}\n".encode()


def _json(value: Mapping[str, object]) -> str:
    """Return JSON that UTF-8 can hold.

    Half a character comes from outside: it is written as JSON escapes it, which is what Python's
    backslashes happen to be.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _plain(value: object) -> object:
    """Return ``value`` if it is a text or a number of common size, else its type."""
    if isinstance(value, str) or (isinstance(value, int | float) and abs(value) < MOST):
        return value
    return f"({type(value).__name__})"


def _short(value: object) -> object:
    return value[:LONGEST_TEXT] if isinstance(value, str) else _plain(value)
