"""What differs between two evaluations, against values worked out by hand and by SciPy."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agent.cli import main
from agent.simulator.evaluation.compare import (
    RowDifference,
    compared,
    holm,
    needed_for_counts,
    needed_for_times,
    of_ranks,
    of_signs,
    table,
)
from agent.simulator.evaluation.judging import Outcome, Tried
from agent.simulator.evaluation.results import Result, ResultError, as_json
from agent.simulator.plan import LineName


def result(
    cut: Sequence[Sequence[bool]],
    responses: Sequence[float] | None = None,
    line: LineName = "clean",
) -> Result:
    """Return what came of pauses, each with its repeats."""
    outcomes = [
        Outcome(
            tried=Tried(name=f"p{at}", kind="pause", repeat=repeat, pause=0.5, fingerprint="f"),
            cut_in=cut_in,
            response=responses[at] if responses else None,
        )
        for at, repeats in enumerate(cut)
        for repeat, cut_in in enumerate(repeats)
    ]
    return Result(url="ws://x", line=line, rate=8000, repeats=len(cut[0]), outcomes=outcomes)


def row(name: str, a: Result, b: Result) -> RowDifference:
    return next(one for one in compared(a, b) if one.name == name)


def test_mcnemars_exact_test() -> None:
    """Of 6 pairs that differ, all one way: 2 / 64; of 8, two the other way: 2 x 37 / 256."""
    assert of_signs(6, 0) == pytest.approx(2 / 64)
    assert of_signs(2, 6) == pytest.approx(2 * (1 + 8 + 28) / 256)
    assert of_signs(3, 3) == 1.0
    assert of_signs(0, 0) is None


def test_eight_of_thirty_against_thirteen_prove_nothing() -> None:
    """Not in pairs that are as they come, and not as two samples."""
    from scipy.stats import fisher_exact  # noqa: PLC0415 - see `tests.held_things`

    a = result([[at < 8] for at in range(30)])
    b = result([[at < 5 or at >= 22] for at in range(30)])  # 13: 3 of A's are none of B's, 8 new
    found = row("cut_ins_pauses", a, b)
    assert (found.less, found.more, found.situations) == (3, 8, 30)
    assert found.p == pytest.approx(0.2266, abs=1e-4)
    assert not found.shown
    assert found.verdict == "proves nothing"
    assert found.needed == 102
    assert float(fisher_exact([[8, 22], [13, 17]]).pvalue) == pytest.approx(0.279, abs=0.001)


def test_a_difference_that_is_one_is_shown() -> None:
    """Ten situations of ten: p is 0.002 for itself, and as one of a few rows still."""
    a, b = result([[True]] * 10 + [[False]] * 5), result([[False]] * 15)
    found = row("cut_ins_pauses", a, b)
    assert found.p == pytest.approx(2 / 1024)
    assert found.shown
    assert found.verdict == "B is better"
    assert row("cut_ins_pauses", b, a).verdict == "B is worse"
    assert found.value == pytest.approx(-10 / 15)
    assert found.interval is not None
    assert found.interval[1] < 0


def test_repeats_of_a_situation_count_once() -> None:
    """Twenty repeats of one situation that differ in all are one pair, and prove nothing."""
    a, b = result([[True] * 20, [False] * 20]), result([[False] * 20, [False] * 20])
    found = row("cut_ins_pauses", a, b)
    assert (found.less, found.more, found.p) == (1, 0, 1.0)
    assert (found.a, found.b, found.calls) == (0.5, 0.0, 40)


def test_of_unequal_repeats_as_many_are_compared() -> None:
    """One call is cut into or not, ten calls are by a share: that is no difference of agents."""
    chance = random.Random(1)
    one = result([[chance.random() < 0.3] for _ in range(200)], [0.5] * 200)
    ten = result([[chance.random() < 0.3 for _ in range(10)] for _ in range(200)], [0.5] * 200)
    found = row("cut_ins_pauses", one, ten)
    assert found.calls == 200
    assert found.p is not None
    assert found.p > 0.05
    assert row("response", one, ten).verdict == "no difference"


def test_times_in_pairs() -> None:
    """Wilcoxon's p, and the interval that the order of the differences gives."""
    from scipy.stats import wilcoxon  # noqa: PLC0415 - see `tests.held_things`

    before = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1]
    changes = [-0.1, -0.12, -0.14, -0.05, -0.2, -0.11, 0.02, -0.16]
    no = [[False]] * 8
    after = [b + c for b, c in zip(before, changes, strict=True)]
    found = row("response", result(no, before), result(no, after))
    assert found.p == pytest.approx(float(wilcoxon(changes).pvalue))
    assert found.value == pytest.approx(-0.115)
    assert found.interval == pytest.approx((-0.2, 0.02))  # the first and the last of eight
    assert (found.less, found.more) == (7, 0)  # 0.02 s are a frame: the same
    assert of_ranks([0.0, 0.0]) is None


def test_holm() -> None:
    """The smallest times all, the next times one fewer, and never below the one before."""
    assert holm([0.04, 0.01, 0.03, 0.5]) == pytest.approx([0.09, 0.04, 0.09, 0.5])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


