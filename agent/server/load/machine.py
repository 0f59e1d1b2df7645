"""What this machine has for calls, as far as that can be said before the first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipelines.stages.lineup import Providers
from pipelines.workers import OnThisMachine

try:
    import resource
except ImportError:  # Windows, which has no limit of files that is met
    resource = None  # type: ignore[assignment]

MOST = 1000
"""Calls of a process at the very most, where speech is heard and spoken elsewhere. What it carries
is measured, and is a tenth of that on the fastest machines: this is for a measure that fails."""

FILES_A_CALL = 8
"""Its socket, journal, recording, and a connection to each provider, doubled for those to come."""

FILES_BESIDES = 256
"""Those of the service itself: connections without calls, the database, its folders."""

MEMORY_A_CALL = 2**20
"""Bytes: twice what is measured of one that is recorded."""

LOCAL_A_CORE = 10
"""Calls a core, where a model on this machine hears or speaks: 2.6 CPU seconds a call-minute
(moonshine tiny, piper, a 2 vCPU EPYC) make 0.43 of it, and they come in bursts."""

LOCAL_AT_ONCE_A_CORE = 4
"""Of them, how many may come in before anything can be measured: if all callers speak at the same
moment, the last is answered a second later than the first."""

CGROUP, OWN_CGROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
"""Where control groups are, by their second version, and where it says which of them is ours."""

MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many calls there may be."""

    most: int
    at_once: int
    """How many of them come in freely; beyond that they come as what is measured allows."""


def room(max_calls: int | None, providers: Providers, workers: int = 1) -> Room:
    """Return how many calls the service may have. Reads files: not for the event loop of calls.

    Args:
        max_calls: As it is set; None if that is for this machine and its line-up to say.
        providers: Built.
        workers: Processes that answer them: each has files of its own.
    """
    here = cores()
    speech = [each.provider for stage, each in providers.candidates if stage != "llm"]
    if not any(isinstance(each, OnThisMachine) for each in speech):
        most = max_calls or bound(workers) * workers
        return Room(most=most, at_once=most)
    most = max_calls or max(1, int(LOCAL_A_CORE * here))
    return Room(most=most, at_once=min(most, max(1, int(LOCAL_AT_ONCE_A_CORE * here))))


def bound(workers: int = 1, cgroup: Path = CGROUP, meminfo: Path = MEMINFO) -> int:
    """Return how many calls files and memory allow, :data:`MOST` at most. Reads files."""
    files = _file_limit()
    by_files = MOST if files is None else (files - FILES_BESIDES) // FILES_A_CALL
    available = [one for one in (_available(meminfo), *_memory_limits(cgroup)) if one]
    by_memory = min(available, default=MOST * workers * MEMORY_A_CALL) // workers // MEMORY_A_CALL
    return max(1, min(MOST, by_files, by_memory))


def raise_file_limit(wanted: int = MOST * FILES_A_CALL + FILES_BESIDES) -> None:
    """Let this process open so many files, as far as its user may; some systems begin with few.

    Nothing is left undone if it cannot: there is room for fewer calls then.
    """
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _file_limit() -> int | None:
    if resource is None:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def _available(meminfo: Path) -> int | None:
    """Return the bytes that the machine could still give; None if it does not say."""
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
        found = next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))
        return int(found) * 1024
    except (OSError, ValueError, StopIteration, IndexError):
        return None


def memory(cgroup: Path = CGROUP) -> int:
    """Return the bytes that there are for this service: what the machine has, or its limit.

    Not on Windows.
    """
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([installed, *_memory_limits(cgroup)])


def cores(cgroup: Path = CGROUP) -> float:
    """Return the cores that this process may use: what there are, less a quota."""
    here = float(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    for limit in _limits(cgroup, "cpu.max"):
        with suppress(ValueError, ZeroDivisionError):  # "max": there is no quota
            quota, period = limit.split()
            here = min(here, int(quota) / int(period))
    return here


def _memory_limits(cgroup: Path) -> list[int]:
    found = []
    for limit in _limits(cgroup, "memory.max"):
        with suppress(ValueError):  # "max": there is none
            found.append(int(limit))
    return found


def _limits(cgroup: Path, name: str) -> Iterator[str]:
    """Yield the limits of this process: of its own control group, and of all that it is in.

    A container sees its own as the first of all; a service of systemd is some levels below.
    """
    try:
        own = OWN_CGROUP.read_text(encoding="utf-8").strip().rpartition("::/")[2]
    except OSError:  # not Linux
        own = ""
    innermost = cgroup / own
    for folder in (innermost, *innermost.parents):
        if folder.is_relative_to(cgroup):
            with suppress(OSError, ValueError):
                yield (folder / name).read_text(encoding="ascii")
