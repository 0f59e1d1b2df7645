"""What calls cost of the event loop's core, and so how many more it can carry.

Whatever is measured of calls that suffer is measured too late. So it is reckoned in advance: what a
call costs, as measured over those that there were, times the calls that would be there. Calls that
have been let in a moment ago, or have a place, count in full though nothing is seen of them yet; a
burst is therefore stopped where a slow rise is.

Two things are told apart that look alike. A process with one call has costs that a second does not
add to (a clock that ticks, caches that are cold at each wake-up): they are those of having calls at
all, and what a call costs is the slope above them. And the thread of the loop waits for its core
behind threads of ours, which is use by calls, or behind others, which leaves less room as long as
it lasts but makes no call cost more.
"""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

FULL = 0.85
"""Share of a core up to which calls are taken. On one of a 2-core EPYC, no other on it, callers
wait 541 ms (p95) at 0.37, 555 ms at 0.75 and 755 ms at 0.93."""

WAITING = 2.0
"""What a second of waiting for a core that others have counts, against one of running: it is given
back a slice at a time, so that each frame is late by one. With 0.27 of a core used and 0.42
waited for, callers wait 40 % longer; with 0.16 and 0.33, 11 %."""

CLEAR = 0.05
"""How far below it has to be until a full process takes calls again, so that it does not flap."""

FIRST_COST = 0.03
"""Share of a core that a call is taken to cost before any was measured: 28 calls are taken of a
first burst. With hosted speech it is 0.008 to 0.03, by line-up and machine."""

LEAST_COST = 0.002
"""Less than that no call costs: a guard against a clock that says nothing."""

FEW = 4.0
"""Calls of which half of what was not foreseen is put down to having calls at all. With one call
nearly all of it is, which says little of what a second would cost; with twenty next to nothing."""

LEARNED_IN = 60.0
"""Seconds of calls after which what was measured of them weighs two thirds: six calls of ten
seconds, so that a first burst is known before it has been answered once."""

PROVEN_AFTER = 10.0
"""Seconds after which what a call costs has been measured: a greeting and a first reply."""

YOUNG = 0.7
"""Of what a call costs, the least that is taken to show before: a greeting is played, and nothing
heard yet. With its beginning it may well be all, so between the two nothing is learned."""

SEEN_OVER = 2.0
"""Seconds that a measure of the use is taken over: short, so that it is over soon after the load;
long enough for a hundred frames of each call."""


@dataclass(frozen=True, slots=True)
class LoopSeconds:
    """What the thread of an event loop has had of its core since some moment."""

    own: float = 0.0
    """Seconds for which it ran, or waited behind threads of this process."""

    lost: float = 0.0
    """Seconds for which it waited behind others, as :data:`WAITING` has it."""


class LoopTime:
    """For how long the thread of an event loop has used a core, or waited for one.

    Make it in any thread (it opens a file), read it in the loop's, close it in the end.

    Args:
        thread: Native id of the loop's thread.
    """

    def __init__(self, thread: int) -> None:
        self._file: int | None = None
        self._waited, self._beside = 0.0, math.inf
        """Seconds for which it had waited, and other threads of ours had run, at the last look."""

        self._seconds = LoopSeconds()
        try:
            self._file = os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY)
        except OSError:  # not Linux: what it waits for is not told, what it uses is
            return

    def read(self) -> LoopSeconds:
        """Return seconds since some moment. System calls of microseconds; no disk is read.

        What it has waited is put down to other threads of ours for as long as they have run
        meanwhile, wherever that was, and to others beyond that.
        """
        ran, waited = self._read()
        beside = time.process_time() - ran
        behind_ours = min(waited - self._waited, max(0.0, beside - self._beside))
        lost = self._seconds.lost + WAITING * (waited - self._waited - behind_ours)
        own = ran + waited - (lost / WAITING)
        self._waited, self._beside = waited, beside
        self._seconds = LoopSeconds(own, lost)
        return self._seconds

    def _read(self) -> tuple[float, float]:
        if self._file is not None:
            ran, waited, _ = map(int, os.pread(self._file, 96, 0).split())
            if ran:  # a kernel may count nothing
                return ran / 1e9, waited / 1e9
        return time.thread_time(), 0.0

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


