"""A call that another process holds, as that process tells of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from agent.server.live.call_audio import AudioListener
from agent.server.live.feed import CallFeed
from agent.server.live.happenings import CallFacts, FloorChange, LastWords, LiveLine
from pipelines.clock import now


class RemoteFeed(CallFeed):
    """One of them. Of one that tells nothing, as an earlier version does, little is known.

    Args:
        facts: What is known of it.
        process: Who holds it.
    """

    def __init__(self, facts: CallFacts, process: str) -> None:
        super().__init__(facts)
        self.process = process
        self.seen_at = now()
        """When it was last known that it is held."""

        self._lines = 0
        self._listeners: set[AudioListener] = set()

    @property
    def lines(self) -> int:
        """See :class:`CallFeed`."""
        return self._lines

    @property
    def listened_to(self) -> bool:
        """Whether somebody listens in."""
        return bool(self._listeners)

    @contextmanager
    def listening(self) -> Iterator[AudioListener]:
        """See :class:`CallFeed`."""
        listener = AudioListener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def update(self, facts: CallFacts, state: Mapping[str, Any]) -> None:
        """Take how things are: at first, and where only the list is looked at."""
        is_news = not self.facts.record
        self.facts, self._lines = facts, int(state["lines"])
        if state["floor"] is not None:
            self.floor_now = FloorChange(*state["floor"])
        self.said = None if state["said"] is None else LastWords(*state["said"])
        self.known.set()
        self.tell(*([self.floor_now] if is_news and self.floor_now is not None else []))

    def take(self, happened: Iterable[list[Any]]) -> None:
        """Take what has happened, in its order."""
        for what in happened:
            if len(what) == 2:
                self.floor_now = FloorChange(*what)
                self.tell(self.floor_now)
            else:
                line = LiveLine(*what)
                self._lines = self._lines if line.number is None else line.number + 1
                self.tell(line)

    def hear(self, block: bytes) -> None:
        """Take stereo PCM, or nothing."""
        for listener in self._listeners if block else ():
            listener.tell(block)
