"""What happens in calls, counted of the lines of their records."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.records.events import DISCLOSED, OUTCOMES
from agent.server.metrics.call_counts import MOST_AGENTS, MOST_CALLS, CallCounts
from agent.server.metrics.call_families import FAMILIES

CALL = ("call", {"agent": "sales", "lineup": {"stt": ["a"], "llm": ["b", "c"], "tts": ["d"]}})
TIMES = {
    "speech_end": 10.0,
    "transcript": 10.25,
    "decided": 10.5,
    "first_token": 10.55,
    "first_sentence": 10.75,
    "first_audio": 10.95,
    "heard": 11.0,
}
ENDED = ("ended", {"at": 61.5, "reason": "the caller hung up", "hung_up_by": "caller"})

Line = tuple[str, dict[str, Any]]


def counted(*lines: Line, record: str = "r") -> CallCounts:
    counts = CallCounts()
    for kind, fields in lines:
        counts.line(record, kind, fields)
    return counts


def count(counts: CallCounts, name: str, *labels: str) -> float:
    return next(dict(found)[labels] for one, found in counts.counters() if one.name == name)


def measured(counts: CallCounts, name: str, *labels: str) -> tuple[int, float]:
    """Return how many values a histogram has, and their sum."""
    found = next(dict(found) for one, found in counts.histograms() if one.name == name)
    if labels not in found:
        return 0, 0.0
    return found[labels].buckets[-1][1], round(found[labels].total, 6)


def test_an_answer_is_measured_by_stage() -> None:
    """Each stage from what it waited for, the whole from the end of speech; by the agent."""
    counts = counted(CALL, ("timing", {"turn": 1, **TIMES}))
    assert measured(counts, "response_seconds", "sales") == (1, 1.0)
    stages = {"decided": 0.5, "transcript": 0.25, "first_token": 0.3, "first_sentence": 0.2}
    stages |= {"first_audio": 0.2, "heard": 0.05}
    for stage, seconds in stages.items():
        assert measured(counts, "response_stage_seconds", stage) == (1, seconds)


def test_what_is_said_unasked_is_no_answer() -> None:
    """Nobody waited for a greeting."""
    times = {"decided": 0.0, "first_sentence": 0.1, "first_audio": 0.2, "heard": 0.2}
    counts = counted(CALL, ("timing", {"turn": 1, **times}))
    assert measured(counts, "response_seconds", "sales") == (0, 0.0)
    assert measured(counts, "response_stage_seconds", "first_audio") == (0, 0.0)


def test_our_overhead_is_what_nobody_else_took() -> None:
    """Not the silence that ended the turn, nor the first results of model and voice.

    0.04 s until the silence was noticed, 0.1 s around the model, 0.05 s around the voice, 0.05 s
    until it sounded. The transcript and the first sentence are all the providers' own.
    """
    counts = counted(
        CALL,
        ("caller", {"turn": 1, "decided": {"by": "silence", "silence": 0.46}}),
        ("timing", {"turn": 1, **TIMES}),
        ("usage", {"stage": "llm", "provider": "b", "first_result": 0.2}),
        ("usage", {"stage": "tts", "provider": "d", "first_result": 0.15}),
        ENDED,
    )
    assert measured(counts, "overhead_seconds") == (1, 0.24)


def test_a_call_without_an_answer_has_no_overhead() -> None:
    """A caller who hangs up at the greeting says nothing of it."""
    assert measured(counted(CALL, ENDED), "overhead_seconds") == (0, 0.0)


@pytest.mark.parametrize(
    ("reason", "by", "outcome"),
    [
        ("the caller hung up", "caller", "caller hung up"),
        ("the agent hung up", "agent", "agent hung up"),
        ("the call was too long", "service", "stopped"),
        ("failed", "service", "failed"),
        ("the caller was passed on", "agent", "passed on"),
        ("a word that nobody knows", "nobody", "failed"),
    ],
)
def test_calls_are_counted_by_how_they_end(reason: str, by: str, outcome: str) -> None:
    """Whatever the reason in words is, it is one of a closed set."""
    ended = {"at": 61.5, "reason": reason, "hung_up_by": by, "tokens_wasted": 3}
    counts = counted(CALL, ("ended", ended))
    assert outcome in OUTCOMES
    assert count(counts, "calls_ended", "sales", outcome) == 1
    assert sum(dict(next(counts.counters())[1]).values()) == 1
    assert measured(counts, "call_duration_seconds") == (1, 61.5)
    assert count(counts, "tokens_wasted") == 3


@pytest.mark.parametrize(
    ("lines", "disclosed"),
    [
        ([], "no"),
        ([{"text": "I am", "cut_off": True}], "cut-off"),
        ([{"text": "I am a machine."}], "yes"),
        ([{"text": "I am", "cut_off": True}, {"text": "I am a machine."}], "yes"),
        ([{"text": "I am a machine."}, {"text": "I am", "cut_off": True}], "yes"),
    ],
)
def test_calls_are_counted_by_whether_a_machine_was_disclosed(
    lines: list[dict[str, object]], disclosed: str
) -> None:
    """Once each, when they are over: what was broken off and heard afterwards was heard."""
    counts = counted(CALL, *(("disclosed", one) for one in lines), ENDED)
    assert count(counts, "calls_disclosed", disclosed) == 1
    assert sum(count(counts, "calls_disclosed", one) for one in DISCLOSED) == 1


def test_sounds_over_our_words_are_counted_by_what_they_were() -> None:
    """A hold ends in a barge-in, or it was a false alarm."""
    counts = counted(
        CALL,
        ("held", {"turn": 1}),
        ("held", {"turn": 1}),
        ("resumed", {"turn": 1, "by": "noise", "after": 0.4}),
        ("barge_in", {"turn": 1, "by": "words"}),
        ("barge_in", {"turn": 1, "by": "something new"}),
    )
    assert count(counts, "holds") == 2
    assert count(counts, "resumes", "noise") == 1
    assert count(counts, "barge_ins", "words") == 1
    assert count(counts, "barge_ins", "other") == 1


def test_dead_air_is_silence_that_nothing_bridges() -> None:
    """More than two seconds; a filler ends it, one that comes late ends it late."""
    late = TIMES | {"heard": 15.0}
    counts = counted(
        CALL,
        ("timing", {"turn": 1, **late}),  # 5 s of silence
        ("filler", {"turn": 2, "at": 11.0}),
        ("timing", {"turn": 2, **late}),  # a second, then a filler
        ("filler", {"turn": 3, "at": 12.5}),
        ("timing", {"turn": 3, **late}),  # two and a half
        ("timing", {"turn": 4, **TIMES}),
    )
    assert count(counts, "dead_air") == 2
    assert count(counts, "dead_air_seconds") == pytest.approx(3.5)
    assert count(counts, "fillers") == 2


def test_money_and_amounts_are_by_provider() -> None:
    """Of calls, of what is made of them afterwards, and of the platform."""
    llm = {"stage": "llm", "provider": "b", "tokens_in": 100, "tokens_cached": 40, "tokens_out": 7}
    counts = counted(
        CALL,
        (
            "usage",
            {"stage": "stt", "provider": "a", "seconds": 12.5, "cost": 0.1, "currency": "USD"},
        ),
        ("usage", llm | {"cost": 0.25, "currency": "USD"}),
        ("usage", {"stage": "tts", "provider": "d", "characters": 247}),
        ENDED,
        ("usage", llm | {"cost": 0.25, "currency": "USD", "for": "summary"}),
        ("platform", {"amount": 0.02, "currency": "EUR", "seconds": 60}),
    )
    assert count(counts, "provider_audio_seconds", "a") == 12.5
    kinds = ("input", "cached", "output")
    assert [count(counts, "provider_tokens", "b", kind) for kind in kinds] == [200, 80, 14]
    assert count(counts, "provider_characters", "d") == 247
    assert count(counts, "provider_cost", "llm", "b", "USD") == 0.5
    assert count(counts, "provider_cost", "stt", "a", "USD") == 0.1
    assert count(counts, "provider_cost", "phone", "platform", "EUR") == 0.02


def test_failures_are_by_kind() -> None:
    """Whom a call left, for what; and what nobody could do. Series are there before the first."""
    counts = counted(
        CALL,
        ("failover", {"stage": "llm", "provider": "b", "to": "c", "error": "timeout"}),
        ("failed", {"turn": 1, "stage": "tts", "error": "limited"}),
        ("tool", {"turn": 1, "name": "book", "status": "failed", "seconds": 1.5}),
        ("transfer", {"to": "desk", "status": "done"}),
    )
    assert count(counts, "provider_failovers", "llm", "b", "timeout") == 1
    assert count(counts, "provider_failovers", "llm", "c", "timeout") == 0
    assert count(counts, "replies_lost", "tts", "limited") == 1
    assert count(counts, "tools", "failed") == 1
    assert measured(counts, "tool_seconds") == (1, 1.5)
    assert count(counts, "transfers", "done") == 1


def test_gaps_are_of_replies() -> None:
    """As their lines tell them; one that says nothing had none."""
    counts = counted(
        CALL,
        ("agent", {"turn": 1, "text": "Hello."}),
        ("agent", {"turn": 2, "text": "Yes.", "gaps": 3}),
    )
    assert count(counts, "replies") == 2
    assert count(counts, "underruns") == 3


def test_no_caller_makes_series_without_end() -> None:
    """Whoever makes agents by the thousand, or calls that never end, is counted under `other`."""
    counts = CallCounts()
    for number in range(MOST_CALLS + 300):
        counts.line(f"r{number}", "call", {"agent": f"agent-{number}"})
    counts.line(f"r{MOST_CALLS + 299}", "ended", ENDED[1])
    counts.line("r0", "ended", ENDED[1])  # forgotten meanwhile
    family, found = next(counts.counters())
    assert family.name == "calls_ended"
    agents = {labels[0] for labels, _ in found}
    assert len(agents) == MOST_AGENTS + 1
    assert dict(found)["other", "caller hung up"] == 1
    assert sum(dict(found).values()) == 1


def test_names_are_as_prometheus_wants_them() -> None:
    """Base units, each label of few values; what is counted says so by its kind alone."""
    for one in FAMILIES:
        assert not one.name.endswith("_total")
        assert not {"call", "call_id", "record", "caller", "number"} & set(one.labels)
        if one.bounds:
            assert one.name.endswith("_seconds")
            assert list(one.bounds) == sorted(one.bounds)


KINDS = [
    "call", "caller", "timing", "filler", "agent", "held", "resumed", "barge_in", "tool",
    "transfer", "failover", "failed", "usage", "platform", "ended", "dropped", "odd",
]  # fmt: skip
NAMES = [
    "agent", "lineup", "turn", "by", "decided", "at", "speech_end", "heard", "transcript",
    "gaps", "late", "stage", "provider", "error", "tokens_in", "cost", "currency", "amount",
    "reason", "hung_up_by", "seconds", "first_result",
]  # fmt: skip
odd = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text()),
    st.dictionaries(
        st.sampled_from(["stt", "llm", "silence"]),
        st.floats() | st.lists(st.text() | st.lists(st.text())),
    ),
)  # fmt: skip


@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(NAMES), odd)), max_size=12
    )
)
def test_no_line_breaks_the_thread_that_writes_records(lines: list[tuple[str, Any]]) -> None:
    """Whatever stands in it: a journal may hold anything, and counters never fall."""
    counts = counted(*lines)
    for _, found in counts.counters():
        assert all(value >= 0 for _, value in found)
