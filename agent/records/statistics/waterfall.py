"""Where the time of an answer went, of a ``timing`` line: each step, and what it waited for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from agent.records.values import number

StepName = Literal["decided", "transcript", "first_token", "first_sentence", "first_audio", "heard"]

_BEHIND: tuple[tuple[StepName, tuple[str, ...]], ...] = (
    ("decided", ("speech_end",)),
    ("transcript", ("speech_end",)),
    ("first_token", ("transcript", "decided")),
    ("first_sentence", ("first_token", "decided")),
    ("first_audio", ("first_sentence", "decided")),
    ("heard", ("first_audio", "decided")),
)
"""What a turn goes through: the field of ``timing``, and behind which it begins, the first that is
known. A draft goes through most of it before the end of the turn is decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that an answer had to wait for."""

    name: StepName
    began: float
    ended: float
    """Seconds since the end of the caller's speech, or since what is first known of the turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """The steps of one answer that are known, in their order."""

    zero: float
    """The end of the caller's speech, in seconds on the call's clock; without any, what is first
    known of the turn."""

    steps: tuple[Step, ...]

    @property
    def begin(self) -> float:
        """Where the first step begins: 0, or before it."""
        return min(0.0, *(one.ended for one in self.steps))

    @property
    def end(self) -> float:
        """Where the last ends."""
        return max(0.0, *(one.ended for one in self.steps))


def waterfall_of(timing: Mapping[str, Any]) -> Waterfall | None:
    """Return where the time went; None if there are not two moments to tell it of."""
    names = ("speech_end", *(name for name, _ in _BEHIND))
    times = {name: at for name in names if (at := number(timing.get(name))) is not None}
    if len(times) < 2:
        return None
    zero = times.get("speech_end", min(times.values()))
    steps = []
    for name, behind in _BEHIND:
        if name not in times:
            continue
        began = next((times[one] for one in behind if one in times), zero)
        if name == "heard":  # what was made before the turn was over waits for that
            began = max(began, times.get("decided", began))
        began = min(began, times[name])
        steps.append(Step(name=name, began=began - zero, ended=times[name] - zero))
    return Waterfall(zero=zero, steps=tuple(steps))
