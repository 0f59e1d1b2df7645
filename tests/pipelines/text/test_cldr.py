"""Our names of months, days, money and units beside Unicode's (CLDR, by Babel).

Babel is for tests only: it weighs a tenth of the base, and names of months and days are all that
it has exactly as a voice says them. It says "US dollars" and "euros" but knows no cents, and
nothing of the grammar around a number.
"""

from __future__ import annotations

import pytest
from babel import Locale
from babel.numbers import get_currency_name
from babel.units import format_unit

from pipelines.text.languages.english import ENGLISH
from pipelines.text.languages.french import FRENCH
from pipelines.text.languages.german import GERMAN
from pipelines.text.languages.italian import ITALIAN
from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.languages.spanish import SPANISH

LANGUAGES = [ENGLISH, GERMAN, SPANISH, FRENCH, ITALIAN]

UNITS = {
    "kg": "mass-kilogram", "g": "mass-gram", "km": "length-kilometer", "m": "length-meter",
    "cm": "length-centimeter", "mm": "length-millimeter", "m²": "area-square-meter",
    "l": "volume-liter", "ml": "volume-milliliter", "min": "duration-minute",
    "GB": "digital-gigabyte", "MB": "digital-megabyte", "Go": "digital-gigabyte",
    "Mo": "digital-megabyte", "kWh": "energy-kilowatt-hour", "km/h": "speed-kilometer-per-hour",
    "lb": "mass-pound", "oz": "mass-ounce", "ft": "length-foot", "mi": "length-mile",
    "h": "duration-hour", "Std": "duration-hour",
}  # fmt: skip

SPOKEN = {
    ("en", "kWh"): ("kilowatt hour", "kilowatt hours"),  # CLDR: kilowatt-hour, which is a pause
    ("es", "kg"): ("kilo", "kilos"),  # as people say it
    ("fr", "kg"): ("kilo", "kilos"),
    ("it", "kg"): ("chilo", "chili"),
    ("fr", "km/h"): ("kilomètre heure", "kilomètres heure"),  # CLDR: par heure
    ("es", "GB"): ("gigabyte", "gigabytes"),
    ("es", "MB"): ("megabyte", "megabytes"),
}
"""Where we say something else than CLDR writes."""


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_months_and_days_are_those_of_cldr(language: SpokenLanguage) -> None:
    """Exactly."""
    locale = Locale(language.code)
    assert list(language.months) == [locale.months["format"]["wide"][n] for n in range(1, 13)]
    assert set(language.days.values()) <= set(locale.days["format"]["wide"].values())


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_units_are_those_of_cldr(language: SpokenLanguage) -> None:
    """One and several; but for what people say otherwise."""
    for sign in language.units.keys() & UNITS.keys():
        ours = language.units[sign]
        theirs = tuple(
            format_unit(n, UNITS[sign], "long", locale=language.code)
            .replace("\N{NO-BREAK SPACE}", " ")
            .partition(" ")[2]
            for n in (1, 2)
        )
        assert ours == SPOKEN.get((language.code, sign), theirs), (language.code, sign, theirs)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_currencies_are_what_cldr_says_without_the_country(language: SpokenLanguage) -> None:
    """Of "US dollars" or "dólares estadounidenses", only the dollars are said."""
    for code in ("USD", "EUR", "GBP"):
        ours = language.currencies[code]
        for count, said in ((1, ours.one), (2, ours.many)):
            theirs = get_currency_name(code, count, locale=language.code)
            assert said.lower().split()[0] in theirs.lower(), theirs
