"""What is said without wanting the floor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.turn_taking.backchannels import is_backchannel
from pipelines.turn_taking.words_by_language import words_in

ENGLISH = words_in("en")
BACKCHANNELS = ENGLISH.backchannels if ENGLISH else frozenset[str]()


@pytest.mark.parametrize(
    "said",
    ["Mm-hm.", "Uh-huh", "Yeah.", "Okay, okay.", "Oh, I see.", "Right.", "All right, got it."],
)
def test_listeners_say_these(said: str) -> None:
    """Case, punctuation and hyphens do not matter."""
    assert is_backchannel(said, "en-US")


@pytest.mark.parametrize(
    ("said", "language", "so"),
    [
        ("嗯嗯。", "zh-CN", True),
        ("对，对，好的", "zh", True),
        ("等一下", "zh", False),
        ("好的我要预订", "zh", False),
        ("はい、はい。", "ja", True),
        ("なるほどですね", "ja-JP", True),
        ("ちょっと待って", "ja", False),
        ("ค่ะ ใช่ค่ะ", "th", True),
        ("หยุดก่อน", "th", False),
        ("嗯" * 13, "zh", False),
        ("。", "zh", False),
    ],
)
def test_where_no_spaces_are_written_the_whole_is_made_of_them(
    said: str, language: str, so: bool
) -> None:
    """However a transcriber divides it."""
    assert is_backchannel(said, language) is so


@pytest.mark.parametrize(
    "said",
    [
        "No.",
        "Stop.",
        "Yeah, but",
        "Okay what about Sunday?",
        "Wait",
        "okay okay okay okay okay",
        "",
    ],
)
def test_these_want_the_floor(said: str) -> None:
    """One other word is enough, and so are too many."""
    assert not is_backchannel(said, "en")


def test_a_language_without_a_list_has_no_backchannels() -> None:
    """So that nothing a caller says is dropped."""
    assert not is_backchannel("okay", "xx")


@given(st.lists(st.sampled_from(sorted(BACKCHANNELS)), min_size=1, max_size=4))
def test_any_few_of_them_are_one(said: list[str]) -> None:
    """As long as there are at most four words."""
    assert is_backchannel(" ".join(said), "en") == (len(" ".join(said).split()) <= 4)


def test_an_annotation_makes_no_word_of_a_backchannel() -> None:
    """It is left out of account."""
    assert is_backchannel("[Music] Mm-hm.", "en")
    assert not is_backchannel("[Music] Stop.", "en")
