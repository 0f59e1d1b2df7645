"""Italian."""

from __future__ import annotations

import re
from dataclasses import replace

from pipelines.text.languages.language import Names, SpokenLanguage, each, words
from pipelines.text.languages.romance import ends_as_feminine, noun_of_currency
from pipelines.text.numerals import cardinal, year


def _time(hour: int, minute: int, half: str) -> str:
    said = "una" if hour == 1 else cardinal(hour, "it")
    ending = {"a": " di mattina", "p": " di pomeriggio"}.get(half, "")
    if half and hour == 12:
        ending = " di notte" if half == "a" else ""
    elif half == "p" and hour >= 6:
        ending = " di sera"
    return said + (f" e {cardinal(minute, 'it')}" if minute else "") + ending


def _date(day: int, month: str, of_year: int | None, _before: str) -> str:
    said = f"{_day(day, '')} {month}"
    return said + (f" {year(of_year, 'it')}" if of_year else "")


def _day(day: int, _before: str) -> str:
    return "primo" if day == 1 else cardinal(day, "it")


def _at_the_time(time: str) -> str:
    return f"all'{time}" if time.startswith("una") else f"alle {time}"


def _one(name: str) -> str:
    if ends_as_feminine(name):
        return f"un'{name}" if name[0] in "aeiou" else f"una {name}"
    return f"{'uno' if re.match('s[^aeiou]|[zyx]|ps|gn', name) else 'un'} {name}"


def _half(whole: int, names: Names) -> str:
    one, many = names
    half = "mezza" if ends_as_feminine(one) else "mezzo"
    if not whole:
        return f"mezz'{one}" if one.startswith("or") else f"{half} {one}"
    so_many = _one(one) if whole == 1 else f"{cardinal(whole, 'it')} {many}"
    return f"{so_many} e {half}"


def _per(what: str) -> str:
    if what.startswith(("ora", "anno", "etto")):
        return f"all'{what}"
    if what in ("persona", "notte", "settimana", "testa"):
        return f"a {what}"
    return f"{'alla' if what.endswith('a') else 'al'} {what}"


RANKED_FEMININE = words("fila classe volta strada uscita edizione lezione rata riga")

RANKED = RANKED_FEMININE | words(
    "piano posto giorno anno mese secolo livello turno capitolo binario passo tentativo"
)
"""What "3°" stands before as a rank; before all else it is degrees."""


# fmt: off
ITALIAN = SpokenLanguage(
    code="it", thousands=r"\.", loose_thousands="[ '’]", point="virgola", decimals_as_number=True,
    at="chiocciola", dot="punto", slash="barra", hyphen="trattino",
    underscore="trattino basso", plus="più", minus="meno", ampersand="e", percent="per cento",
    number="numero", about="circa", to="a", one=_one, is_feminine=ends_as_feminine,
    half=_half,
    numbered=words("binario via formula sezione porta uscita "
                   "opzione camera tavolo piano numero n. passo fase parte livello tipo gruppo "
                   "linea sala zona tasto prema premi premere digiti il la dal al del capitolo "
                   "articolo pagina terminal codice e o"),
    no_nouns=words("per con senza che chi come più meno quando dove perché fino tra fra dal del "
                   "dei delle gli una uno ora adesso poi dopo virgola punto mila mille"),
    and_cents=" e {}", per=_per,
    per_what="secondo minuto ora giorno notte settimana mese trimestre anno persona testa",
    per_signs={"gg": "giorno", "pers": "persona", "pers.": "persona", "mese": "mese"},
    cents={
        **each("EUR USD CAD AUD NZD CHF SGD HKD ZAR", ("centesimo", "centesimi")),
        **each("MXN ARS COP PHP BRL", ("centavo", "centavos")),
        **each("SEK DKK NOK", ("öre", "öre")),
        **each("KWD BHD JOD IQD AED", ("fils", "fils")),
        "GBP": ("penny", "pence"), "PLN": ("grosz", "groszy"), "RUB": ("copeco", "copechi"),
        "INR": ("paisa", "paise"), "TND": ("millesimo", "millesimi"), "TRY": ("kuruş", "kuruş"),
    },
    cents_are_named=False, and_centimeters=" e ", noun_of_currency=noun_of_currency,
    units={
        "kg": ("chilo", "chili"), "t": ("tonnellata", "tonnellate"), "sec": "duration-second",
        "mph": ("miglio orario", "miglia orarie"), "CV": ("cavallo", "cavalli"),
        "°": ("grado", "gradi"), "º": ("grado", "gradi"),
        "°C": ("grado", "gradi"), "dB": ("decibel", "decibel"),
        "bar": ("bar", "bar"), "mq": "area-square-meter", "mc": "volume-cubic-meter",
        "hg": ("etto", "etti"), "cent": ("centesimo", "centesimi"),
    },
    fractions={"1/2": "mezzo", "1/3": "un terzo", "2/3": "due terzi", "1/4": "un quarto",
               "3/4": "tre quarti"},
    months_short={"sett": 9},
    dated="il del dal al entro fino lunedì martedì mercoledì giovedì venerdì sabato domenica",
    at_time="alle dalle ore delle le",
    abbreviations={
        "sig": "signor", "sig.ra": "signora", "sigg": "signori", "dott": "dottor",
        "dott.ssa": "dottoressa", "prof.ssa": "professoressa",
        "gent.ma": "gentilissima", "gent.mo": "gentilissimo",
        "ing": "ingegner", "avv": "avvocato", "prof": "professor",
        "tel": "telefono", "pag": "pagina", "p.es": "per esempio", "p. es": "per esempio",
        "ecc": "eccetera", "ca": "circa", "nr": "numero", "p.zza": "piazza", "v.le": "viale",
    },
    days_short={}, days_that_are_words="lun mar mer gio ven sab dom",
    time=_time, date=_date, day=_day, at_the_time=_at_the_time,
    thousand="k K mila mille",
    scales={
        **dict.fromkeys(("milione", "milioni", "M", "mln", "mln.", "Mio"), ("milione", "milioni")),
        **dict.fromkeys(("miliardo", "miliardi", "mld", "mld.", "Mrd"), ("miliardo", "miliardi")),
    },
    of=" di ",
)
# fmt: on

SWISS_ITALIAN = replace(
    ITALIAN,
    thousands="['’]",
    loose_thousands="[ '’]",
    currency_signs={"Fr.": "CHF"},
    at_home=frozenset(("CHF",)),
)
"""Of Switzerland, where a stop stands before decimals."""
