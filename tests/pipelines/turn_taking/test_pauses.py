"""How one caller pauses."""

from __future__ import annotations

import pytest

from pipelines.turn_taking.pauses import MOST, CallerPauses


def after(*pauses: float) -> CallerPauses:
    """A caller whose turns so far had these longest pauses; 0 is a turn without any."""
    caller = CallerPauses()
    for pause in pauses:
        if pause:
            caller.went_on(pause)
        caller.next_turn()
    return caller


@pytest.mark.parametrize("pauses", [(), (0.0, 0.0, 0.0), (0.2, 0.3, 0.35)])
def test_a_caller_who_never_pauses_is_answered_as_fast_as_ever(pauses: tuple[float, ...]) -> None:
    """Short pauses are everybody's."""
    assert after(*pauses).extra == 0.0


def test_a_habit_is_learned_within_four_turns_and_bounded() -> None:
    """More with each turn, and never more than the bound."""
    extras = [after(*[1.2] * turns).extra for turns in range(7)]
    assert extras[0] == 0.0
    assert extras[1] < extras[2]
    assert extras[3:] == [MOST] * 4
    assert after(*[60.0] * 9).extra == MOST


def test_a_habit_is_forgotten_within_four_turns() -> None:
    """As is what was an exception."""
    assert after(1.2, 1.2, 1.2, 0.0, 0.0, 0.0).extra == 0.0


def test_the_turn_that_is_being_said_counts_already() -> None:
    """Its longest pause does, and is none of the next."""
    caller = after(1.0)
    before = caller.extra
    caller.went_on(0.5)
    caller.went_on(1.0)
    caller.went_on(0.4)
    assert caller.extra > before
    assert (caller.count, caller.longest) == (3, 1.0)
    caller.next_turn()
    assert (caller.count, caller.longest) == (0, 0.0)


def test_who_was_cut_into_would_have_paused_for_longer() -> None:
    """By how much nobody knows; it is more than the silence that we took for the end."""
    cut, paused = CallerPauses(), CallerPauses()
    cut.was_cut_into(0.8)
    paused.went_on(0.8)
    assert cut.extra > paused.extra
