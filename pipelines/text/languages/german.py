"""German."""

from __future__ import annotations

import re
from dataclasses import replace

from pipelines.text.languages.language import Names, SpokenLanguage, each, words
from pipelines.text.numerals import cardinal, ordinal, year

# fmt: off
MONTHS = (
    "Januar", "Februar", "März", "April", "Mai", "Juni",
    "Juli", "August", "September", "Oktober", "November", "Dezember",
)
# fmt: on
"""For who cuts sentences, where CLDR's are not loaded."""

RANKED = {
    **each(
        """Etage Klasse Reihe Woche Stelle Stufe Runde Tür Straße Querstraße Kreuzung Ausfahrt
        Person Auflage Liga Stunde Minute Nacht Mahnung Rate Zahlung Wahl Generation Ebene Hälfte
        Seite Schicht Impfung Sitzung Haltestelle""",
        "",
    ),
    **each(
        """Stock Platz Tag Monat Teil Schritt Termin Versuch Bezirk Geburtstag Weltkrieg Advent
        Gang Besuch Abschnitt Halbmonat Anruf Raum Eingang Aufgang""",
        "r",
    ),
    **each(
        """Stockwerk Obergeschoss Untergeschoss OG UG Jahr Quartal Halbjahr Mal Kapitel Kind
        Jahrhundert Lebensjahr Schuljahr Semester Mal Zimmer Drittel Viertel Gebot""",
        "s",
    ),
}
"""What "3." stands before as a rank, and how the rank ends there if no article says so."""

FLOORS = words("Etage Stock Stockwerk Obergeschoss OG Klasse Platz Reihe")
"""Those of them that stand there without an article too."""

ARTICLES = words("der die das dem den des im zum zur vom beim")
"""Words, in lower case, that a number and a stop after are a rank: "der 3. Anrufer"."""

_DATIVE = words(
    """am ab bis dem den des dieses eines im in seit vom von zum zur beim nach vor diesem jedem
    jeden unserem ihrem"""
)
"""Words that what follows is in the dative after, or takes its ending."""


def rank(number: int, before: str, ending: str) -> str:
    """Return a rank as it stands after the word before it; with ``ending`` if that does not say."""
    before = before.lower()
    if before in _DATIVE:
        ending = "n"
    elif before in ("der", "die", "das", "jeder", "jede", "jedes"):
        ending = ""
    return ordinal(number, "de") + ending


def _time(hour: int, minute: int, half: str) -> str:
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    said = "ein" if hour == 1 else cardinal(hour, "de")
    return f"{said} Uhr" + (f" {cardinal(minute, 'de')}" if minute else "")


def _date(day: int, month: str, of_year: int | None, before: str) -> str:
    said = f"{rank(day, before, 'r')} {month}"
    return said + (f" {year(of_year, 'de')}" if of_year else "")


def _day(day: int, before: str) -> str:
    return rank(day, before, "r")


def _in_the_sentence(name: str) -> str:
    """Return the name of a currency with its adjective in lower case, as in a sentence."""
    adjective = re.match(r"\w+(?:sche[rs]?|neue[rs]?) ", name)
    return name[0].lower() + name[1:] if adjective else name


def _one(name: str) -> str:
    return f"{'eine' if _is_feminine(name) else 'ein'} {name}"


def _is_feminine(name: str) -> bool:
    last = re.split("[ -]", name)[-1] if " pro " not in name else name.partition(" ")[0]
    return bool(
        re.search(
            r"(?i:krone|rupie|lira|hrywnja|unze|meile|tonne|gallone|minute|stunde|"
            r"sekunde|kalorie|stärke|million|milliarde|billion|woche|nacht|person|nachricht|antwort|"
            r"stadt|fahrt|wahl|zahl|mail|tür|karte|bank|frau|pizza|cola|app|"
            r"(?:ung|heit|keit|schaft|ion|tät|erei))e?n?$",
            last,
        )
    ) or bool(re.search(r"(?<!e)e$", last) and not re.search(_ENDS_IN_E, last))


