"""Whether there is too much to do: decided from what is measured, whatever it comes from.

How many calls there may be is reckoned before (:mod:`agent.server.load.loop_load`); this is for
what no reckoning foresees.

Three things are measured, each against a limit:

- how late the event loop is, which is how late each frame leaves: the pace of playout hangs on it;
- how long work waits for a thread of a model on this machine (transcribe, speak, judge a turn);
- whether all providers of a stage have lately said that they take no more (HTTP 429).

One that is over its limit twice in a row begins an overload; it ends when all have been under half
of theirs for a while. In between nothing changes, so that it does not flap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog

from agent.server.load.watchdog import LoopLag
from pipelines.clock import now
from pipelines.stages.lineup import Providers
from pipelines.workers import OnThisMachine, WorkerThreads

log = structlog.get_logger()

LOOK_EVERY = 0.5
"""Seconds between two looks."""

CALM_FOR = 5.0
"""Seconds of calm until calls are taken again: as long as the measures look back."""

CALM = 0.5
"""Share of a limit under which a measure is calm."""

LATE = 0.1
"""Seconds that the loop may be late, one time of twenty: five frames, a tenth of `playout.lead`. It
is 5 ms on a machine that is not full."""

WAIT = 0.5
"""Seconds that work may wait for a thread: that much later is the answer, twice if it is heard
and spoken here."""

LIMITED_FOR = 10.0
"""Seconds after a provider has said that it takes no more: about as long as its windows last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One measure, as it is now."""

    what: str
    value: float
    limit: float

    @property
    def share(self) -> float:
        """How much of the limit it is: 1 is all of it."""
        return self.value / self.limit


class Overload:
    """Whether there is too much to do.

    Args:
        read: Returns what is measured now.
    """

    def __init__(self, read: Callable[[], Sequence[Reading]]) -> None:
        self._read = read
        self.reason = ""
        """What is too much; ``""`` if nothing is."""

        self.times = 0
        """How often it has begun, since the start."""

        self._over = False
        self._calm_since: float | None = None
        self._began = 0.0

    def judge(self, readings: Sequence[Reading], at: float) -> None:
        """Take what was read ``at`` seconds, on any clock that never goes back."""
        worst = max(readings, key=lambda reading: reading.share)
        before, self._over = self._over, worst.share >= 1
        if worst.share >= CALM:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = at
        if self._over and before and not self.reason:
            self._begin(worst, at)
        elif self.reason and self._calm_since is not None and at - self._calm_since >= CALM_FOR:
            log.info("overload is over", seconds=round(at - self._began, 1))
            self.reason = ""
        elif self.reason and self._over:
            self.reason = worst.what  # which may be another than it began with

    def _begin(self, worst: Reading, at: float) -> None:
        self.reason, self._began = worst.what, at
        self.times += 1
        log.warning(
            "overload: no more calls are taken",
            reason=worst.what,
            value=round(worst.value, 3),
            limit=worst.limit,
        )

    def look(self, at: float) -> None:
        """Judge what is measured now; to be called every :data:`LOOK_EVERY` seconds.

        Args:
            at: Seconds, on any clock that never goes back.
        """
        self.judge(self._read(), at)


def readings(lag: LoopLag, workers: Sequence[WorkerThreads], providers: Providers) -> list[Reading]:
    """Return what is measured now."""
    wait = max((each.wait for each in workers), default=0.0)
    limited = any(
        all(now() - each.limited_at < LIMITED_FOR for each in pool.candidates)
        for pool in providers.pools
    )
    return [
        Reading(what="the event loop is late", value=lag.lately, limit=LATE),
        Reading(what="models wait for threads", value=wait, limit=WAIT),
        Reading(what="a provider takes no more", value=float(limited), limit=1.0),
    ]


def workers_of(providers: Providers, *others: object) -> list[WorkerThreads]:
    """Return the threads of all models that compute on this machine.

    Args:
        providers: The stages.
        others: What else may be such a model.
    """

    def found() -> Iterator[WorkerThreads]:
        for one in (*(candidate.provider for _, candidate in providers.candidates), *others):
            if isinstance(one, OnThisMachine):
                yield one.workers

    return list(found())
