"""English, American and other."""

from __future__ import annotations

from dataclasses import replace

from pipelines.text.languages.language import SpokenLanguage, each
from pipelines.text.numerals import cardinal, ordinal, year


def _time(hour: int, minute: int, half: str) -> str:
    if not minute and not half and hour in (0, 24):
        return "midnight"
    half = half or ("a" if hour == 0 else "")
    said = cardinal(hour or 12, "en")
    ending = f" {half.upper()} M" if half else ""
    if minute:
        return f"{said} {'oh ' * (minute < 10)}{cardinal(minute, 'en')}{ending}"
    if half:
        return said + ending
    return f"{said} o'clock" if 0 < hour <= 12 else f"{said} hundred hours"


def _date(day: int, month: str, of_year: int | None, before: str) -> str:
    rank = ordinal(day, "en")
    said = f"{rank} of {month}" if before.lower() == "the" else f"{month} {rank}"
    return said + (f", {year(of_year, 'en')}" if of_year else "")


def _day(day: int, _before: str) -> str:
    return ordinal(day, "en")


# fmt: off
ENGLISH = SpokenLanguage(
    code="en", thousands=",", point="point", at="at", dot="dot", slash="slash", hyphen="dash",
    underscore="underscore", plus="plus", minus="minus", ampersand="and", percent="percent",
    number="number", about="about", to="to", one="one {}".format, and_cents=" and {}",
    per="per {}".format,
    per_what="second minute hour day night week month quarter year person head item each unit",
    per_signs={"hr": "hour", "mo": "month", "yr": "year", "wk": "week", "pp": "person",
               "sq ft": "square foot", "sqft": "square foot", "lb": "pound", "oz": "ounce",
               "mi": "mile", "gal": "gallon"},
    cents={
        **each("USD EUR AUD CAD NZD SGD HKD TWD ZAR JMD XCD TTD BBD BSD BZD FJD NAD KES "
                        "UGX TZS LKR MUR ETB", ("cent", "cents")),
        **each("MXN ARS COP CLP PHP BRL UYU DOP CUP BOB", ("centavo", "centavos")),
        **each("PEN CRC VES PYG", ("céntimo", "céntimos")),
        **each("CHF MAD DZD XAF XOF", ("centime", "centimes")),
        **each("KWD BHD JOD IQD AED", ("fils", "fils")),
        **each("INR PKR NPR", ("paisa", "paise")),
        **each("EGP LBP SYP", ("piastre", "piastres")),
        **each("RUB BYN", ("kopeck", "kopecks")),
        "GBP": ("penny", "pence"), "SEK": ("öre", "öre"), "DKK": ("øre", "øre"),
        "NOK": ("øre", "øre"), "PLN": ("grosz", "groszy"), "CZK": ("heller", "hellers"),
        "TRY": ("kuruş", "kuruş"), "ILS": ("agora", "agorot"), "UAH": ("kopiyka", "kopiykas"),
        "SAR": ("halala", "halalas"), "QAR": ("dirham", "dirhams"), "OMR": ("baisa", "baisa"),
        "TND": ("millime", "millimes"), "THB": ("satang", "satang"), "MYR": ("sen", "sen"),
        "NGN": ("kobo", "kobo"), "GHS": ("pesewa", "pesewas"), "RON": ("ban", "bani"),
        "BGN": ("stotinka", "stotinki"), "HUF": ("fillér", "fillér"), "CNY": ("fen", "fen"),
    },
    noun_of_currency=lambda name: name.rpartition(" ")[2].lower(),
    units={
        "lb": "mass-pound", "lbs": "mass-pound", "oz": "mass-ounce", "ft": "length-foot",
        "yd": "length-yard", "mi": "length-mile", "gal": "volume-gallon", "mpg":
        "consumption-mile-per-gallon", "fl oz": "volume-fluid-ounce", "tsp": "volume-teaspoon",
        "tbsp": "volume-tablespoon", "sq ft": "area-square-foot", "sqft": "area-square-foot",
        "ft²": "area-square-foot", "sq mi": "area-square-mile", "sq m": "area-square-meter",
        "hr": "duration-hour", "hrs": "duration-hour", "mins": "duration-minute",
        "yr": "duration-year", "yrs": "duration-year", "wk": "duration-week",
        "wks": "duration-week", "sec": "duration-second", "secs": "duration-second",
        "hp": "power-horsepower",
        "°": ("degree", "degrees"), "°C": ("degree", "degrees"), "°F": ("degree", "degrees"),
        "kWh": ("kilowatt hour", "kilowatt hours"), "dB": ("decibel", "decibels"),
        "Mbps": ("megabit per second", "megabits per second"),
        "Gbps": ("gigabit per second", "gigabits per second"),
        "rpm": ("revolution per minute", "revolutions per minute"), "¢": ("cent", "cents"),
        "ppm": ("part per million", "parts per million"),
    },
    fractions={"1/2": "one half", "1/3": "one third", "2/3": "two thirds", "1/4": "one quarter",
               "3/4": "three quarters"},
    months_short={"sept": 9},
    dated="on by until till from since before after of through dated due monday tuesday wednesday "
          "thursday friday saturday sunday",
    at_time="at until till from",
    abbreviations={
        "apt": "apartment", "approx": "approximately", "ave": "avenue", "blvd": "boulevard",
        "dept": "department", "ext": "extension", "inc": "incorporated", "jr": "junior",
        "ltd": "limited", "rd": "road", "sr": "senior", "st": "street", "vs": "versus",
        "e.g": "for example", "i.e": "that is", "etc": "et cetera",
        "jan": "January", "feb": "February", "aug": "August", "sept": "September",
        "oct": "October", "nov": "November", "dec": "December",
    },
    days_short={"Tues": 1, "Weds": 2, "Thur": 3, "Thurs": 3},
    days_that_are_words="sat sun",
    month_first=True, time=_time, date=_date, day=_day,
    at_the_time="at {}".format,
    thousand="k K thousand",
    scales={
        **dict.fromkeys(("million", "M", "MM", "m", "mn", "mil", "mio"), ("million", "million")),
        **dict.fromkeys(("billion", "B", "b", "bn"), ("billion", "billion")),
        **dict.fromkeys(("trillion", "T", "tn"), ("trillion", "trillion")),
        "lakh": ("lakh", "lakh"), "lakhs": ("lakh", "lakh"), "lac": ("lakh", "lakh"),
        "crore": ("crore", "crore"), "crores": ("crore", "crore"), "cr": ("crore", "crore"),
    },
)
# fmt: on

INTERNATIONAL_ENGLISH = replace(ENGLISH, month_first=False)
"""Everywhere but in the United States."""

SOUTH_AFRICAN_ENGLISH = replace(
    INTERNATIONAL_ENGLISH, loose_thousands=" ", currency_signs={"R": "ZAR"}
)
"""Of South Africa."""
