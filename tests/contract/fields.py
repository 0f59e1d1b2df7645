"""Takes fields away from what a server sends, or makes something else of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

How = Literal["dropped", "null", "other"]

NAME = re.compile(r'"(\w{2,})"\s*:\s*')
_JSON = json.JSONDecoder()


@dataclass(slots=True)
class Names:
    """Passes all on, and notes the names of the fields in it, in order."""

    found: dict[str, int] = field(default_factory=dict)
    """How often each was there."""

    def __call__(self, data: bytes) -> bytes:
        """Return ``data``."""
        for name, *_ in _fields(data.decode("latin-1")):
            self.found[name] = self.found.get(name, 0) + 1
        return data


@dataclass(slots=True, kw_only=True)
class Without:
    """Changes one field wherever it is; everything else keeps its length and place."""

    name: str
    how: How
    at: int | None = None
    """Which of those of that name, counted on; None for all."""

    seen: int = 0

    def __call__(self, data: bytes) -> bytes:
        """Return ``data`` with that field changed."""
        text = data.decode("latin-1")  # a character a byte
        for name, start, value, end in list(_fields(text)):
            if name == self.name:
                if self.at in (None, self.seen):
                    text = self._changed(text, start, value, end)
                self.seen += 1
        return text.encode("latin-1")

    def _changed(self, text: str, start: int, value: int, end: int) -> str:
        size = end - value
        if self.how == "null" and size >= len("null"):
            return text[:value] + "null".ljust(size) + text[end:]
        if self.how == "dropped":
            before = len(text[:start].rstrip())
            after = len(text) - len(text[end:].lstrip())
            if text[before - 1 : before] == ",":
                start = before - 1
            elif text[after : after + 1] == ",":
                end = after + 1
            return text[:start] + " " * (end - start) + text[end:]
        other = {"{": "[]", "[": "{}", '"': "7", "n": "[]"}.get(text[value], "{}")
        return text[:value] + other.ljust(size) + text[end:] if size >= len(other) else text


def _fields(text: str) -> Iterator[tuple[str, int, int, int]]:
    """Yield the fields of JSON in a text: name, where it begins, its value, and where that ends."""
    for found in NAME.finditer(text):
        try:
            _, end = _JSON.raw_decode(text, found.end())
        except ValueError:  # cut off, or no JSON
            continue
        yield found[1], found.start(), found.end(), end
