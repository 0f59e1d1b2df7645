"""What a process holds that grows if anything of a call is left: counted, and its slope a call."""

from __future__ import annotations

import asyncio
import gc
import math
import os
import re
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

OURS = ("agent.", "pipelines.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a process holds at a time."""

    memory: int
    """Bytes in memory, as :func:`memory_of` has them."""

    open: Counter[str]
    """Descriptors by kind: ``socket``, ``pipe``, ``journal``, ``database``, or what it is."""

    stored: Counter[str] = field(default_factory=Counter)
    """Files on the disk, by the folder that they are in."""

    threads: int
    tasks: int
    """Of asyncio, in the loop that was asked in."""

    objects: Counter[str]
    """Of our own classes, by name."""

    @property
    def own(self) -> int:
        """Objects of ours, of all classes."""
        return self.objects.total()

    @property
    def sockets(self) -> int:
        """Open ones."""
        return self.open["socket"]

    @property
    def files(self) -> int:
        """Descriptors of anything but sockets."""
        return self.open.total() - self.sockets

    @property
    def on_disk(self) -> int:
        """Files that are stored."""
        return self.stored.total()


def held(folder: Path | None = None) -> Held:
    """Return what this process holds once garbage is collected; to be called in the loop.

    Args:
        folder: Where it stores things; None if that is not asked.
    """
    gc.collect()
    names = (type(one) for one in gc.get_objects())
    objects = Counter(
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in names
        if str(kind.__module__).startswith(OURS)
    )
    return Held(
        memory=memory_of("self"),
        open=open_files("self"),
        stored=Counter() if folder is None else stored_files(folder),
        threads=threading.active_count(),
        tasks=len(asyncio.all_tasks()),
        objects=objects,
    )


def memory_of(process: int | str) -> int:
    """Return the bytes of a process in memory that are its own.

    Without those of mapped files: the system takes them away, and reads them again, as it likes.
    """
    status = Path(f"/proc/{process}/status").read_text()
    return sum(
        int(kilobytes) << 10 for kilobytes in re.findall(r"Rss(?:Anon|Shmem):\s+(\d+)", status)
    )


def open_files(process: int | str) -> Counter[str]:
    """Return the descriptors that a process has open, by kind."""
    found: Counter[str] = Counter()
    for entry in Path(f"/proc/{process}/fd").iterdir():
        try:
            found[_kind(str(entry.readlink()))] += 1
        except FileNotFoundError:  # the one by which the folder is read, and what was closed since
            continue
    return found


def _kind(target: str) -> str:
    if made := re.fullmatch(r"(socket|pipe|anon_inode):\[?(.*?)\]?", target):
        return made[2] if made[1] == "anon_inode" else made[1]
    name = target.removesuffix(" (deleted)")
    if name.endswith(".jsonl"):
        return "journal"
    return "database" if re.search(r"\.db(-wal|-shm)?$", name) else name


def stored_files(folder: Path) -> Counter[str]:
    """Return how many files are in a folder and those in it, by these."""
    return Counter(
        str(Path(root).relative_to(folder)) for root, _, files in os.walk(folder) for _ in files
    )


@dataclass(frozen=True, slots=True)
class Slope:
    """How much there is more of something with each call."""

    each: float
    half: float
    """Half the width of its 95 % interval."""

    def verdict(self, calls: int, allowed: float) -> str:
        """Return ``flat``, ``GROWS``, or ``NOT KNOWN`` if there were too few calls to tell.

        Args:
            calls: How many calls it is of.
            allowed: How much more there may be after so many: the interval has to be below that,
                or a measure that is noisy enough would be flat whatever grows.
        """
        if (self.each + self.half) * calls <= allowed:
            return "flat"
        return "GROWS" if self.each - self.half > 0 else "NOT KNOWN"

    def __str__(self) -> str:
        low, high = self.each - self.half, self.each + self.half
        return f"{self.each:+.4g} a call ({low:+.4g} to {high:+.4g})"


def slope(calls: Sequence[int], values: Sequence[float]) -> Slope:
    """Return how values grow with calls, and how sure that is."""
    if len(calls) < 3:
        return Slope(0.0, math.inf)
    if len(set(values)) == 1:
        return Slope(0.0, 0.0)
    # Imported here: each process of tests loads this file, and one of them counts.
    from scipy.stats import linregress  # noqa: PLC0415
    from scipy.stats import t as student  # noqa: PLC0415

    found = linregress(calls, values)
    half = float(student.ppf(0.975, len(calls) - 2)) * float(found.stderr)
    return Slope(float(found.slope), half)
