"""Stretches of a recording in which what is taken out of a text was heard: an estimate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agent.records.redaction.finder import Span

MARGIN = 0.7
"""Seconds around what is estimated from words to audio: twice the error that we have seen when
people hesitate between the groups of a number."""

SPOKEN = 14.0
"""Characters that are spoken in a second, where the end of a turn is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A stretch of a recording to be silenced; an estimate, with a margin on both sides."""

    who: Literal["caller", "agent"]
    start: float
    end: float
    """Seconds on the call's clock."""

    sure: bool = True
    """Whether it is; else it is if nothing more comes to be known, because the process has died."""


def silences(fields: Mapping[str, Any], spans: Sequence[Span]) -> list[tuple[float, float]]:
    """Return when the words of a line that are not to be kept were heard, with a margin.

    Words are taken to be spread evenly over the turn by their characters, which is right to some
    tenths of a second for a turn of a few seconds, and worse the longer it is and the more somebody
    hesitates: the margin grows with it. Digits that are written in fewer characters than they are
    spoken in count for what is spoken.
    """
    text, began = str(fields.get("text", "")), float(fields["at"])
    weights = [6 if char.isdigit() else 1 for char in text]  # "seven" and a blank
    total = sum(weights)
    until = fields.get("until")
    known = isinstance(until, int | float) and until > began
    ended = float(until) if known else began + total / SPOKEN  # type: ignore[arg-type]
    margin = MARGIN + (ended - began) * (0.1 if known else 0.4)
    found = []
    for span in spans:
        start = began + (ended - began) * sum(weights[: span.start]) / max(1, total)
        end = began + (ended - began) * sum(weights[: span.end]) / max(1, total)
        found.append((max(0.0, start - margin), end + margin))
    return found
