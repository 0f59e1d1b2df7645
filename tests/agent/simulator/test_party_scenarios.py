"""Calls of several as data: read, given voices, held with scripted agents, and judged. No clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.simulator.party.conference import LineTurn
from agent.simulator.party.party_call import PartyCall
from agent.simulator.party.party_judging import JudgedTurn, as_text, judged
from agent.simulator.plan import Plan, Turn
from agent.simulator.scenarios import ScenarioError
from agent.simulator.scenarios.party_calls import PartyScenario, load_parties, voiced
from pipelines.audio import FRAME_SECONDS
from tests.agent.simulator.platform import tone

RATE = 8000
CALLS = load_parties()


async def tones(texts: list[str], rate: int) -> list[Turn]:
    """A voice whose words all take as long: 0.25 s each, as people's do."""
    return [Turn(audio=tone(3000 + n, 0.25 * len(t.split())), label=t) for n, t in enumerate(texts)]


Wants = Callable[[str, bool], float | None]
"""Given what was said and whether it was to the agent: seconds until it speaks, or None."""


def held(scenario: PartyScenario, wants: Wants, opening: float = 1.0) -> list[JudgedTurn]:
    """Hold a call with an agent that hears words at the end of each turn; judge it."""
    party = asyncio.run(voiced(scenario, "Clara", RATE, tones))
    plan = Plan(rate=RATE, max_seconds=200)
    call = PartyCall(list(party.scripts.values()), plan, lambda _at, _line: None)
    call.received(tone(8000, opening).pcm)
    turns = call.conference.activity.turns
    due: list[float] = []
    known: set[str] = set()
    number = 0
    while not call.done:
        at = number * FRAME_SECONDS
        for key in turns.keys() - known:
            if not turns[key].over or turns[key].ended == turns[key].began:
                continue
            known.add(key)
            to_agent, said = scenario.expected.get(key, ("silence", ""))
            wait = wants(said, to_agent == "answer")
            due += [] if wait is None else [turns[key].ended + wait]
        for then in [one for one in due if one <= at]:
            due.remove(then)
            call.received(tone(8000, 0.4).pcm)
        call.frame()
        number += 1
    call.finish()
    return judged(scenario.expected, turns, call.conference.activity.agent_spoke)


def perfect(_said: str, to_agent: bool) -> float | None:
    return 0.5 if to_agent else None


@pytest.mark.parametrize("scenario", CALLS, ids=lambda scenario: scenario.name)
def test_an_agent_that_answers_when_addressed_is_right(scenario: PartyScenario) -> None:
    """In each call of the file all turns are said, all are judged, and all are right."""
    found = held(scenario, perfect)
    assert [turn.key for turn in found if not turn.right] == []
    assert {turn.key for turn in found} == scenario.expected.keys()
    waited = {round(turn.response, 1) for turn in found if turn.response is not None}
    assert waited == {0.5}


def test_an_agent_that_answers_everybody_is_told_from_one_that_answers_nobody() -> None:
    """The one is wrong wherever it is to be silent, the other where it is to answer."""
    (scenario,) = [call for call in CALLS if call.name == "questions to each other"]
    always = held(scenario, lambda _said, _to: 0.5)
    never = held(scenario, lambda _said, _to: None)
    assert {turn.right for turn in always if turn.expected == "answer"} == {True}
    assert {turn.right for turn in always if turn.expected == "silence"} == {False}
    assert {turn.right for turn in never if turn.expected == "answer"} == {False}
    assert {turn.right for turn in never if turn.expected == "silence"} == {True}


def test_an_agent_that_goes_by_its_name_alone_is_wrong_when_it_is_talked_about() -> None:
    """The calls have such turns: a rule of one word is not enough for them."""
    (scenario,) = [call for call in CALLS if call.name == "the agent is talked about"]
    found = held(scenario, lambda said, _to: 0.5 if "{agent}" in said else None)
    assert [turn.who for turn in found if not turn.right] == ["Tom", "Mary"]


def test_who_answers_late_cuts_in_on_whoever_speaks_then() -> None:
    """It is no answer to the one, and wrong of the other."""
    (scenario,) = [call for call in CALLS if call.name == "two who plan a dinner"]
    slow = held(scenario, lambda said, _to: 1.5 if "making the time" in said else None)
    (cut,) = [turn for turn in slow if turn.cut_in]
    assert cut.label.startswith("Sure. Did you")
    assert not cut.right
    assert all(turn.right for turn in slow if turn.expected == "silence" and turn is not cut)


def at(began: float, ended: float, who: str = "Ann") -> LineTurn:
    return LineTurn(who=who, began=began, ended=ended, over=True)


