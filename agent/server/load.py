"""What calls cost of the event loop's core, and so how many more it can carry.

Whatever is measured of calls that suffer is measured too late. So it is reckoned in advance: what a
call costs, as measured over those that there were, times the calls that would be there. Calls that
have been let in a moment ago, or have a place, count in full though nothing is seen of them yet; a
burst is therefore stopped where a slow rise is.

What counts as used is the time for which the thread of the loop runs, and that for which it would
and has no core: so others on the machine, models of ours among them, leave less room.
"""

from __future__ import annotations

import math
import os
import time
from collections import deque
from dataclasses import dataclass

FULL = 0.8
"""Share of a core up to which calls are taken. On one of a 2-core EPYC, no other on it, callers
wait 541 ms (p95) at 0.37, 555 ms at 0.75 and 755 ms at 0.93."""

WAITING = 2.0
"""What a second of waiting for a core counts, against one of running: a core that others have is
given back a slice at a time, so that each frame is late by one. With 0.27 of a core used and 0.42
waited for, callers wait 40 % longer; with 0.16 and 0.33, 11 %."""

CLEAR = 0.05
"""How far below it has to be until a full process takes calls again, so that it does not flap."""

FIRST_COST = 0.03
"""Share of a core that a call is taken to cost before any was measured: 26 calls are taken of a
first burst. With hosted speech it is 0.008 to 0.03, by line-up and machine."""

LEAST_COST = 0.002
"""Less than that no call costs: a guard against a clock that says nothing."""

LEARNED_IN = 150.0
"""Seconds of calls after which what was measured of them weighs two thirds: fifteen calls of ten
seconds, so that a first burst is known when it has been answered once."""

PROVEN_AFTER = 10.0
"""Seconds after which what a call costs has been measured: a greeting and a first reply."""

SEEN_OVER = 2.0
"""Seconds that a measure of the use is taken over: short, so that it is over soon after the load;
long enough for a hundred frames of each call."""


class LoopTime:
    """For how long the thread of an event loop has used a core, or waited for one.

    Make it in any thread (it opens a file), read it in the loop's, close it in the end.

    Args:
        thread: Native id of the loop's thread.
    """

    def __init__(self, thread: int) -> None:
        self._file: int | None = None
        try:
            self._file = os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY)
        except OSError:  # not Linux: what it waits for is not told, what it uses is
            return

    def seconds(self) -> float:
        """Return seconds since the thread began, waiting as :data:`WAITING` has it.

        A system call of a microsecond; no disk is read.
        """
        if self._file is not None:
            ran, waited, _ = os.pread(self._file, 96, 0).split()
            if int(ran):  # a kernel may count nothing
                return (int(ran) + WAITING * int(waited)) / 1e9
        return time.thread_time()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


@dataclass(frozen=True, slots=True)
class _Look:
    at: float
    used: float
    """Seconds of the loop's thread until then."""

    calls: int


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
        """Share of a core that a call is reckoned to cost."""

        self.idle = 0.0
        """Share of a core that is used while there is no call."""

        self.full = False
        """Whether there was no room for another call when it was last looked."""

        self._looks: deque[_Look] = deque()

    def look(self, used: float, calls: int, at: float) -> None:
        """Take what was read, a few times a second.

        Args:
            used: Seconds of the loop's thread, as :meth:`LoopTime.seconds` has them.
            calls: In progress, now.
            at: Seconds, on any clock that never goes back.
        """
        last = self._looks[-1] if self._looks else None
        self._looks.append(_Look(at, used, calls))
        while self._looks[0].at < at - PROVEN_AFTER:
            self._looks.popleft()
        if last is None or at <= last.at:
            return
        first = next(one for one in self._looks if one.at >= at - SEEN_OVER or one is last)
        self.busy = max(0.0, used - first.used) / (at - first.at)
        self._learn(at - last.at)
        self.full = self.room(calls) < 1

    def _learn(self, seconds: float) -> None:
        """Move what calls are reckoned to cost towards what they cost now.

        It moves with the seconds of calls that are seen, and only of those that have shown it.
        """
        seen = self._seen
        proven = min(one.calls for one in self._looks)
        if not seen:
            self.idle += (min(self.busy, FULL / 2) - self.idle) * min(1.0, seconds / SEEN_OVER)
        elif proven and self._looks[-1].at - self._looks[0].at >= PROVEN_AFTER - SEEN_OVER:
            measured = max(LEAST_COST, (self.busy - self.idle) / seen)
            weight = 1 - math.exp(-proven * seconds / LEARNED_IN)
            self.cost += (measured - self.cost) * weight

    @property
    def _seen(self) -> float:
        """Calls that :attr:`busy` is of, on average."""
        last = self._looks[-1].at if self._looks else 0.0
        counts = [one.calls for one in self._looks if one.at >= last - SEEN_OVER]
        return sum(counts) / len(counts) if counts else 0.0

    def room(self, taken: int) -> int:
        """Return how many more calls can be carried, as far as is known; 0 or less: none.

        Args:
            taken: Calls in progress, and places that are taken.
        """
        most = (FULL - CLEAR if self.full else FULL) * self.core
        as_reckoned = (most - self.idle) / self.cost - taken
        unseen = max(0.0, taken - self._seen)
        as_measured = (most - self.busy) / self.cost - unseen
        return math.floor(min(as_reckoned, as_measured) + 1e-9)
