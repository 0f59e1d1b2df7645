"""A conference: who hears what of whom, to the sample."""

from __future__ import annotations

import time

import numpy as np
import pytest

from agent.simulator.party.conference import Conference, LineActivity, WrongRateError, mix_minus
from pipelines.audio import FRAME_SECONDS

RATE = 8000
SAMPLES = 160


def frame(level: int) -> bytes:
    return np.full(SAMPLES, level, "<i2").tobytes()


class Constant:
    """Says one level all the time."""

    def __init__(self, name: str, level: int, *, is_agent: bool = False, rate: int = RATE) -> None:
        self.name, self.level, self.is_agent, self.rate = name, level, is_agent, rate
        self.heard: list[int] = []
        self.agent_sounded: list[bool] = []

    def speak(self, at: float, activity: LineActivity) -> bytes:
        self.agent_sounded.append(activity.agent_since is not None)
        return frame(self.level)

    def hear(self, heard: bytes, at: float) -> None:
        (level,) = set(np.frombuffer(heard, "<i2").tolist())
        self.heard.append(level)


def held(frames: int, *members: Constant) -> Conference:
    conference = Conference(RATE)
    for member in members:
        conference.join(member)
    for number in range(frames):
        conference.frame(number * FRAME_SECONDS)
    return conference


def test_each_hears_all_others_and_never_itself() -> None:
    """Three phones and a stream: four different sums."""
    ann, bob, carl = Constant("Ann", 1000), Constant("Bob", 200), Constant("Carl", 30)
    agent = Constant("agent", 4, is_agent=True)
    held(2, ann, bob, agent, carl)
    assert (ann.heard, bob.heard) == ([234, 234], [1034, 1034])
    assert (carl.heard, agent.heard) == ([1204, 1204], [1230, 1230])


def test_what_is_too_loud_saturates_and_does_not_turn_over() -> None:
    """Sums of what is heard are cut at 16 bits, each by itself: a sum that fits is exact."""
    loud, louder, low = Constant("a", 30000), Constant("b", 30000), Constant("c", -30000)
    held(1, loud, louder, low)
    assert (loud.heard, louder.heard, low.heard) == ([0], [0], [32767])
    assert [np.frombuffer(one, "<i2")[0] for one in mix_minus([frame(-30000)] * 3)] == [-32768] * 3


def test_two_hear_each_other_to_the_sample() -> None:
    """Also the lowest value that there is, which has no counterpart above."""
    noise = np.random.default_rng(1).integers(-32768, 32768, (2, SAMPLES)).astype("<i2")
    assert mix_minus([one.tobytes() for one in noise]) == [n.tobytes() for n in noise[::-1]]


def test_members_come_and_go() -> None:
    """Whoever has left is not heard, and hears nothing; whoever comes hears from then on."""
    ann, bob, carl = Constant("Ann", 1000), Constant("Bob", 200), Constant("Carl", 30)
    conference = held(1, ann, bob)
    conference.join(carl)
    conference.frame(0.02)
    conference.leave(bob)
    conference.frame(0.04)
    assert (ann.heard, bob.heard, carl.heard) == ([200, 230, 30], [1000, 1030], [1200, 1000])
    assert conference.members == (ann, carl)


def test_a_member_at_another_rate_is_refused() -> None:
    """Its samples would be heard at the wrong pitch; those who are in it go on."""
    conference = held(1, Constant("Ann", 1))
    with pytest.raises(WrongRateError, match="16000 Hz, where the conference has 8000 Hz"):
        conference.join(Constant("Bob", 2, rate=16000))
    assert len(conference.members) == 1


def test_alone_and_empty_it_is_silent() -> None:
    """Nobody is heard where nobody is."""
    ann = Constant("Ann", 1000)
    held(2, ann)
    held(2)
    assert ann.heard == [0, 0]


def test_phones_know_of_the_frame_that_the_agent_plays_now() -> None:
    """Whenever they joined: what they do about it is in the same 20 ms, as in a call of two."""
    ann, agent = Constant("Ann", 0), Constant("agent", 5000, is_agent=True)
    conference = held(1, ann, agent)
    assert ann.agent_sounded == [True]
    conference.leave(agent)
    for number in range(1, 40):
        conference.frame(number * FRAME_SECONDS)
    assert ann.agent_sounded[-1] is False
    assert conference.activity.agent_spoke == [(0.0, 0.02)]


def test_a_frame_takes_time_in_proportion_to_its_members() -> None:
    """Forty times the members are less than two hundred times the work."""

    def taken(members: int) -> float:
        conference = Conference(RATE)
        for number in range(members):
            conference.join(Constant(str(number), 1))
        began = time.process_time()
        for number in range(20):
            conference.frame(number * FRAME_SECONDS)
        return time.process_time() - began

    few = min(taken(10) for _ in range(3))
    assert min(taken(400) for _ in range(3)) < 200 * few
