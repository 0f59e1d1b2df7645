"""Where a process stands among the workers of one service on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSlot:
    """One of several processes that answer calls at one address.

    What they tell each other besides the database lies in a folder of their supervisor's.
    """

    number: int
    """From 0; the lowest that is free when it starts. One that still drains keeps its own, so that
    no two processes have the same at a time, and there are few: fit for a label of metrics."""

    folder: Path
    """Of this supervisor alone, for its user alone (0700): sockets, and the board of who has how
    many calls. It is gone once the supervisor has ended."""

    workers: int
    """How many take calls, without those that drain."""
