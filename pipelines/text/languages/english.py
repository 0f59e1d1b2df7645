"""English, American and other."""

from __future__ import annotations

from dataclasses import replace

from pipelines.text.languages.language import Currency, SpokenLanguage, currencies
from pipelines.text.numerals import cardinal, ordinal, year

# fmt: off
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)
# fmt: on


def _time(hour: int, minute: int, half: str) -> str:
    said = cardinal(hour or 12 if half else hour, "en")
    ending = f" {half.upper()} M" if half else ""
    if minute:
        return f"{said} {'oh ' * (minute < 10)}{cardinal(minute, 'en')}{ending}"
    if half:
        return said + ending
    return f"{said} o'clock" if 0 < hour <= 12 else f"{said} hundred hours"


def _date(day: int, month: int, of_year: int | None, before: str) -> str:
    name, rank = MONTHS[month - 1], ordinal(day, "en")
    said = f"{rank} of {name}" if before.lower() == "the" else f"{name} {rank}"
    return said + (f", {year(of_year, 'en')}" if of_year else "")


# fmt: off
ENGLISH = SpokenLanguage(
    code="en", thousands=",", at="at", dot="dot", slash="slash", hyphen="dash",
    underscore="underscore", plus="plus", minus="minus", ampersand="and", percent="percent",
    number="number", about="about", to="to", one="one", and_cents=" and {}",
    per="per", per_what="second minute hour day night week month year person head item",
    currencies=currencies(
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
    months=MONTHS,
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
    short_months=True, month_first=True,
    time=_time, date=_date, scale="thousand million billion trillion",
)
# fmt: on

INTERNATIONAL_ENGLISH = replace(ENGLISH, month_first=False)
"""Everywhere but in the United States."""
