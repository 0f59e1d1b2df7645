"""Whether a level holds, and what is said of it: arithmetic that is checked by hand."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from agent.bench.caller import Measured
from agent.bench.level import Level
from agent.bench.metrics import LagHistogram, read
from agent.bench.report import Judged, as_json, highest, lines
from agent.bench.verdict import figures, percentiles_of, why_not

FIXED = 1.087


def level(calls: int = 1, **given: Any) -> Level:
    """Return a level of two minutes in which all went well, but for what is given."""
    usual: dict[str, Any] = {
        "seconds": 120.0,
        "spread": 1.0,
        "answered": calls,
        "measured": [Measured(responses=[1.1, 1.107], frames=6000, spoken=1500)] * calls,
        "sent": [0.001] * 100,
        "woken": [0.001] * 100,
    }
    return Level(**{"calls": calls, **usual, **given})


def judged(of: Level, one: Level | None = None) -> Judged:
    found = figures(of, FIXED)
    alone = figures(one or level(), FIXED)
    return Judged(level=of, figures=found, reasons=why_not(found, alone, of))


def printed(one: Judged) -> str:
    return "\n".join(lines(one))


def test_percentiles_are_those_of_the_values() -> None:
    """Of 0 to 100; of nothing there are none."""
    found = percentiles_of([float(one) for one in range(101)])
    assert found is not None
    assert (found.count, found.p50, found.p95, found.p99, found.most) == (101, 50, 95, 99, 100)
    assert percentiles_of([]) is None


def test_figures_are_a_call_and_a_minute() -> None:
    """Ten calls for two minutes are twenty call-minutes: 30 CPU seconds are 1.5 of each."""
    found = figures(
        level(
            10,
            cpu=30.0,
            memory_before=100_000_000,
            memory_most=105_000_000,
            memory_after=102_000_000,
            own_cpu=2.0,
            providers_cpu=1.0,
        ),
        FIXED,
    )
    assert found.cpu_a_minute == pytest.approx(1.5)
    assert found.memory_a_call == pytest.approx(500_000)
    assert found.memory_kept == pytest.approx(200_000)
    assert found.generator_cpu_a_minute == pytest.approx(0.1)
    assert found.generator_share == pytest.approx(3 / 120)
    assert found.speaking == 0.25
    assert found.overhead is not None
    assert found.overhead.most == pytest.approx(0.020)


def test_what_is_not_known_is_not_said() -> None:
    """Of a server elsewhere there is neither CPU nor memory, and no lag."""
    found = figures(level(), FIXED)
    unknown = (found.cpu_a_minute, found.memory_a_call, found.memory_kept, found.lag_p99)
    assert unknown == (None,) * 4
    assert "CPU a call-minute  " not in printed(judged(level()))


def test_a_level_holds_by_one_calls_overhead_and_a_tenth_of_a_second() -> None:
    """At 99 ms more it does, at 101 ms it does not, and says so."""
    for more, holds in ((0.099, True), (0.101, False)):
        slower = level(5, measured=[Measured(responses=[1.1 + more, 1.107 + more])] * 5)
        found = judged(slower)
        assert found.holds == holds
        assert ("the p95 of overhead is" in printed(found)) != holds
        assert found.verdict == ("holds" if holds else "fails")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"refused": 3, "answered": 2}, "3 of 5 calls were refused for want of room"),
        ({"failed": Counter({"no answer within 10 s": 2})}, "2 of 5 calls failed: no answer"),
        (
            {"measured": [Measured(responses=[1.1], gaps=[0.02, 0.06])] * 5},
            "10 gaps were heard in replies, the longest of 60 ms",
        ),
        ({"measured": [Measured(responses=[1.1], unanswered=1)]}, "1 turns were never answered"),
        ({"measured": []}, "no turn was answered while it was measured"),
    ],
)
def test_a_level_that_fails_says_how(given: dict[str, Any], said: str) -> None:
    """In a sentence, each way."""
    found = judged(level(5, **given))
    assert found.verdict == "fails"
    assert f"DOES NOT HOLD: {said}" in printed(found)


@pytest.mark.parametrize("late", ["sent", "woken"])
def test_a_late_generator_blames_nobody(late: str) -> None:
    """It says so loudly, and the level neither fails nor holds."""
    gaps = [Measured(responses=[1.1], gaps=[0.02])]
    found = judged(level(5, measured=gaps, **{late: [0.001] * 90 + [0.05] * 10}))
    assert found.verdict == "not known"
    assert "THE GENERATOR WAS LATE" in printed(found)
    assert "NOT KNOWN WHETHER IT HOLDS" in printed(found)


def test_a_crowded_core_blames_nobody_either() -> None:
    """Somebody else's work on the server's core is not the server's."""
    found = judged(level(5, measured=[], others=0.5))
    assert found.verdict == "not known"
    assert "SOMEBODY ELSE USED 50%" in printed(found)


def test_the_highest_level_is_the_last_before_one_that_does_not_hold() -> None:
    """One that holds above it is luck."""
    held = [judged(level(calls)) for calls in (1, 10, 30)]
    fails = judged(level(20, refused=1))
    assert highest(held) == 30
    assert highest([*held, fails]) == 10
    assert highest([]) == 0


def test_machines_are_given_all_of_it() -> None:
    """As JSON, with nothing in it that JSON has not."""
    found = json.loads(json.dumps(as_json([judged(level()), judged(level(5, refused=2))], seed=1)))
    assert found["highest_that_holds"] == 1
    assert [one["verdict"] for one in found["levels"]] == ["holds", "fails"]
    assert found["levels"][1]["reasons"] == ["2 of 5 calls were refused for want of room"]
    assert found["levels"][0]["overhead"]["count"] == 2


METRICS = """# TYPE voice_agent_loop_lag_seconds histogram
voice_agent_loop_lag_seconds_bucket{{le="0.01"{0}}} {1}
voice_agent_loop_lag_seconds_bucket{{le="0.1"{0}}} {2}
voice_agent_loop_lag_seconds_bucket{{le="+Inf"{0}}} {2}
"""


def test_the_lag_is_what_came_meanwhile_over_all_workers() -> None:
    """Of two workers 200 looks, three of them late: p95 is within 10 ms, p99 is not."""
    before = read(METRICS.format("", 50.0, 90.0))
    both = METRICS.format(',worker="0"', 147.0, 190.0) + METRICS.format(',worker="1"', 100, 100)
    after = read(both)
    since = after.since(before)
    assert since == LagHistogram(counts={0.01: 197.0, 0.1: 200.0, float("inf"): 200.0})
    assert (since.percentile(95), since.percentile(99)) == (0.01, 0.1)
    assert read("up 1\n").since(read("up 1\n")).percentile(99) is None
    assert read(both, "voice_agent_pacing_error_seconds").percentile(99) is None
    renamed = both.replace("loop_lag", "pacing_error")
    assert read(renamed, "voice_agent_pacing_error_seconds") == after


def test_a_server_that_began_anew_has_no_lag_to_tell() -> None:
    """Its counts are of nothing."""
    assert LagHistogram(counts={0.01: 0.0}).percentile(99) is None
    assert replace(LagHistogram(counts={})).percentile(99) is None
