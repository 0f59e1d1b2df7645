"""Which words of a reply have been heard."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipelines.reply.heard_words import HeardWords

SENTENCES = st.lists(
    st.tuples(
        st.integers(1, 8),  # words
        st.integers(0, 12),  # of them as spoken, 0 if as many
        st.floats(0.02, 4),  # seconds
        st.lists(st.floats(0, 6), max_size=14).map(sorted),  # when words end, as a voice has it
    ),
    min_size=1,
    max_size=4,
)


@given(SENTENCES, st.booleans(), st.lists(st.floats(-1, 20), min_size=2).map(sorted))
def test_words_heard_only_grow_and_are_a_beginning_of_what_was_said(
    sentences: list[tuple[int, int, float, list[float]]], finished: bool, positions: list[float]
) -> None:
    """Whatever a voice tells of its words; and all of them once all has been heard."""
    words, made, said = HeardWords(), 0.0, list[str]()
    for number, (count, spoken, seconds, ends) in enumerate(sentences):
        sentence = [f"{number}.{word}" for word in range(count)]
        words.begin(" ".join(sentence), spoken, made)
        words.time(ends)
        said += sentence
        made += seconds
    if finished:
        words.finish(made)
    heard = [words.until(position, made).split() for position in positions]
    assert all(one == said[: len(one)] for one in heard)
    assert all(len(one) <= len(other) for one, other in pairwise(heard))
    assert words.until(0.0, made) == "" or any(ends for *_, ends in sentences)
    if finished:
        assert words.until(made, made).split() == said


def test_a_sentence_ends_once() -> None:
    """Where the next begins, at the latest; silence after it is nobody's."""
    words = HeardWords()
    words.begin("one two", 0, 0.0)
    words.finish(1.0)
    words.begin("three", 0, 3.0)
    words.finish(4.0)
    words.finish(9.0)
    assert [words.until(at, 9.0) for at in (0.5, 2.9, 4.0)] == ["one", "one two", "one two three"]
