"""Figures of many outcomes: as a table, as JSON, and read again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agent.simulator.evaluation.evaluate import in_order
from agent.simulator.evaluation.judging import Outcome, Tried
from agent.simulator.evaluation.results import Result, ResultError, as_json, read, summary, table
from agent.simulator.plan import Plan
from agent.simulator.scenarios import Situation
from agent.simulator.scenarios.entries import Kind


def tried(name: str, kind: Kind, repeat: int = 0, pause: float | None = None) -> Tried:
    return Tried(name=name, kind=kind, repeat=repeat, pause=pause, fingerprint="f")


OUTCOMES = [
    Outcome(tried=tried("a", "turn"), response=0.5),
    Outcome(tried=tried("a2", "turn")),
    Outcome(tried=tried("b", "pause", pause=0.5), cut_in=True, response=0.1),
    Outcome(tried=tried("c", "pause", pause=1.0), response=0.7),
    Outcome(tried=tried("d", "barge-in"), stopped=0.12, stale=0.2),
    Outcome(tried=tried("e", "barge-in")),
    Outcome(tried=tried("f", "backchannel"), stopped=0.1, resumed=0.3),
    Outcome(tried=tried("g", "backchannel"), stopped=0.1, resumed=0.6),
    Outcome(tried=tried("h", "noise"), failed="refused"),
    Outcome(tried=tried("i", "answer"), response=1.0),
    Outcome(tried=tried("j", "background"), stopped=0.2, whole=False),
    Outcome(tried=tried("k", "echo"), whole=True, answered_itself=False),
    Outcome(tried=tried("l", "pick-up"), whole=False),
]
RESULT = Result(url="ws://x", line="clean", rate=8000, repeats=1, outcomes=OUTCOMES)


def test_figures() -> None:
    """Answers after a cut-in do not count as fast ones; what failed does not count at all."""
    found = summary(OUTCOMES)
    assert found["response"] == {
        "situations": 2, "p50": 0.6, "p50_interval": [None, None],
        "p95": 0.69, "p95_interval": [0.5, None],
    }  # fmt: skip
    held = {name: (f["held"], f["of"]) for name, f in found.items() if "held" in f}
    assert held == {
        "missed_turns": (1, 4), "cut_ins_whole": (0, 2), "cut_ins_pauses": (1, 2),
        "answers_lost": (0, 1), "barge_in_not_stopped": (1, 2), "old_audio": (1, 2),
        "backchannels_stopped": (2, 2), "backchannels_for_good": (0, 2),
        "backchannels_long": (1, 2), "background_lost": (1, 1), "background_stopped": (0, 1),
        "echo_stopped": (0, 1), "echo_answered": (0, 1), "pick_up_lost": (1, 1),
    }  # fmt: skip


def test_the_table() -> None:
    """Is read at a hundred columns, and says nothing of what was not tried."""
    lines = table(RESULT).splitlines()
    assert "cut into pauses                      1 of 2 (9% to 91%)" in lines
    assert "  of 0.5 s                           1 of 1 (21% to 100%)" in lines
    assert lines[-1] == "calls, not measured                  13, 1"
    assert not [line for line in lines if "noises" in line or "spelled" in line]
    assert max(map(len, lines)) <= 100


def test_repeats_count_as_far_as_they_differ() -> None:
    """Two situations tried ten times are two, if each comes out the same every time."""
    alike = [
        Outcome(tried=tried(name, "turn", repeat), response=0.4, cut_in=cut_in)
        for name, cut_in in (("a", True), ("b", False))
        for repeat in range(10)
    ]
    same = summary(alike)["cut_ins_whole"]
    assert (same["held"], same["of"], same["situations"]) == (10, 20, 2)
    assert same["interval"] == pytest.approx([0.095, 0.905], abs=0.001)  # Wilson's, of 1 of 2
    mixed = [
        replace(one, cut_in=one.tried.repeat % 2 == 0, response=0.4 + one.tried.repeat / 10)
        for one in alike
    ]
    assert summary(mixed)["cut_ins_whole"]["interval"] == same["interval"]  # two tell no spread
    assert summary(mixed)["response"]["situations"] == 2
    text = table(replace(RESULT, outcomes=mixed, repeats=10))
    assert "a                                    cut into whole utterances: 5 of 10" in text
    assert "Intervals are of situations" in text


def test_each_round_has_all_situations_in_an_order_of_its_own() -> None:
    """The same each time; one round has the order of the file."""
    some = [Situation(name=str(n), kind="turn", plan=Plan()) for n in range(20)]
    order = in_order(some, 3)
    assert order == in_order(some, 3)
    rounds = [[s.name for repeat, s in order if repeat == n] for n in range(3)]
    assert all(sorted(one, key=int) == [s.name for s in some] for one in rounds)
    assert rounds[0] != rounds[1] != rounds[2]
    assert in_order(some, 1) == [(0, one) for one in some]


# The file


def kept(path: Path, result: Result) -> Path:
    path.write_text(json.dumps(as_json(result)))
    return path


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    """All of it."""
    assert read(kept(tmp_path / "a.json", RESULT)) == RESULT


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "in format 2; measure it anew"),
        ('{"url": "ws://x", "summary": {}, "situations": []}', "in format 2; measure it anew"),
        ('{"format": 3}', "in format 2; measure it anew"),
        ('{"format": 2}', "url: Field required"),
    ],
)
def test_a_file_that_is_none_is_told(text: str, why: str, tmp_path: Path) -> None:
    """In one line, with its name."""
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(ResultError, match=why) as found:
        read(path)
    assert str(path) in str(found.value)
    assert "\n" not in str(found.value)


def test_a_situation_stands_in_it_once(tmp_path: Path) -> None:
    """Or as often as it was repeated."""
    path = kept(tmp_path / "a.json", replace(RESULT, outcomes=OUTCOMES[:1] * 2))
    with pytest.raises(ResultError, match="stands twice"):
        read(path)
    again = replace(OUTCOMES[0], tried=replace(OUTCOMES[0].tried, repeat=1))
    assert len(read(kept(path, replace(RESULT, outcomes=[OUTCOMES[0], again]))).outcomes) == 2
