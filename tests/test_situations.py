"""The rig that judges conversations knows what was said, and what a difference proves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks.situations.results import compare
from tests.benchmarks.situations.speech import drawn_out, half_of, joined, own


def test_halves_are_the_same_everywhere() -> None:
    """A recording is in one half by its name alone."""
    assert half_of("yes") == "choose"
    assert half_of("no") == "report"


def test_what_is_said_is_known_word_by_word() -> None:
    """Words are in order, within the speech, and those of a part are those of its text."""
    speech = own()["which-folder"]
    ends = [word.ended for word in speech.words]
    assert ends == sorted(ends)
    assert ends[-1] <= speech.seconds
    assert speech.part(0, 1.72).text == "Which folder should I save the"
    both = joined("both", [own()["yes"], 0.5, speech])
    assert both.text == f"Yes. {speech.text}"
    assert both.words[1].began >= own()["yes"].seconds + 0.5


def test_a_drawn_out_word_is_as_long_as_was_asked_for() -> None:
    """It is longer, and about as loud."""
    word = own()["okay"]
    longer = drawn_out(word, 0.8)
    assert longer.seconds == pytest.approx(0.8, abs=0.01)
    ratio = (longer.samples**2).mean() / (word.samples**2).mean()
    assert 0.5 < ratio < 2


def test_two_runs_are_compared_call_by_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Eight calls that went wrong before, and none after, have p = 1/128 by McNemar's test."""
    for name, lost in (("before", True), ("after", False)):
        calls = [
            {"kind": "answers", "key": str(key), "figures": {"lost": lost, "seconds": None}}
            for key in range(8)
        ]
        (tmp_path / name).write_text(json.dumps(calls))
    compare(tmp_path / "before", tmp_path / "after")
    assert "8 of 8 (68-100 %) | 0 of 8 (0-32 %) | 0.0078 |" in capsys.readouterr().out
