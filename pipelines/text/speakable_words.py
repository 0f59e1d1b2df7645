"""How numbers, times, dates and amounts are said, per language: the tables of `speakable`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from num2words import num2words


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """What an amount is called: one and several, and its hundredths."""

    one: str
    many: str
    cent: str
    cents: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language that numbers are read in."""

    code: str
    """As num2words knows it."""

    thousands: str
    """Between groups of three digits; a regular expression."""

    at: str
    dot: str
    slash: str
    hyphen: str
    underscore: str
    plus: str
    minus: str
    ampersand: str
    percent: str
    number: str
    """What "#" and "No." are read as."""

    about: str
    to: str
    """In a range: "9-17"."""

    per: str
    per_what: str
    """What may come after the slash of "5 €/hour"; words."""

    one: str
    """Before a thing that is counted."""

    one_feminine: str = ""
    feminine: frozenset[str] = frozenset()
    """Things below that take it."""

    and_cents: str
    """Between an amount and its hundredths; ``{}`` is their number and name."""

    currencies: Mapping[str, Currency]
    units: Mapping[str, tuple[str, str]]
    """One and several, by the sign that stands after a number."""

    fractions: Mapping[str, str]
    months: tuple[str, ...]
    abbreviations: Mapping[str, str]
    """Lower case, by what stands before a stop."""

    days: Mapping[str, str]
    """Days of the week, by how they are shortened; case matters."""

    time: Callable[[int, int, str], str]
    """Hour, minute and "a", "p" or nothing, as words."""

    date: Callable[[int, int, int | None, str], str]
    """Day, month (from 1), year and the word before it, as words."""

    scale: str
    """Words that may stand between an amount and its currency: "$5 million"."""

    of: str = " "
    """What then joins the currency."""


@lru_cache(4096)
def cardinal(value: int | Decimal, code: str) -> str:
    """Return ``value`` in words, without the commas that would be heard as pauses."""
    return str(num2words(value, lang=code)).replace(",", "")


@lru_cache(1024)
def ordinal(value: int, code: str) -> str:
    """Return the rank in words: "twenty-first"."""
    return str(num2words(value, lang=code, to="ordinal"))


@lru_cache(1024)
def year(value: int, code: str) -> str:
    """Return a year in words: "nineteen ninety-nine"."""
    return str(num2words(value, lang=code, to="year")).replace("oh-", "oh ").replace(",", "")


def _english_time(hour: int, minute: int, half: str) -> str:
    said = cardinal(hour or 12 if half else hour, "en")
    ending = f" {half.upper()} M" if half else ""
    if minute:
        return f"{said} {'oh ' * (minute < 10)}{cardinal(minute, 'en')}{ending}"
    if half:
        return said + ending
    return f"{said} o'clock" if 0 < hour <= 12 else f"{said} hundred hours"


def _english_date(day: int, month: int, of_year: int | None, _before: str) -> str:
    said = f"{_ENGLISH_MONTHS[month - 1]} {ordinal(day, 'en')}"
    return said + (f", {year(of_year, 'en')}" if of_year else "")


def _german_time(hour: int, minute: int, _half: str) -> str:
    said = "ein" if hour == 1 else cardinal(hour, "de")
    return f"{said} Uhr" + (f" {cardinal(minute, 'de')}" if minute else "")


def _german_date(day: int, month: int, of_year: int | None, before: str) -> str:
    dative = before.lower() in ("am", "ab", "bis", "dem", "den", "im", "seit", "vom", "zum", "beim")
    ending = "n" if dative else "" if before.lower() == "der" else "r"
    said = f"{ordinal(day, 'de')}{ending} {_GERMAN_MONTHS[month - 1]}"
    return said + (f" {year(of_year, 'de')}" if of_year else "")


def _spanish_time(hour: int, minute: int, half: str) -> str:
    said = re.sub("uno$", "una", cardinal(hour, "es"))
    ending = {"a": " de la mañana", "p": " de la tarde"}.get(half, "")
    return said + (f" y {cardinal(minute, 'es')}" if minute else "") + ending


def _spanish_date(day: int, month: int, of_year: int | None, _before: str) -> str:
    said = f"{cardinal(day, 'es')} de {_SPANISH_MONTHS[month - 1]}"
    return said + (f" de {year(of_year, 'es')}" if of_year else "")


