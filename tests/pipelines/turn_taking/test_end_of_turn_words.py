"""What words say about the end of a turn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.turn_taking.end_of_turn_words import Ending, ending, opens


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Yes.", Ending.WHOLE),
        ("No, thank you.", Ending.WHOLE),
        ("Hello", Ending.WHOLE),
        ("Thank you very much!", Ending.WHOLE),
        ("That's all, thanks. Goodbye.", Ending.WHOLE),
        ("That’s right.", Ending.WHOLE),
        ("My number is", Ending.OPEN),
        ("Sure, my telephone number is.", Ending.OPEN),
        ("Hi, my name is, um.", Ending.OPEN),
        ("It's 5 5 5", Ending.UNKNOWN),
        ("555-1", Ending.UNKNOWN),
        ("zero seven nine", Ending.UNKNOWN),
        ("That's S M.", Ending.UNKNOWN),
        ("I would like to book a table for", Ending.TRAILING),
        ("I'd like the soup and.", Ending.TRAILING),
        ("Well, on Sunday,", Ending.TRAILING),
        ("So I was...", Ending.TRAILING),
        ("because", Ending.TRAILING),
        ("What time do you open on Sunday?", Ending.UNKNOWN),
        ("555 123 4567", Ending.UNKNOWN),
        ("A table for 4, at 7.", Ending.UNKNOWN),
        ("In 2026", Ending.UNKNOWN),
        ("", Ending.UNKNOWN),
        ("...", Ending.UNKNOWN),
    ],
)
def test_words_tell_how_a_transcript_ends(said: str, expected: Ending) -> None:
    """Whatever the full stop says that a transcriber puts after anything."""
    assert ending(said, "en-GB") is expected


def test_in_an_unknown_language_words_tell_nothing() -> None:
    """Then silence and the turn model decide."""
    assert ending("my number is", "xx") is Ending.UNKNOWN


@given(st.text(), st.sampled_from(["en", "de", ""]))
def test_any_transcript_has_an_ending(text: str, language: str) -> None:
    """Nothing is raised."""
    assert ending(text, language) in Ending


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("Hello, good morning.", "en"),
        ("Sí, buenos días.", "es"),
        ("Hola, buenas tardes.", "es-MX"),
        ("Oui, bonjour.", "fr"),
        ("allo", "fr-CA"),
        ("Sì, buongiorno.", "it"),
        ("Ja, guten Tag.", "de"),
        ("Sim, bom dia.", "pt"),
        ("Goedemiddag.", "nl"),
    ],
)
def test_a_greeting_opens_a_turn(said: str, language: str) -> None:
    """Whatever was asked: why they call comes next."""
    assert opens(said, language, asked=False)


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("No, thanks.", "en"),
        ("No, gracias. Adios.", "es"),
        ("Non merci, au revoir.", "fr"),
        ("Grazie, buona giornata.", "it"),
        ("Danke, tschüss.", "de"),
        ("Só isso, obrigada.", "pt"),
        ("Dank u wel.", "nl"),
    ],
)
def test_thanks_and_goodbyes_do_not(said: str, language: str) -> None:
    """Not even after an open question."""
    assert not opens(said, language, asked=True)
    assert opens("okay", language, asked=True)
