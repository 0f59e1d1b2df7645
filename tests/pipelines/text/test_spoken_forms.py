"""Every line of the tables of spoken forms, as users see them on a page of the docs."""

from __future__ import annotations

import pytest

from pipelines.text.languages import LANGUAGES
from pipelines.text.speakable import speakable
from tests.spoken_forms import SpokenForm, forms, kinds

FORMS = [form for kind in kinds() for form in forms(kind)]


@pytest.mark.parametrize(
    "form",
    [form for form in FORMS if form.written],
    ids=lambda form: f"{form.kind}-{form.language}-{form.written}",
)
def test_it_is_read_as_the_table_says(form: SpokenForm) -> None:
    """To the letter."""
    assert speakable(form.text, form.language) == form.spoken


@pytest.mark.parametrize("kind", kinds())
def test_every_language_has_cases_of_every_kind(kind: str) -> None:
    """Or a line that says why not."""
    languages = {form.language.partition("-")[0] for form in forms(kind)}
    assert languages == set(LANGUAGES)
    assert all(form.spoken for form in forms(kind))


def test_no_case_stands_in_the_tables_twice() -> None:
    """One of them could be wrong, or is needless."""
    cases = [(form.language, form.written) for form in FORMS]
    assert len(cases) == len(set(cases))
