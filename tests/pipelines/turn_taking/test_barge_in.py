"""What a sound over our words means."""

from __future__ import annotations

import pytest

from pipelines.turn_taking.barge_in import BargeInJudge
from pipelines.turn_taking.settings import TurnSettings
from tests.pipelines.turn_taking.test_judge import Detector


@pytest.mark.parametrize(
    ("so_far", "spoken", "by"),
    [
        ("", 0.49, ""),
        ("", 0.5, "length"),
        ("Stop", 0.3, ""),  # the first guess at an "mm-hm" is often another word
        ("Stop that", 0.3, "words"),
        ("uh huh", 0.3, ""),
        ("uh huh", 0.5, "length"),
        ("等", 0.3, ""),
        ("等一下", 0.3, "words"),
        ("หยุดก่อน", 0.3, "words"),
    ],
)
def test_a_barge_in_is_long_or_two_words_that_want_an_answer(
    so_far: str, spoken: float, by: str
) -> None:
    """Half a second is meant, whatever is said."""
    assert BargeInJudge(TurnSettings(), "en", Detector(so_far=so_far)).barge_in_by(spoken) == by
