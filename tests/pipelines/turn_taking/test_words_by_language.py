"""The lists of words, one file a language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.personas.loader import parse
from pipelines.turn_taking.backchannels import is_backchannel
from pipelines.turn_taking.end_of_turn_words import Ending, ending
from pipelines.turn_taking.words_by_language import (
    KNOWN,
    LANGUAGES,
    LanguageWords,
    language_words,
    primary,
    with_numerals,
    words_in,
)
from tests.callers import callers
from tests.file_trap import trapped


@pytest.mark.parametrize(
    ("said", "language", "expected"),
    [
        ("Sí.", "es", Ending.WHOLE),
        ("si", "es-MX", Ending.WHOLE),
        ("No, muchas gracias.", "es", Ending.WHOLE),
        ("Creo que sí", "es", Ending.WHOLE),
        ("Quería saber si", "es", Ending.TRAILING),
        ("Mi número es", "es", Ending.OPEN),
        ("mi numero de telefono es.", "ES", Ending.OPEN),
        ("Llamo por", "es", Ending.OPEN),
        ("¿Cuánto?", "es", Ending.UNKNOWN),
        ("Me gustaría cambiar la cita", "es", Ending.UNKNOWN),
        ("Oui, merci.", "fr", Ending.WHOLE),
        ("D’accord", "fr-CA", Ending.WHOLE),
        ("C'est à cause de l'", "fr", Ending.TRAILING),
        ("J'ai besoin d'", "fr", Ending.TRAILING),
        ("Est-ce que", "fr", Ending.TRAILING),
        ("mon numero de telephone c'est", "fr", Ending.OPEN),
        ("Je m'appelle", "fr_CA", Ending.OPEN),
        ("Sì, grazie.", "it", Ending.WHOLE),
        ("Pronto?", "it", Ending.WHOLE),
        ("È colpa dell'", "it", Ending.TRAILING),
        ("Il mio nome è", "it", Ending.OPEN),
        ("il mio numero di telefono è.", "it-CH", Ending.OPEN),
        ("Ja, genau.", "de", Ending.WHOLE),
        ("Auf Wiederhören!", "de-AT", Ending.WHOLE),
        ("Ich weiß nicht, ob ich", "de", Ending.TRAILING),
        ("Meine Kundennummer ist", "de", Ending.OPEN),
        ("mein name ist ähm", "de", Ending.OPEN),
        ("Sim, obrigado.", "pt-BR", Ending.WHOLE),
        ("O meu número é", "pt", Ending.OPEN),
        ("Nee, dank u wel.", "nl", Ending.WHOLE),
        ("Mijn naam is", "nl-BE", Ending.OPEN),
        ("Mijn naam is", "ja", Ending.UNKNOWN),
    ],
)
def test_each_language_has_words_that_end_a_turn_and_that_do_not(
    said: str, language: str, expected: Ending
) -> None:
    """With and without accents, with elisions, whatever the region."""
    assert ending(said, language) is expected


@pytest.mark.parametrize("language", sorted(KNOWN))
def test_listeners_are_told_from_callers_who_answer(language: str) -> None:
    """Every backchannel of the callers is one, and no answer is: what wants the floor gets it."""
    said = callers(language)
    assert [one for one in said["backchannel"] if not is_backchannel(one, language)] == []
    assert [one for one in said["answer"] if is_backchannel(one, language)] == []


@pytest.mark.parametrize("language", sorted(KNOWN))
def test_unfinished_callers_are_not_taken_for_done_by_a_list(language: str) -> None:
    """None is a whole answer; and no whole utterance is one that cannot be all."""
    said = callers(language)
    assert [one for one in said["cut"] if ending(one, language) is Ending.WHOLE] == []
    assert [one for one in said["whole"] if ending(one, language) is Ending.OPEN] == []


OF_FIVE = {"machines", "screeners", "mailboxes", "on_hold", "reached"}
"""Lists that Dutch and Portuguese do not have: there, machines are told by timing alone."""


@pytest.mark.parametrize("language", sorted(KNOWN))
def test_every_list_is_there(language: str) -> None:
    """A file that misspells the name of a list would lose it without a word."""
    known = words_in(language)
    assert known is not None
    for name in set(LanguageWords.__slots__) - (OF_FIVE if language in ("nl", "pt") else set()):
        found = getattr(known, name)
        assert found.pattern != "(?!)" if hasattr(found, "pattern") else found
    assert sorted(set(known.two_digits.values())) == [str(number) for number in range(10, 100)]


@pytest.mark.parametrize("language", sorted(KNOWN))
def test_no_list_can_be_read_in_many_ways(language: str) -> None:
    """Else a long row of "yes" with something behind it would take for ever, and this would."""
    known = words_in(language)
    assert known is not None
    phrases = [phrase for phrase in known.backchannels if " " in phrase] + ["si", "ja", "merci"]
    for phrase in phrases:
        for unit in (phrase, f"{phrase} {phrases[0]}", "thank you", "grazie mille", "isso mesmo"):
            assert ending(f"{unit} " * 40 + "xyz", language) is not Ending.WHOLE


@pytest.mark.parametrize(
    ("said", "language", "expected"),
    [
        ("ventuno tre novantotto", "it", "21 tre 98"),
        ("quatre vingt dix sept", "fr", "97"),
        ("zéro six vingt et un quatre vingts", "fr-CA", "zéro six 21 80"),
        ("nonante deux septante", "fr-CH", "92 70"),
        ("treinta y cinco veintidós veintidos", "es", "35 22 22"),
        ("einundzwanzig dreissig sechs", "de", "21 30 sechs"),
        ("twenty five nineteen two", "en", "25 19 two"),
        ("vinte e um", "pt", "21"),
        ("eenentwintig", "nl", "21"),
        ("zwanzig", "ja", "zwanzig"),
        ("", "fr", ""),
    ],
)
def test_numbers_said_together_are_two_digits(said: str, language: str, expected: str) -> None:
    """As telephone numbers are told in French, in pairs."""
    assert with_numerals(said.split(), language) == expected.split()


@pytest.mark.parametrize("tag", ["es", "ES", "es-MX", "es_419", " es-Latn-MX "])
def test_regions_and_case_of_a_tag_make_no_difference(tag: str) -> None:
    """The language decides which file it is."""
    assert primary(tag) == "es"


def test_a_language_is_a_file() -> None:
    """Nothing else has to be told of it."""
    assert sorted(path.stem for path in LANGUAGES.glob("*.toml")) == sorted(KNOWN)


def test_they_are_read_when_an_agent_is_loaded() -> None:
    """In a thread: later, it would be in the middle of a call."""
    language_words.cache_clear()
    parse("---\nlanguage: en-IE\n---\nBe brief.")
    with trapped() as trap:
        assert words_in("en") is not None
    assert not trap.caught


@given(st.text(), st.sampled_from([*sorted(KNOWN), "xx", ""]))
def test_any_text_has_an_ending_in_any_language(text: str, language: str) -> None:
    """Nothing is raised."""
    assert ending(text, language) in Ending
    assert is_backchannel(text, language) in {True, False}
    assert len(with_numerals(text.split(), language)) <= len(text.split())
