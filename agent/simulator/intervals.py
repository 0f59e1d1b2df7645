"""How sure figures are that come from a few calls.

SciPy takes a second to load, so it is loaded where it is needed: the service never does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

CONFIDENCE = 0.95
"""Of all intervals: the usual one."""


def of_share(held: int, of: int) -> tuple[float, float] | None:
    """Return between which shares the true one is, having seen ``held`` of ``of``; None of none.

    Wilson's interval: it stays within 0 and 1, and says something of 0 of 7, too.
    """
    from scipy.stats import binomtest  # noqa: PLC0415 - see above

    if not of:
        return None
    found = binomtest(held, of).proportion_ci(CONFIDENCE, method="wilson")
    return float(found.low), float(found.high)


def of_percentile(values: Sequence[float], percent: float) -> tuple[float | None, float | None]:
    """Return between which values a percentile is, from the order of ``values`` alone.

    It assumes nothing of how they are distributed, and is exact where a bootstrap of seven values
    is not. An end that so few values do not bound is None: 95 % of seven are below nobody knows
    what.
    """
    from scipy.stats import quantile_test  # noqa: PLC0415 - see above

    if not values:
        return None, None
    found = quantile_test(values, p=percent / 100).confidence_interval(CONFIDENCE)
    low, high = (None if math.isnan(end) else float(end) for end in (found.low, found.high))
    return low, high
