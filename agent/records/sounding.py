"""A reply while it sounds: its ``heard`` lines, in parts of a second, read together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agent.records.redaction.finder import Span

MOST_PARTS = 200
"""Parts that wait at the most: minutes of one sentence, or of nothing but digits."""


@dataclass(slots=True)
class HeardSentence:
    """What was heard of a sentence, or of several through which one number goes."""

    fields: dict[str, Any]
    parts: list[tuple[int, Mapping[str, Any]]]
    """Where in the text each part of it begins, and its own line."""

    spans: list[Span] = field(default_factory=list)
    """What is not to be kept, in its text."""

    @property
    def text(self) -> str:
        """What was heard."""
        return str(self.fields.get("text", ""))

    @property
    def has_more(self) -> bool:
        """Whether the sentence goes on."""
        return bool(self.fields.get("more"))

    def go_on(self, fields: Mapping[str, Any]) -> None:
        """Take the next part, or the next sentence."""
        text = f"{self.text} {fields.get('text', '')}"
        self.parts.append((len(self.text) + 1, fields))
        del self.fields["text"]
        self.fields.pop("more", None)
        ends = {name: fields[name] for name in ("until", "more") if name in fields}
        self.fields |= {"text": text, **ends}


class SoundingReply:
    """What was heard of a reply and is not written yet."""

    def __init__(self) -> None:
        self._sentences: list[HeardSentence] = []

    def add(self, fields: Mapping[str, Any]) -> None:
        """Take a ``heard`` line, of the same reply as those before."""
        last = self._sentences[-1] if self._sentences else None
        if last is not None and last.has_more:
            last.go_on(fields)
        else:
            self._sentences.append(HeardSentence(dict(fields), [(0, fields)]))

    def goes_on_in(self, fields: Mapping[str, Any]) -> bool:
        """Return whether a line is of the same reply; nothing goes on in any."""
        first = next(iter(self._sentences), None)
        return first is None or first.fields.get("turn") == fields.get("turn")

    @property
    def text(self) -> str:
        """All that was heard."""
        return " ".join(one.text for one in self._sentences)

    @property
    def since(self) -> object:
        """When it began to be heard, on the call's clock; None if nothing was."""
        return self._sentences[0].fields.get("at") if self._sentences else None

    @property
    def in_a_sentence(self) -> bool:
        """Whether the last sentence goes on."""
        return bool(self._sentences) and self._sentences[-1].has_more

    @property
    def last_parts(self) -> Sequence[tuple[int, Mapping[str, Any]]]:
        """The parts of the last sentence, each with its place in that."""
        return self._sentences[-1].parts if self._sentences else ()

    @property
    def is_long(self) -> bool:
        """Whether no more of it may wait."""
        return sum(len(one.parts) for one in self._sentences) >= MOST_PARTS

    def take(self, spans: Sequence[Span]) -> list[HeardSentence]:
        """Return all of it, and keep nothing; sentences that a span goes through are one.

        Args:
            spans: What is not to be kept, in :attr:`text` and what follows it.
        """
        taken: list[tuple[int, HeardSentence]] = []
        start = 0
        for one in self._sentences:
            length = len(one.text)
            if taken and any(span.start < start - 1 and span.end > start for span in spans):
                began, before = taken[-1]
                joined = len(before.text) + 1
                before.go_on(one.fields)
                before.parts[-1:] = [(at + joined, part) for at, part in one.parts]
            else:
                taken.append((start, one))
            start += length + 1
        self._sentences = []
        for began, one in taken:
            one.spans = within(spans, began, began + len(one.text))
        return [one for _, one in taken]


def within(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """Return the spans as they are in the part of a text from ``start`` to ``end``."""
    return [
        replace(span, start=max(span.start, start) - start, end=min(span.end, end) - start)
        for span in spans
        if span.start < end and span.end > start
    ]
