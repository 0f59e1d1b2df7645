"""Where the time of an answer went, as bars: from the end of the caller's speech on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.cli.calls.terminal import Terminal

STEPS = (
    ("decided", "decided", ("speech_end",)),
    ("transcript", "transcript", ("speech_end",)),
    ("first_token", "first token", ("transcript", "decided")),
    ("first_sentence", "first sentence", ("first_token", "decided")),
    ("first_audio", "first audio", ("first_sentence", "decided")),
    ("heard", "heard", ("first_audio", "decided")),
)
"""What a turn goes through: the field of ``timing``, its name, and behind which it begins, the
first that is known. A draft goes through most of it before the end of the turn is decided."""

BAR = 40
"""Columns of the longest."""


def waterfall(timing: Mapping[str, Any], out: Terminal) -> Iterator[str]:
    """Yield a line for each step that is known; nothing if there are not two moments."""
    times = {
        name: float(value)
        for name, value in timing.items()
        if name in ("speech_end", *(step[0] for step in STEPS)) and _is_time(value)
    }
    if len(times) < 2:
        return
    zero, end = times.get("speech_end", min(times.values())), max(times.values())
    begin = min(*times.values(), zero)
    scale = BAR / max(end - begin, 0.001)
    mark = "█" if out.blocks else "#"
    for name, called, after in STEPS:
        if name not in times:
            continue
        began = next((times[one] for one in after if one in times), zero)
        if name == "heard":  # what was made before the turn was over waits for that
            began = max(began, times.get("decided", began))
        began = min(began, times[name])
        start = min(int((began - begin) * scale), BAR - 1)
        length = max(round((times[name] - began) * scale), 1)
        bar = " " * start + mark * min(length, BAR - start)
        yield f"{called:14} {times[name] - zero:+6.2f} s  {bar}"


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) < 1e9