def _french_time(hour: int, minute: int, _half: str) -> str:
    said = "une heure" if hour == 1 else f"{_feminine(cardinal(hour, 'fr'))} heures"
    return said + (f" {cardinal(minute, 'fr')}" if minute else "")


def _feminine(number: str) -> str:
    return re.sub(r"\bun$", "une", number)


def _french_date(day: int, month: int, of_year: int | None, _before: str) -> str:
    said = f"{'premier' if day == 1 else cardinal(day, 'fr')} {_FRENCH_MONTHS[month - 1]}"
    return said + (f" {year(of_year, 'fr')}" if of_year else "")


# fmt: off
_ENGLISH_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)
_GERMAN_MONTHS = (
    "Januar", "Februar", "März", "April", "Mai", "Juni",
    "Juli", "August", "September", "Oktober", "November", "Dezember",
)
_SPANISH_MONTHS = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio",
    "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
)
_FRENCH_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)
# fmt: on


def _currencies(dollar: Currency, euro: Currency, pound: Currency) -> dict[str, Currency]:
    return {"$": dollar, "USD": dollar, "€": euro, "EUR": euro, "£": pound, "GBP": pound}


# fmt: off
LANGUAGES: Mapping[str, Language] = {
    "en": Language(
        code="en", thousands=",", at="at", dot="dot", slash="slash", hyphen="dash",
        underscore="underscore", plus="plus", minus="minus", ampersand="and", percent="percent",
        number="number", about="about", to="to", one="one", and_cents=" and {}",
        per="per", per_what="second minute hour day night week month year person head item",
        currencies=_currencies(
            Currency(one="dollar", many="dollars", cent="cent", cents="cents"),
            Currency(one="euro", many="euros", cent="cent", cents="cents"),
            Currency(one="pound", many="pounds", cent="penny", cents="pence"),
        ),
        units={
            "kg": ("kilogram", "kilograms"), "g": ("gram", "grams"),
            "km": ("kilometer", "kilometers"),
            "m": ("meter", "meters"), "cm": ("centimeter", "centimeters"),
            "mm": ("millimeter", "millimeters"), "m²": ("square meter", "square meters"),
            "lb": ("pound", "pounds"), "lbs": ("pound", "pounds"), "oz": ("ounce", "ounces"),
            "ft": ("foot", "feet"), "mi": ("mile", "miles"),
            "mph": ("mile per hour", "miles per hour"),
            "km/h": ("kilometer per hour", "kilometers per hour"), "l": ("liter", "liters"),
            "ml": ("milliliter", "milliliters"), "min": ("minute", "minutes"),
            "hrs": ("hour", "hours"), "h": ("hour", "hours"), "°": ("degree", "degrees"),
            "°C": ("degree", "degrees"), "°F": ("degree", "degrees"),
            "GB": ("gigabyte", "gigabytes"),
            "MB": ("megabyte", "megabytes"), "kWh": ("kilowatt hour", "kilowatt hours"),
        },
        fractions={"1/2": "one half", "1/3": "one third", "2/3": "two thirds", "1/4": "one quarter",
                   "3/4": "three quarters"},
        months=_ENGLISH_MONTHS,
        abbreviations={
            "apt": "apartment", "approx": "approximately", "ave": "avenue", "blvd": "boulevard",
            "dept": "department", "ext": "extension", "inc": "incorporated", "jr": "junior",
            "ltd": "limited", "rd": "road", "sr": "senior", "st": "street", "vs": "versus",
            "e.g": "for example", "i.e": "that is", "etc": "et cetera",
            "jan": "January", "feb": "February", "aug": "August", "sept": "September",
            "oct": "October", "nov": "November", "dec": "December",
        },
        days={"Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday",
              "Thu": "Thursday", "Thur": "Thursday", "Thurs": "Thursday", "Fri": "Friday"},
        time=_english_time, date=_english_date, scale="thousand million billion trillion",
    ),
    "de": Language(
        code="de", thousands=r"\.", at="ät", dot="Punkt", slash="Schrägstrich", hyphen="Minus",
        underscore="Unterstrich", plus="plus", minus="minus", ampersand="und", percent="Prozent",
        number="Nummer", about="etwa", to="bis", one="ein",
        one_feminine="eine", feminine=frozenset({"Minute", "Stunde", "Kilowattstunde"}),
        and_cents=" {}",
        per="pro", per_what="Sekunde Minute Stunde Tag Nacht Woche Monat Jahr Person Stück",
        currencies=_currencies(
            Currency(one="Dollar", many="Dollar", cent="Cent", cents="Cent"),
            Currency(one="Euro", many="Euro", cent="Cent", cents="Cent"),
            Currency(one="Pfund", many="Pfund", cent="Penny", cents="Pence"),
        ),
        units={
            "kg": ("Kilogramm",) * 2, "g": ("Gramm",) * 2, "km": ("Kilometer",) * 2,
            "m": ("Meter",) * 2, "cm": ("Zentimeter",) * 2, "mm": ("Millimeter",) * 2,
            "m²": ("Quadratmeter",) * 2, "km/h": ("Kilometer pro Stunde",) * 2,
            "l": ("Liter",) * 2, "ml": ("Milliliter",) * 2, "°": ("Grad",) * 2, "°C": ("Grad",) * 2,
            "GB": ("Gigabyte",) * 2, "MB": ("Megabyte",) * 2,
            "kWh": ("Kilowattstunde", "Kilowattstunden"),
            "Std": ("Stunde", "Stunden"), "min": ("Minute", "Minuten"),
            "Min": ("Minute", "Minuten"),
        },
        fractions={"1/2": "ein halb", "1/3": "ein Drittel", "2/3": "zwei Drittel",
                   "1/4": "ein Viertel", "3/4": "drei Viertel"},
        months=_GERMAN_MONTHS,
        abbreviations={
            "z.b": "zum Beispiel", "z. b": "zum Beispiel", "d.h": "das heißt", "d. h": "das heißt",
            "ca": "circa", "nr": "Nummer", "str": "Straße", "bzw": "beziehungsweise",
            "evtl": "eventuell", "ggf": "gegebenenfalls", "inkl": "inklusive", "zzgl": "zuzüglich",
            "mind": "mindestens", "usw": "und so weiter", "tel": "Telefon",
            "hr": "Herr", "fr": "Frau", "dr": "Doktor",
        },
        days={"Mo": "Montag", "Di": "Dienstag", "Mi": "Mittwoch", "Do": "Donnerstag",
              "Fr": "Freitag", "Sa": "Samstag", "So": "Sonntag"},
        time=_german_time, date=_german_date, scale="Tausend Million Millionen Mio Milliarden",
    ),
    "es": Language(
        code="es", thousands=r"\.", at="arroba", dot="punto", slash="barra", hyphen="guion",
        underscore="guion bajo", plus="más", minus="menos", ampersand="y", percent="por ciento",
        number="número", about="unos", to="a", one="un", one_feminine="una",
        feminine=frozenset({"libra"}), and_cents=" con {}",
        per="por", per_what="segundo minuto hora día noche semana mes año persona",
        currencies=_currencies(
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
        months=_SPANISH_MONTHS,
        abbreviations={
            "sr": "señor", "sra": "señora", "srta": "señorita", "dr": "doctor", "dra": "doctora",
            "ud": "usted", "uds": "ustedes", "av": "avenida", "avda": "avenida", "núm": "número",
            "tel": "teléfono", "pág": "página", "p.ej": "por ejemplo", "p. ej": "por ejemplo",
            "etc": "etcétera", "aprox": "aproximadamente",
        },
        days={}, time=_spanish_time, date=_spanish_date, scale="mil millón millones", of=" de ",
    ),
    "fr": Language(
        code="fr", thousands="[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE} ]",
        at="arobase", dot="point", slash="slash", hyphen="tiret",
        underscore="tiret bas", plus="plus", minus="moins", ampersand="et", percent="pour cent",
        number="numéro", about="environ", to="à", one="un", one_feminine="une",
        feminine=frozenset({"livre", "minute"}), and_cents=" {}",
        per="par", per_what="seconde minute heure jour nuit semaine mois an personne",
        currencies=_currencies(
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
        months=_FRENCH_MONTHS,
        abbreviations={
            "m": "monsieur", "mme": "madame", "mlle": "mademoiselle", "dr": "docteur",
            "av": "avenue", "bd": "boulevard", "tél": "téléphone", "env": "environ",
            "p.ex": "par exemple", "p. ex": "par exemple", "etc": "et cetera",
        },
        days={}, time=_french_time, date=_french_date,
        scale="mille million millions milliard milliards", of=" de ",
    ),
}
"""By primary language subtag. In one that is not here, numbers are left to the voice."""
# fmt: on
