"""How sure figures of a few calls are."""

from __future__ import annotations

import numpy as np
import pytest

from agent.simulator import intervals
from agent.simulator.intervals import of_percentile, of_share


@pytest.mark.parametrize(
    ("held", "of", "low", "high"),
    [(0, 7, 0.0, 0.354), (8, 30, 0.142, 0.445), (7, 7, 0.646, 1.0)],
)
def test_a_share_has_wilsons_interval(held: int, of: int, low: float, high: float) -> None:
    """Even none of seven is no promise that there is none."""
    assert of_share(held, of) == pytest.approx((low, high), abs=0.001)


def test_of_nothing_nothing_is_known() -> None:
    """And nothing fails."""
    assert of_share(0, 0) is None
    assert of_percentile([], 50) == (None, None)


def test_a_few_values_bound_the_median_but_not_the_tail() -> None:
    """Seven: the median is between the first and the last; nobody knows how far the 95th goes."""
    values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    assert of_percentile(values, 50) == (0.1, 0.7)
    low, high = of_percentile(values, 95)
    assert low is not None
    assert high is None


def test_it_holds_the_true_percentile_as_often_as_it_says() -> None:
    """Nineteen times of twenty or more, whatever the distribution."""
    random = np.random.default_rng(2)
    for percent, true in ((50, np.log(2)), (95, np.log(20))):
        hits = 0
        for _ in range(200):
            low, high = of_percentile(random.exponential(size=120).tolist(), percent)
            hits += (low is None or low <= true) and (high is None or true <= high)
        assert hits >= 184


def test_the_mean_of_counts() -> None:
    """Of too few there is nothing; of many the truth is within, and the same each time."""
    assert intervals.of_mean([1.0] * 9) is None
    assert intervals.of_mean([0.0] * 10) == (0.0, 0.0)
    counts = [0.0, 1.0, 0.0, 0.0, 2.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    found = intervals.of_mean(counts)
    assert found is not None
    assert 0 < found[0] < 5 / 12 < found[1] < 1.2
    assert intervals.of_mean(counts) == found


def test_six_values_bound_their_median_and_five_do_not() -> None:
    """As is said where there are fewer."""
    few = intervals.FEWEST_FOR_A_MEDIAN
    assert None in intervals.of_percentile([float(n) for n in range(few - 1)], 50)
    assert intervals.of_percentile([float(n) for n in range(few)], 50) == (0.0, 5.0)


def test_repeats_do_not_make_an_interval_too_narrow() -> None:
    """Seven situations, each with a chance of its own, tried ten times: 95 % hold it."""
    random = np.random.default_rng(2)
    hits = 0
    for _ in range(400):
        held = random.binomial(10, random.beta(0.3 * 7 / 3, 0.7 * 7 / 3, size=7))
        low, high = intervals.of_clustered_share([(int(one), 10) for one in held])
        hits += low <= 0.3 <= high
    assert hits >= 372


def test_a_change_of_shares_holds_the_truth() -> None:
    """In pairs, of few and many; and where nothing has changed it still has a width."""
    random = np.random.default_rng(2)
    for size in (5, 10, 30):
        hits = 0
        for _ in range(400):
            before, after = random.random(size) < 0.27, random.random(size) < 0.67
            changes = after.astype(float) - before
            low, high = intervals.of_change(changes.tolist())
            hits += low <= 0.4 <= high
        assert hits >= 372
    assert intervals.of_change([0.0] * 10) == pytest.approx((-0.231, 0.231), abs=0.001)
