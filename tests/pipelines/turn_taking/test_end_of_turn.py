"""The end of a turn: how the evidence is weighed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.listening.settings import GateSettings
from pipelines.turn_taking.end_of_turn import (
    EndOfTurnSettings,
    Evidence,
    ScriptedTurnModel,
    silence_needed,
)
from pipelines.turn_taking.expectation import NOTHING, AnswerKind, Expectation

SETTINGS = EndOfTurnSettings()


def test_a_scripted_model_repeats_its_last_line() -> None:
    """As all doubles do."""

    async def ask() -> list[float]:
        model = ScriptedTurnModel([0.1, 0.9])
        await model.start()
        answers = [await model.complete(b"") for _ in range(3)]
        await model.aclose()
        return answers

    assert asyncio.run(ask()) == [0.1, 0.9, 0.9]


YES_OR_NO = Expectation(asked=AnswerKind.YES_OR_NO)
OPEN_QUESTION = Expectation(asked=AnswerKind.ANYTHING)
PIN = Expectation(asked=AnswerKind.NUMBER, digits=(4, 5, 6))
ZIP = Expectation(asked=AnswerKind.NUMBER, digits=(5,))
ORDER = Expectation(asked=AnswerKind.NUMBER)
NAME = Expectation(asked=AnswerKind.SPELLING)


def needed(said: str, *heard: float, expected: Expectation = NOTHING, **more: Any) -> float | None:
    evidence = Evidence(said=said, heard=heard, expected=expected, **more)
    weighed = silence_needed(SETTINGS, evidence, "en")
    return None if weighed is None else weighed.seconds


def test_nothing_known_is_nothing_decided() -> None:
    """Then the usual silence counts."""
    assert needed("") is None
    assert needed("Xyzzy.") is None


@pytest.mark.parametrize(
    ("heard", "said", "least", "most"),
    [
        (0.97, "", 0.35, 0.35),
        (0.4, "", 0.7, 0.9),
        (0.01, "", 1.6, 1.9),
        (0.97, "I would like to", 1.7, 2.2),
        (0.01, "I would like to", 2.0, 2.2),
        (0.97, "My number is", 2.2, 2.2),
        (0.97, "And otherwise.", 1.7, 2.2),
        (None, "Yes.", 0.8, 0.8),
        (0.97, "Yes.", 0.8, 0.8),
        (0.97, "Thanks, goodbye.", 0.35, 0.35),
        (None, "I would like to", 1.8, 2.2),
    ],
)
def test_the_evidence_is_weighed(heard: float | None, said: str, least: float, most: float) -> None:
    """Sure that they finished: answer. Sure that they did not: wait. Not sure: in between."""
    seconds = needed(said, *([] if heard is None else [heard]))
    assert seconds is not None
    assert least - 1e-9 <= seconds <= most + 1e-9


def test_the_text_is_a_witness_like_others() -> None:
    """Words that are plainly unfinished hold back a model that is sure, and the other way round."""
    alone = needed("Your call cannot be", 0.95)
    unfinished = needed("Your call cannot be", 0.95, complete=0.05)
    whole = needed("Your call cannot be completed", 0.3, complete=0.95)
    assert alone == SETTINGS.shortest
    assert unfinished is not None
    assert unfinished > 0.8
    assert whole is not None
    assert whole < 0.6


def test_a_text_that_tells_nothing_lengthens_no_wait() -> None:
    """Without a turn model it is waited for about as long as for no words at all."""
    assert needed("Whatever", complete=0.5) == pytest.approx(GateSettings().end_after, abs=0.02)


@pytest.mark.parametrize("said", ["Yes.", "No.", "Hello.", "Okay.", "Right."])
@pytest.mark.parametrize("expected", [YES_OR_NO, OPEN_QUESTION, Expectation()])
def test_a_whole_answer_does_not_beat_a_model_that_hears_more_coming(
    said: str, expected: Expectation
) -> None:
    """At 0.03 a pause of 0.7 s in "Yes... I would like" is not cut into, whatever was asked."""
    seconds = needed(said, 0.03, 0.03, expected=expected)
    assert seconds is not None
    assert 0.7 < seconds <= SETTINGS.long


@pytest.mark.parametrize(
    ("said", "expected", "seconds", "doubted"),
    [
        ("Yes.", YES_OR_NO, 0.35, 0.8),
        ("No, thank you.", YES_OR_NO, 0.35, 0.35),
        ("Yes.", OPEN_QUESTION, 0.8, 0.8),
        ("Yes.", NOTHING, 0.8, 0.8),
        ("Hello.", OPEN_QUESTION, 0.8, 0.8),
        ("Hello?", YES_OR_NO, 0.8, 0.8),
        ("Good morning.", NOTHING, 0.8, 0.8),
        ("Goodbye.", OPEN_QUESTION, 0.35, 0.35),
        ("Thank you very much.", OPEN_QUESTION, 0.35, 0.35),
    ],
)
def test_a_whole_answer_that_falls_to_its_end_is_answered_at_once(
    said: str, expected: Expectation, seconds: float, doubted: float
) -> None:
    """To a question of yes or no; else "yes" is a first word, and a greeting is one anywhere."""
    assert needed(said, 0.97, 0.97, expected=expected) == pytest.approx(seconds)
    assert needed(said, 0.8, 0.85, expected=expected) == pytest.approx(doubted)


@pytest.mark.parametrize(
    ("said", "expected", "heard", "least", "most"),
    [
        ("Four, seven.", PIN, 0.97, 2.2, 2.2),
        ("Four, seven, one, nine.", PIN, 0.02, 0.8, 1.0),
        ("Four, seven, one, nine.", PIN, 0.97, 0.8, 1.0),
        ("415", ZIP, 0.97, 2.2, 2.2),
        ("9 4 1 1 0", ZIP, 0.02, 0.8, 0.8),
        ("94110", ZIP, 0.97, 0.35, 0.35),
        ("Nineteen eighty four", Expectation(asked=AnswerKind.NUMBER, digits=(4,)), 0.02, 0.8, 0.8),
        ("Nineteen", Expectation(asked=AnswerKind.NUMBER, digits=(4,)), 0.97, 2.2, 2.2),
        ("4719", ORDER, 0.97, 0.8, 0.8),
        ("4719", ORDER, 0.3, 2.2, 2.2),
        ("Size, size.", PIN, 0.97, 0.8, 0.8),
        ("S M I T H", NAME, 0.97, 0.8, 0.8),
        ("S M I T H", NAME, 0.02, 0.9, 1.0),
        ("S M", NAME, 0.97, 2.2, 2.2),
        ("Four one five", Expectation(), 0.97, 2.2, 2.2),
        ("415 555 2671", Expectation(), 0.03, 0.8, 0.95),
        ("Four one five five", Expectation(), 0.97, 0.8, 0.8),
        ("Four one five five", Expectation(), 0.5, 2.2, 2.2),
    ],
)
def test_what_is_dictated_is_counted(
    said: str, expected: Expectation, heard: float, least: float, most: float
) -> None:
    """Part of a number is waited for longest, all of it never for more than a second."""
    seconds = needed(said, heard, heard, expected=expected)
    assert seconds is not None
    assert least - 1e-9 <= seconds <= most + 1e-9


def test_a_slow_dictation_keeps_its_rhythm() -> None:
    """Twice the longest pause between its letters so far."""
    slow = needed("S M I T H", 0.02, expected=NAME, pauses=4, longest_pause=0.8)
    assert slow == pytest.approx(1.6)


def test_what_is_added_for_a_caller_is_not_added_to_what_is_whole() -> None:
    """A "yes" is one, however often they pause elsewhere; nor is a whole number waited for."""
    assert needed("Yes.", 0.97, expected=YES_OR_NO, extra=0.4) == pytest.approx(0.35)
    assert needed("94110", 0.97, expected=ZIP, extra=0.4) == pytest.approx(0.75)
    assert needed("", 0.97, extra=0.4) == pytest.approx(0.75)


WORDS = ("yes", "four", "one", "5", "my", "number", "is", "to", "the", "s", "m", "thank", "you")


@given(
    heard=st.lists(st.floats(0, 1), max_size=3),
    said=st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join) | st.text(),
    complete=st.none() | st.floats(0, 1),
    expected=st.sampled_from([YES_OR_NO, OPEN_QUESTION, PIN, ZIP, ORDER, NAME, Expectation()]),
    told=st.none() | st.booleans(),
    extra=st.floats(0, 0.4),
    pause=st.floats(0, 3),
)
def test_nobody_waits_for_longer_than_the_longest(
    heard: list[float],
    said: str,
    complete: float | None,
    expected: Expectation,
    told: bool | None,
    extra: float,
    pause: float,
) -> None:
    """And nobody is answered before the shortest."""
    seconds = needed(
        said,
        *heard,
        complete=complete,
        expected=expected,
        told=told,
        extra=extra,
        pauses=3,
        longest_pause=pause,
    )
    assert seconds is None or SETTINGS.shortest <= seconds <= SETTINGS.longest


@given(st.floats(0, 1), st.floats(0, 1))
def test_who_hears_more_of_an_end_never_waits_longer(one: float, other: float) -> None:
    """Of two answers of the model, the surer one asks for no more silence."""
    less, more = sorted((one, other))
    surer, unsure = needed("", more), needed("", less)
    assert surer is not None
    assert unsure is not None
    assert surer <= unsure + 1e-9