@pytest.mark.parametrize(
    ("spoke", "response", "right"),
    [
        ([(2.6, 4.0)], 0.6, True),
        ([(1.95, 4.0)], -0.05, True),  # on the end of it
        ([(1.5, 4.0)], -0.5, False),  # cuts in
        ([(0.5, 1.2)], None, False),  # it was speaking before: spoken over, and no answer
        ([(0.5, 1.2), (3.0, 4.0)], 1.0, True),
        ([(5.5, 6.0)], None, False),  # to somebody else
        ([], None, False),
    ],
)
def test_what_is_an_answer(
    spoke: list[tuple[float, float]],
    response: float | None,
    right: bool,
) -> None:
    """The first sound from the beginning of a turn to that of the next, whoever says it."""
    turns = {"b": at(5.0, 6.0, "Bob"), "a": at(1.0, 2.0)}
    (found,) = judged({"a": ("answer", "words")}, turns, spoke)
    assert found.response == (None if response is None else pytest.approx(response))
    assert found.right is right


def test_what_was_never_said_is_not_judged() -> None:
    """Nor does who only hangs up say anything."""
    turns = {"a": at(1.0, 2.0), "leaves": at(3.0, 3.0)}
    found = judged({"a": ("silence", "x"), "never": ("answer", "y")}, turns, [(3.5, 4.0)])
    assert [(one.key, one.response) for one in found] == [("a", 1.5)]


def test_figures_come_with_their_numbers_and_intervals() -> None:
    """What was wrong is quoted, to be looked for in the recording."""
    turns = {"a": at(1.0, 2.0), "b": at(3.0, 4.0, "Bob")}
    text = as_text(
        judged({"a": ("answer", "hm?"), "b": ("silence", "no")}, turns, [(2.5, 2.9), (4.5, 5)])
    )
    assert text.splitlines() == [
        "wrong: Bob: 'no': silence expected, answered at +0.50 s",
        "answered when addressed: 1 of 1 (21 to 100 %)",
        "silent otherwise: 0 of 1 (0 to 79 %)",
        "right in all: 1 of 2 (9 to 91 %)",
        "cut in: 0 of 2 (0 to 66 %)",
        "response: median 0.50 s, p90 0.50 s, n = 1",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("parties: []", "parties: List should have at least 1 item"),
        ("parties: [", "no YAML"),
        (
            "parties: [{name: a, phones: {A: {}}, turns: [{who: B, says: x}]}]",
            "'B' says something, and is not on the line",
        ),
        (
            "parties: [{name: a, phones: {A: {answers: false}}, turns: [{who: A, says: x}]}]",
            "'A' says something, and is not on the line",
        ),
        (
            "parties: [{name: a, phones: {A: {}}, turns: [{who: A, says: x, leaves: true}, "
            "{who: A, says: y}]}]",
            "'A' says something, and is not on the line",
        ),
        (
            "parties: [{name: a, phones: {A: {}}, turns: [{who: A, says: x, over: C}]}]",
            "nobody called 'C' can be spoken over",
        ),
        (
            "parties: [{name: a, phones: {A: {}}, turns: [{who: A, agent: answer}]}]",
            "either 'says' or 'recording'",
        ),
        (
            "parties: [{name: a, phones: {../A: {}}, turns: [{who: ../A, says: x}]}]",
            "String should match pattern",
        ),
        (
            "parties: [&a {name: a, phones: {A: {}}, turns: [{who: A, says: x}]}, *a]",
            "two calls have the same name",
        ),
    ],
)
def test_a_mistake_in_a_file_is_told_in_one_line(tmp_path: Path, text: str, problem: str) -> None:
    """With what is wrong."""
    path = tmp_path / "parties.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=problem) as caught:
        load_parties(path)
    assert "\n" not in str(caught.value)


def test_a_recording_is_said_and_voices_have_a_pitch(tmp_path: Path) -> None:
    """One local voice is several people: higher ones are as much faster."""
    path = tmp_path / "parties.yaml"
    path.write_text(
        "parties: [{name: a, phones: {A: {pitch: 1.25}}, "
        "turns: [{who: A, says: '{agent} hi'}, {who: A, recording: hello}]}]"
    )
    (scenario,) = load_parties(path)
    (script,) = asyncio.run(voiced(scenario, "Clara", RATE, tones)).scripts.values()
    first, second, leaves = script.turns
    assert first.label == "Clara hi"
    assert first.audio is not None
    assert first.audio.seconds == pytest.approx(0.4, abs=0.01)
    assert (second.label, leaves.leaves) == ("hello.wav", True)
