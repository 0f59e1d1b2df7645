"""The languages that texts are read in: a file each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from pipelines.text.languages.english import ENGLISH, INTERNATIONAL_ENGLISH, SOUTH_AFRICAN_ENGLISH
from pipelines.text.languages.french import FRENCH, SWISS_FRENCH
from pipelines.text.languages.german import GERMAN, SWISS_GERMAN
from pipelines.text.languages.italian import ITALIAN, SWISS_ITALIAN
from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.languages.spanish import AMERICAN_SPANISH, NORTH_AMERICAN_SPANISH, SPANISH

LANGUAGES: Mapping[str, SpokenLanguage] = {
    "en": INTERNATIONAL_ENGLISH,
    "de": GERMAN,
    "es": SPANISH,
    "fr": FRENCH,
    "it": ITALIAN,
}
"""By primary language subtag. In one that is not here, numbers are left to the voice."""


def _pesos(**of_country: str) -> dict[str, SpokenLanguage]:
    return {
        f"es-{country}": replace(
            NORTH_AMERICAN_SPANISH if country == "mx" else AMERICAN_SPANISH,
            currency_signs={"$": code},
            at_home=frozenset((code,)),
        )
        for country, code in of_country.items()
    }


VARIANTS: Mapping[str, SpokenLanguage] = MappingProxyType(
    {
        "en": ENGLISH,
        "en-us": ENGLISH,
        "en-za": SOUTH_AFRICAN_ENGLISH,
        "de-ch": SWISS_GERMAN,
        "de-li": SWISS_GERMAN,
        "fr-ch": SWISS_FRENCH,
        "it-ch": SWISS_ITALIAN,
        "es-419": AMERICAN_SPANISH,
        **dict.fromkeys(("es-pe", "es-ec", "es-bo", "es-py", "es-ve", "es-cr"), AMERICAN_SPANISH),
        **dict.fromkeys(
            ("es-us", "es-pr", "es-gt", "es-hn", "es-ni", "es-pa", "es-sv", "es-do"),
            NORTH_AMERICAN_SPANISH,
        ),
        **_pesos(mx="MXN", ar="ARS", co="COP", cl="CLP", uy="UYU"),
    }
)
"""By the whole tag, in lower case: what is read or written otherwise there than elsewhere."""


def language_of(tag: str) -> SpokenLanguage | None:
    """Return the language of a BCP 47 tag; None if texts are not read in it."""
    tag = tag.lower().replace("_", "-")
    return VARIANTS.get(tag) or LANGUAGES.get(tag.partition("-")[0])