_ENDS_IN_E = r"(?i:kunde|name|käse|junge|kollege|ende|auge|gebäude|interesse|cafe|getränke|gemüse)$"
"""Of those that are not feminine."""


def _half(whole: int, names: Names) -> str:
    one, many = names
    if whole:
        return f"{_before_noun(cardinal(whole, 'de'))}einhalb {many}"
    ending = "e" if _is_feminine(one) else "er" if _is_masculine(one) else "es"
    return f"{'eine' if ending == 'e' else 'ein'} halb{ending} {one}"


def one(name: str, before: str) -> str:
    """Return one of a thing, in the case that the word before it, in lower case, asks for."""
    adjective, _, _noun = name.rpartition(" ")
    feminine = adjective.endswith("e") if adjective else _is_feminine(name)
    if before in _ONE_IN_DATIVE:
        return f"{'einer' if feminine else 'einem'} {name}"
    masculine = adjective.endswith("en") if adjective else _is_masculine(name)
    if masculine and (adjective or before in _ONE_IN_ACCUSATIVE | _PRONOUNS):
        return f"einen {name}"
    return f"{'eine' if feminine else 'ein'} {name}"


def is_numbered(before: str) -> bool:
    """Return whether a number behind this word is its name: "Absatz 1", but not "Haben Sie 1"."""
    return before[:1].isupper() and before.lower() not in (
        _ONE_IN_DATIVE | _ONE_IN_ACCUSATIVE | _PRONOUNS
    )


_PRONOUNS = words("ich sie wir es er ihr du ihnen und oder")

_ONE_IN_DATIVE = words("in mit nach vor seit von bei zu aus ab innerhalb nebst samt")

_ONE_IN_ACCUSATIVE = words(
    """für ohne gegen um haben habe hat hast hätte hätten brauche brauchen braucht möchte möchten
    nehme nehmen buche buchen gibt es noch nur bestellen bestelle sehe finde enthält pro"""
)


def _is_masculine(name: str) -> bool:
    return RANKED.get(name) == "r" or bool(_MASCULINE.search(name))


_MASCULINE = re.compile(
    r"(?i:liter|meter|tag|monat|löffel|becher|termin|koffer|platz|tisch|gast|kaffee|tee|anruf|artikel|"
    r"kunde|name|gutschein|schlüssel|fehler|punkt|eintrag|auftrag|vertrag|flug|zug|bus|sitz|teller|"
    r"brief|versuch|schritt|raum|parkplatz|salat|burger|saft|wein|euro|dollar|franken|vorschlag)$"
)


def _before_noun(number: str) -> str:
    return re.sub("eins$", "ein", number)


def _before_feminine(number: str) -> str:
    return re.sub("eins$", "eine", number)


