"""What is counted as what, in each kind of situation: on frames alone."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.simulator.evaluation.judging import CallAsHeard, Tried, judge
from agent.simulator.evaluation.results import Result, as_json
from agent.simulator.scenarios.entries import Kind
from agent.simulator.stretches import Frames


def tried(kind: Kind, offset: float | None = None) -> Tried:
    return Tried(name="it", kind=kind, offset=offset)


def frames(timeline: str) -> Frames:
    """One letter is 100 ms: "+" sounds."""
    return np.array([mark == "+" for mark in timeline for _ in range(5)])


def own_words(timeline: str) -> Frames:
    """The same of an agent: "o" sounds, and is its opening once more."""
    return np.array([mark == "o" for mark in timeline for _ in range(5)])


def sounds(timeline: str) -> Frames:
    return np.array([mark in "+o" for mark in timeline for _ in range(5)])


@pytest.mark.parametrize(
    ("kind", "caller", "agent", "clears", "verdict"),
    [
        ("turn", "....++++........", "++.........++++.", [], "answered after 0.30 s"),
        ("turn", "....++++........", "++..............", [], "missed"),
        ("pause", "....++....++....", "++............++", [], "answered after 0.20 s"),
        ("pause", "....++....++....", "++......+.....++", [], "cut in, then answered after 0.20 s"),
        ("hesitation", "....++....++....", "++......+.......", [], "cut in, then missed"),
        ("goes-on", "....++....++....", "++......++......", [], "cut in, then missed"),
        ("digits", "....+.+..+.+....", "++............++", [], "answered after 0.20 s"),
        ("spelling", "....+.+..+.+....", "++.....+......++", [],
         "cut in, then answered after 0.20 s"),
        ("barge-in", "....++++........", "+++++.......++++", [0.52], "stopped after 0.12 s"),
        ("barge-in", "....++++........", "+++++.+.....++++", [0.5],
         "stopped after 0.10 s, old audio for 0.10 s"),
        ("barge-in", "....++++........", "++++++++++++++++", [], "did not stop"),
        ("barge-in", ".........++++...", "++..........++++", [],
         "not measured: the agent was not speaking any more"),
        ("backchannel", "....++..........", "+++++..+++++++++", [0.5],
         "stopped after 0.10 s, went on after 0.10 s of silence"),
        ("backchannel", "....++..........", "++++++++++++++++", [], "did not stop"),
        ("noise", "....++..........", "+++++...........", [0.5],
         "stopped after 0.10 s, did not go on"),
        ("noise", "................", "+++++...........", [],
         "not measured: the caller never got to speak"),
    ],
)  # fmt: skip
def test_what_is_counted_as_what(
    kind: Kind, caller: str, agent: str, clears: list[float], verdict: str
) -> None:
    """Each situation has few ends, told in a few words."""
    heard = CallAsHeard(caller=frames(caller), agent=frames(agent), clears=clears)
    assert judge(tried(kind), heard).verdict == verdict


@pytest.mark.parametrize(
    ("offset", "caller", "agent", "verdict"),
    [
        # The opening takes a second; an "o" is what it said there, said again.
        (0.2, "............++...........", "oooooooooo........+++++..", "answered after 0.40 s"),
        (0.2, "............++...........", "oooooooooo...............", "lost"),
        (0.2, "............++" + "." * 60, "oooooooooo" + "." * 58 + "++++..", "lost"),
        (-0.1, ".........++..............", "oooooooooo.......++++....", "answered after 0.60 s"),
        (-0.1, ".........++..............", "ooooooooo....ooooooo.....", "lost"),
        (-0.1, ".........++..............", "oooooooooo+....++++......",
         "cut in, then answered after 0.40 s"),
        (0.2, "............++...........", "oooooo............+++++..",
         "not measured: its opening took 0.60 s by then, not 1.00 s as in the call before"),
        (0.2, "............++...........", "..................+++++..",
         "not measured: the agent had said nothing"),
    ],
)  # fmt: skip
def test_an_answer_around_the_end_of_the_opening(
    offset: float, caller: str, agent: str, verdict: str
) -> None:
    """Lost is what nothing new follows within five seconds: to say the opening again is nothing."""
    heard = CallAsHeard(
        caller=frames(caller), agent=sounds(agent), again=own_words(agent), opening=1.0
    )
    assert judge(tried("answer", offset), heard).verdict == verdict


TALK = CallAsHeard(caller=frames("....+++++........"), agent=frames("++++++..........."))


@pytest.mark.parametrize(
    ("heard", "verdict", "lost"),
    [
        (replace(TALK, whole=True), "did not stop", False),
        (replace(TALK, whole=False), "did not stop, but broke off", True),
        (replace(TALK, length=0.9), "did not stop", False),
        (replace(TALK, whole=False, length=0.9), "did not stop", False),
        (replace(TALK, whole=False, length=0.5), "did not stop, but broke off", True),
        (replace(TALK, length=0.5), "did not stop, but broke off", True),
        (replace(TALK, clears=[0.6], whole=False),
         "stopped after 0.20 s, did not finish its reply", True),
        (replace(TALK, clears=[0.6], agent=frames("++++++......+++++"), whole=True),
         "stopped after 0.20 s, went on after 0.60 s of silence", False),
        (replace(TALK, clears=[0.6], agent=frames("++++++......+++++"), length=0.9),
         "stopped after 0.20 s, went on after 0.60 s of silence", False),
        (replace(TALK, clears=[0.6], agent=frames("++++++" + "." * 40 + "+++"), length=0.9),
         "stopped after 0.20 s, did not finish its reply", True),
    ],
)  # fmt: skip
def test_a_talker_in_the_background(heard: CallAsHeard, verdict: str, *, lost: bool) -> None:
    """The reply is lost if the rest of it is not heard; by its length, where words are unknown."""
    outcome = judge(tried("background"), heard)
    assert outcome.verdict == verdict
    assert (outcome.whole is False) == lost


@pytest.mark.parametrize(
    ("agent", "clears", "whole", "verdict"),
    [
        ("oooooooooo.............", [], True, "was not disturbed"),
        ("ooo..ooooooo...........", [0.3], True, "stopped itself at 0.30 s"),
        ("ooo....++++............", [0.3], False,
         "stopped itself at 0.30 s, opening not said to its end, answered itself"),
        ("oooooooooo" + "." * 80 + "+++", [], True, "was not disturbed"),  # asks after 8 s
        (".......................", [], True, "not measured: the agent said nothing"),
    ],
)  # fmt: skip
def test_an_agent_that_hears_itself(
    agent: str,
    clears: list[float],
    whole: bool,
    verdict: str,
) -> None:
    """It shall say its opening, and wait for the caller, for five seconds at least."""
    heard = CallAsHeard(
        caller=frames("." * len(agent)),
        agent=sounds(agent),
        again=own_words(agent),
        opening=1.0,
        clears=clears,
        whole=whole,
    )
    assert judge(tried("echo"), heard).verdict == verdict


@pytest.mark.parametrize(("whole", "length", "said"), [
    (True, 1.0, True), (False, 1.0, False), (None, 0.9, True), (None, 0.4, False),
])  # fmt: skip
def test_hello_at_pick_up(whole: bool | None, length: float, said: bool) -> None:
    """The opening is to be said after all."""
    heard = CallAsHeard(
        caller=frames("..++...."), agent=frames("+++....."), whole=whole, length=length
    )
    outcome = judge(tried("pick-up"), heard)
    assert outcome.whole == said
    assert outcome.verdict == ("opening said" if said else "opening not said to its end")


@pytest.mark.parametrize(
    ("caller", "agent", "why"),
    [
        ("....", "++++", "the agent hung up before"),
        ("..++", "++..", "the agent hung up while the caller spoke"),
        ("..++....", "++......", "the agent hung up and said nothing"),
    ],
)
def test_an_agent_that_hangs_up(caller: str, agent: str, why: str) -> None:
    """Is told as that, and not as one that does not answer."""
    heard = CallAsHeard(caller=frames(caller), agent=frames(agent), hung_up=True)
    assert judge(tried("turn"), heard).failed == why


@pytest.mark.parametrize(
    ("kind", "opening", "verdict"),
    [
        ("noise", 1.5, "stopped after 0.40 s, did not go on"),
        ("backchannel", 1.5, "stopped after 0.40 s, did not go on"),
        ("barge-in", 1.5, "not measured: the agent hung up"),
        ("noise", 0.8, "did not stop"),
    ],
)
def test_hanging_up_within_the_opening_is_a_stop(kind: Kind, opening: float, verdict: str) -> None:
    """A cough that ends the call was no cough that it took for nothing."""
    heard = CallAsHeard(
        caller=frames("....++.."), agent=frames("++++++++"), opening=opening, hung_up=True
    )
    assert judge(tried(kind), heard).verdict == verdict


def test_an_agent_may_say_goodbye() -> None:
    """An answer is one, though it hangs up after it."""
    heard = CallAsHeard(caller=frames("..++...."), agent=frames("++...+++"), hung_up=True)
    assert judge(tried("turn"), heard).verdict == "answered after 0.10 s"


KINDS: list[Kind] = ["turn", "pause", "barge-in", "backchannel", "noise"]
KINDS += ["hesitation", "goes-on", "digits", "spelling", "answer", "background", "echo", "pick-up"]


@given(
    st.sampled_from(KINDS),
    st.lists(st.booleans(), max_size=80),
    st.lists(st.booleans(), max_size=80),
    st.lists(st.floats(0, 2), max_size=4),
    st.booleans(),
)
def test_any_call_is_judged(
    kind: Kind,
    caller: list[bool],
    agent: list[bool],
    clears: list[float],
    hung_up: bool,
) -> None:
    """Whatever was heard, there is a verdict, and figures that are numbers."""
    size = min(len(caller), len(agent))
    heard = CallAsHeard(
        caller=np.array(caller[:size], bool),
        agent=np.array(agent[:size], bool),
        clears=clears,
        hung_up=hung_up,
    )
    outcome = judge(tried(kind, 0.0), heard)
    assert outcome.verdict
    result = Result(url="ws://x", line="clean", rate=8000, repeats=1, outcomes=[outcome])
    json.dumps(as_json(result), allow_nan=False)
