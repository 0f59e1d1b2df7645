"""How often values were up to which bound: what percentiles over many processes are made of."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate


class Histogram:
    """Values, counted by bounds. One thread adds, any other may read meanwhile.

    Args:
        bounds: Upper bounds, rising, each included in its own; what is above all is counted, too.
    """

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        """The values, summed."""

    def note(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    @property
    def buckets(self) -> list[tuple[str, int]]:
        """Each bound as Prometheus writes it, and how many values were not above it."""
        bounds = (*(str(float(bound)) for bound in self._bounds), "+Inf")
        return list(zip(bounds, accumulate(self._counts[:]), strict=True))
