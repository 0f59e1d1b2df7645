"""What one caller hears, by arithmetic alone: when it sounds, where it breaks off, what is old.

The platform plays what it is sent in real time (:class:`agent.simulator.playout_buffer`). What that
buffer holds need not be kept to know when it runs dry: the moment at which it will is enough, and
costs an addition a message.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

PLAYOUT_START = 0.020
"""Seconds from the first audio in an empty buffer to its first sample at the caller's ear: one
frame, as in the definition of overhead."""

LONGEST_GAP = 2.0
"""Seconds of quiet within a reply that are a hole in it; after more the agent has said something
new. From then on ours says "one moment"."""

STALE_WITHIN = 0.5
"""Seconds after a ``clear`` in which audio is old: a new answer takes longer, by the silence that
ends a turn and the providers."""

SHORTEST_GAP = 0.001
"""Seconds that audio may be late for its frame: how well the generator knows when it came. What is
later misses the frame, so that holes are of whole frames."""


@dataclass(slots=True, kw_only=True)
class HeardAudio:
    """What one caller heard so far. Times in seconds, on any clock that never goes back.

    Args:
        rate: Hertz of the audio, 16 bits a sample.
    """

    rate: int
    until: float = 0.0
    """When the last sample that has come will have been heard."""

    gaps: list[float] = field(default_factory=list)
    """Seconds of each hole within a reply, in whole frames."""

    stale: float = 0.0
    """Seconds of audio that came after a ``clear`` and was made before it."""

    _open: bool = False
    """Whether a reply sounds, or has just run dry: audio that comes now belongs to it."""

    _cleared: float = float("-inf")

    def audio(self, at: float, size: int) -> float:
        """Take ``size`` bytes that came at ``at``; return when their first sample is heard."""
        seconds = size / (2 * self.rate)
        if at - self._cleared < STALE_WITHIN:
            self.stale += seconds
        late = at - self.until
        if late <= 0 or (self._open and late < SHORTEST_GAP):
            begins = self.until
        elif self._open and late < LONGEST_GAP:
            gap = PLAYOUT_START * ceil((late - SHORTEST_GAP) / PLAYOUT_START)
            self.gaps.append(gap)
            begins = self.until + gap
        else:
            begins = at + PLAYOUT_START
        self._open = True
        self.until = begins + seconds
        return begins

    def clear(self, at: float) -> None:
        """Forget what was not heard by ``at``: the agent was told to stop, or stops by itself."""
        self.until = min(self.until, at)
        self._cleared = at
        self._open = False

    def turn(self) -> None:
        """The caller has spoken: what the agent begins to say now is another reply."""
        self._open = False

    def quiet_for(self, at: float) -> float:
        """Return the seconds since the last sample was heard; negative while there are more."""
        return at - self.until
