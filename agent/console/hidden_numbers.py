"""Numbers in what a page shows, hidden from those who may not see them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from agent.console.visitor import HIDDEN, Role, Visitor
from agent.records.events import CallRecord, RecordedEvent
from agent.records.values import DEEPEST, text

SHORTEST = 3
"""Characters of a number that is looked for in texts."""

_NUMBER = re.compile(r"[0-9@]")
"""What numbers and SIP addresses have. A party without it is a name, such as that of somebody who
calls by the browser phone, and may be any word."""

_LONG = re.compile(r"\+?[0-9]{6,}")
"""What may be somebody's number, where programs wrote it."""


class HiddenNumbers:
    """Hides the numbers of a call from whoever may not see them whole.

    Args:
        visitor: Who looks.
        numbers: Of the parties, as the record has them.
    """

    def __init__(self, visitor: Visitor, numbers: Iterable[str]) -> None:
        self._visitor = visitor
        self._shown = visitor.may(Role.LISTEN)
        looked_for = [one for one in numbers if len(one) >= SHORTEST and _NUMBER.search(one)]
        forms = {form for one in looked_for for form in (one, one.removeprefix("+"))}
        longest_first = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def number(self, number: object) -> str:
        """Return the number of a party as it may be seen; ``""`` for what is none."""
        return self._visitor.number(text(number) or "")

    def said(self, words: str) -> str:
        """Return what people said, without the numbers of the parties."""
        return words if self._shown else self._known.sub(self._hide, words)

    def written(self, data: str) -> str:
        """Return what programs wrote, without anything that may be a number."""
        return data if self._shown else _LONG.sub(self._hide, self.said(data))

    def events(self, events: Sequence[RecordedEvent]) -> Sequence[RecordedEvent]:
        """Return lines of a record whose texts are as they may be seen."""
        if self._shown:
            return events
        return [replace(one, fields=self.fields(one.fields)) for one in events]

    def fields(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return fields of a line whose texts, however deep, are as they may be seen."""
        if self._shown:
            return fields
        return {
            name: value if isinstance(value, int) else self._hidden(value)
            for name, value in fields.items()
        }

    def _hidden(self, value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, str):
            return self.said(value)
        if depth > DEEPEST:
            return HIDDEN  # it is looked into no further
        if isinstance(value, Mapping):
            return {self.said(k): self._hidden(one, depth + 1) for k, one in value.items()}
        if isinstance(value, list):
            return [self._hidden(one, depth + 1) for one in value]
        if isinstance(value, int) and self._known.fullmatch(str(value)):
            return self.said(str(value))  # a tool takes numbers as such, too
        return value

    def _hide(self, found: re.Match[str]) -> str:
        return self._visitor.number(found[0])


def hidden_numbers(
    visitor: Visitor, record: CallRecord, events: Iterable[RecordedEvent]
) -> HiddenNumbers:
    """Return what hides the numbers of a call: of its parties, and of those it was passed on to."""
    numbers = [record.data.get("caller"), record.data.get("called")]
    numbers += [one.fields.get("to") for one in events if one.kind == "transfer"]
    return HiddenNumbers(visitor, filter(None, map(text, numbers)))
