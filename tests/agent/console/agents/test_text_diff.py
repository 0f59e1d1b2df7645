"""What has changed between two texts, told in time that grows with their length alone."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from agent.console.agents.text_diff import differences

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "", "a b", "{% x %}"]), max_size=40).map("\n".join)


@given(TEXTS, TEXTS)
def test_a_diff_tells_all_of_both(old: str, new: str) -> None:
    """Every line that is in one text alone is shown, with its number; the rest is in both."""
    shown = differences(old, new)
    before, after = old.split("\n"), new.split("\n")
    assert bool(shown) == (old != new)
    for line in shown:
        text = "".join(part.text for part in line.parts)
        assert line.old is None or before[line.old - 1] == text
        assert line.new is None or after[line.new - 1] == text
    gone = {line.old for line in shown if line.kind == "removed"}
    come = {line.new for line in shown if line.kind == "added"}
    rest = [line for number, line in enumerate(before, 1) if number not in gone]
    assert rest == [line for number, line in enumerate(after, 1) if number not in come]


def test_words_are_marked() -> None:
    """Those of a line that has changed a little; of one that is another, none."""
    shown = differences("x\nHello, we are open.\ny", "x\nHello, we are closed.\ny")
    assert [line.kind for line in shown] == ["same", "removed", "added", "same"]
    assert [part.text for line in shown for part in line.parts if part.marked] == ["open", "closed"]
    other = differences("Hello, we are open.", "Nothing of it!")
    assert not any(part.marked for line in other for part in line.parts)


def test_what_is_far_from_a_change_is_left_out() -> None:
    """Three lines around it stay."""
    old = "\n".join(map(str, range(100)))
    shown = differences(old, old.replace("50", "fifty").replace("\n57", ""))
    kinds = "".join(line.kind[0] for line in shown)
    assert kinds == "gsssrassssssrsssg"


def test_no_text_takes_long() -> None:
    """Two of 100 KB and more, whatever stands in them: difflib alone would take minutes."""
    size = 30_000
    fives, sevens = ("\n".join(f"{n % each} a" for n in range(size)) for each in (5, 7))
    texts = [
        ("x\n" * size, "y\nx\n" * (size // 2)),
        ("\n".join(map(str, range(size))), "\n".join(map(str, reversed(range(size))))),
        (fives, sevens),
        ("a b " * size, "b a " * size),
        ("\n".join("a " * 59 for _ in range(2000)), "\n".join("b a" * 30 for _ in range(2000))),
    ]
    before = time.process_time()
    for old, new in texts:
        assert differences(old, new)
    assert time.process_time() - before < 20  # it takes about one
