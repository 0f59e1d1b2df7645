"""How much of a reply the caller has heard, and when to send more of it."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipelines.audio import Audio, frame_bytes

SLOW_WORD = 0.45
"""Seconds. A word spoken slowly (133 a minute; people and synthesizers speak 150 to 190). Until all
audio of a sentence is known, its words are credited at this rate, so never too many."""


@dataclass(slots=True, kw_only=True)
class _Mark:
    words: list[str]
    spoken: int
    """Words that the voice was given: "$9" is two."""

    start: float
    """Seconds of the reply before this sentence."""

    end: float | None = None
    """Seconds after it; None while its audio still comes."""

    ends: list[float] = field(default_factory=list)
    """When each of the first words that the voice was given has been spoken, as far as it told;
    seconds from ``start``."""


class Playout:
    """The ledger of one reply: what is to be sent, what was sent, when it sounds, what it says.

    The platform gives no playback marks, so we keep the clock. It buffers what we send and plays
    it in real time, so what was sent is heard as late as this ledger says, or later. ``now`` is
    seconds on any clock that never goes back.

    A reply can be held: what was sent and not yet heard, which the platform forgets by a ``clear``,
    is then to be sent again.

    Args:
        lead: Seconds of audio that may be sent ahead of what was heard.
    """

    def __init__(self, lead: float) -> None:
        self._lead = lead
        self._ends_at: float | None = None
        self._marks: list[_Mark] = []
        self._frames: deque[tuple[float, Audio]] = deque()  # with where in the reply each starts
        self._unsent = 0  # of them, from the right
        self._made = 0.0
        self.sent = 0.0
        """Seconds of the reply sent, less what was taken back."""

        self.gaps = 0
        """How often the caller heard a gap, because the next piece came too late."""

    def begin(self, sentence: str, spoken: int = 0) -> None:
        """Note that what is put from here on says ``sentence``.

        Args:
            sentence: As it is kept.
            spoken: Words of it as the voice was given it, if that is another number.
        """
        self._end_mark()
        words = sentence.split()
        self._marks.append(_Mark(words=words, spoken=spoken or len(words), start=self._made))

    def time(self, ends: Iterable[float]) -> None:
        """Note when the next words of the sentence have been spoken, by the voice's own word.

        Args:
            ends: Seconds from the beginning of its audio.
        """
        self._marks[-1].ends.extend(ends)

    def finish(self) -> None:
        """Note that all audio of the sentence has been put."""
        self._end_mark()

    def put(self, audio: Audio) -> None:
        """Take the next whole frames of the reply, to be sent one by one."""
        size = frame_bytes(audio.rate)
        for at in range(0, len(audio.pcm), size):
            frame = Audio(audio.pcm[at : at + size], audio.rate)
            self._frames.append((self._made, frame))
            self._unsent += 1
            self._made += frame.seconds

    @property
    def pending(self) -> bool:
        """Whether there is anything to send."""
        return self._unsent > 0

    def wait(self, now: float) -> float:
        """Return the seconds to wait before the next piece may be sent.

        After a stall this is zero until the lead stands again, so that a late task catches up.
        """
        return max(0.0, self.left(now) - self._lead)

    def take(self, now: float) -> Audio:
        """Return the next piece and note that it is sent now."""
        start, audio = self._frames[-self._unsent]
        self._unsent -= 1
        if self._ends_at is None or self._ends_at < now:
            # A gap between sentences is a breath; one within a sentence is a stutter.
            self.gaps += self._ends_at is not None and self._within_a_sentence(start)
            self._ends_at = now
        self._ends_at += audio.seconds
        self.sent = start + audio.seconds
        self._forget(now)
        return audio

    def hold(self, now: float) -> None:
        """Take back what was sent and not heard; a ``clear`` has to follow."""
        position = self.position(now)
        self._unsent = sum(start + audio.seconds > position + 1e-6 for start, audio in self._frames)
        self._ends_at = None
        self.sent = position

    def rewind(self) -> None:
        """Go back to the start of the sentence that was held, to say it again."""
        start = self._current_start(self.sent)
        self._unsent = sum(at >= start - 1e-6 for at, _ in self._frames)
        self.sent = start

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
            seconds = max(self._made - mark.start, len(mark.words) * SLOW_WORD)
        else:
            seconds = mark.end - mark.start
        # The margin is for sums of 20 ms frames that miss the total by a rounding error.
        into = position - mark.start + 1e-6
        share = into / seconds if seconds > 0 else 0.0
        if mark.ends and share < 1:
            share = bisect_right(mark.ends, into) / mark.spoken
        return mark.words[: int(len(mark.words) * min(1.0, max(0.0, share)))]

    def _within_a_sentence(self, start: float) -> bool:
        return any(mark.start < start for mark in self._marks[-1:])

    def _current_start(self, position: float) -> float:
        """Return where the sentence at ``position`` starts."""
        starts = [mark.start for mark in self._marks if mark.start <= position + 1e-6]
        return starts[-1] if starts else 0.0

    def _forget(self, now: float) -> None:
        """Drop the pieces before the sentence that is being heard: nobody goes back there."""
        keep = self._current_start(self.position(now))
        while len(self._frames) > self._unsent and self._frames[0][0] < keep - 1e-6:
            self._frames.popleft()

    def _end_mark(self) -> None:
        if self._marks and self._marks[-1].end is None:
            self._marks[-1].end = self._made
