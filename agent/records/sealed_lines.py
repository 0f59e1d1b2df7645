"""Lines of journals, sealed: what happened and when stays readable, what was said does not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agent.records.seals import NoSeal, Seal

SEALED = "sealed"
"""The field that the others are in."""

OPEN = frozenset((
    "at", "until", "turn", "id", "call_id", "agent", "agent_version", "started", "announced",
    "connected", "direction", "rate", "reason", "hung_up_by", "close_code", "status", "stage",
    "provider", "seconds", "cut_off", "said", "decided", "after", "by", "outcome", "lines",
))  # fmt: skip
"""Fields that stay: times, the agent, how it went. Whoever closes or loads a journal goes by them,
and they are columns of the database anyway."""


def sealed(seal: Seal, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a line as they are written."""
    hidden = {name: value for name, value in fields.items() if name not in OPEN}
    if isinstance(seal, NoSeal) or not hidden:
        return dict(fields)
    try:
        text = json.dumps(hidden, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):  # of a tool: JSON has no such value
        text = json.dumps({name: f"({type(value).__name__})" for name, value in hidden.items()})
    kept = {name: value for name, value in fields.items() if name in OPEN}
    return {**kept, SEALED: seal.hide(text)}


def opened(seal: Seal, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a line that was written.

    Raises:
        SealError: If there is no key for it, or it was changed.
    """
    if not isinstance(fields.get(SEALED), str):
        return dict(fields)
    hidden = json.loads(seal.show(fields[SEALED]))
    kept = {name: value for name, value in fields.items() if name != SEALED}
    return {**kept, **(hidden if isinstance(hidden, dict) else {})}
