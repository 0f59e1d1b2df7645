"""How much of a reply the caller has heard, and when to send more of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil, inf

import numpy as np

from pipelines.audio import FRAME_SECONDS, Audio, frame_bytes
from pipelines.histogram import Histogram
from pipelines.reply.heard_words import ROUNDING, HeardWords

AUDIBLE = 32_768 * 10 ** (-50 / 20)
"""RMS of a 20 ms frame from which something of it is heard: -50 dBFS. Speech as voices give it is
at -20, their softest consonants end at about -50 and their pauses are below -80; on the line G.711
has its smallest step at -72."""

MESSAGE = 5
"""Frames in one message, at the most, so that a reply under way costs ten messages and wake-ups a
second instead of fifty. A clear takes back what has not sounded, wherever a message is cut."""

PAUSE = 0.2
"""Seconds of near-silence at least between two sentences that follow at once: what people leave is
0.2 to 0.5 s, Piper's sentences end in 0.25, and those of some voices in none."""


PACING = (0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Bounds of how late messages leave, in seconds: 99 of 100 are to be within the sixth."""


@dataclass(slots=True)
class LineEnd:
    """What sounds on one line, whichever reply it is of."""

    pacing: Histogram = field(default_factory=lambda: Histogram(PACING))
    """Told how late each message leaves that had to wait for its time."""

    ends_at: float = 0.0
    """When the caller has heard all that was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardStretch:
    """Words that the caller heard one after the other: a sentence, or a part of one."""

    text: str
    began: float
    ended: float
    """On the clock of the ledger, as ``began``."""

    more: bool
    """Whether its sentence goes on."""


class Playout:
    """The ledger of one reply: what is to be sent, what was sent, when it sounds, what it says.

    The platform gives no playback marks, so we keep the clock. It buffers what we send and plays
    it in real time, so what was sent is heard as late as this ledger says, or later. ``now`` is
    seconds on any clock that never goes back.

    A reply can be held: what was sent and not yet heard, which the platform forgets by a ``clear``,
    is then to be sent again.

    Args:
        lead: Seconds of audio that may be sent ahead of what was heard.
        line: Shared by the replies of a call, in which one may begin while the pause after the one
            before is still to be heard; None where there is one reply.
    """

    def __init__(self, lead: float, line: LineEnd | None = None) -> None:
        self._lead = lead
        self.line = line or LineEnd()
        self._ends_at: float | None = None
        # When the caller last heard nothing more, and how much they had heard by then.
        self._stopped = (0.0, -1.0)
        self._next_began: float | None = None  # when the words were begun that are told of next
        self._words = HeardWords()
        # With where in the reply each frame starts: those to be sent, and those that were, as far
        # as somebody may go back to them.
        self._unsent: deque[tuple[float, Audio]] = deque()
        self._kept: deque[tuple[float, Audio]] = deque()
        self._made = 0.0
        self._audible = 0.0  # the end of the last frame made so far that is not near-silence
        self.sent = 0.0
        """Seconds of the reply sent, less what was taken back."""

        self.gaps = 0
        """How often the caller heard a gap, because the next piece came too late."""

        self.late = 0.0
        """Seconds that the latest frame left after its time, while the lead stood."""

        self._due = inf  # when the next may be sent, if it had to wait
        self.own_began: float | None = None
        """When the first sentence began to sound that was not interjected; as of :meth:`news`."""

    def begin(self, sentence: str, spoken: int = 0, now: float = inf) -> None:
        """Note that what is put from here on says ``sentence``.

        While there is something to hear, it does not run into that: what lacks of a :data:`PAUSE`
        is put, and is to be sent at once, as it delays whatever comes later than that.

        Args:
            sentence: As it is kept.
            spoken: Words of it as the voice was given it, if that is another number.
            now: The time.
        """
        lacks = PAUSE - (self._made - self._audible)
        if lacks > ROUNDING and self._kept and self.left(now):
            rate = self._kept[-1][1].rate
            self.put(Audio(bytes(ceil(lacks / FRAME_SECONDS) * frame_bytes(rate)), rate))
        self._words.begin(sentence, spoken, self._made)

    def interject(self, sentence: str, audio: Audio) -> None:
        """Take words, whole, that are said before the sentence that has begun and does not come."""
        start = self._made
        self.put(audio)
        self._audible = self._made
        self._words.interject(sentence, start, self._made)

    def time(self, ends: Iterable[float]) -> None:
        """Note when the next words of the sentence have been spoken, by the voice's own word.

        Args:
            ends: Seconds from the beginning of its audio.
        """
        self._words.time(ends)

    def finish(self) -> None:
        """Note that all audio of the sentence has been put: it ends with its last sound.

        One in which nothing can be heard counts to its end.
        """
        if self._audible <= self._words.latest_start:
            self._audible = self._made
        self._words.finish(self._audible)

    def put(self, audio: Audio) -> None:
        """Take the next whole frames of the reply, to be sent one by one."""
        size = frame_bytes(audio.rate)
        if audible := _audible_frames(audio, size):
            self._audible = self._made + Audio(audio.pcm[: audible * size], audio.rate).seconds
        for at in range(0, len(audio.pcm), size):
            frame = Audio(audio.pcm[at : at + size], audio.rate)
            self._unsent.append((self._made, frame))
            self._made += frame.seconds

    @property
    def pending(self) -> bool:
        """Whether there is anything to send."""
        return bool(self._unsent)

    def wait(self, now: float) -> float:
        """Return the seconds to wait before the next message may be sent, as long as can be.

        After a stall this is zero until the lead stands again, so that a late task catches up. Then
        it is until a whole message fits into the lead, or all that there is; half the lead remains.
        """
        fits = min(len(self._unsent) - 1, _more(self._lead)) * FRAME_SECONDS
        wait = self.left(now) - self._lead + fits
        if wait <= ROUNDING:
            return 0.0
        self._due = now + wait
        return wait

    def take(self, now: float) -> Audio:
        """Return the next message, whole frames, and note that it is sent now."""
        if self._due < inf:
            late, self._due = max(0.0, now - self._due), inf
            self.late = max(self.late, late)
            self.line.pacing.note(late)
        pieces: list[Audio] = []
        more = _more(self._lead)
        while not pieces or (
            self._unsent and len(pieces) <= more and self.left(now) <= self._lead + ROUNDING
        ):
            start, audio = frame = self._unsent.popleft()
            self._kept.append(frame)
            pieces.append(audio)
            if self._ends_at is None or self._ends_at < now:
                # A gap between sentences is a breath; one within a sentence is a stutter.
                if self._ends_at is not None:
                    self.gaps += self._words.is_within_one(start)
                    self._stopped = self._ends_at, self.sent
                self._ends_at = max(now, self.line.ends_at)
            self.line.ends_at = self._ends_at = self._ends_at + audio.seconds
            self.sent = start + audio.seconds
        keep = self._words.start_at(self.position(now))  # nobody goes back to sentences before
        while self._kept and self._kept[0][0] < keep - 1e-6:
            self._kept.popleft()
        return Audio(b"".join(each.pcm for each in pieces), pieces[0].rate)

    def hold(self, now: float) -> None:
        """Take back what was sent and not heard; a ``clear`` has to follow."""
        position, self._due = self.position(now), inf
        if self.left(now):
            self.line.ends_at = now
        while self._kept and self._kept[-1][0] + self._kept[-1][1].seconds > position + 1e-6:
            self._unsent.appendleft(self._kept.pop())
        self._stopped = self.heard_until(now), position
        self._ends_at = None
        self.sent = position

    def rewind(self) -> None:
        """Go back to the start of the sentence that was held, to say it again."""
        start = self._words.start_at(self.sent)
        while self._kept and self._kept[-1][0] >= start - 1e-6:
            self._unsent.appendleft(self._kept.pop())
        self.sent = start
        self._stopped = self._stopped[0], start

    def end(self, now: float) -> None:
        """Count as heard what is left, which is near-silence: no more of the reply is sent."""
        self._unsent.clear()
        self._ends_at = None if self._ends_at is None else min(self._ends_at, now)
        self.sent = self._made

    def left(self, now: float) -> float:
        """Return the seconds until the caller has heard everything sent."""
        return 0.0 if self._ends_at is None else max(0.0, self._ends_at - now)

    def audible_left(self, now: float) -> float:
        """Return the seconds until the caller has heard the last sound of what was put so far.

        Near-silence at its end does not count, whether sent or still to be sent; 0 if nothing but
        that is left. Whether more of the reply is to come is not known here: as long as not all of
        it was put, its sound ends later than this says. Of one that is held, it is how long it
        will sound once it goes on.
        """
        left = self._audible - self.position(now)
        return left if left > ROUNDING else 0.0

    def position(self, now: float) -> float:
        """Return the seconds of the reply that the caller has heard."""
        return max(0.0, self.sent - self.left(now))

    def heard(self, now: float) -> str:
        """Return the words that the caller has heard, rounded down to whole words."""
        return self._words.until(self.position(now), self._made)

    def unheard(self, now: float) -> str:
        """Return the words that there are, and that the caller has not heard."""
        return self._words.after(self.position(now), self._made)

    def heard_until(self, now: float) -> float:
        """Return when the caller heard the last of what they have heard of it."""
        return self._stopped[0] if self._ends_at is None else min(now, self._ends_at)

    def news(self, now: float, every: float = 0.0) -> list[HeardStretch]:
        """Return what the caller has heard since this was last asked.

        Ask several times a second, and before :meth:`hold`: times are told by the latest gap alone.

        Args:
            now: The time.
            every: Seconds of a sentence that make a part of it; 0 for all that was heard.
        """
        position = self.position(now)
        if self.own_began is None and position > (start := self._words.own_start) + ROUNDING:
            self.own_began = self._time_of(start, begins=True)
        if self._next_began is None and position > (start := self._words.next_start) + ROUNDING:
            self._next_began = self._time_of(start, begins=True)
        if self._next_began is not None:
            part = now - self._next_began >= every
        else:  # a voice may tell of a word when all audio that there is has been heard
            part = not self.left(now)
        found: list[HeardStretch] = []
        for one in self._words.news(position, self._made, part=part, every=not every):
            began, self._next_began = self._next_began, None
            if began is None:
                began = self._time_of(one.start, begins=True)
            ended = max(began, self._time_of(one.end, begins=False))
            found.append(HeardStretch(text=one.text, began=began, ended=ended, more=one.more))
        return found

    def _time_of(self, position: float, *, begins: bool) -> float:
        """Return when ``position`` was reached; at a gap, when it began or ended."""
        at, heard = self._stopped
        if self._ends_at is not None and position > heard + (-ROUNDING if begins else ROUNDING):
            at, heard = self._ends_at, self.sent
        return at - (heard - position)


def _more(lead: float) -> int:
    """Return how many frames a message may have besides its first."""
    return min(MESSAGE - 1, int(lead / FRAME_SECONDS / 2))


def _audible_frames(audio: Audio, size: int) -> int:
    """Return how many frames of ``size`` bytes there are up to the last that can be heard."""
    samples = np.frombuffer(audio.pcm, "<i2", count=len(audio.pcm) // 2).astype(np.float32)
    length = size // 2
    for end in range(len(samples) // length * length, 0, -length):
        frame = samples[end - length : end]
        if frame.dot(frame) >= AUDIBLE**2 * length:  # mostly the last
            return end // length
    return 0
