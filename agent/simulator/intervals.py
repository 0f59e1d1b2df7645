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


def percentile(values: Sequence[float], percent: float) -> float:
    """Return a percentile of some values, between two of them if need be."""
    import numpy as np  # noqa: PLC0415 - with SciPy, see above

    return float(np.percentile(values, percent))


def of_clustered_share(groups: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Return between which shares the true one is, of calls in groups that are alike.

    Twenty repeats of one situation say less than twenty situations. Wilson's interval, for as many
    calls as would vary as much if they were independent: all of them if repeats differ as calls of
    different situations do, and one a group if they are all the same (Kish's design effect, as
    surveys have it; fewer by Korn and Graubard's factor, since so few groups tell that effect only
    roughly). Where it always happened or never did, one a group.

    Args:
        groups: Of each, how often it happened and of how many; none is of nothing.
    """
    from scipy.special import ndtri, stdtrit  # noqa: PLC0415 - see above

    held, of, count = sum(h for h, _ in groups), sum(n for _, n in groups), len(groups)
    share = held / of
    n = float(count)
    z = float(ndtri((1 + CONFIDENCE) / 2))
    if 0 < held < of and count > 1:
        spread = sum((h - share * m) ** 2 for h, m in groups) * count / (count - 1) / of**2
        effect = spread / (share * (1 - share) / of)
        rough = (z / float(stdtrit(count - 1, (1 + CONFIDENCE) / 2))) ** 2
        n = max(n, of / max(effect, 1.0) * rough)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


FEWEST_FOR_A_MEDIAN = 6
"""Values whose order bounds their median at 95 %: all six on one side of it are 1 in 32 of both."""

FEWEST_FOR_A_MEAN = 10
"""Values from which a bootstrap is trusted: of fewer its intervals are too narrow."""

RESAMPLES = 9_999


def of_mean(values: Sequence[float]) -> tuple[float, float] | None:
    """Return between what the mean is, by a bootstrap (BCa); None of too few values.

    For counts, most of which are 0: their median says nothing. The same values give the same
    interval.
    """
    import numpy as np  # noqa: PLC0415 - with SciPy, see above
    from scipy.stats import bootstrap  # noqa: PLC0415 - see above

    if len(values) < FEWEST_FOR_A_MEAN:
        return None
    if min(values) == max(values):
        return values[0], values[0]
    found = bootstrap(
        (np.asarray(values),),
        np.mean,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def of_change(changes: Sequence[float]) -> tuple[float, float]:
    """Return between what the mean of changes of a share is, each from -1 to 1.

    Bonett and Price's interval for pairs: as if one more had become worse and one more better. So
    it has a width where nothing has changed, since of few that proves little, and holds for few.
    """
    from scipy.special import ndtri  # noqa: PLC0415 - see above

    more = [*changes, 1.0, -1.0]
    mean = sum(more) / len(more)
    spread = sum((one - mean) ** 2 for one in more) / len(more)
    half = float(ndtri((1 + CONFIDENCE) / 2)) * math.sqrt(spread / len(more))
    return max(-1.0, mean - half), min(1.0, mean + half)
