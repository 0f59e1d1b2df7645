"""What a caller was understood to say, of which no line of the whole has come to be written."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from agent.records.events import RecordedEvent

UNDERSTOOD = ("caller", "understood", "backchannel")
"""Kinds of lines that say what was understood; a later one of the same speech supersedes it."""


NEAR = 16
"""Later lines of callers among which the one is that supersedes a line: it follows soon."""


def with_understood(events: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    """Return lines of a record without ``understood`` ones.

    One that is superseded goes. One that nothing supersedes is what the caller said last before the
    process died, or before the end of the call: it becomes a ``caller`` line.
    """
    found: list[RecordedEvent] = []
    later: deque[tuple[float, float]] = deque(maxlen=NEAR)
    for event in reversed(events):
        is_one = event.kind in UNDERSTOOD
        superseded = is_one and any(begin <= (event.at or 0.0) <= end for begin, end in later)
        if is_one and event.at is not None:
            until = event.fields.get("until")
            later.append((event.at, float(until) if isinstance(until, int | float) else event.at))
        if event.kind != "understood":
            found.append(event)
        elif event.fields.get("text") and not superseded:
            found.append(replace(event, kind="caller"))
    return found[::-1]
