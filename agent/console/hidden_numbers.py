"""Numbers in what a page shows, hidden from those who may not see them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from agent.console.visitor import HIDDEN, Role, Visitor
from agent.records.events import CallRecord, RecordedEvent
from agent.records.legs import legs_of
from agent.records.values import DEEPEST, text

_BETWEEN = r"[ \u00a0().\-/]{0,3}"
"""What people, and programs for people, write between the digits of a number."""

_LONG = re.compile(rf"\+[0-9](?:{_BETWEEN}[0-9]){{5,}}|[0-9]{{6,}}")
"""What may be somebody's number, where programs wrote it."""

_LOCAL = 7
"""Digits at the end of a number that are it, whatever stands before them or not."""

_NUMBER = re.compile(r"[0-9@]")
"""What numbers and SIP addresses have. A party without it is a name, such as that of somebody who
calls by the browser phone, and may be any word."""

SHORTEST = 3
"""Characters of a number that is looked for in texts."""

_SAID = frozenset({"call", "caller", "agent", "heard", "filler", "backchannel", "keys"})
"""Lines whose texts are what people said, or ids: no program has put a number there."""


class HiddenNumbers:
    """Hides the numbers of a call from whoever may not see them whole.

    Args:
        visitor: Who looks.
        numbers: Of the parties, as the record has them.
    """

    def __init__(self, visitor: Visitor, numbers: Iterable[str]) -> None:
        self._visitor = visitor
        self._shown = visitor.may(Role.LISTEN)
        looked_for = {one for one in numbers if len(one) >= SHORTEST and _NUMBER.search(one)}
        forms = sorted(looked_for, key=len, reverse=True)
        self._known = re.compile("|".join(map(_however_written, forms)) or r"(?!)")

    def number(self, number: object) -> str:
        """Return the number of a party as it may be seen; ``""`` for what is none."""
        return self._visitor.number(text(number) or "")

    def said(self, words: str) -> str:
        """Return what people said, without the numbers of the parties."""
        return words if self._shown else self._known.sub(self._hide, words)

    def written(self, data: str) -> str:
        """Return what programs wrote, without anything that may be a number."""
        return data if self._shown else _LONG.sub(self._hide, self.said(data))

    def fields(self, kind: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the fields of a line whose texts, however deep, are as they may be seen."""
        if self._shown:
            return fields
        hide = self.said if kind in _SAID else self.written
        return {name: _each(value, hide, numbers=name in _GIVEN) for name, value in fields.items()}

    def events(self, events: Sequence[RecordedEvent]) -> Sequence[RecordedEvent]:
        """Return lines of a record whose texts are as they may be seen."""
        if self._shown:
            return events
        return [replace(one, fields=self.fields(one.kind, one.fields)) for one in events]

    def _hide(self, found: re.Match[str]) -> str:
        digits = "".join(char for char in found[0] if char in "+0123456789")
        return self._visitor.number(digits if digits.strip("+") else found[0])


_GIVEN = frozenset({"arguments", "result", "fields"})
"""Fields with values of tools, where a number may be one of JSON, too."""


def _each(
    value: Any,  # noqa: ANN401 - any JSON
    hide: Callable[[str], str],
    *,
    numbers: bool = False,
    depth: int = 0,
) -> Any:  # noqa: ANN401 - the same
    """Return any JSON whose texts are hidden; with ``numbers``, the long ones of those as well."""
    if depth > DEEPEST:
        return HIDDEN
    inside = partial(_each, hide=hide, numbers=numbers, depth=depth + 1)
    match value:
        case str():
            return hide(value)
        case dict():
            return {hide(name): inside(one) for name, one in value.items()}
        case list():
            return [inside(one) for one in value]
        case int() | float() if numbers and not isinstance(value, bool):
            written = str(value)
            hidden = hide(written)
            return value if hidden == written else hidden
    return value


def _however_written(number: str) -> str:
    """Return a pattern of a number as it is written anywhere, with or without its beginning."""
    digits = [char for char in number if char.isdigit()]
    if not re.fullmatch(r"\+?[0-9]{5,}", number):
        return re.escape(number)
    first, last = digits[:-_LOCAL], digits[-_LOCAL:]
    before = "".join(f"(?:{one}{_BETWEEN})?" for one in first)
    return rf"\+?{before}{_BETWEEN.join(last)}"


def hidden_numbers(
    visitor: Visitor, record: CallRecord, events: Iterable[RecordedEvent]
) -> HiddenNumbers:
    """Return what hides the numbers of a call: of whoever was on its line, or took it over."""
    numbers = [record.data.get("caller"), record.data.get("called")]
    numbers += [leg.get("to") for leg in legs_of(record.data)]
    numbers += [one.fields.get("to") for one in events if one.kind == "transfer"]
    return HiddenNumbers(visitor, filter(None, map(text, numbers)))
