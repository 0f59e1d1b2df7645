"""What a process and all that it has started use: CPU and memory, as Linux tells them."""

from __future__ import annotations

import os
from collections.abc import Sequence
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


def use_of(pids: Sequence[int], proc: Path = PROC) -> Use | None:
    """Return what some processes have used by now; None if they are gone, or the system is mute.

    Reads a file a process: a few may be read beside calls that are paced.
    """
    each = [fields for pid in pids if (fields := _stat(pid, proc))]
    if not each:
        return None
    # utime, stime, and both of children that have ended; resident pages
    ticks = sum(int(fields[at]) for fields in each for at in (11, 12, 13, 14))
    pages = sum(int(fields[21]) for fields in each)
    return Use(cpu=ticks / _TICKS, memory=pages * _PAGE, processes=len(each))


def _stat(pid: int, proc: Path) -> list[str]:
    """Return the fields of ``stat`` from the third on (proc(5)); none if the process is gone."""
    try:
        text = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()  # the name before it may hold anything


def family(pid: int, proc: Path = PROC) -> list[int]:
    """Return a process and its descendants, as they are now.

    Reads a file for each process of the machine: in a thread, and not too often.
    """
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


def core_seconds(cores: frozenset[int], proc: Path = PROC) -> float | None:
    """Return the seconds that these cores have not idled since the start of the machine.

    What a virtual machine's host has given to others counts, too. None if the system cannot tell.
    """
    try:
        text = (proc / "stat").read_text(encoding="ascii")
    except OSError:
        return None
    total = 0
    for line in text.splitlines():
        name, *fields = line.split()
        if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in cores:
            user, nice, system, _idle, _wait, *interrupts_and_stolen = map(int, fields[:8])
            total += user + nice + system + sum(interrupts_and_stolen)
    return total / _TICKS


def cores_of(pid: int) -> frozenset[int]:
    """Return the cores that a process may use; none if the system cannot tell."""
    if not hasattr(os, "sched_getaffinity"):
        return frozenset()
    try:
        return frozenset(os.sched_getaffinity(pid))
    except OSError:
        return frozenset()


class NoCoreError(Exception):
    """There is no such core, or it cannot be chosen; the message is one clear line."""


def checked(cores: Sequence[int]) -> None:
    """See whether cores can be chosen.

    Raises:
        NoCoreError: If they cannot.
    """
    if cores and not hasattr(os, "sched_setaffinity"):
        raise NoCoreError("this system does not let cores be chosen: leave out --core")
    count = os.cpu_count() or 1
    if strange := [core for core in cores if core >= count]:
        raise NoCoreError(f"there is no core {strange[0]}: there are 0 to {count - 1}")


def pin(cores: Sequence[int]) -> None:
    """Have this process, and children that it starts later, run on these cores alone.

    Raises:
        NoCoreError: If they are not for us.
    """
    if not cores or not hasattr(os, "sched_setaffinity"):
        return
    try:
        os.sched_setaffinity(0, cores)
    except OSError as error:
        raise NoCoreError(f"cannot run on the cores {cores}: {error.strerror}") from None


def cores_here() -> list[int]:
    """Return the cores that this process may use, in order."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
