"""Half a character never gets in: text that is kept or sent can be encoded."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.encodable import (
    EncodableText,
    encodable,
    encodable_json,
    mended_json,
    read_json,
    read_json_delta,
)

HIGH, LOW, EMOJI, LOST = "\ud83d", "\ude00", "😀", "\ufffd"
texts = st.text(st.characters() | st.sampled_from([HIGH, LOW, EMOJI]), max_size=30)
values = st.recursive(
    texts | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("We open.", "We open."),
        (f"We open {HIGH}", f"We open {LOST}"),
        (f"{LOW}{HIGH}", LOST * 2),
        (f"a{HIGH}{LOW}b", f"a{EMOJI}b"),
        (f"{HIGH}{EMOJI}", f"{LOST}{EMOJI}"),
        ("Grüße 😀", "Grüße 😀"),
    ],
)
def test_halves_are_joined_or_replaced(given_text: str, kept: str) -> None:
    """One mark for each half that is alone."""
    assert encodable(given_text) == kept


@given(texts)
def test_any_text_can_be_encoded(text: str) -> None:
    """Once is enough, and what was right is left alone."""
    clean = encodable(text)
    assert clean.encode().decode() == clean == encodable(clean)
    if all(not "\ud800" <= char <= "\udfff" for char in text):
        assert clean is text


@given(texts, st.integers(0, 30), st.integers(0, 30))
def test_a_text_in_pieces_is_the_same_text(text: str, one: int, other: int) -> None:
    """An emoji that is split over two deltas is an emoji."""
    first, second = sorted((one, other))
    stream = EncodableText()
    pieces = [stream.feed(part) for part in (text[:first], text[first:second], text[second:])]
    assert "".join([*pieces, stream.flush()]) == encodable(text)
    assert stream.flush() == ""


@given(values)
def test_any_json_is_read_clean(value: object) -> None:
    """Names of fields too, however it is written: as escapes, or as bytes that are no UTF-8."""
    for written in (
        json.dumps(value),
        json.dumps(value, ensure_ascii=False),
        json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"),
    ):
        read = read_json(written)
        json.dumps(read, ensure_ascii=False).encode()
        if encodable_json(value) is value:
            assert read == value
    json.dumps(encodable_json(value), ensure_ascii=False).encode()
    assert json.loads(mended_json(json.dumps(value))) == read_json(json.dumps(value))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r'"\\ud83d"', r"\ud83d"),  # a backslash, and then letters
        (r'"\ud83d\ude00"', EMOJI),
        (r'"\uD83D\uDE00 \ud83d"', f"{EMOJI} {LOST}"),
        (r'"\ude00\ud83d"', LOST * 2),
        (r'"\ud83d\ud83d\ude00"', LOST + EMOJI),
    ],
)
def test_escapes_are_mended_where_they_are_escapes(written: str, read: str) -> None:
    """A parser that refuses halves is given none; all else is as it was."""
    assert json.loads(mended_json(written)) == read


def test_a_half_waits_for_the_other_in_a_text_that_goes_on() -> None:
    """So that whoever joins the pieces can join the character."""
    assert read_json_delta(r'"\ud83d"') == HIGH


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "NaN", '{"a": Infinity}', "\x00"])
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    """Of one kind, however deep it is nested."""
    for read in (read_json, read_json_delta):
        with pytest.raises(ValueError, match=r"."):
            read(text)
