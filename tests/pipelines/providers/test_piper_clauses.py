"""Where a speaker would breathe."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.providers.piper_clauses import FIRST, MOST, Clause, clauses

LONG = "Our rooms are on the second floor, next to the stairs, and they look out on the garden."


def test_the_first_clause_is_short() -> None:
    """It ends at the first mark after three words, or before a joint; later ones are longer."""
    assert [clause.text for clause in clauses(LONG)] == [
        "Our rooms are on the second floor,",
        "next to the stairs, and they look out on the garden.",
    ]
    text = "We are open from nine to five on weekdays and on Saturday until noon."
    assert [clause.text for clause in clauses(text)] == [
        "We are open,",
        "from nine to five on weekdays and on Saturday until noon.",
    ]


@pytest.mark.parametrize("text", ["Yes.", "Hello, Ann.", "We are closed on Sunday and on Monday."])
def test_short_sentences_are_not_cut(text: str) -> None:
    """What is spoken fast enough as it is keeps its melody."""
    assert list(clauses(text)) == [Clause(text, 0.25)]


def test_pauses_tell_clauses_from_sentences() -> None:
    """The longest is after a sentence, the shortest where there was no mark."""
    text = "Please hold the line while I connect you with the kitchen now. Thank you."
    assert [clause.pause for clause in clauses(text)] == [0.04, 0.25, 0.25]
    text = "Thank you very much for calling, how can we help you today?"
    assert [clause.pause for clause in clauses(text)] == [0.12, 0.25]


WORDS = st.text("abcdefgh", min_size=1, max_size=5) | st.sampled_from(["and", "for", "at", "if"])
TEXTS = st.lists(st.tuples(WORDS, st.sampled_from(["", "", "", ",", ".", "?"])), max_size=60)


@given(TEXTS)
def test_clauses_joined_are_the_text(said: list[tuple[str, str]]) -> None:
    """No word is lost, repeated or moved, whatever the marks; each clause has a mark at its end."""
    text = " ".join(word + mark for word, mark in said)
    cut = list(clauses(text))
    spoken_words = [word.rstrip(",.?") for clause in cut for word in clause.text.split()]
    assert spoken_words == [word for word, _ in said]
    assert all(clause.text[-1] in ",.!?" for clause in cut)
    assert all(len(clause.text.split()) <= MOST for clause in cut)


@given(st.lists(WORDS, min_size=2 * MOST, max_size=3 * MOST))
def test_the_first_clause_is_no_fragment(said: list[str]) -> None:
    """It has three words at least, however early a joint comes."""
    first = next(clauses(" ".join(said)))
    assert len(first.text.split()) >= FIRST[0]
