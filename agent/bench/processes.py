"""What a process and all that it has started use: CPU and memory, as Linux tells them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a tree of processes has used by now."""

    cpu: float
    """Seconds, in the program and in the kernel, of those that live and those that have ended."""

    memory: int
    """Resident bytes; what they share is counted with each."""

    processes: int


def use_of(pid: int, proc: Path = PROC) -> Use | None:
    """Return what a process and its descendants use; None if it is gone, or the system cannot tell.

    Reads a file a process: not for an event loop that paces calls.
    """
    ticks = pages = 0
    tree = _tree(pid, proc)
    found = 0
    for one in tree:
        fields = _stat(one, proc)
        if fields:
            found += 1
            ticks += sum(int(fields[at]) for at in (11, 12, 13, 14))  # utime stime cutime cstime
            pages += int(fields[21])
    if not found:
        return None
    return Use(cpu=ticks / _TICKS, memory=pages * _PAGE, processes=found)


def _stat(pid: int, proc: Path) -> list[str]:
    """Return the fields of ``stat`` from the third on (proc(5)); none if the process is gone."""
    try:
        text = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()  # the name before it may hold anything


def _tree(pid: int, proc: Path) -> list[int]:
    """Return a process and its descendants."""
    children: dict[int, list[int]] = {}
    try:
        numbers = [int(one.name) for one in proc.iterdir() if one.name.isdigit()]
    except OSError:
        return []
    for number in numbers:
        if fields := _stat(number, proc):
            children.setdefault(int(fields[1]), []).append(number)
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def pin(cores: frozenset[int]) -> bool:
    """Have this process run on these cores alone, with its children; return whether it does."""
    if not cores or not hasattr(os, "sched_setaffinity"):
        return False
    try:
        os.sched_setaffinity(0, cores)
    except OSError:  # there is no such core, or it is not ours
        return False
    return True


def cores_here() -> list[int]:
    """Return the cores that this process may use, in order."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
