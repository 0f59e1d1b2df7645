"""The languages that texts are read in: a file each."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.text.languages.english import ENGLISH, INTERNATIONAL_ENGLISH
from pipelines.text.languages.french import FRENCH
from pipelines.text.languages.german import GERMAN
from pipelines.text.languages.italian import ITALIAN
from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.languages.spanish import SPANISH

LANGUAGES: Mapping[str, SpokenLanguage] = {
    "en": INTERNATIONAL_ENGLISH,
    "de": GERMAN,
    "es": SPANISH,
    "fr": FRENCH,
    "it": ITALIAN,
}
"""By primary language subtag. In one that is not here, numbers are left to the voice."""

_VARIANTS: Mapping[str, SpokenLanguage] = {"en": ENGLISH, "en-us": ENGLISH}
"""By the whole tag, in lower case: what is read otherwise there than elsewhere."""


def language_of(tag: str) -> SpokenLanguage | None:
    """Return the language of a BCP 47 tag; None if texts are not read in it."""
    tag = tag.lower()
    return _VARIANTS.get(tag) or LANGUAGES.get(tag.partition("-")[0])
