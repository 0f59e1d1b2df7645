"""When words end, from what a provider says of parts of a text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.providers.streaming_tts.word_ends import WordEnds


def ends(text: str, parts: Sequence[str]) -> list[float]:
    """Return the ends of words if the parts end after 1, 2, 3... seconds."""
    words = WordEnds(text)
    found: list[float] = []
    for number, part in enumerate(parts, 1):
        found += words.add([(part, float(number))])
    return found


@pytest.mark.parametrize(
    ("text", "parts", "expected"),
    [
        ("Hello, world!", ["Hello", "world"], [1, 2]),
        ("Hello, world!", [" Hello,", " ", "world", "!"], [1, 3]),
        ("A follow-up.", ["A", "follow", "up"], [1, 3]),
        ("To New York.", ["To", "New York"], [1, 2, 2]),
        ("Yes - no.", ["Yes", "-", "no"], [1, 1, 3]),
        ("你好 世界", ["你", "好", "世界"], [1, 2, 3, 3]),
        ("It is 5 o'clock", ["It", "is", "five", "o'clock"], [1, 2]),
        ("one two three", ["one", "three"], [1]),
        ("one two", ["one", "two", "two", "three"], [1, 2]),
        ("Grüße ’n Straße", ["grüsse", "N", "STRASSE"], [1, 2, 3]),
        ("", ["one"], []),
        ("one", ["", "…", "one"], [3]),
    ],
)
def test_words_end_with_the_part_that_completes_them(
    text: str, parts: list[str], expected: list[float]
) -> None:
    """Whatever parts a provider times; nothing is told after one that is not in the text."""
    assert ends(text, parts) == expected


@given(st.text("ab .-", max_size=40), st.data())
def test_however_a_text_is_cut_its_words_end_in_order(text: str, data: st.DataObject) -> None:
    """Each word with a letter ends, with the part that its last letter is in."""
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)) | {0, len(text)})
    parts = [text[a:b] for a, b in pairwise(cuts)]
    found = ends(text, parts)
    assert found == sorted(found)
    if any(char.isalnum() for char in text):
        assert len(found) == len(text.split())
