"""Whether a level holds: the figures of its calls together, and in a sentence why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agent.bench.caller import Measured
from agent.bench.level import Level

WORSE = 0.1
"""Seconds that the p95 of a level's overhead may be over that of one call."""

LATE = 0.01
"""Seconds at p99 from which the generator was late: half a frame. What is measured is then its own
lateness, too."""


CROWDED = 0.1
"""Share of the server's cores from which somebody else's work is to be heard in its calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """How some seconds are spread."""

    count: int
    p50: float
    p95: float
    p99: float
    most: float


def percentiles_of(seconds: Sequence[float]) -> Percentiles | None:
    """Return how they are spread; None if there are none."""
    if not len(seconds):
        return None
    p50, p95, p99 = (float(one) for one in np.percentile(seconds, (50, 95, 99)))
    return Percentiles(count=len(seconds), p50=p50, p95=p95, p99=p99, most=float(max(seconds)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelFigures:
    """What is said of a level. Times in seconds, sizes in bytes; None where it is not known."""

    calls: int
    answered: int
    response: Percentiles | None
    """From the end of a turn to the first sound of the answer, at the caller's ear."""

    overhead: Percentiles | None
    """That, less the configured silence, the providers' fixed latency and 20 ms."""

    overhead_after: Mapping[str, Percentiles | None]
    """The same by the recording that was answered: soft ends are heard as silence late."""

    gaps: Percentiles | None
    stops: Percentiles | None
    """From the first sound of an interruption to ``clear``."""

    stale: float
    unstopped: int
    unanswered: int
    cut_ins: int
    cpu_a_minute: float | None
    """CPU seconds a call-minute."""

    memory_a_call: float | None
    memory_kept: float | None
    """What stays after the level, a call."""

    lag_p99: float | None
    pacing_p99: float | None
    """Of the server's event loop, and of the messages that it sent: at most so late."""

    generator_sent: Percentiles | None
    generator_woken: Percentiles | None
    generator_cpu_a_minute: float
    generator_share: float
    """Of a core, with the providers that it has started."""

    speaking: float
    """Share of the time in which a caller speaks."""

    others: float | None
    """Share of the server's cores that somebody else used."""

    @property
    def crowded(self) -> bool:
        """Whether the server did not have its cores for itself."""
        return self.others is not None and self.others > CROWDED

    @property
    def generator_late(self) -> bool:
        """Whether the generator itself was late."""
        sent, woken = self.generator_sent, self.generator_woken
        return any(one is not None and one.p99 > LATE for one in (sent, woken))


def figures(level: Level, fixed: float) -> LevelFigures:
    """Return what is said of a level.

    Args:
        level: As it was measured.
        fixed: Seconds of a response that are no overhead: silence, providers, 20 ms.
    """
    each = level.measured
    responses = [one for call in each for one in call.responses]
    minutes = len(each) * level.seconds / 60
    frames = sum(call.frames for call in each)
    before, most, after = level.memory_before, level.memory_most, level.memory_after
    calls = max(1, len(each))
    return LevelFigures(
        calls=level.calls,
        answered=level.answered,
        response=percentiles_of(responses),
        overhead=percentiles_of([one - fixed for one in responses]),
        overhead_after=_after(each, fixed),
        gaps=percentiles_of([one for call in each for one in call.gaps]),
        stops=percentiles_of([one for call in each for one in call.stops]),
        stale=sum(call.stale for call in each),
        unstopped=sum(call.unstopped for call in each),
        unanswered=sum(call.unanswered for call in each),
        cut_ins=sum(call.cut_ins for call in each),
        cpu_a_minute=level.cpu / minutes if level.cpu is not None and minutes else None,
        memory_a_call=(most - before) / calls if most is not None and before is not None else None,
        memory_kept=(after - before) / calls if after is not None and before is not None else None,
        lag_p99=level.lag.percentile(99) if level.lag is not None else None,
        pacing_p99=level.pacing.percentile(99) if level.pacing is not None else None,
        generator_sent=percentiles_of(level.sent),
        generator_woken=percentiles_of(level.woken),
        generator_cpu_a_minute=level.own_cpu / minutes if minutes else 0.0,
        generator_share=(level.own_cpu + (level.providers_cpu or 0.0)) / level.seconds,
        speaking=sum(call.spoken for call in each) / frames if frames else 0.0,
        others=level.others,
    )


def _after(each: Sequence[Measured], fixed: float) -> Mapping[str, Percentiles | None]:
    """Return overhead by the recording that was answered."""
    names = sorted({name for call in each for name in call.after})
    return {
        name: percentiles_of([one - fixed for call in each for one in call.after.get(name, ())])
        for name in names
    }


def why_not(found: LevelFigures, one: LevelFigures, level: Level) -> list[str]:
    """Return why a level does not hold, a sentence each; nothing if it does.

    Args:
        found: Of the level.
        one: Of one call, with which it is compared.
        level: Where it came from.
    """
    reasons = []
    if level.refused:
        reasons.append(f"{level.refused} of {level.calls} calls were refused for want of room")
    for why, count in level.failed.most_common(3):
        reasons.append(f"{count} of {level.calls} calls failed: {why}")
    if found.unanswered:
        reasons.append(f"{found.unanswered} turns were never answered")
    if found.gaps is not None:
        reasons.append(
            f"{found.gaps.count} gaps were heard in replies, the longest of {_ms(found.gaps.most)}"
        )
    if found.overhead is None:
        reasons.append("no turn was answered while it was measured")
    elif one.overhead is not None and found.overhead.p95 > one.overhead.p95 + WORSE:
        reasons.append(
            f"the p95 of overhead is {_ms(found.overhead.p95)}, more than {_ms(WORSE)} over the "
            f"{_ms(one.overhead.p95)} of one call"
        )
    return reasons


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"
