"""How long to wait before something that failed is tried again."""

from __future__ import annotations


def longer(last: float, *, first: float, longest: float) -> float:
    """Return the seconds to wait this time: twice as long as ``last``, within bounds.

    Args:
        last: Seconds waited last time; 0 if it has not failed since it last worked.
        first: Seconds to wait after the first failure.
        longest: Seconds that no wait exceeds.
    """
    return min(longest, 2 * last or first)
