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
        words.finish(made)
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


def test_of_a_voice_that_will_tell_nothing_is_guessed() -> None:
    """No word before it has told of one; all at the end."""
    words = HeardWords()
    words.begin("one two", 0, 0.0)
    words.time([])
    assert words.until(1.9, 2.0) == ""
    words.time([0.5])
    words.finish(2.0)
    assert [words.until(at, 2.0) for at in (0.4, 1.9, 2.0)] == ["", "one", "one two"]


def test_a_timed_sentence_that_broke_off_has_the_words_that_were_told_of() -> None:
    """However long its audio is: the voices may have said half of a word again and again."""
    words = HeardWords()
    words.begin("one two", 0, 0.0)
    words.time([0.5])
    words.begin("Sorry.", 0, 3.0)
    words.finish(3.5)
    assert words.until(3.0, 3.5) == "one"


def test_a_sentence_that_broke_off_is_not_credited_whole() -> None:
    """What there is of it is credited as a slow voice would speak it; then the next counts."""
    words = HeardWords()
    words.begin("one two three four five six seven eight nine ten", 0, 0.0)
    words.begin("Sorry.", 0, 1.5)
    words.finish(2.0)
    heard = [words.until(at, 2.0) for at in (0.5, 1.5, 1.9, 2.0)]
    assert heard == ["one", "one two three", "one two three", "one two three Sorry."]


@given(
    st.lists(st.tuples(st.floats(0.02, 4), st.booleans()), min_size=1, max_size=5),
    st.lists(st.floats(0, 20), min_size=2).map(sorted),
)
def test_what_is_said_before_a_late_sentence_takes_nothing_from_it(
    sentences: list[tuple[float, bool]], positions: list[float]
) -> None:
    """Wherever a filler comes, all words are credited, in the order in which they sound."""
    words, made, said = HeardWords(), 0.0, list[str]()
    for number, (seconds, late) in enumerate(sentences):
        words.begin(f"a{number} b{number}", 0, made)
        if late:
            words.interject("One moment.", made, made + 1.0)
            made += 1.0
            said += ["One", "moment."]
        made += seconds
        words.finish(made)
        said += [f"a{number}", f"b{number}"]
    assert words.until(made, made).split() == said
    heard = [words.until(position, made).split() for position in positions]
    assert all(one == said[: len(one)] for one in heard)


def test_a_sentence_ends_once() -> None:
    """Silence after it is nobody's."""
    words = HeardWords()
    words.begin("one two", 0, 0.0)
    words.finish(1.0)
    words.begin("three", 0, 3.0)
    words.finish(4.0)
    words.finish(9.0)
    assert [words.until(at, 9.0) for at in (0.5, 2.9, 4.0)] == ["one", "one two", "one two three"]


def test_of_a_sentence_without_spaces_the_characters_are_heard_one_by_one() -> None:
    """By their share of its audio; by the voice's own times, where it tells."""
    words = HeardWords()
    words.begin("我们早上十点开门。", 0, 0.0)
    assert words.until(1.0, 1.0) == "我们早上"  # slowly, while more may come
    words.finish(2.0)
    assert words.until(1.0, 2.0) == "我们早上"
    words.begin("你要预订吗？", 0, 2.0)
    words.time([0.3, 0.3, 0.9])
    words.finish(4.0)
    assert words.until(2.5, 4.0) == "我们早上十点开门。你要"
    assert words.until(4.0, 4.0) == "我们早上十点开门。你要预订吗？"
