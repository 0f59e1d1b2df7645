"""The end of a turn: how the evidence is weighed."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.turn_taking.end_of_turn import EndOfTurnSettings, ScriptedTurnModel, silence_needed

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


@pytest.mark.parametrize(
    ("probability", "said", "expected"),
    [
        (0.99, "What time do you open?", SETTINGS.shortest),
        (0.99, None, SETTINGS.shortest),
        (0.5, "What time do you open?", SETTINGS.middle),
        (0.01, "What time do you open?", SETTINGS.long),
        (0.99, "I would like to", SETTINGS.long),
        (0.01, "I would like to", SETTINGS.longest),
        (0.99, "My number is", SETTINGS.longest),
        (0.01, "Yes.", SETTINGS.shortest),
        (0.99, "Which day should I come on?", SETTINGS.shortest),
        (0.99, "And otherwise.", SETTINGS.long),
        (None, "Yes.", SETTINGS.shortest),
        (None, "I would like to", SETTINGS.long),
        (None, "What time do you open?", None),
        (None, None, None),
    ],
)
def test_the_evidence_is_weighed(
    probability: float | None, said: str | None, expected: float | None
) -> None:
    """Sure that they finished: answer. Sure that they did not: wait. Not sure: in between."""
    assert silence_needed(SETTINGS, probability, said, "en") == expected


@given(st.none() | st.floats(0, 1), st.none() | st.text())
def test_nobody_waits_for_longer_than_the_longest(
    probability: float | None, said: str | None
) -> None:
    """And nobody is answered before the shortest."""
    needed = silence_needed(SETTINGS, probability, said, "en")
    assert needed is None or SETTINGS.shortest <= needed <= SETTINGS.longest
