"""What is dictated digit by digit and letter by letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.turn_taking.dictation import Dictated, Progress, dictated, progress
from pipelines.turn_taking.expectation import AnswerKind, Expectation

ANY = Expectation()
NUMBER = Expectation(asked=AnswerKind.NUMBER)
PHONE = Expectation(asked=AnswerKind.NUMBER, digits=tuple(range(7, 12)))


@pytest.mark.parametrize(
    ("said", "digits", "letters"),
    [
        ("Four, one, five.", 3, 0),
        ("My number is four one five", 3, 0),
        ("415-555", 6, 0),
        ("4-1-5", 3, 0),
        ("double five triple oh", 5, 0),
        ("J. O. N.", 0, 3),
        ("J-o-n", 0, 3),
        ("A B 4 7", 2, 2),
        ("a table for two", 1, 0),
        ("I would like a table", 0, 0),
        ("", 0, 0),
    ],
)
def test_what_a_transcript_ends_in_is_counted(said: str, digits: int, letters: int) -> None:
    """However it is written."""
    assert dictated(said, "en", ANY) == Dictated(digits=digits, letters=letters)


@pytest.mark.parametrize(
    "said", ["Nineteen eighty four.", "Nineteen eighty", "Twenty twenty-six", "Nineteen hundred"]
)
def test_a_year_is_four_digits_where_a_number_was_asked_for(said: str) -> None:
    """As it is spoken; unasked, it is a word like others."""
    assert dictated(said, "en", NUMBER).digits == 4
    assert progress(dictated(said, "en", ANY), ANY) is None


@pytest.mark.parametrize(
    ("language", "said", "digits"),
    [
        ("en", "Two thousand and five", 4),
        ("en", "four hundred fifteen, five five five", 6),
        ("es", "Mil novecientos ochenta y cuatro.", 4),
        ("es", "dos mil cinco", 4),
        ("fr", "Zéro six, douze, trente-quatre.", 6),
        ("fr", "mille neuf cent quatre-vingt-quatre", 4),
        ("it", "Diciannove ottantaquattro", 4),
        ("de", "vierundachtzig", 2),
        ("nl", "negentien vierentachtig", 4),
    ],
)
def test_numbers_in_words_are_counted_in_each_language(
    language: str, said: str, digits: int
) -> None:
    """Where a number was asked for; elsewhere "ochenta" is a word like others."""
    assert dictated(said, language, NUMBER).digits == digits
    assert progress(dictated(said, "xx", ANY), ANY) is None


@pytest.mark.parametrize(
    "said",
    [
        "A table at seven thirty.",
        "At 7:30.",
        "It was in 1984.",
        "In 19 84",
        "Around twenty five",
        "By 10.45",
    ],
)
def test_times_and_years_are_not_dictated(said: str) -> None:
    """Nobody is waited for longest who says when."""
    assert progress(dictated(said, "en", ANY), ANY) is None


def test_words_that_sound_like_digits_are_some_where_a_number_was_asked_for() -> None:
    """Such as "eight to seven" is a transcriber's spelling."""
    assert dictated("Eight to seven", "en", ANY).digits == 1
    assert dictated("Eight to seven", "en", NUMBER).digits == 3


def test_digits_are_digits_in_any_language() -> None:
    """Where we have no words for them, too."""
    assert dictated("0 1 7 6", "sw", NUMBER).digits == 4


@pytest.mark.parametrize(
    ("said", "expected", "along"),
    [
        (Dictated(digits=3), ANY, Progress.PART),
        (Dictated(digits=2), ANY, None),
        (Dictated(digits=6), ANY, Progress.UNKNOWN),
        (Dictated(digits=10), ANY, Progress.MAYBE_ALL),
        (Dictated(letters=1), ANY, None),
        (Dictated(letters=2), ANY, Progress.PART),
        (Dictated(digits=1), PHONE, Progress.PART),
        (Dictated(digits=7), PHONE, Progress.MAYBE_ALL),
        (Dictated(digits=11), PHONE, Progress.ALL),
        (Dictated(digits=3), NUMBER, Progress.PART),
        (Dictated(digits=4), NUMBER, Progress.UNKNOWN),
        (Dictated(digits=3, letters=2), NUMBER, Progress.UNKNOWN),
        (Dictated(), NUMBER, None),
    ],
)
def test_it_is_known_how_far_a_dictation_is(
    said: Dictated, expected: Expectation, along: Progress | None
) -> None:
    """By what was asked for; without that, a few are a part."""
    assert progress(said, expected) is along


@given(st.text(), st.sampled_from(["en", "de", "x"]), st.sampled_from([ANY, NUMBER, PHONE]))
def test_anything_can_be_counted(said: str, language: str, expected: Expectation) -> None:
    """No transcript is a mistake."""
    found = dictated(said, language, expected)
    assert found.digits >= 0
    assert found.letters >= 0
