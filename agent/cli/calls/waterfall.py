"""Where the time of an answer went, as bars: from the end of the caller's speech on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.cli.calls.terminal import Terminal
from agent.records.statistics.waterfall import waterfall_of

BAR = 40
"""Columns of the longest."""


def waterfall(timing: Mapping[str, Any], out: Terminal) -> Iterator[str]:
    """Yield a line for each step that is known; nothing if there are not two moments."""
    found = waterfall_of(timing)
    if found is None:
        return
    scale = BAR / max(found.end - found.begin, 0.001)
    mark = "█" if out.blocks else "#"
    for one in found.steps:
        start = min(int((one.began - found.begin) * scale), BAR - 1)
        length = max(round((one.ended - one.began) * scale), 1)
        bar = " " * start + mark * min(length, BAR - start)
        yield f"{one.name.replace('_', ' '):14} {one.ended:+6.2f} s  {bar}"
