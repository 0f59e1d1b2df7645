"""The two sides of a call on its clock, in samples: the caller by arrival, the agent as heard.

No clock, no I/O, no task. Both are told what passes and when, and give stretches of audio, each
with its place. Where there is no stretch there is silence.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf

import numpy as np

from pipelines.audio import BYTES_PER_SAMPLE

LATE = 0.02
"""Seconds that audio may come late, or early, and is still taken for the next: a frame's length,
and a fifth of what an ear notices between two voices."""

SETTLED = 1.0
"""Seconds of audio that have to come late before they are taken to have been spoken late: a stall
is followed by a burst, which catches up."""

MOST_AHEAD = 2.0
"""Seconds that audio may be ahead of its arrival, while it is too loud to be cut unheard."""

MOST_PENDING = 20.0
"""Seconds of audio whose place is not known yet. A line lets no burst of more than 15 s in."""

QUIET = 328
"""Of 32768: -40 dB, where cutting a few milliseconds is not heard."""


@dataclass(frozen=True, slots=True)
class PlacedAudio:
    """Samples that follow one another."""

    start: int
    """Samples since the call's zero."""

    pcm: bytes

    @property
    def samples(self) -> int:
        """How many it has."""
        return len(self.pcm) // BYTES_PER_SAMPLE

    @property
    def end(self) -> int:
        """The sample behind its last."""
        return self.start + self.samples

    def cut(self, start: int, end: int) -> PlacedAudio:
        """Return the part of it that lies in these bounds; it may be empty."""
        start, end = max(start, self.start), min(end, self.end)
        first, last = start - self.start, max(start, end) - self.start
        return PlacedAudio(start, self.pcm[first * BYTES_PER_SAMPLE : last * BYTES_PER_SAMPLE])


class CallerSide:
    """The caller's audio, placed by when it came.

    A piece that arrives has been spoken by then, and it follows the one before. It comes late by
    some jitter; where that was a stall, a burst catches up; where audio was lost, or the far end's
    clock goes slower than ours, it never does. So what counts is the *smallest* delay among what
    comes one after the other: the audio before it, and the place that it was given, stay.

    Args:
        rate: Hertz.
        begin: The first sample that is wanted; what was spoken before is dropped.
    """

    def __init__(self, rate: int, begin: int) -> None:
        self._rate = rate
        self._begin = self._end = begin
        self._fresh = True  # the first audio is placed by its arrival alone
        self._odd = b""
        self._run: list[bytes] = []
        self._samples = 0  # of the run
        self._unmoved = 0  # those since it last came closer
        self._start = inf  # of the run, at the latest
        self._placed: list[PlacedAudio] = []

    def add(self, pcm: bytes, at: int) -> None:
        """Take audio that came at sample ``at``."""
        pcm = self._odd + pcm if self._odd else pcm
        if len(pcm) & 1:
            self._odd, pcm = pcm[-1:], pcm[:-1]
        elif self._odd:
            self._odd = b""
        samples = len(pcm) // BYTES_PER_SAMPLE
        self._run.append(pcm)
        self._samples += samples
        self._unmoved += samples
        if (start := at - self._samples) < self._start:
            if self._start - start > LATE / 4 * self._rate:
                self._unmoved = samples
            self._start = start
        on_time = self._start <= self._end + LATE * self._rate and not self._fresh
        settled = self._unmoved >= SETTLED * self._rate
        if on_time or settled or self._samples >= MOST_PENDING * self._rate:
            self._settle()

    def take(self) -> list[PlacedAudio]:
        """Return what has its place by now, and was not returned before."""
        taken, self._placed = self._placed, []
        return taken

    def finish(self) -> list[PlacedAudio]:
        """Return all that is left; what comes afterwards belongs to another."""
        self._settle()
        return self.take()

    def _settle(self) -> None:
        pcm, start = b"".join(self._run), self._start
        self._run, self._samples, self._unmoved, self._start = [], 0, 0, inf
        if not pcm:
            return
        late = int(start) - self._end
        if self._fresh or late > LATE * self._rate:
            piece = PlacedAudio(int(start), pcm).cut(self._begin, int(start) + len(pcm))
            self._fresh = not piece.pcm  # all of it was spoken before: so may be what follows
        elif -late > LATE * self._rate and (-late > MOST_AHEAD * self._rate or _is_quiet(pcm)):
            cut = min(-late * BYTES_PER_SAMPLE, len(pcm))
            piece = PlacedAudio(self._end, pcm[cut:])
        else:
            piece = PlacedAudio(self._end, pcm)
        if piece.pcm:
            self._placed.append(piece)
            self._end = piece.end


class AgentSide:
    """What was sent, placed by when it is heard: the platform plays it in real time, in order.

    The same clock as :class:`~pipelines.reply.playout.Playout` keeps for a reply, over all of them;
    so what is heard here is what history and transcript say was heard. It holds what was sent ahead
    and no more: the lead of the playout, 20 seconds at the most.
    """

    def __init__(self) -> None:
        self._waiting: deque[PlacedAudio] = deque()
        self._end = 0

    def add(self, pcm: bytes, at: int) -> None:
        """Take audio that was sent at sample ``at``."""
        piece = PlacedAudio(max(self._end, at), pcm)
        self._waiting.append(piece)
        self._end = piece.end

    def clear(self, at: int) -> None:
        """Drop what is not heard by sample ``at``."""
        while self._waiting and self._waiting[-1].start >= at:
            self._waiting.pop()
        if self._waiting and self._waiting[-1].end > at:
            self._waiting.append(self._waiting.pop().cut(0, at))
        self._end = min(self._end, at)

    def take(self, until: int) -> list[PlacedAudio]:
        """Return what is heard by sample ``until``, and was not returned before."""
        taken: list[PlacedAudio] = []
        while self._waiting and self._waiting[0].start < until:
            piece = self._waiting.popleft()
            taken.append(piece.cut(0, until))
            if piece.end > until:
                self._waiting.appendleft(piece.cut(until, piece.end))
        return taken


def joined(stretches: Iterable[PlacedAudio]) -> Iterator[PlacedAudio]:
    """Yield ``stretches``, those as one that follow each other without a gap."""
    start, end = 0, -1
    pieces: list[bytes] = []
    for one in stretches:
        if one.start != end and pieces:
            yield PlacedAudio(start, b"".join(pieces))
            pieces = []
        if not pieces:
            start = one.start
        pieces.append(one.pcm)
        end = one.end
    if pieces:
        yield PlacedAudio(start, b"".join(pieces))


def _is_quiet(pcm: bytes) -> bool:
    samples = np.frombuffer(pcm, "<i2")
    return bool(samples.max() < QUIET and samples.min() > -QUIET)
