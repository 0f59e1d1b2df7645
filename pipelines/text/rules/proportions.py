"""Two numbers and what is between them: sides, terms of a ratio, ratings, fractions."""

from __future__ import annotations

import re
import unicodedata

from pipelines.text import cldr
from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.languages.sign_names import sign_names
from pipelines.text.numerals import cardinal, ordinal
from pipelines.text.rules.rule import Rule

_PLAIN = r"[0-9]+(?:[.,][0-9]+)?"
_LENGTH = r"(?:\s?(?:mm|cm|km|m|ft|in|px|feet|inch(?:es)?)(?!\w))?"


def _by(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read "10x12" as sides, but as factors before a result."""
    names = sign_names(language)
    product = re.match(rf"\s?{_PLAIN}\s?=", found.string[found.end() :])
    return f"{found['first']} {names.times if product else names.by} "


def _ratio(found: re.Match[str], language: SpokenLanguage) -> str:
    said = f"{found['first']} {sign_names(language).ratio} {found['second']}"
    return (found.groupdict().get("before") or "") + said


def _rating(found: re.Match[str], language: SpokenLanguage) -> str:
    return f"{found['first']} {sign_names(language).out_of} "


def _several(number: str) -> str:
    """Return the plural of a number: "fours", "sixes", "twenties"."""
    if number.endswith("y"):
        return number[:-1] + "ies"
    return number + ("es" if number.endswith("x") else "s")


def _length(found: re.Match[str], language: SpokenLanguage) -> str:
    name = "length-foot" if found["mark"] in "'′" else "length-inch"
    one, many = cldr.unit(name, language.code)
    space = " " if found.string[found.end() : found.end() + 1] in ("x", "X", "×") else ""
    return f" {found['number']} {one if found['number'] == '1' else many}{space}"


def _fraction(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read a fraction that no word of its own: "5/8"; English and German make one of the rank."""
    whole = f"{found['whole'].strip()} {language.ampersand} " if found["whole"] else ""
    above, below = int(found["above"]), int(found["below"])
    if not 2 < below <= 100 or above >= below:
        return found[0]
    return whole + fraction_in_words(above, below, language) + (" " if found["whole"] else "")


def fraction_in_words(above: int, below: int, language: SpokenLanguage) -> str:
    """Return a fraction in words: by the language's own, or made of the rank."""
    return language.fractions.get(f"{above}/{below}") or _parts(above, below, language)


def _parts(above: int, below: int, language: SpokenLanguage) -> str:
    code = language.code
    if code == "en":
        part = "quarter" if below == 4 else ordinal(below, code)
        return f"{cardinal(above, code)} {part}{'s' * (above > 1)}"
    if code == "de":
        part = "achtel" if below == 8 else ordinal(below, code) + "l"
        return f"{'ein' if above == 1 else cardinal(above, code)} {part.capitalize()}"
    part = ordinal(below, code)
    if code == "it":
        part = part[:-1] + "i" if above > 1 else part
        return f"{'un' if above == 1 else cardinal(above, code)} {part}"
    if code == "es" and below > 10:
        part = cardinal(below, code) + "avo"
    return f"{'un' if above == 1 else cardinal(above, code)} {part}{'s' * (above > 1)}"


_RATIO_WORDS = (
    r"(?i:ratio|scale|odds|score[sd]?|aspect ratio|won|lost|win|format|mix(?:ed)?|dilut\w+|"
    r"verhältnis\w*|maßstab|mischung|gewann\w*|gewonnen|verlor\w*|escala|proporci[oó]n|ganó|perdió|marcador|échelle|"
    r"rapport|gagné"
    r"|perdu|scala|rapporto|proporzione|vinto|perso|formato|punteggio)"
)
_VULGAR = "⅐⅑⅒⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"


def _vulgar(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read a fraction that is one character."""
    above, _, below = unicodedata.normalize("NFKC", found["sign"]).partition("\N{FRACTION SLASH}")
    whole = f"{found['whole']} {language.ampersand} " if found["whole"] else ""
    return f"{whole}{fraction_in_words(int(above), int(below), language)}"


RULES = (
    # "1-1/2 cups"
    Rule(
        r"(?<![\w.,/:-])([0-9]{1,2})-(?=(?:1/2|[13]/4|[12]/3|[1357]/8)(?![\w/]|[.,][0-9]))",
        lambda found, _: f"{found[1]} ",
        only=("en",),
    ),
    # The sides of 10' x 12'; else it may be a quotation
    Rule(
        rf"(?<![\w.,])(?P<number>{_PLAIN})(?P<mark>['′\"″])(?=\s?[xX×]\s?[0-9])",
        _length,
        only=("en",),
    ),
    Rule(
        r"(?<![\w.,'])(?P<number>[0-9]{1,3})(?P<mark>['′])(?=\s(?:tall|high|long|wide|deep)\b)",
        _length,
        only=("en",),
    ),
    Rule(rf"(?<=[xX×])\s?(?P<number>{_PLAIN})(?P<mark>['′\"″])", _length, only=("en",)),
    # "2x4s" are planks
    Rule(
        r"(?<![\w.,/])([0-9]{1,2})[xX×]([0-9]{1,2})s\b",
        lambda found, language: (
            f"{found[1]} {sign_names(language).by} {_several(cardinal(int(found[2]), 'en'))}"
        ),
        only=("en",),
    ),
    # "10x12 feet", "3 m × 4 m"
    Rule(
        rf"(?:(?<![\w.,/])|(?<=[0-9][xX×]))(?P<first>{_PLAIN}{_LENGTH})\s?[xX×]\s?(?={_PLAIN}(?!\w*[xX][a-z]))",
        _by,
    ),
    # "10-3=7" is no range
    Rule(
        r"(?<=[0-9])\s?[-–−]\s?(?=[0-9.,]+\s?=)",
        lambda _, language: f" {language.minus} ",
    ),
    # "16:9"; what may be a time is one
    Rule(
        rf"(?P<before>(?<!\w){_RATIO_WORDS}(?:\s\w{{1,8}}){{0,2}}:?\s)(?P<first>[0-9]{{1,6}})\s?[:–-]\s?"
        r"(?P<second>[0-9]{1,6})(?![\w.:-])",
        _ratio,
    ),
    Rule(
        r"(?<![\w.,:/-])(?P<first>[0-9]{1,3}):(?P<second>[0-9]|[0-9]{3,7}|[6-9][0-9])(?![\w:]|[.,][0-9])",
        _ratio,
    ),
    # "4.8/5", "7/10"
    Rule(
        r"(?<![\w.,/])(?P<first>[0-9]+[.,][0-9]+)\s?/\s?(?=(?:5|6|10|100)(?![\w/]|[.,][0-9]))",
        _rating,
    ),
    Rule(r"(?<![\w.,/])(?P<first>[0-9]|10)\s?/\s?(?=10(?![\w/]|[.,][0-9]))", _rating),
    Rule(r"(?<![\w.,/])(?P<first>[0-9]{1,3})\s?/\s?(?=100(?![\w/]|[.,][0-9]))", _rating),
    Rule(rf"(?:(?P<whole>[0-9]+)\s?)?(?P<sign>[{_VULGAR}])", _vulgar),
    # "2 5/8", "5/8 of": others may be dates
    Rule(
        r"(?<![\w/.,])(?P<whole>[0-9]{1,3}\s)?(?P<above>[0-9]{1,2})/(?P<below>[0-9]{1,3})(?![\w/]|[.,][0-9])"
        r"(?(whole)|(?=\s(?:of|inch|inches|cup|cups|mile|miles|teaspoons?|tablespoons?|der|des|von|de|del|du|di|dei|degli|delle|della|dos)\b))",
        _fraction,
    ),
)
