"""How late the event loop is, and what held it.

All calls of a process share one loop: whatever holds it is silence for every caller. A task wakes
ten times a second and notes how late it was woken. A thread looks at the task, and while it is
overdue takes down where the loop's thread stands: files, lines and functions, never a value, since
those may be a caller's words.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import accumulate
from types import FrameType

import structlog

from pipelines.clock import now

log = structlog.get_logger()

BEAT = 0.1
"""Seconds between two looks at the clock: a thousandth of a percent of a core."""

HELD = 0.25
"""Seconds overdue from which the loop counts as held. Callers hear it from `playout.lead` on, which
is longer; a caller who interrupts waits for us sooner."""

LATELY = 5.0
"""Seconds over which :attr:`LoopLag.lately` looks: longer than a stall, shorter than a turn."""

DEEPEST = 12
"""Frames of a stack that are logged, the innermost: the path of a call is less deep."""

LOG_EVERY = 10.0
"""Seconds between two stacks in the log: a loop that is always late would fill it."""

BUCKETS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds in seconds: 10 ms is what admitted load may cost, 20 ms a frame of audio."""


class LoopLag:
    """How late a loop has been: a histogram since the start, and the last seconds."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS) + 1)
        self._latest: deque[tuple[float, float]] = deque()  # when, and how late
        self.total = 0.0
        """Seconds, summed."""

        self.longest = 0.0
        """Seconds, since the start."""

    def note(self, late: float, at: float) -> None:
        """Note that a wake-up came ``late`` seconds late, ``at`` seconds on any steady clock."""
        self._counts[bisect_left(BUCKETS, late)] += 1
        self.total += late
        self.longest = max(self.longest, late)
        self._latest.append((at, late))
        while self._latest[0][0] <= at - LATELY:
            self._latest.popleft()

    @property
    def buckets(self) -> Sequence[tuple[str, int]]:
        """Each upper bound as Prometheus writes it, and how many were not above it."""
        bounds = (*map(str, BUCKETS), "+Inf")
        return list(zip(bounds, accumulate(self._counts), strict=True))

    @property
    def lately(self) -> float:
        """Seconds that three of four wake-ups of the last seconds were not late by.

        Not the worst: one stall is over when it is noticed, and no reason to turn callers away. A
        loop that has too much to do is late each time.
        """
        latest = sorted(late for _, late in self._latest)
        return latest[len(latest) * 3 // 4] if latest else 0.0


class Watchdog:
    """Watches the loop that runs :meth:`run`. One a process."""

    def __init__(self) -> None:
        self.lag = LoopLag()
        self.holds = 0
        """How often the loop was held, since the start."""

        self._beat_at = time.monotonic()
        self._unlogged = 0
        self._next_log = 0.0

    async def run(self) -> None:
        """Watch until this is cancelled; the thread is gone on return, within :data:`BEAT`."""
        stopped = threading.Event()
        arguments = (threading.get_ident(), stopped)
        thread = threading.Thread(target=self._watch, args=arguments, name="watchdog", daemon=True)
        self._beat_at = time.monotonic()
        thread.start()
        try:
            while True:
                due = now() + BEAT
                await asyncio.sleep(BEAT)
                self._beat_at = time.monotonic()
                at = now()
                self.lag.note(at - due, at)
        finally:
            stopped.set()

    # In the thread

    def _watch(self, loop: int, stopped: threading.Event) -> None:
        while not stopped.wait(BEAT):
            beat = self._beat_at
            if time.monotonic() - beat < BEAT + HELD:
                continue
            self.holds += 1
            told = self._tell(loop, time.monotonic())
            while self._beat_at == beat:
                if stopped.wait(BEAT):
                    return
            if told:
                seconds = round(self._beat_at - beat - BEAT, 1)
                log.warning("the event loop is free again", seconds=seconds)

    def _tell(self, loop: int, at: float) -> bool:
        """Log what the loop is at, unless that was done a moment ago; return whether it was."""
        if at < self._next_log:
            self._unlogged += 1
            return False
        self._next_log = at + LOG_EVERY
        stack = where(sys._current_frames().get(loop))  # noqa: SLF001 - there is no other way
        log.warning("the event loop is held", stack=stack, not_logged=self._unlogged)
        self._unlogged = 0
        return True


def where(frame: FrameType | None) -> list[str]:
    """Return where a thread stands, innermost first: place and function, :data:`DEEPEST` at most.

    Nothing else of it: no line of source and no value.
    """
    frames = zip(range(DEEPEST), _outwards(frame), strict=False)
    return [
        f"{one.f_code.co_filename}:{one.f_lineno} {one.f_code.co_qualname}" for _, one in frames
    ]


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
