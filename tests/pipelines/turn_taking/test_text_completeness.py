"""How likely the words so far are all that a caller wants to say."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.turn_taking.text_completeness import (
    WEIGHTS,
    features,
    text_completeness,
    words_at_end,
)
from tests.callers import CALLERS, callers, rated

LANGUAGES = sorted(path.stem for path in WEIGHTS.glob("*.json"))

FUNCTION_WORDS = {
    "en": ("and", "the", "with a", "because my"),
    "es": ("y", "el", "con una", "porque mi"),
    "fr": ("et", "le", "avec une", "parce que ma"),
    "it": ("e", "il", "con una", "perché mio"),
    "de": ("und", "dem", "mit einer", "weil mein"),
    "pt": ("e", "o", "com uma", "porque minha"),
    "nl": ("en", "de", "met een", "omdat mijn"),
}
"""What somebody says who goes on."""

LOW = 0.4
"""What is rated below it already need not fall further."""


def test_every_language_of_the_callers_is_judged() -> None:
    """Each has its weights, and test data that nothing was fitted on."""
    assert (
        sorted(path.stem for path in CALLERS.glob("*.txt")) == LANGUAGES == sorted(FUNCTION_WORDS)
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_whole_utterances_are_told_from_unfinished_ones(language: str) -> None:
    """In nine of ten pairs, and hardly any whole one is taken for plainly unfinished."""
    found = rated(callers(language)["whole"], callers(language)["cut"], language)
    assert found.auc() >= 0.9
    assert (found.whole < 0.1).mean() <= 0.1
    assert (found.cut < 0.5).mean() >= 0.85


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_that_wants_more_lowers_it(language: str) -> None:
    """Behind whatever was whole."""
    for said in callers(language)["whole"]:
        before = text_completeness(said, language)
        if before is None:  # names alone: nothing is known of them
            continue
        for word in FUNCTION_WORDS[language]:
            after = text_completeness(f"{said} {word}", language)
            assert after is not None
            assert after < max(before, LOW)


@given(st.text(), st.sampled_from([*LANGUAGES, "EN", "fr-CA", "es_MX", "xx", ""]))
def test_any_text_has_a_probability_or_none(text: str, language: str) -> None:
    """Nothing is raised; without a word there is none."""
    found = text_completeness(text, language)
    assert found is None or (0 <= found <= 1 and math.isfinite(found))


@given(st.text(), st.sampled_from(LANGUAGES))
def test_case_and_punctuation_are_no_evidence(text: str, language: str) -> None:
    """Transcribers put a full stop before any silence."""
    plain = "".join(char for char in text if char.isascii())
    assert text_completeness(f"{plain}.", language) == text_completeness(plain.upper(), language)


@pytest.mark.parametrize("tag", ["en", "EN", "en-GB", "en_us", "EN-Latn-US"])
def test_regions_and_case_of_a_tag_make_no_difference(tag: str) -> None:
    """The language decides."""
    assert text_completeness("I would like a", tag) == text_completeness("I would like a", "en")


@pytest.mark.parametrize("tag", ["xx", "ja", "", "-", "english"])
def test_in_a_language_without_weights_nothing_can_tell(tag: str) -> None:
    """Then silence and the turn model decide."""
    assert text_completeness("I would like a", tag) is None


@pytest.mark.parametrize("said", ["Xyzzy", "Kowalski Nguyen", "¿?"])
def test_of_words_that_are_not_common_nothing_is_known(said: str) -> None:
    """They are no evidence, rather than even odds."""
    assert text_completeness(said, "en") is None


def test_only_the_last_words_count() -> None:
    """Nine of them: what was said before makes no difference, be it ever so long."""
    said = "tell me whether you could put me through to the sales"
    assert text_completeness(f"Hello. {said}", "en") == text_completeness(f"Well. {said}", "en")
    assert text_completeness(f"{said} and " * 20_000 + said, "en") == text_completeness(
        f"Hello. {said}", "en"
    )


def test_accents_and_elisions_are_heard_as_they_come() -> None:
    """Transcripts come without accents at times, and with typographic apostrophes."""
    assert text_completeness("él está aquí", "es") == text_completeness("el esta aqui", "es")
    assert text_completeness("c’est l’", "fr") == text_completeness("C'est l'", "fr")
    assert words_at_end("Dell'appuntamento", elides=True) == ["dell'", "appuntamento"]
    assert words_at_end("I don't 'know'", elides=False) == ["i", "don't", "know"]


def test_features_are_those_of_the_last_words() -> None:
    """A word that is not common counts by its last letters."""
    names = set(features(["book", "a", "zyzzy"], frozenset({"a", "book"})))
    assert {"bias", "n 3", "= zyzzy", "1 ~zy", "2 a", "12 a ~zy", "has book"} <= names
