"""Whose heart beats no more: judged by what is seen of it, by our own clock."""

from __future__ import annotations

from collections.abc import Mapping

WATCHED = 30.0
"""Seconds in which we have looked, and seen no beat. Twice as long as until nothing is left for a
process any more: it may be alive and its calls well, and only cut off from the database."""


class Heartbeats:
    """What was seen of the heartbeats of others.

    When the database itself was away, nobody's heart has beaten: then the watch begins anew. No
    clock, no I/O.
    """

    def __init__(self, watched: float = WATCHED) -> None:
        self._watched = watched
        self._seen: dict[str, tuple[float, float]] = {}
        """The last beat of each, and when we first saw it."""

    def look(self, beats: Mapping[str, float], now: float) -> list[str]:
        """Return who is dead.

        Args:
            beats: The last of each process, as it stands in the database.
            now: The time, by any clock of ours.
        """
        self._seen = {
            process: before if (before := self._seen.get(process)) and before[0] == at
            else (at, now)
            for process, at in beats.items()
        }  # fmt: skip
        return [name for name, (_, since) in self._seen.items() if now - since >= self._watched]

    def begin_anew(self) -> None:
        """Forget what was seen: the database could not be asked."""
        self._seen.clear()
