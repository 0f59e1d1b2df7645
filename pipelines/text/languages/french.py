"""French."""

from __future__ import annotations

import re

from pipelines.text.languages.language import Currency, SpokenLanguage, currencies
from pipelines.text.numerals import cardinal, year

# fmt: off
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)
# fmt: on


def _time(hour: int, minute: int, _half: str) -> str:
    said = "une heure" if hour == 1 else f"{_feminine(cardinal(hour, 'fr'))} heures"
    return said + (f" {cardinal(minute, 'fr')}" if minute else "")


def _feminine(number: str) -> str:
    return re.sub(r"\bun$", "une", number)


def _date(day: int, month: int, of_year: int | None, _before: str) -> str:
    said = f"{'premier' if day == 1 else cardinal(day, 'fr')} {MONTHS[month - 1]}"
    return said + (f" {year(of_year, 'fr')}" if of_year else "")


def _contracted(amount: str) -> str:
    return re.sub(r"\bde (?=eu)", "d'", amount)


# fmt: off
FRENCH = SpokenLanguage(
    code="fr", thousands="[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE} ]",
    at="arobase", dot="point", slash="slash", hyphen="tiret",
    underscore="tiret bas", plus="plus", minus="moins", ampersand="et", percent="pour cent",
    number="numéro", about="environ", to="à", one="un", one_feminine="une",
    feminine=frozenset({"livre", "minute"}), and_cents=" {}",
    per="par", per_what="seconde minute heure jour nuit semaine mois an personne",
    currencies=currencies(
        Currency(one="dollar", many="dollars", cent="cent", cents="cents"),
        Currency(one="euro", many="euros", cent="centime", cents="centimes"),
        Currency(one="livre", many="livres", cent="penny", cents="pence"),
    ),
    units={
        "kg": ("kilo", "kilos"), "g": ("gramme", "grammes"), "km": ("kilomètre", "kilomètres"),
        "m": ("mètre", "mètres"), "cm": ("centimètre", "centimètres"),
        "mm": ("millimètre", "millimètres"), "m²": ("mètre carré", "mètres carrés"),
        "km/h": ("kilomètre heure", "kilomètres heure"), "l": ("litre", "litres"),
        "ml": ("millilitre", "millilitres"), "°": ("degré", "degrés"),
        "°C": ("degré", "degrés"),
        "Go": ("gigaoctet", "gigaoctets"), "Mo": ("mégaoctet", "mégaoctets"),
        "min": ("minute", "minutes"),
    },
    fractions={"1/2": "un demi", "1/3": "un tiers", "2/3": "deux tiers", "1/4": "un quart",
               "3/4": "trois quarts"},
    months=MONTHS,
    abbreviations={
        "m": "monsieur", "mme": "madame", "mlle": "mademoiselle", "dr": "docteur",
        "av": "avenue", "bd": "boulevard", "tél": "téléphone", "env": "environ",
        "p.ex": "par exemple", "p. ex": "par exemple", "etc": "et cetera",
    },
    cents_are_named=False, contracted=_contracted,
    time_mark=r"(?:\s?h\s?|:)", after_time=r"(?:\s?h\b)?",
    days={}, time=_time, date=_date,
    scale="mille million millions milliard milliards", of=" de ",
)
# fmt: on
