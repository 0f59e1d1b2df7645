"""Spanish, of Spain and of America."""

from __future__ import annotations

import re
from dataclasses import replace

from pipelines.text.languages.language import Names, SpokenLanguage, each, words
from pipelines.text.languages.romance import ends_as_feminine, noun_of_currency
from pipelines.text.numerals import cardinal, year


def _time(hour: int, minute: int, half: str) -> str:
    if hour in (0, 24) and not minute and not half:
        return "doce de la noche"
    said = re.sub("uno$", "una", cardinal(hour, "es"))
    if half == "a":
        ending = " de la noche" if hour == 12 else " de la mañana"
    elif half == "p" and hour == 12:
        ending = " del mediodía"
    else:
        ending = (" de la noche" if 8 <= hour < 12 else " de la tarde") if half else ""
    return said + (f" y {cardinal(minute, 'es')}" if minute else "") + ending


def _date(day: int, month: str, of_year: int | None, _before: str) -> str:
    said = f"{cardinal(day, 'es')} de {month}"
    return said + (f" de {year(of_year, 'es')}" if of_year else "")


def _per(what: str) -> str:
    if what in ("día", "mes", "trimestre", "año"):
        return f"al {what}"
    return f"a la {what}" if what == "semana" else f"por {what}"


def _day(day: int, _before: str) -> str:
    return cardinal(day, "es")


def _at_the_time(time: str) -> str:
    return f"a la {time}" if time.startswith("una") else f"a las {time}"


def _american_date(day: int, month: str, of_year: int | None, before: str) -> str:
    said = _date(day, month, of_year, before)
    return said.replace("uno de", "primero de", 1) if day == 1 else said


def _one(name: str) -> str:
    return f"{'una' if ends_as_feminine(name) else 'un'} {name}"


def _half(whole: int, names: Names) -> str:
    one, many = names
    half = "media" if ends_as_feminine(one) else "medio"
    if not whole:
        return f"{half} {one}"
    if whole == 1:
        return f"{_one(one)} y {half}"
    number = cardinal(whole, "es")
    return f"{(_before_feminine if half == 'media' else _before_noun)(number)} {many} y {half}"


def _before_feminine(number: str) -> str:
    return re.sub(r"uno$", "una", re.sub(r"(cient|quinient)os\b", r"\1as", number))


def _before_noun(number: str) -> str:
    return re.sub("uno$", "un", re.sub("veintiuno$", "veintiún", number))


RANKED = words(
    """piso planta grado año lugar puesto nivel día mes turno fila puerta curso ciclo semestre
    trimestre capítulo artículo aniversario intento izquierda derecha edición vuelta cumpleaños"""
)
"""What "3°" stands before as a rank; before all else it is degrees."""


# fmt: off
SPANISH = SpokenLanguage(
    code="es", thousands=r"\.", loose_thousands="[ '’]", point="coma", decimals_as_number=True,
    at="arroba", dot="punto", slash="barra", hyphen="guion",
    underscore="guion bajo", plus="más", minus="menos", ampersand="y", percent="por ciento",
    number="número", about="unos", to="a", one=_one, is_feminine=ends_as_feminine,
    and_cents=" con {}", and_centimeters=" ", per=_per,
    per_what="segundo minuto hora día noche semana mes trimestre año persona unidad",
    per_signs={"mes": "mes", "pers": "persona", "pers.": "persona", "ud": "unidad",
               "ud.": "unidad"},
    cents={
        **each("USD CAD AUD NZD MXN ARS COP CLP PHP BRL UYU DOP CUP BOB HNL NIO GTQ "
                        "SGD HKD ZAR", ("centavo", "centavos")),
        **each("EUR PEN CRC VES PYG CHF", ("céntimo", "céntimos")),
        **each("SEK DKK NOK", ("öre", "öre")),
        **each("KWD BHD JOD IQD AED", ("fils", "fils")),
        "GBP": ("penique", "peniques"), "PLN": ("grosz", "groszy"), "RUB": ("kopek", "kopeks"),
        "INR": ("paisa", "paisas"), "TND": ("milésima", "milésimas"), "OMR": ("baisa", "baisas"),
        "PAB": ("centésimo", "centésimos"), "TRY": ("kurus", "kurus"),
    },
    noun_of_currency=noun_of_currency,
    units={
        "kg": ("kilo", "kilos"), "hrs": "duration-hour", "hs": "duration-hour",
        "seg": "duration-second", "t": "mass-tonne", "CV": "power-horsepower",
        "°": ("grado", "grados"), "°C": ("grado", "grados"), "º": ("grado", "grados"),
        "ºC": ("grado", "grados"), "dB": ("decibelio", "decibelios"), "lb": "mass-pound",
        "lbs": "mass-pound", "ft": "length-foot", "¢": ("centavo", "centavos"),
        "cts": ("céntimo", "céntimos"), "Mbps": ("megabit por segundo", "megabits por segundo"),
    },
    fractions={"1/2": "un medio", "1/3": "un tercio", "2/3": "dos tercios", "1/4": "un cuarto",
               "3/4": "tres cuartos"},
    months_short={"sep": 9, "set": 9},
    dated="el del al hasta desde lunes martes miércoles jueves viernes sábado domingo día",
    at_time="las la",
    abbreviations={
        "sr": "señor", "sra": "señora", "srta": "señorita", "dr": "doctor", "dra": "doctora",
        "ud": "usted", "uds": "ustedes", "av": "avenida", "avda": "avenida", "núm": "número",
        "tel": "teléfono", "pág": "página", "p.ej": "por ejemplo", "p. ej": "por ejemplo",
        "etc": "etcétera", "aprox": "aproximadamente",
    },
    days_short={"mie": 2, "sab": 5}, days_that_are_words="lun mar mié mie jue vie sáb sab dom",
    half=_half,
    numbered=words("sección calle avenida fórmula apartado anexo "
                   "opción habitación mesa planta piso puerta número nº paso fase parte nivel tipo "
                   "grupo equipo línea sala zona tecla pulse marque presione oprima digite pulsa "
                   "marca el la del al día página capítulo artículo terminal talla código"),
    no_nouns=words("para por pero que con sin desde hasta entre como más menos cuando donde porque "
                   "está están fue era son hay tiene del los las una uno ahora luego después punto "
                   "coma con mil millón millones"),
    before_noun=_before_noun, before_feminine=_before_feminine,
    after_time=r"(?:\s?(?:h|hrs|hs|horas)\b)?",
    time=_time, date=_date, day=_day, at_the_time=_at_the_time,
    thousand="k K mil",
    scales={
        **dict.fromkeys(("millón", "millones", "M", "MM", "mill.", "mill", "mn"),
                        ("millón", "millones")),
        **dict.fromkeys(("billón", "billones"), ("billón", "billones")),
    },
    of=" de ",
)
# fmt: on

AMERICAN_SPANISH = replace(SPANISH, date=_american_date)
"""Of America, where decimals are written as in Spain."""

NORTH_AMERICAN_SPANISH = replace(AMERICAN_SPANISH, thousands=",", loose_thousands="", point="punto")
"""Of Mexico and Central America, where they are written as in the United States."""
