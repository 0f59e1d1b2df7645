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
from collections import deque
from collections.abc import Iterator
from types import FrameType

import structlog

from pipelines.clock import now
from pipelines.histogram import Histogram

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
        self.seconds = Histogram(BUCKETS)
        """How late, since the start."""

        self._latest: deque[tuple[float, float]] = deque()  # when, and how late
        self.longest = 0.0
        """Seconds, since the start."""

    def note(self, late: float, at: float) -> None:
        """Note that a wake-up came ``late`` seconds late, ``at`` seconds on any steady clock."""
        self.seconds.note(late)
        self.longest = max(self.longest, late)
        self._latest.append((at, late))
        while self._latest[0][0] <= at - LATELY:
            self._latest.popleft()

    @property
    def lately(self) -> float:
        """Seconds that nineteen of twenty wake-ups of the last seconds were not late by.

        Not the worst: one stall is over when it is noticed, and no reason to turn callers away. A
        loop that has too much to do is late time after time.
        """
        latest = sorted(late for _, late in self._latest)
        return latest[len(latest) * 19 // 20] if latest else 0.0


class Watchdog:
    """Watches the loop that runs :meth:`run`. One a process."""

    def __init__(self) -> None:
        self.lag = LoopLag()
        self.holds = 0
        """How often the loop was held, since the start."""

        self._beat_at = 0.0
        self._seen: list[str] = []
        self._not_logged = 0
        self._next_log = float("-inf")

    async def run(self) -> None:
        """Watch until this is cancelled; the thread is gone on return."""
        stopped = threading.Event()
        arguments = (threading.get_ident(), stopped)
        thread = threading.Thread(target=self._look, args=arguments, name="watchdog", daemon=True)
        self._beat_at = time.monotonic()
        thread.start()
        try:
            while True:
                due = now() + BEAT
                await asyncio.sleep(BEAT)
                self._beat_at = time.monotonic()
                self._note(now() - due, now())
        finally:
            stopped.set()
            thread.join()  # it waits for nothing but this

    def _note(self, late: float, at: float) -> None:
        self.lag.note(late, at)
        stack, self._seen = self._seen, []
        if late < HELD:
            return
        self.holds += 1
        if at < self._next_log:
            self._not_logged += 1
            return
        self._next_log = at + LOG_EVERY
        seconds = round(late, 2)
        log.warning(
            "the event loop was held", seconds=seconds, where=stack, not_logged=self._not_logged
        )
        self._not_logged = 0

    def _look(self, loop: int, stopped: threading.Event) -> None:
        """Take down where the loop's thread stands, while it is overdue. Runs in a thread.

        It logs nothing: a log that cannot be written may be what holds the loop.
        """
        while not stopped.wait(BEAT):
            if not self._seen and time.monotonic() - self._beat_at >= BEAT + HELD:
                self._seen = where(sys._current_frames().get(loop))  # noqa: SLF001 - no other way


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
