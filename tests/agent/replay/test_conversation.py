"""What is measured of a conversation: the same rules for then and now."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agent.replay.conversation import MeasuredConversation, answers, exchanges, figures, happened
from agent.simulator.stretches import Frames


def frames(timeline: str) -> Frames:
    """One letter is 100 ms: "+" sounds."""
    return np.array([mark == "+" for mark in timeline for _ in range(5)])


def talk(
    caller: str, agent: str, turns: list[tuple[int, int]], *lines: dict[str, Any]
) -> MeasuredConversation:
    """Return a conversation; turns are from and to which tenth of a second."""
    return MeasuredConversation(
        caller=frames(caller),
        agent=frames(agent),
        turns=tuple((5 * a, 5 * b) for a, b in turns),
        events=happened(lines),
        frames=5 * max(len(caller), len(agent)),
    )


@pytest.mark.parametrize(
    ("agent", "lines", "response", "missed", "cut_ins"),
    [
        ("..............+++...", [], 0.6, False, 0),
        ("++++++..............", [], None, True, 0),  # spoken over, and silent then
        ("....................", [], None, True, 0),
        ("...............+++++", [{"kind": "resumed", "at": 1.4}], None, False, 0),
        (".....++.......+++...", [], 0.6, False, 1),
        ("++++++++++++++++++++", [], None, False, 0),
    ],
)
def test_what_is_an_answer(
    agent: str, lines: list[dict[str, Any]], response: float, missed: bool, cut_ins: int
) -> None:
    """A false alarm that is mended is none, nor are words that went on."""
    silent = 22 * "."
    one = talk("...." + "++++", agent + silent, [(4, 8)], *lines)
    (found,) = answers(one)
    found_response = None if found.response is None else round(found.response, 2)
    assert (found_response, found.missed) == (response, missed)
    assert found.cut_ins == cut_ins


def test_who_goes_on_at_once_had_not_finished() -> None:
    """The agent took a pause for the end: within a second of its first word they spoke again."""
    cut = talk("++++.........+++....", ".........++++++.....", [(0, 4), (13, 16)])
    assert [one.cut_ins for one in answers(cut)] == [1, 0]
    later = talk(
        "++++.............................+++....", ".........++++++++++++++++++++++++", []
    )
    turns = ((0, 20), (5 * 33, 5 * 36))
    found = MeasuredConversation(
        caller=later.caller, agent=later.agent, turns=turns, events=[], frames=200
    )
    assert [one.cut_ins for one in answers(found)] == [0, 0]


def test_figures_of_a_record() -> None:
    """What no record tells is None, not 0."""
    lines = [
        {"kind": "caller", "at": 0.4, "text": "Hi."},
        {"kind": "agent", "at": 1.4, "text": "Hello", "cut_off": True},
        {"kind": "resumed", "at": 9.0},
        {"kind": "failed", "at": 9.5, "stage": "llm"},
        {"kind": "usage", "stage": "llm", "tokens_in": 10, "tokens_out": 5, "cost": 0.25},
        {"kind": "usage", "stage": "stt", "seconds": 1.0},
    ]
    agent = "..............+++....................................+"
    found = figures(talk("....++++", agent, [(4, 8)], *lines))
    assert found["response"] == pytest.approx(0.6)
    assert (found["false_stops"], found["failures"], found["interrupted"]) == (1, 1, 1)
    assert (found["tokens"], found["cost"], found["turns"]) == (15, 0.25, 1)
    unknown = figures(talk("....++++", agent, [(4, 8)]))
    assert unknown["tokens"] is None
    assert unknown["failures"] is None
    assert unknown["missed"] == 0


def test_lines_stand_with_their_turn() -> None:
    """Wherever they stand in the record; the greeting before all of them."""
    lines = [
        {"kind": "agent", "at": 0.0, "text": "Hello."},
        {"kind": "agent", "at": 1.4, "text": "Yes."},
        {"kind": "caller", "at": 0.3, "text": "Is it open?"},
        {"kind": "tool", "at": 1.0, "name": "look", "status": "done"},
    ]
    first, second = exchanges(talk("....++++", "..............+++", [(4, 8)], *lines))
    assert [one.text for one in first.lines] == ["Hello."]
    assert [one.text for one in second.lines] == ["Is it open?", "(look: done)", "Yes."]
    assert second.caller_text == "Is it open?"
