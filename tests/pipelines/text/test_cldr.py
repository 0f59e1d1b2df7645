"""Names of months, days, money and units, as Unicode's CLDR has them, in every language we read."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipelines.text import cldr
from pipelines.text.currencies import ALONE, NAMED, SIGNS, currency_of, signs
from pipelines.text.languages import LANGUAGES, VARIANTS
from pipelines.text.languages.german import MONTHS
from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.units import SIGNS as UNITS
from pipelines.text.units import per_names, unit_names

EACH = pytest.mark.parametrize("language", LANGUAGES.values(), ids=list(LANGUAGES))


def test_babel_is_not_loaded_with_our_modules() -> None:
    """It takes 50 ms: whoever reads no language does not pay for it."""
    code = "import sys, pipelines.text.speakable; sys.exit('babel' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_german_months_are_those_of_cldr() -> None:
    """Sentences are cut by them before CLDR is loaded."""
    assert cldr.months("de") == MONTHS


@EACH
def test_every_sign_of_a_unit_has_a_name(language: SpokenLanguage) -> None:
    """In every language, without figures or dashes, which voices differ about."""
    for sign in {**UNITS, **language.units}:
        for name in unit_names(sign, language):
            assert name
            assert not any(char.isdigit() or char in "-{}" for char in name), name
    assert all(per_names(language).values())


@EACH
def test_every_currency_of_the_world_has_a_name(language: SpokenLanguage) -> None:
    """By its code and by its sign; cents are known only of currencies that have some."""
    assert len(signs(language)) > 200
    for sign in signs(language):
        assert all(currency_of(sign, language).names)
    assert language.cents.keys() <= cldr.currency_codes()
    of_states = {*SIGNS.values(), *NAMED.values(), *ALONE} - {"BTC"}
    assert of_states <= cldr.currency_codes()


@EACH
def test_what_is_known_by_its_noun_is_a_part_of_the_name(language: SpokenLanguage) -> None:
    """Of "US dollars" or "dólares estadounidenses", only the dollars are said."""
    for code in ALONE:
        for ours, theirs in zip(
            currency_of(code, language).names, cldr.currency(code, language.code), strict=True
        ):
            assert ours.lower() in theirs.lower()
            assert " " not in ours


def test_variants_are_of_languages_that_there_are() -> None:
    """A variant speaks the language of its tag."""
    for tag, language in VARIANTS.items():
        assert LANGUAGES[tag.partition("-")[0]].code == language.code
