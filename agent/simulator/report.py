"""What was measured in a call that was placed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One turn of the caller and what came of it. Seconds since the answer."""

    label: str
    began: float
    """When the caller's first sound was sent."""

    ended: float
    """When the last was."""

    response: float | None = None
    """From ``ended`` to the first sound of the reply that the caller heard; negative if the agent
    cut in."""

    clear: float | None = None
    """From ``began`` to the ``clear`` that stopped the agent, if the agent was speaking."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What was measured. Seconds since the answer."""

    rate: int
    exchanges: list[Exchange] = field(default_factory=list)
    agent_spoke: list[tuple[float, float]] = field(default_factory=list)
    clears: list[float] = field(default_factory=list)
    heartbeats: int = 0
    unknown: int = 0
    """Messages that the stream channel does not have."""

    gaps: int = 0
    """Times that the buffer ran dry within a stretch of speech: a stutter, or a slow sentence."""

    overflowed_bytes: int = 0
    ended_by: Literal["caller", "agent"] = "caller"
    close_code: int | None = None
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts; times rounded to milliseconds."""
        rounded: dict[str, Any] = json.loads(
            json.dumps(asdict(self)), parse_float=lambda text: round(float(text), 3)
        )
        return rounded
