"""Sentences that tell of a machine, and sentences that do not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.personas.machine_words import example, tells_of_a_machine

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl")


def examples(kind: str) -> Iterator[tuple[str, str, bool]]:
    """Yield language, text, and whether it tells of a machine."""
    file = Path(__file__).with_name("disclosure_texts.txt")
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{kind} "):
            _, language, tells, text = line.split(" ", 3)
            yield language, text, tells == "yes"


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_tells_both_kinds_apart(language: str) -> None:
    """All that the words were chosen on is told rightly, of both kinds in each language."""
    known = [(text, tells) for lang, text, tells in examples("seen") if lang == language]
    assert {tells for _, tells in known} == {True, False}
    assert [text for text, tells in known if tells_of_a_machine(text, language) != tells] == []


def test_sentences_that_no_word_was_chosen_on() -> None:
    """At least 19 of 20 are told rightly; it is a hint for who writes, and no more."""
    told = [
        (tells_of_a_machine(text, lang) == tells, text) for lang, text, tells in examples("unseen")
    ]
    wrong = [text for right, text in told if not right]
    print(f"{len(told) - len(wrong)} of {len(told)} right; wrong: {wrong}")
    assert len(told) >= 70
    assert len(wrong) <= len(told) // 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_proposed_tells_of_a_machine(language: str) -> None:
    """The line that `voice-agent check` would have added is one that it takes."""
    assert tells_of_a_machine(example(language), language)


def test_a_language_without_words_is_no_mistake() -> None:
    """Nobody is warned by guess."""
    assert tells_of_a_machine("Jeg er en robot.", "nb") is None
    assert tells_of_a_machine("Ich bin ein Roboter.", "de-CH") is True
