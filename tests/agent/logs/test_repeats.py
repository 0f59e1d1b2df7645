"""How often a message is said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.logs.repeats import MOST_KINDS, PER_SECOND, Repeats

KIND = ("error", "asyncio", "no descriptors")


def test_a_message_is_said_a_few_times_a_second_and_the_rest_is_counted() -> None:
    """A thousand in a second are five, and one that says how many more."""
    repeats = Repeats()
    said = [repeats.passes(KIND, n / 1000) for n in range(1000)]
    assert said.count(True) == PER_SECOND
    assert repeats.holding
    assert list(repeats.due(0.999)) == []
    assert list(repeats.due(1.0)) == [(KIND, 1000 - PER_SECOND)]
    assert not repeats.holding


def test_messages_that_come_now_and_then_are_all_said() -> None:
    """Each second has its own allowance, and each message."""
    repeats = Repeats()
    assert all(repeats.passes(("info", "", str(n % 50)), n / 200) for n in range(2000))


def test_messages_of_too_many_kinds_share_one_allowance() -> None:
    """What a library makes up does not fill the memory, nor the log."""
    repeats = Repeats()
    said = [repeats.passes(("error", "x", str(n)), n / 10_000) for n in range(10_000)]
    assert said.count(True) == MOST_KINDS + PER_SECOND
    assert sum(more for _, more in repeats.due(5.0)) == said.count(False)
    # And once it is over, they are kinds of their own again.
    assert repeats.passes(KIND, 9.0)


@given(st.lists(st.tuples(st.integers(0, 150), st.floats(0, 0.5))))
def test_nothing_is_lost_uncounted(steps: list[tuple[int, float]]) -> None:
    """Whatever comes, whenever: it is said, or counted."""
    repeats, now, said, told = Repeats(), 0.0, 0, 0
    for kind, wait in steps:
        now += wait
        said += repeats.passes(("info", "", str(kind)), now)
        told += sum(more for _, more in repeats.due(now))
    told += sum(more for _, more in repeats.due(now, all_=True))
    assert said + told == len(steps)
