"""Stretches of a recording in which what is taken out of a text was heard: an estimate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agent.records.redaction.finder import Span
from agent.records.sounding import within

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


class Silences:
    """Tells of what is to be silenced, line by line.

    Args:
        told: Told of each; None if that is not wanted.
    """

    def __init__(self, told: Callable[[Silence], None] | None) -> None:
        self._told = told
        self._turn: object = None  # whose sentences it has told of
        self.wanted = told is not None
        """Whether anybody is told."""

    def tell(
        self,
        kind: str,
        fields: Mapping[str, Any],
        spans: Sequence[Span],
        parts: Sequence[tuple[int, Mapping[str, Any]]] = (),
    ) -> None:
        """Tell of what is not to be kept of a line.

        Args:
            kind: ``caller``, ``agent`` or ``heard``.
            fields: Of the line.
            spans: In its text.
            parts: Where in its text parts of it begin that were lines of their own, and these.
        """
        if self._told is None or not isinstance(fields.get("at"), int | float):
            return
        who: Literal["caller", "agent"] = "caller" if kind == "caller" else "agent"
        turn = fields.get("turn")
        if kind == "heard":
            self._turn = turn
        elif kind == "agent" and turn is not None and turn == self._turn:
            return  # its sentences told it better
        for begins, part in parts or [(0, fields)]:
            theirs = within(spans, begins, begins + len(str(part.get("text", ""))))
            for start, end in silences(part, theirs):
                self._told(Silence(who=who, start=start, end=end))

    def unsure(self, who: Literal["caller", "agent"], lines: Sequence[Mapping[str, Any]]) -> None:
        """Tell of lines that wait: they are not to be heard if the process dies before more comes.

        That they were nothing is not told: whoever silences knows whether all was told.
        """
        for fields in lines:
            start, end = fields.get("at"), fields.get("until")
            if self._told is not None and isinstance(start, int | float):
                end = end if isinstance(end, int | float) else start
                start, end = max(0.0, start - MARGIN), end + MARGIN
                self._told(Silence(who=who, start=start, end=end, sure=False))