def test_rows_without_a_difference_are_not_called_one() -> None:
    """Of two agents that are the same, hardly a table in twenty says that one is better."""
    chance = random.Random(3)
    called = 0
    for _ in range(20):
        a, b = (
            result(
                [[chance.random() < 0.3] for _ in range(20)],
                [chance.random() for _ in range(20)],
            )
            for _ in range(2)
        )
        called += any(one.shown for one in compared(a, b))
    assert called <= 3


def test_a_large_difference_is_seen() -> None:
    """8 of 30 against 20 of 30, tried three times: four tables of five or more say so."""
    chance = random.Random(4)
    seen = 0
    for _ in range(20):
        a, b = (
            result([[chance.random() < share for _ in range(3)] for _ in range(30)])
            for share in (8 / 30, 20 / 30)
        )
        seen += row("cut_ins_pauses", a, b).verdict == "B is worse"
    assert seen >= 16


def test_an_agent_against_itself_differs_in_nothing() -> None:
    """Whatever came of it; and what was not measured is told."""
    a = result([[at % 3 == 0] for at in range(12)], [at / 10 for at in range(12)])
    a = replace(a, outcomes=[replace(a.outcomes[0], failed="refused: reject"), *a.outcomes[1:]])
    assert {one.verdict for one in compared(a, a)} == {"no difference"}
    text = table(a, a, compared(a, a))
    assert "1 of 12 calls not measured" in text
    assert "in no row" in text


def test_how_many_would_be_needed() -> None:
    """Connor's formula: 20 % differ one way, 10 % the other; and a t-test's, for ranks."""
    # (1.960 sqrt(0.3) + 0.8416 sqrt(0.3 - 0.01))^2 / 0.01
    assert needed_for_counts(20, 10, 100) == 234
    assert needed_for_counts(5, 5, 100) is None
    # 1.16 x ((1.960 + 0.8416) x 1 / 0.5)^2
    assert needed_for_times([-0.5, 0.5, 1.5]) == 37
    assert needed_for_times([0.1]) is None


def test_what_does_not_match_is_refused() -> None:
    """Other situations, or others of the same name."""
    a = result([[True], [False]])
    with pytest.raises(ResultError, match="'p1' is in one only"):
        compared(a, result([[True]]))
    other = replace(
        a, outcomes=[replace(o, tried=replace(o.tried, fingerprint="g")) for o in a.outcomes]
    )
    with pytest.raises(ResultError, match="'p0' is another one"):
        compared(a, other)


def test_the_table() -> None:
    """A hundred columns, what each is of, and what it comes to."""
    a = result([[at < 8] for at in range(30)], [0.4 + at / 100 for at in range(30)])
    b = result([[at < 13] for at in range(30)], [0.5 + at / 100 for at in range(30)], "mobile")
    text = table(a, b, compared(a, b))
    assert max(map(len, text.splitlines())) <= 100
    assert text.splitlines()[3].startswith("cut into pauses                    27%    43% +17 (")
    assert "line clean" in text
    assert "line mobile" in text
    same = table(a, a, compared(a, a))
    assert "no difference" in same
    assert "No difference is shown." in same


# The command


def kept(path: Path, found: Result) -> str:
    path.write_text(json.dumps(as_json(found)))
    return str(path)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It calls nobody; its status says whether something got worse, for scripts."""
    a = kept(tmp_path / "a.json", result([[False]] * 12))
    b = kept(tmp_path / "b.json", result([[True]] * 12))
    assert main(["evaluate", "--compare", a, b]) == 1
    assert "B is worse" in capsys.readouterr().out
    assert main(["evaluate", "--compare", b, a]) == 0
    assert "B is better" in capsys.readouterr().out
    assert main(["evaluate", "--compare", a, b, "--json"]) == 1
    rows = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert rows["cut_ins_pauses"]["verdict"] == "B is worse"


def test_nothing_compared_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Results of calls that were all refused say nothing, and a script hears so."""
    a = result([[False]] * 3)
    a = replace(a, outcomes=[replace(one, failed="refused: reject") for one in a.outcomes])
    path = kept(tmp_path / "a.json", a)
    assert main(["evaluate", "--compare", path, path]) == 1
    printed = capsys.readouterr().out
    assert "nothing is compared" in printed
    assert "No difference" not in printed


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([], "name the stream endpoint"),
        (["ws://127.0.0.1:1/", "--compare", "A", "A"], "--compare calls nobody"),
        (["--compare", "A", "OTHER"], "not of the same situations"),
        (["--compare", "A", "OLD"], "in format 2"),
        (["--compare", "A", "nowhere.json"], "nowhere.json: No such file"),
    ],
)
def test_what_makes_no_sense_is_told(
    given: list[str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a line, with the status for it."""
    files = {
        "A": kept(tmp_path / "a.json", result([[True]])),
        "OTHER": kept(tmp_path / "o.json", result([[True], [True]])),
        "OLD": str(tmp_path / "old.json"),
    }
    Path(files["OLD"]).write_text('{"url": "ws://x", "summary": {}, "situations": []}')
    assert main(["evaluate", *(files.get(word, word) for word in given)]) == 2
    error = capsys.readouterr().err
    assert why in error
    assert error.count("\n") == 1
