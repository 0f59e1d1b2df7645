"""French."""

from __future__ import annotations

import re
from dataclasses import replace

from pipelines.text.languages.language import Names, SpokenLanguage, each, words
from pipelines.text.languages.romance import noun_of_currency
from pipelines.text.numerals import cardinal, year


def _time(hour: int, minute: int, half: str) -> str:
    if hour in (0, 24):
        said = "minuit"
    else:
        said = "une heure" if hour == 1 else f"{_before_feminine(cardinal(hour, 'fr'))} heures"
    ending = {"a": " du matin", "p": " de l'après-midi"}.get(half, "")
    if half == "p" and 6 <= hour < 12:
        ending = " du soir"
    if hour == 12 and half:
        said, ending = "minuit" if half == "a" else "midi", ""
    return said + (f" {cardinal(minute, 'fr')}" if minute else "") + ending


def _is_feminine(name: str) -> bool:
    noun = name.partition(" ")[0]
    noun = noun.removesuffix("s")
    return noun in _FEMININE or (noun.endswith(_ENDINGS) and noun not in _MASCULINE)


_ENDINGS = (
    "tion", "sion", "aison", "té", "ette", "ence", "ance", "ure", "ée", "ille", "elle", "esse",
    "onne", "aine", "euse", "ière", "trice", "tude", "tte",
)  # fmt: skip

_MASCULINE = words("été côté comité traité député musée lycée trophée silence squelette capitaine")
"""Of those that end like that."""


_FEMININE = words("""livre couronne roupie hryvnia lire once tonne minute heure seconde
    calorie kilocalorie pinte cuillère milliseconde roupiah partie unité personne
    nuit semaine année chambre table place foi page carte commande ligne adresse rue route porte
    clé clef valise boîte pomme pizza tasse part main fin formule offre étape équipe note liste
    lettre date photo vidéo pièce salle chaise demande réponse tâche erreur couleur fleur option
    question classe partie pharmacie sortie copie baguette bière gare ville fille femme""")


def _one(name: str) -> str:
    return f"{'une' if _is_feminine(name) else 'un'} {name}"


def _before_feminine(number: str) -> str:
    return re.sub(r"\bun$", "une", number)


def _date(day: int, month: str, of_year: int | None, _before: str) -> str:
    said = f"{_day(day, '')} {month}"
    return said + (f" {year(of_year, 'fr')}" if of_year else "")


def _name_of_currency(name: str) -> str:
    """Return the name of a currency as people say it."""
    return re.sub(r"^(dollar)(s?) des États-Unis$", r"\1\2 américain\2", name)


def _day(day: int, _before: str) -> str:
    return "premier" if day == 1 else cardinal(day, "fr")


def _half(whole: int, names: Names) -> str:
    one, many = names
    feminine = _is_feminine(one)
    if not whole:
        return f"{'une' if feminine else 'un'} demi-{one}"
    number = cardinal(whole, "fr")
    number = _before_feminine(number) if feminine else number
    return f"{number} {one if whole == 1 else many} et {'demie' if feminine else 'demi'}"


def _contracted(amount: str) -> str:
    return re.sub(r"\bde (?=[aeiouyéèh](?!en|uan))", "d'", amount)


# fmt: off
FRENCH = SpokenLanguage(
    code="fr", thousands="[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE} ]",
    loose_thousands="['’.]", point="virgule", decimals_as_number=True,
    at="arobase", dot="point", slash="slash", hyphen="tiret",
    underscore="tiret bas", plus="plus", minus="moins", ampersand="et", percent="pour cent",
    number="numéro", about="environ", to="à", one=_one, is_feminine=_is_feminine,
    half=_half,
    numbered=words("formule quai voie porte rue bus métro "
                   "option chambre table étage numéro n° étape phase partie niveau type groupe "
                   "ligne salle zone touche tapez appuyez composez le la du au chapitre article "
                   "page terminal code sur et ou"),
    no_nouns=words("pour par mais que qui avec sans depuis jusque entre comme plus moins quand est "
                   "sont était des les une puis ensuite maintenant virgule point mille million "
                   "millions milliard milliards dans chez"),
    before_feminine=_before_feminine, and_cents=" {}",
    per="par {}".format,
    per_what="seconde minute heure jour nuit semaine mois trimestre an année personne unité",
    per_signs={"j": "jour", "sem": "semaine", "pers": "personne", "pers.": "personne"},
    cents={
        **each("EUR CHF MAD DZD XAF XOF", ("centime", "centimes")),
        **each("USD CAD AUD NZD SGD HKD ZAR", ("cent", "cents")),
        **each("MXN ARS COP PHP BRL", ("centavo", "centavos")),
        **each("SEK DKK NOK", ("öre", "öre")),
        **each("KWD BHD JOD IQD AED", ("fils", "fils")),
        "GBP": ("penny", "pence"), "PLN": ("grosz", "groszy"), "RUB": ("kopeck", "kopecks"),
        "INR": ("paisa", "paisas"), "TND": ("millime", "millimes"), "TRY": ("kuruş", "kuruş"),
    },
    cents_are_named=False, and_centimeters=" ", noun_of_currency=noun_of_currency,
    name_of_currency=_name_of_currency,
    units={
        "kg": ("kilo", "kilos"), "km/h": ("kilomètre heure", "kilomètres heure"),
        "Go": "digital-gigabyte", "Mo": "digital-megabyte", "Ko": "digital-kilobyte",
        "ko": "digital-kilobyte", "To": "digital-terabyte", "mn": "duration-minute",
        "t": "mass-tonne", "°": ("degré", "degrés"), "°C": ("degré", "degrés"),
        "dB": ("décibel", "décibels"), "ch": ("cheval", "chevaux"), "cts": ("centime", "centimes"),
        "m/s": ("mètre par seconde", "mètres par seconde"), "¢": ("cent", "cents"),
    },
    fractions={"1/2": "un demi", "1/3": "un tiers", "2/3": "deux tiers", "1/4": "un quart",
               "3/4": "trois quarts"},
    months_short={"jan": 1, "fév": 2, "fev": 2, "juill": 7, "aout": 8, "dec": 12},
    dated="le du au dès lundi mardi mercredi jeudi vendredi samedi dimanche",
    at_time="à",
    abbreviations={
        "m": "monsieur", "mme": "madame", "mlle": "mademoiselle", "dr": "docteur",
        "av": "avenue", "bd": "boulevard", "tél": "téléphone", "env": "environ",
        "p.ex": "par exemple", "p. ex": "par exemple", "etc": "et cetera",
    },
    contracted=_contracted,
    time_mark=r"(?:\s?h\s?|:)", after_time=r"(?:\s?h\b)?",
    days_short={}, days_that_are_words="lun mar mer jeu ven sam dim",
    time=_time, date=_date, day=_day,
    at_the_time="à {}".format,
    thousand="k K mille",
    scales={
        **dict.fromkeys(("million", "millions", "M", "Mio", "Mio."), ("million", "millions")),
        **dict.fromkeys(("milliard", "milliards", "Md", "Mds", "Mrd", "Mrd."),
                        ("milliard", "milliards")),
    },
    of=" de ",
)
# fmt: on

SWISS_FRENCH = replace(
    FRENCH, thousands="['’ ]", currency_signs={"Fr.": "CHF"}, at_home=frozenset(("CHF",))
)
"""Of Switzerland."""