@dataclass(frozen=True, slots=True)
class _Look:
    at: float
    seconds: LoopSeconds
    """Until then."""

    calls: int
    shown: float
    """How many calls show what they cost: the young ones in part."""


class LoopLoad:
    """How busy the loop is, what a call costs of it, and how many more there is room for.

    Args:
        core: The share of a core that there is for it: less than 1 under a quota.
    """

    def __init__(self, core: float = 1.0) -> None:
        self.core = core
        self.busy = 0.0
        """Share of a core that the loop has lately used, or waited for."""

        self.cost = FIRST_COST
        """Share of a core that a call more is reckoned to cost."""

        self.idle = 0.0
        """Share of a core that is used while there is no call."""

        self.fixed = 0.0
        """Share of a core that it takes besides to have calls, however many."""

        self.full = False
        """Whether there was no room for another call when it was last looked."""

        self._looks: deque[_Look] = deque()

    def look(self, seconds: LoopSeconds, calls: int, at: float) -> None:
        """Take what was read, a few times a second.

        Args:
            seconds: Of the loop's thread, as :meth:`LoopTime.read` has them.
            calls: In progress, now.
            at: Seconds, on any clock that never goes back.
        """
        last = self._looks[-1] if self._looks else None
        while self._looks and self._looks[0].at < at - PROVEN_AFTER:
            self._looks.popleft()
        known = self._looks and at - self._looks[0].at >= PROVEN_AFTER - SEEN_OVER
        proven = min(calls, *(one.calls for one in self._looks)) if known else 0
        self._looks.append(_Look(at, seconds, calls, proven + YOUNG * (calls - proven)))
        if last is None or at <= last.at:
            return
        first = next(one for one in self._looks if one.at >= at - SEEN_OVER or one is last)
        own = max(0.0, seconds.own - first.seconds.own) / (at - first.at)
        self.busy = own + max(0.0, seconds.lost - first.seconds.lost) / (at - first.at)
        self._learn(own, at - last.at)
        self.full = self.room(calls) < 1

    def _learn(self, own: float, seconds: float) -> None:
        """Move what is reckoned towards what is measured, by the seconds of calls that are seen.

        What was not foreseen is shared between what having calls costs and what each does, in
        the least squares' way: by how much of it each would explain (normalised LMS).
        """
        if not self._seen:
            self.idle += (min(own, FULL / 2) - self.idle) * min(1.0, seconds / SEEN_OVER)
            return
        seen, shown = self._seen, self._lately(lambda one: one.shown)
        calls = own - self.idle - self.fixed
        missed = calls - min(max(calls, self.cost * shown), self.cost * seen)
        step = missed * (1 - math.exp(-shown * seconds / LEARNED_IN)) / (shown**2 + FEW**2)
        self.cost = max(LEAST_COST, self.cost + step * shown)
        self.fixed = min(max(0.0, self.fixed + step * FEW**2), FULL / 4)

    @property
    def _seen(self) -> float:
        """Calls that :attr:`busy` is of, on average."""
        return self._lately(lambda one: one.calls)

    def _lately(self, what: Callable[[_Look], float]) -> float:
        """Return the average of looks, without the first: each tells of the time before it."""
        last = self._looks[-1].at if self._looks else 0.0
        found = [what(one) for one in self._looks if one.at >= last - SEEN_OVER]
        found = found[1:] or found
        return sum(found) / len(found) if found else 0.0

    def room(self, taken: int) -> int:
        """Return how many more calls can be carried, as far as is known; 0 or less: none.

        Args:
            taken: Calls in progress, and places that are taken.
        """
        most = (FULL - CLEAR if self.full else FULL) * self.core
        as_reckoned = (most - self.idle - self.fixed) / self.cost - taken
        unseen = max(0.0, taken - self._seen)
        as_measured = (most - self.busy) / self.cost - unseen
        return math.floor(min(as_reckoned, as_measured) + 1e-9)
