"""How words are counted, where there are spaces between them and where there are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.text.words import joined, word_count, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello,  I don't\nknow – yes", ["Hello, ", "I ", "don't ", "know ", "– ", "yes"]),
        ("我们十点开门。好！", ["我", "们", "十", "点", "开", "门。", "好！"]),
        ("「はい。」と", ["「は", "い。」", "と"]),
        ("上午10点 open now", ["上", "午", "10", "点 ", "open ", "now"]),
        ("คุณมา", ["คุ", "ณ", "ม", "า"]),
        ("ស្តី", ["ស្តី"]),
        ("안녕하세요 여러분", ["안녕하세요 ", "여러분"]),
        ("नमस्ते जी", ["नमस्ते ", "जी"]),
        ("。。", ["。。"]),
        ("", []),
    ],
)
def test_a_word_is_a_character_where_no_spaces_are_written(text: str, expected: list[str]) -> None:
    """With its marks, and the space after it."""
    assert words(text) == expected


@given(st.text(st.sampled_from("我ค่ a。「\u17d2\u1780") | st.characters(), max_size=40))
def test_no_character_is_lost(text: str) -> None:
    """Joined, the words are the text."""
    assert "".join(words(text)) == " ".join(text.split())
    assert all(words(text))


def test_sentences_are_joined_as_their_script_has_them() -> None:
    """With a space, but not between two of Chinese."""
    assert joined(["We open.", "", "Come in."]) == "We open. Come in."
    assert joined(["我们开门。", "你好", "OK", "好"]) == "我们开门。你好 OK 好"


@pytest.mark.parametrize(
    ("text", "count"), [("等一下", 1.5), ("stop it", 2), ("หยุดก่อน", 2), ("嗯", 0.5), ("", 0)]
)
def test_words_are_counted_by_their_usual_length(text: str, count: float) -> None:
    """Two characters of Chinese, three of Thai, with their marks."""
    assert word_count(text) == pytest.approx(count)
