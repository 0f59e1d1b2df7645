"""How many calls this machine carries, as far as that can be said before the first."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pipelines.stages.lineup import Providers
from pipelines.workers import OnThisMachine

HOSTED = 100
"""Calls of a process whose speech is heard and spoken elsewhere: its event loop is the limit, and
says so when it is reached."""

LOCAL_A_CORE = 10
"""Calls a core, where a model on this machine hears or speaks: 2.6 CPU seconds a call-minute
(moonshine tiny, piper, a 2 vCPU EPYC) make 0.43 of it, and they come in bursts."""

LOCAL_AT_ONCE_A_CORE = 4
"""Of them, how many may come in before anything can be measured: if all callers speak at the same
moment, the last is answered a second later than the first."""

CGROUP = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many calls there may be."""

    most: int
    at_once: int
    """How many of them come in freely; beyond that they come as what is measured allows."""


def room(max_calls: int | None, providers: Providers, workers: int = 1) -> Room:
    """Return how many calls the service may have. Reads a file: not for the event loop of calls.

    Args:
        max_calls: As it is set; None if that is for this machine and its line-up to say.
        providers: Built.
        workers: Processes that answer them.
    """
    speech = [each.provider for stage, each in providers.candidates if stage != "llm"]
    if not any(isinstance(each, OnThisMachine) for each in speech):
        most = max_calls or HOSTED * workers
        return Room(most=most, at_once=most)
    most = max_calls or max(1, int(LOCAL_A_CORE * cores()))
    return Room(most=most, at_once=min(most, max(1, int(LOCAL_AT_ONCE_A_CORE * cores()))))


def cores(cgroup: Path = CGROUP) -> float:
    """Return the cores that this process may use: what there are, less a container's quota."""
    here = float(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    try:
        quota, period = cgroup.read_text(encoding="ascii").split()
        return min(here, int(quota) / int(period))
    except (OSError, ValueError, ZeroDivisionError):  # no container, or one without a quota
        return here
