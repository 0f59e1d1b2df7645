"""Italian."""

from __future__ import annotations

import re

from pipelines.text.languages.language import Currency, SpokenLanguage, currencies
from pipelines.text.numerals import cardinal, year

# fmt: off
MONTHS = (
    "gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno",
    "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre",
)
# fmt: on


def _time(hour: int, minute: int, half: str) -> str:
    said = re.sub("^uno$", "una", cardinal(hour, "it"))
    ending = {"a": " di mattina", "p": " di pomeriggio"}.get(half, "")
    return said + (f" e {cardinal(minute, 'it')}" if minute else "") + ending


def _date(day: int, month: int, of_year: int | None, _before: str) -> str:
    said = f"{'primo' if day == 1 else cardinal(day, 'it')} {MONTHS[month - 1]}"
    return said + (f" {year(of_year, 'it')}" if of_year else "")


def _contracted(amount: str) -> str:
    return re.sub(r"\bdi (?=eu)", "d'", amount)


# fmt: off
ITALIAN = SpokenLanguage(
    code="it", thousands=r"\.", at="chiocciola", dot="punto", slash="barra", hyphen="trattino",
    underscore="trattino basso", plus="più", minus="meno", ampersand="e", percent="per cento",
    number="numero", about="circa", to="a", one="un", one_feminine="una",
    feminine=frozenset({"sterlina"}), and_cents=" e {}",
    per="al", per_what="secondo minuto ora giorno notte settimana mese anno persona",
    currencies=currencies(
        Currency(one="dollaro", many="dollari", cent="centesimo", cents="centesimi"),
        Currency(one="euro", many="euro", cent="centesimo", cents="centesimi"),
        Currency(one="sterlina", many="sterline", cent="penny", cents="pence"),
    ),
    units={
        "kg": ("chilo", "chili"), "g": ("grammo", "grammi"), "km": ("chilometro", "chilometri"),
        "m": ("metro", "metri"), "cm": ("centimetro", "centimetri"),
        "mm": ("millimetro", "millimetri"), "m²": ("metro quadrato", "metri quadrati"),
        "km/h": ("chilometro orario", "chilometri orari"), "l": ("litro", "litri"),
        "ml": ("millilitro", "millilitri"), "°": ("grado", "gradi"), "°C": ("grado", "gradi"),
        "GB": ("gigabyte", "gigabyte"), "MB": ("megabyte", "megabyte"),
        "min": ("minuto", "minuti"),
    },
    fractions={"1/2": "mezzo", "1/3": "un terzo", "2/3": "due terzi", "1/4": "un quarto",
               "3/4": "tre quarti"},
    months=MONTHS,
    abbreviations={
        "sig": "signor", "sig.ra": "signora", "sigg": "signori", "dott": "dottor",
        "dott.ssa": "dottoressa", "ing": "ingegner", "avv": "avvocato", "prof": "professor",
        "tel": "telefono", "pag": "pagina", "p.es": "per esempio", "p. es": "per esempio",
        "ecc": "eccetera", "ca": "circa", "nr": "numero", "p.zza": "piazza", "v.le": "viale",
    },
    cents_are_named=False,
    days={}, time=_time, date=_date, scale="mila milione milioni miliardo miliardi", of=" di ",
)
# fmt: on
