"""What a caller said is cut into turns, each with what it waited for; and said anew by that."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.replay.caller_turns import CallerTurn, caller_turns, heard_as_speech, voice_edges
from agent.replay.replayed_caller import ReplayedCaller
from agent.simulator.stretches import Frames
from pipelines.audio import Audio
from tests.agent.conversation import LOUD
from tests.agent.replay.recorded import DETECTOR, sound_of

FRAME = LOUD[:320]


def frames(timeline: str) -> Frames:
    """One letter is 100 ms: "+" sounds."""
    return np.array([mark == "+" for mark in timeline for _ in range(5)])


def turns(caller: str, agent: str) -> list[tuple[float, float, bool, float]]:
    """Return the turns of a call in seconds: from, to, over words, the wait."""
    width = max(len(caller), len(agent))
    found = caller_turns(
        frames(caller.ljust(width, ".")), frames(agent.ljust(width, ".")), 5 * width
    )
    return [
        (round(t.began / 50, 2), round(t.ended / 50, 2), t.over, round(t.wait, 2)) for t in found
    ]


def test_a_turn_waits_for_the_end_of_what_it_answers() -> None:
    """As long as the caller took then; the last is that they hang up."""
    found = turns("........+++...........", "+++++......++++++.....")
    assert found == [(0.8, 1.1, False, 0.3), (2.2, 2.2, False, 0.5)]


def test_pauses_without_a_word_of_the_agents_are_of_the_turn() -> None:
    """However often; up to the three seconds after which nobody had answered."""
    pause = "+++" + 20 * "." + "+++"
    assert len(turns(pause, "")) == 2
    unanswered = turns("+++" + 35 * "." + "+++", "")
    assert unanswered[1] == (3.8, 4.1, False, 0.6)


def test_a_barge_in_is_relative_to_the_reply() -> None:
    """To its first sound since the caller's turn before."""
    (barge_in, _) = turns(".....++++++.........", "++++++.........++++.")
    assert barge_in == (0.5, 1.1, True, 0.5)
    later = turns("+++...........++....", "......++++++++++++++")
    assert later[1] == (1.4, 1.6, True, 0.8)


def test_a_click_is_no_turn() -> None:
    """Nor is silence: a caller who says nothing hangs up."""
    click = np.zeros(100, bool)
    click[50:53] = True
    assert [t.began for t in caller_turns(click, np.zeros(100, bool), 100)] == [100]


def test_real_speech_is_found_and_keys_are() -> None:
    """Within a few frames of where it is."""
    sound = sound_of(["seven", "which-folder"])
    agent = np.frombuffer(sound.agent.pcm, "<i2")[::160] != 0
    found = caller_turns(heard_as_speech(sound.caller, DETECTOR()), agent, len(agent))
    assert len(found) == 3
    assert [one.wait for one in found[:2]] == pytest.approx([0.6, 0.5], abs=0.3)


@given(st.lists(st.booleans(), max_size=120), st.lists(st.booleans(), max_size=120))
def test_any_call_is_cut(caller: list[bool], agent: list[bool]) -> None:
    """In order, each frame at most once, with waits that are no less than nothing."""
    size = max(len(caller), len(agent))
    sides = [np.array([*side, *[False] * (size - len(side))], bool) for side in (caller, agent)]
    spread = [np.repeat(side, 10) for side in sides]
    found = caller_turns(spread[0], spread[1], 10 * size)
    edges = voice_edges(found, 10 * size)
    assert all(one.wait >= 0 and one.patience >= 0 for one in found)
    assert all(start <= until for start, until in edges)
    assert all(a[1] <= b[0] for a, b in pairwise(edges))
    assert found[-1].began == found[-1].ended


# Said anew


def said(
    planned: list[CallerTurn], agent: str, *, over: tuple[float, ...] = (), timeline: bool = False
) -> tuple[list[float], float]:
    """Return when each turn is said to an agent, in seconds, and when the caller hangs up.

    Args:
        planned: The turns; the last is the end.
        agent: When it sends 100 ms, to be heard at once.
        over: When its replies are over, as the call knows.
        timeline: Whether the caller minds nothing of it.
    """
    length = planned[-1].began + 1
    caller = ReplayedCaller(
        Audio(FRAME * length, 8000), np.ones(length, bool), planned, timeline=timeline
    )
    ends = [round(end * 50) for end in over]
    while not caller.done and caller.now < 6000:
        at = caller.now
        if at < 5 * len(agent) and agent[at // 5] == "+":
            caller.received(FRAME)
        caller.frame()
        if at in ends:
            caller.reply_over()
    return [round(began / 50, 2) for began, _ in caller.heard.turns], round(caller.now / 50, 2)


def turn(began: float, ended: float, wait: float, **more: object) -> CallerTurn:
    fields: dict[str, object] = {"began": round(began * 50), "ended": round(ended * 50)}
    return CallerTurn(**fields, wait=wait, **more)  # type: ignore[arg-type]


def test_the_caller_waits_for_the_new_agent() -> None:
    """And takes as long as they took."""
    planned = [turn(1.0, 1.5, 0.5), turn(3.0, 3.0, 0.7)]
    late, ended = said(planned, 30 * "+" + 20 * "." + 10 * "+", over=(3.0, 6.0))
    assert late == [pytest.approx(3.5, abs=0.03)]
    assert ended == pytest.approx(6.7, abs=0.05)


def test_a_pause_within_a_reply_is_not_its_end() -> None:
    """The call knows when a reply is over."""
    planned = [turn(1.0, 1.5, 0.4), turn(3.0, 3.0, 0.7)]
    (began,), _ = said(planned, "+++++.........+++++", over=(1.9,))
    assert began == pytest.approx(2.3, abs=0.05)


def test_who_spoke_over_the_agent_does_so_again() -> None:
    """So long after its reply began; soon after it, if it is shorter now."""
    planned = [turn(2.0, 2.5, 1.0, over=True), turn(4.0, 4.0, 0.5)]
    assert said(planned, 20 * "." + 40 * "+")[0] == [pytest.approx(3.0, abs=0.03)]
    assert said(planned, "+++++", over=(0.5,))[0] == [pytest.approx(0.8, abs=0.06)]


def test_nobody_waits_for_ever() -> None:
    """Where nothing is answered, the caller goes on, and hangs up."""
    planned = [turn(1.0, 1.5, 0.5, patience=1.0), turn(3.0, 3.5, 0.5), turn(4.0, 4.0, 0.5)]
    began, ended = said(planned, "")
    assert began == pytest.approx([1.0, 1.5 + 0.2 + 15.0], abs=0.5)
    assert ended == pytest.approx(32.5, abs=0.5)


def test_a_call_does_not_go_on_for_ever() -> None:
    """An agent that talks without end is hung up on."""
    _, ended = said([turn(1.0, 1.5, 0.5), turn(3.0, 3.0, 0.5)], 2000 * "+")
    assert ended == pytest.approx(66, abs=0.1)


def test_on_the_timeline_nothing_waits() -> None:
    """The recording is played as it is."""
    planned = [turn(1.0, 1.5, 0.5), turn(3.0, 3.0, 0.7)]
    began, ended = said(planned, 60 * "+", timeline=True)
    assert began == [1.0]
    assert ended == pytest.approx(3.0, abs=0.03)
