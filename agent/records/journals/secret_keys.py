"""Keys that callers press, kept out of a journal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from pipelines.masking import MASK

_PRESSED = re.compile(r"(?<=Keypad: )[0-9*#A-D]+")

_SHORTEST = 3
"""Keys that are looked for in what follows: fewer are a choice from a menu, and in every text."""

MOST = 20
"""Entries of one call that are looked for."""


class Lines(Protocol):
    """Where lines go: a :class:`~agent.call.turn_record.Journal`."""

    def add(self, kind: str, **fields: object) -> None:
        """Keep one line."""
        ...


class SecretKeys:
    """A journal without the keys that were pressed, in whatever line they are repeated in digits.

    Args:
        lines: Gets the lines.
    """

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._pressed: list[re.Pattern[str]] = []

    def add(self, kind: str, **fields: object) -> None:
        """Keep one line, with ``***`` in the place of keys. Never raises."""
        if kind in ("caller", "understood"):
            self._remember(str(fields.get("text", "")))
        self._lines.add(kind, **{name: self._without(one) for name, one in fields.items()})

    def _remember(self, text: str) -> None:
        for keys in _PRESSED.findall(text):
            digits = keys.strip("*#")
            if len(digits) >= _SHORTEST:
                written = r"[\s,.-]?".join(map(re.escape, digits))
                pattern = re.compile(rf"(?<!\d){written}(?!\d)")
                if pattern not in self._pressed:
                    self._pressed.append(pattern)
        del self._pressed[:-MOST]

    def _without(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, str):
            text = _PRESSED.sub(MASK, value)
            for pressed in self._pressed:
                text = pressed.sub(MASK, text)
            return text
        if isinstance(value, int) and not isinstance(value, bool):
            return MASK if any(one.fullmatch(str(value)) for one in self._pressed) else value
        if isinstance(value, Mapping):
            return {name: self._without(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._without(one) for one in value]
        return value
