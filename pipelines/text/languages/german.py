"""German."""

from __future__ import annotations

from pipelines.text.languages.language import Currency, SpokenLanguage, currencies
from pipelines.text.numerals import cardinal, ordinal, year

# fmt: off
MONTHS = (
    "Januar", "Februar", "März", "April", "Mai", "Juni",
    "Juli", "August", "September", "Oktober", "November", "Dezember",
)
# fmt: on


def _time(hour: int, minute: int, _half: str) -> str:
    said = "ein" if hour == 1 else cardinal(hour, "de")
    return f"{said} Uhr" + (f" {cardinal(minute, 'de')}" if minute else "")


def _date(day: int, month: int, of_year: int | None, before: str) -> str:
    dative = before.lower() in ("am", "ab", "bis", "dem", "den", "im", "seit", "vom", "zum", "beim")
    ending = "n" if dative else "" if before.lower() == "der" else "r"
    said = f"{ordinal(day, 'de')}{ending} {MONTHS[month - 1]}"
    return said + (f" {year(of_year, 'de')}" if of_year else "")


# fmt: off
GERMAN = SpokenLanguage(
    code="de", thousands=r"\.", at="ät", dot="Punkt", slash="Schrägstrich", hyphen="Minus",
    underscore="Unterstrich", plus="plus", minus="minus", ampersand="und", percent="Prozent",
    number="Nummer", about="etwa", to="bis", one="ein",
    one_feminine="eine", feminine=frozenset({"Minute", "Stunde", "Kilowattstunde"}),
    and_cents=" {}",
    per="pro", per_what="Sekunde Minute Stunde Tag Nacht Woche Monat Jahr Person Stück",
    currencies=currencies(
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
    months=MONTHS,
    abbreviations={
        "z.b": "zum Beispiel", "z. b": "zum Beispiel", "d.h": "das heißt", "d. h": "das heißt",
        "ca": "circa", "nr": "Nummer", "str": "Straße", "bzw": "beziehungsweise",
        "evtl": "eventuell", "ggf": "gegebenenfalls", "inkl": "inklusive", "zzgl": "zuzüglich",
        "mind": "mindestens", "usw": "und so weiter", "tel": "Telefon",
        "hr": "Herr", "fr": "Frau", "dr": "Doktor",
    },
    days={"Mo": "Montag", "Di": "Dienstag", "Mi": "Mittwoch", "Do": "Donnerstag",
          "Fr": "Freitag", "Sa": "Samstag", "So": "Sonntag"},
    short_months=True, short_days_are_words=True, cents_are_named=False,
    after_time=r"(?:\sUhr\b)?",
    time=_time, date=_date, scale="Tausend Million Millionen Mio Milliarden",
)
# fmt: on
