"""Many calls, replayed one after the other, or some side by side; one that fails is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from agent.replay.comparison import ComparedCall, compared
from agent.replay.held_call import Replayed, ReplaySettings, replay
from agent.replay.recorded_call import NotReplayedError, RecordedCall
from agent.replay.sources import RecordedSource
from agent.replay.started_providers import StartedProviders
from agent.settings import SettingsError
from agent.simulator import virtual_time

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPace:
    """How fast calls are replayed."""

    at_once: int = 1
    """Calls side by side."""

    real_time: bool = False
    """Whether by the wall's clock, whoever is asked."""

    work_takes: float | None = None
    """Seconds that each piece of work of a local model counts as; None for what it takes."""


@dataclass(slots=True, kw_only=True)
class ReplayResults:
    """What came of all calls."""

    calls: list[ComparedCall] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    """Names of those that could not be replayed, each with why."""

    seconds: float = 0.0
    """Of conversation that was replayed."""

    took: float = 0.0
    """Seconds by the wall's clock."""


def replay_all(
    sources: Sequence[RecordedSource],
    how: ReplaySettings,
    pace: ReplayPace,
    tell: Callable[[ComparedCall | tuple[str, str]], None],
) -> ReplayResults:
    """Replay calls; return what came of them.

    Args:
        sources: Which.
        how: By what.
        pace: How fast.
        tell: Given each call, or why it could not be replayed, as it is known.

    Raises:
        SettingsError: If the providers cannot be started, for any call.
    """
    started = StartedProviders(how.settings)
    try:
        return _each(sources, how, pace, tell, started)
    finally:
        asyncio.run(started.aclose())


def _each(
    sources: Sequence[RecordedSource],
    how: ReplaySettings,
    pace: ReplayPace,
    tell: Callable[[ComparedCall | tuple[str, str]], None],
    started: StartedProviders,
) -> ReplayResults:
    results, began = ReplayResults(), time.monotonic()
    for first in range(0, len(sources), pace.at_once):
        loaded: list[RecordedCall] = []
        for source in sources[first : first + pace.at_once]:
            try:
                loaded.append(source.load())
            except NotReplayedError as error:
                results.failed.append((source.name, str(error)))
                tell(results.failed[-1])
        for call, outcome in zip(loaded, _replayed(loaded, how, pace, started), strict=True):
            if isinstance(outcome, Replayed):
                results.calls.append(compared(outcome))
                results.seconds += results.calls[-1].now["seconds"] or 0.0
                tell(results.calls[-1])
            else:
                results.failed.append((call.name, _why(outcome)))
                tell(results.failed[-1])
    results.took = time.monotonic() - began
    return results


def _replayed(
    calls: Sequence[RecordedCall],
    how: ReplaySettings,
    pace: ReplayPace,
    started: StartedProviders,
) -> list[Replayed | BaseException]:
    """Return what came of each; a bug in one of them is a value, and the others go on."""

    async def side_by_side() -> list[Replayed | BaseException]:
        replays = (replay(one, how, started, alone=len(calls) == 1) for one in calls)
        return await asyncio.gather(*replays, return_exceptions=True)

    if not calls:
        return []
    if pace.real_time:
        return asyncio.run(side_by_side())
    return virtual_time.run(side_by_side(), work_takes=pace.work_takes)


def _why(error: BaseException) -> str:
    match error:
        case NotReplayedError():
            return str(error)
        case SettingsError():
            raise error
        case Exception():
            log.error("a replay broke: this is a bug", exc_info=error)
            return f"a bug: {type(error).__name__}"
        case _:  # somebody wants the program to end
            raise error
