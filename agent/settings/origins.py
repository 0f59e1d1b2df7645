"""What was given for each setting, and where: so that a mistake can be found where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Place = tuple[str, ...]
"""The path to a setting: ``("llm", "fallback", "0", "provider")``."""


@dataclass(slots=True, kw_only=True)
class Origins:
    """Values of several sources, one over the other, and where each stands."""

    values: dict[str, Any] = field(default_factory=dict)
    """Nested as the tree is."""

    places: dict[Place, str] = field(default_factory=dict)
    """Such as ``voice-agent.toml, line 3``, of a setting or of a whole section."""

    file: Path | None = None
    """What was read instead of ``voice-agent.toml``, if anything was."""

    def put(self, place: Place, value: object, where: str) -> None:
        """Take a value; it replaces what was there, but for a section, which is added to."""
        if isinstance(value, Mapping):
            self.places.setdefault(place, where)
            for name, one in value.items():
                self.put((*place, str(name)), one, where)
            if not value:
                self._section(place)
            return
        if place in self.places:  # what stood below it does no more
            for old in [old for old in self.places if old[: len(place)] == place]:
                del self.places[old]
        self.places[place] = where
        self._section(place[:-1])[place[-1]] = value

    def where(self, place: Iterable[int | str]) -> str:
        """Return where a setting was given, or the section that it is missing in; or ``""``."""
        parts = tuple(map(str, place))
        for length in range(len(parts), 0, -1):
            if found := self.places.get(parts[:length]):
                return found
        return ""

    def _section(self, place: Place) -> dict[str, Any]:
        section = self.values
        for name in place:
            inner = section.get(name)
            if not isinstance(inner, dict):
                inner = section[name] = {}
            section = inner
        return section
