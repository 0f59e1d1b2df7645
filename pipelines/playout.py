"""How much of a reply the caller has heard, and when to send more of it."""

from __future__ import annotations

from dataclasses import dataclass

SLOW_WORD = 0.45
"""Seconds. A word spoken slowly (133 a minute; people and synthesizers speak 150 to 190). Until all
audio of a sentence is known, its words are credited at this rate, so never too many."""


@dataclass(slots=True, kw_only=True)
class _Mark:
    words: list[str]
    start: float
    """Seconds of the reply sent before this sentence."""

    end: float | None = None
    """Seconds sent after it; None while its audio still comes."""


class Playout:
    """The ledger of one reply: what was sent, when it sounds, what it says.

    The platform gives no playback marks, so we keep the clock. It buffers what we send and plays
    it in real time, so what was sent is heard as late as this ledger says, or later. ``now`` is
    seconds on any clock that never goes back.

    Args:
        lead: Seconds of audio that may be sent ahead of what was heard.
    """

    def __init__(self, lead: float) -> None:
        self._lead = lead
        self._ends_at: float | None = None
        self._marks: list[_Mark] = []
        self.sent = 0.0
        """Seconds of audio sent."""

        self.gaps = 0
        """How often the caller heard a gap, because the next piece came too late."""

    def begin(self, sentence: str) -> None:
        """Note that what is sent from here on says ``sentence``."""
        self._end_mark()
        self._marks.append(_Mark(words=sentence.split(), start=self.sent))

    def finish(self) -> None:
        """Note that all audio of the reply has been sent."""
        self._end_mark()

    def wait(self, now: float) -> float:
        """Return the seconds to wait before the next piece may be sent.

        After a stall this is zero until the lead stands again, so that a late task catches up.
        """
        return max(0.0, self.left(now) - self._lead)

    def add(self, seconds: float, now: float) -> None:
        """Note a piece of audio in the moment it is sent."""
        if self._ends_at is None or self._ends_at < now:
            # A gap between sentences is a breath; one within a sentence is a stutter.
            within = bool(self._marks) and self._marks[-1].start < self.sent
            self.gaps += self._ends_at is not None and within
            self._ends_at = now
        self._ends_at += seconds
        self.sent += seconds

    def left(self, now: float) -> float:
        """Return the seconds until the caller has heard everything sent."""
        return 0.0 if self._ends_at is None else max(0.0, self._ends_at - now)

    def position(self, now: float) -> float:
        """Return the seconds of the reply that the caller has heard."""
        return self.sent - self.left(now)

    def heard(self, now: float) -> str:
        """Return the words that the caller has heard, rounded down to whole words."""
        position = self.position(now)
        return " ".join(word for mark in self._marks for word in self._heard_of(mark, position))

    def _heard_of(self, mark: _Mark, position: float) -> list[str]:
        if mark.end is None:
            seconds = max(self.sent - mark.start, len(mark.words) * SLOW_WORD)
        else:
            seconds = mark.end - mark.start
        # The margin is for sums of 20 ms frames that miss the total by a rounding error.
        share = (position - mark.start + 1e-6) / seconds if seconds > 0 else 0.0
        return mark.words[: int(len(mark.words) * min(1.0, max(0.0, share)))]

    def _end_mark(self) -> None:
        if self._marks and self._marks[-1].end is None:
            self._marks[-1].end = self.sent