# fmt: off
GERMAN = SpokenLanguage(
    code="de", thousands=r"\.", loose_thousands="[ '’]", point="Komma", at="ät", dot="Punkt",
    slash="Schrägstrich", hyphen="Minus",
    underscore="Unterstrich", plus="plus", minus="minus", ampersand="und", percent="Prozent",
    number="Nummer", about="etwa", to="bis",
    one=_one, is_feminine=_is_feminine,
    half=_half, before_noun=_before_noun, before_feminine=_before_feminine, and_cents=" {}",
    per="pro {}".format,
    per_what="Sekunde Minute Stunde Tag Nacht Woche Monat Quartal Jahr Person Stück Kopf",
    per_signs={"Std": "Stunde", "Std.": "Stunde", "Min": "Minute", "Mon": "Monat",
               "Mon.": "Monat", "Pers": "Person", "Pers.": "Person", "St": "Stück",
               "Stk": "Stück"},
    cents={
        **each("EUR USD AUD CAD NZD SGD HKD ZAR", ("Cent", "Cent")),
        **each("MXN ARS COP PHP BRL", ("Centavo", "Centavos")),
        **each("KWD BHD JOD IQD AED", ("Fils", "Fils")),
        **each("SEK DKK NOK", ("Öre", "Öre")),
        "GBP": ("Penny", "Pence"), "CHF": ("Rappen", "Rappen"), "PLN": ("Grosz", "Groszy"),
        "CZK": ("Heller", "Heller"), "RUB": ("Kopeke", "Kopeken"), "TRY": ("Kuruş", "Kuruş"),
        "INR": ("Paisa", "Paise"), "TND": ("Millime", "Millimes"), "OMR": ("Baisa", "Baisa"),
    },
    cents_are_named=False, and_centimeters=" ",
    noun_of_currency=lambda name: re.split("[ -]", name)[-1],
    name_of_currency=_in_the_sentence, at_home=frozenset(("CHF",)),
    units={
        "Std": "duration-hour", "Std.": "duration-hour", "Min": "duration-minute",
        "Min.": "duration-minute", "Sek": "duration-second", "Sek.": "duration-second",
        "sek": "duration-second", "t": "mass-tonne", "PS": ("PS", "PS"), "qm": "area-square-meter",
        "°": ("Grad", "Grad"), "°C": ("Grad", "Grad"), "dB": ("Dezibel", "Dezibel"),
        "Pfd": ("Pfund", "Pfund"), "ct": ("Cent", "Cent"), "Ct": ("Cent", "Cent"),
        "bar": ("Bar", "Bar"), "Stk": ("Stück", "Stück"), "Stk.": ("Stück", "Stück"),
        "Pers.": ("Person", "Personen"),
        "m/s": ("Meter pro Sekunde",) * 2,
    },
    fractions={"1/2": "ein halb", "1/3": "ein Drittel", "2/3": "zwei Drittel",
               "1/4": "ein Viertel", "3/4": "drei Viertel"},
    months_short={"jän": 1, "jan": 1, "mär": 3, "mrz": 3, "jun": 6, "jul": 7, "sep": 9},
    dated="am ab bis vom zum seit dem den der montag dienstag mittwoch donnerstag freitag samstag "
          "sonntag",
    at_time="um ab bis von gegen",
    abbreviations={
        "z.b": "zum Beispiel", "z. b": "zum Beispiel", "d.h": "das heißt", "d. h": "das heißt",
        "ca": "circa", "nr": "Nummer", "str": "Straße", "bzw": "beziehungsweise",
        "evtl": "eventuell", "ggf": "gegebenenfalls", "inkl": "inklusive", "zzgl": "zuzüglich",
        "mind": "mindestens", "usw": "und so weiter", "tel": "Telefon",
        "hr": "Herr", "fr": "Frau", "dr": "Doktor",
    },
    days_short={}, days_that_are_words="mo di mi do fr sa so",
    after_time=r"(?:\s?(?:Uhr|h)\b)?",
    time=_time, date=_date, day=_day,
    at_the_time="um {}".format,
    thousand="k K T Tsd Tsd. tsd Tausend tausend",
    scales={
        **dict.fromkeys(("Million", "Millionen", "Mio", "Mio.", "M"), ("Million", "Millionen")),
        **dict.fromkeys(("Milliarde", "Milliarden", "Mrd", "Mrd.", "Md."),
                        ("Milliarde", "Milliarden")),
        **dict.fromkeys(("Billion", "Billionen", "Bio", "Bio."), ("Billion", "Billionen")),
    },
)
# fmt: on

SWISS_GERMAN = replace(
    GERMAN,
    thousands="['’]",
    loose_thousands=r"[ '’]",
    currency_signs={"Fr.": "CHF"},
    units={**GERMAN.units, "Rp": ("Rappen", "Rappen"), "Rp.": ("Rappen", "Rappen")},
)
"""Of Switzerland, where a stop stands before decimals."""
