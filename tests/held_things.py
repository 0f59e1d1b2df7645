"""What a process holds that grows if anything of a call is left: counted, and its slope a call."""

from __future__ import annotations

import asyncio
import gc
import math
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import linregress
from scipy.stats import t as student

OURS = ("agent.", "pipelines.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a process holds at a time."""

    memory: int
    """Bytes that are in memory."""

    files: int
    """Open ones, sockets too."""

    threads: int
    tasks: int
    """Of asyncio, in the loop that was asked in."""

    objects: Counter[str]
    """Of our own classes, by name."""

    @property
    def own(self) -> int:
        """Objects of ours, of all classes."""
        return self.objects.total()


def held() -> Held:
    """Return what this process holds once garbage is collected; to be called in the loop."""
    gc.collect()
    names = (type(one) for one in gc.get_objects())
    objects = Counter(
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in names
        if str(kind.__module__).startswith(OURS)
    )
    return Held(
        memory=memory_of("self"),
        files=len(list(Path("/proc/self/fd").iterdir())),
        threads=threading.active_count(),
        tasks=len(asyncio.all_tasks()),
        objects=objects,
    )


def memory_of(process: int | str) -> int:
    """Return the bytes of a process that are in memory."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096


@dataclass(frozen=True, slots=True)
class Slope:
    """How much there is more of something with each call."""

    each: float
    half: float
    """Half the width of its 95 % interval."""

    @property
    def flat(self) -> bool:
        """Whether it may be that there is no more of it."""
        return self.each - self.half <= 0

    def __str__(self) -> str:
        low, high = self.each - self.half, self.each + self.half
        return f"{self.each:+.4g} a call ({low:+.4g} to {high:+.4g})"


def slope(calls: Sequence[int], values: Sequence[float]) -> Slope:
    """Return how values grow with calls, and how sure that is."""
    if len(calls) < 3:
        return Slope(0.0, math.inf)
    found = linregress(calls, values)
    half = float(student.ppf(0.975, len(calls) - 2)) * float(found.stderr)
    return Slope(float(found.slope), half)
