"""What is not to be kept is found, and what only looks like it stays."""

from __future__ import annotations

from typing import get_args

import pytest

from agent.records.redaction.finder import Finder, redacted
from agent.settings.privacy import Redacted
from tests.agent.records.redaction.sentences import HELD_OUT, SEEN, sentences
from tests.benchmarks.redaction import score

FINDER = Finder(kinds=frozenset(get_args(Redacted)), country="US")


def test_all_that_rules_may_be_changed_for_is_found() -> None:
    """And nothing else of it; ``python -m tests.benchmarks.redaction`` prints which fail."""
    counted = score(sentences(SEEN))
    assert (counted["missed"], counted["false"]) == (0, 0)


def test_of_what_was_held_out_nearly_all_is_found() -> None:
    """A hundredth less, and something has broken."""
    given = list(sentences(HELD_OUT))
    assert len(given) + len(list(sentences(SEEN))) >= 150
    counted = score(given)
    assert counted["found"] >= 0.95 * (counted["found"] + counted["missed"])
    assert counted["found"] >= 0.98 * (counted["found"] + counted["false"])


def clean(text: str, language: str = "en", context: str = "") -> str:
    return redacted(text, FINDER.find(text, language, context))


def test_a_question_says_what_the_answer_is() -> None:
    """The same digits are a code on the back, an order, a telephone, or nothing."""
    assert clean("1 2 3", context="And the security code?") == "[security code]"
    assert clean("1 2 3", context="How many of you?") == "1 2 3"
    assert clean("4155550132", context="What is your phone number?") == "[phone number]"
    assert clean("4155550132", context="What is your order number?") == "4155550132"


def test_a_card_number_with_a_digit_misheard_is_one_all_the_same() -> None:
    """If it is said to be one; the last four digits are no number of a card."""
    assert clean("My card is 4111 1111 1111 1112") == "My card is [card number]"
    assert clean("4111 1111 1111 1112") == "4111 1111 1111 1112"
    assert clean("the card ending in 1111") == "the card ending in 1111"


def test_only_what_is_asked_for_is_taken_out() -> None:
    """Kind by kind."""
    text = "4111 1111 1111 1111 or ann@example.com"
    found = Finder(kinds=frozenset[Redacted](("email",))).find(text, "en")
    assert redacted(text, found) == "4111 1111 1111 1111 or [e-mail address]"
    assert Finder(kinds=()).find(text, "en") == []


STRANGE = ("", " ", "\ud83d", 16 * "²", 16 * "٤", 5000 * "9")


@pytest.mark.parametrize("text", STRANGE)
def test_nothing_is_too_strange(text: str) -> None:
    """Digits of other scripts, halves of characters."""
    FINDER.find(text, "")
    FINDER.find(f"my card number is {text}", "en", text)
