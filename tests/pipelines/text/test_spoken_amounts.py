"""Money, units, dates, times and ranks, as they are read out in each language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.text import cldr
from pipelines.text.currencies import signs
from pipelines.text.languages import LANGUAGES, VARIANTS, language_of
from pipelines.text.languages.language import words
from pipelines.text.speakable import prepare, speakable
from pipelines.text.units import SIGNS

SIGNS_AND_WORDS = words(
    """$ € £ ¥ ₹ US$ CHF kr Rs. Fr. k M bn Mio. Mrd. mln million mil - – − + / . , ' ° °C °F
    h m min s d ft in lb oz kg km/h m² mg/dl % ‰ % am pm p.m. Uhr um at a on le il el der
    im vom bis to Mon Fr lun. Nov Nov. Mai mai de er º ª st th e T Z UTC +01:00 2026-01-05
    T09:30:00 30/11 30.11. 7.30 10:30 1h30 5'10" 3. Etage piano 1,250.00 1.250,00"""
)

WRITTEN = st.lists(
    st.one_of(
        st.sampled_from(sorted(SIGNS_AND_WORDS)),
        st.integers(0, 10**17).map(str),
        st.just(" "),
    ),
    max_size=12,
).map("".join)


@given(WRITTEN, st.sampled_from([*LANGUAGES, *VARIANTS]))
def test_whatever_stands_together_is_read(written: str, language: str) -> None:
    """No heap of signs, figures and units raises, nor leaves a figure to the voice."""
    assert not any(char in "0123456789" for char in speakable(written, language))


TAGS = {id(language_of(tag)): tag for tag in [*LANGUAGES, *VARIANTS]}
"""One of each language and variant that there is."""


@pytest.mark.parametrize("tag", TAGS.values())
def test_every_currency_and_unit_is_read_in_every_language(tag: str) -> None:
    """Before and after the number, nothing of the sign is left."""
    language = language_of(tag)
    assert language
    for sign in signs(language):
        for written in (f"{sign} 3", f"3 {sign.rstrip('.')}"):
            said = speakable(written, tag)
            assert sign not in said.split(), (written, said)
            assert said.split()[0] == speakable("3", tag)
    for sign in SIGNS:
        assert speakable(f"3 {sign}", tag).startswith(speakable("3", tag))


def test_a_prepared_language_is_read_at_once() -> None:
    """Nothing is prepared for a language that texts are not read in."""
    prepare("nl")
    prepare("it-CH")
    assert cldr.months("it")[0] == "gennaio"
