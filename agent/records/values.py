"""What stands in a record, as a value of one kind: journals may hold anything."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from pipelines.encodable import encodable

FIRST, LAST = 0.0, 4_102_444_800.0
"""Unix times of which a call may be: from 1970 to 2100."""

MOST = 10.0**15
"""Numbers from here on are none that a call has."""

DEEPEST = 100
"""Levels of objects in objects that are written, where they are more than can be."""


def text(value: object) -> str | None:
    """Return a text, whole characters only; None for anything else."""
    return encodable(value) if isinstance(value, str) else None


def number(value: object) -> float | None:
    """Return a number; None for anything else, NaN and infinity among them."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and abs(value) < MOST else None


def whole(value: object) -> int | None:
    """Return a whole number; None for anything else."""
    found = number(value)
    return int(found) if found is not None and found == int(found) else None


def flag(value: object) -> bool | None:
    """Return true or false; None for anything else."""
    return value if isinstance(value, bool) else None


def moment(value: object) -> datetime | None:
    """Return the moment of a Unix time, in UTC; None for anything else."""
    found = number(value)
    try:
        return None if found is None else datetime.fromtimestamp(found, UTC)
    except (ValueError, OverflowError, OSError):  # a year that there is not
        return None


def began_at(value: object) -> float | None:
    """Return the Unix time of a moment in ISO 8601; None for anything else, or if no call is of it.

    Where calls are listed, it is turned into dates of any time zone.
    """
    try:
        found = datetime.fromisoformat(str(value)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return found if FIRST <= found < LAST else None


def iso(value: object) -> str | None:
    """Return a Unix time as ISO 8601 has it, in UTC, to the millisecond; None for anything else."""
    found = moment(value)
    return None if found is None else f"{found:%Y-%m-%dT%H:%M:%S}.{found.microsecond // 1000:03}Z"


def plain_json(value: Any, levels: int = DEEPEST) -> Any:  # noqa: ANN401 - any JSON
    """Return a JSON value with null for what JSON has no number for, and for what is too deep.

    Args:
        value: As Python has read it.
        levels: Of objects in objects that are kept.
    """
    match value:
        case dict() | list() if not levels:
            return None
        case dict():
            return {name: plain_json(one, levels - 1) for name, one in value.items()}
        case list():
            return [plain_json(one, levels - 1) for one in value]
        case float() if not math.isfinite(value):
            return None
    return value
