"""Spanish."""

from __future__ import annotations

import re

from pipelines.text.languages.language import Currency, SpokenLanguage, currencies
from pipelines.text.numerals import cardinal, year

# fmt: off
MONTHS = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio",
    "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
)
# fmt: on


def _time(hour: int, minute: int, half: str) -> str:
    said = re.sub("uno$", "una", cardinal(hour, "es"))
    ending = {"a": " de la mañana", "p": " de la tarde"}.get(half, "")
    return said + (f" y {cardinal(minute, 'es')}" if minute else "") + ending


def _date(day: int, month: int, of_year: int | None, _before: str) -> str:
    said = f"{cardinal(day, 'es')} de {MONTHS[month - 1]}"
    return said + (f" de {year(of_year, 'es')}" if of_year else "")


def _before_noun(number: str) -> str:
    return re.sub("uno$", "un", re.sub("veintiuno$", "veintiún", number))


# fmt: off
SPANISH = SpokenLanguage(
    code="es", thousands=r"\.", at="arroba", dot="punto", slash="barra", hyphen="guion",
    underscore="guion bajo", plus="más", minus="menos", ampersand="y", percent="por ciento",
    number="número", about="unos", to="a", one="un", one_feminine="una",
    feminine=frozenset({"libra"}), and_cents=" con {}",
    per="por", per_what="segundo minuto hora día noche semana mes año persona",
    currencies=currencies(
        Currency(one="dólar", many="dólares", cent="centavo", cents="centavos"),
        Currency(one="euro", many="euros", cent="céntimo", cents="céntimos"),
        Currency(one="libra", many="libras", cent="penique", cents="peniques"),
    ),
    units={
        "kg": ("kilo", "kilos"), "g": ("gramo", "gramos"), "km": ("kilómetro", "kilómetros"),
        "m": ("metro", "metros"), "cm": ("centímetro", "centímetros"),
        "mm": ("milímetro", "milímetros"), "m²": ("metro cuadrado", "metros cuadrados"),
        "km/h": ("kilómetro por hora", "kilómetros por hora"), "l": ("litro", "litros"),
        "ml": ("mililitro", "mililitros"), "°": ("grado", "grados"), "°C": ("grado", "grados"),
        "GB": ("gigabyte", "gigabytes"), "MB": ("megabyte", "megabytes"),
        "min": ("minuto", "minutos"),
    },
    fractions={"1/2": "un medio", "1/3": "un tercio", "2/3": "dos tercios", "1/4": "un cuarto",
               "3/4": "tres cuartos"},
    months=MONTHS,
    abbreviations={
        "sr": "señor", "sra": "señora", "srta": "señorita", "dr": "doctor", "dra": "doctora",
        "ud": "usted", "uds": "ustedes", "av": "avenida", "avda": "avenida", "núm": "número",
        "tel": "teléfono", "pág": "página", "p.ej": "por ejemplo", "p. ej": "por ejemplo",
        "etc": "etcétera", "aprox": "aproximadamente",
    },
    before_noun=_before_noun, after_time=r"(?:\s?h\b)?",
    days={}, time=_time, date=_date, scale="mil millón millones", of=" de ",
)
# fmt: on
