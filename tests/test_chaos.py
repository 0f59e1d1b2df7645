"""What ``python -m tests.chaos`` measures, and that it asks everything of every stage."""

from __future__ import annotations

from agent.simulator.call_in_progress import CallInProgress
from agent.simulator.plan import Plan
from tests.chaos import LONGEST, RATE, TROUBLES, chosen, longest_silence

SOUND = b"\x00\x20\x00\xe0" * (RATE // 100)


def test_the_longest_silence_is_that_of_both_sides() -> None:
    """Whoever makes a sound ends it; the end of the call does, too."""
    call = CallInProgress(Plan(), lambda _at, _line: None)
    for ours, theirs, frames in ((0, 0, 50), (1, 0, 10), (0, 0, 60), (0, 1, 10), (0, 0, 59)):
        call.agent_channel += (SOUND if ours else bytes(len(SOUND))) * frames
        call.caller_channel += (SOUND if theirs else bytes(len(SOUND))) * frames
    assert longest_silence(call) == (1.2, 1.2)


def test_every_stage_is_put_to_every_trouble() -> None:
    """Each with a bound, and to be chosen by its name or a part of it."""
    assert len({trouble.name for trouble in TROUBLES}) == 3 * 6 * 2
    assert all(2.0 < trouble.bound <= LONGEST for trouble in TROUBLES)
    assert len(list(chosen(["tts none"]))) == 6
    assert len(list(chosen(["stt hang none", "refuse"]))) == 7
