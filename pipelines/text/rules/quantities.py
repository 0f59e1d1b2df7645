"""Fractions, shares, and so many of a unit."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from functools import cache

from pipelines.text import cldr
from pipelines.text.amounts import (
    DASH,
    SIGNED,
    amount_pattern,
    amount_value,
    counted,
    in_words,
    is_thousand,
)
from pipelines.text.languages import german
from pipelines.text.languages.language import LOWER, Names, SpokenLanguage, words
from pipelines.text.numerals import cardinal
from pipelines.text.replacements import any_of
from pipelines.text.rules.figures import number_in_words, value_in_words
from pipelines.text.rules.proportions import fraction_in_words
from pipelines.text.rules.rule import Rule
from pipelines.text.units import SIGNS, per_names, unit_names

_QUOTE = re.compile(r'(?<![0-9])"')

_ABBREVIATED = words(
    "min mins Min Std Sek sec secs seg hr hrs ft lb lbs oz yd mi gal tsp tbsp yr yrs wk wks Stk"
)
"""Signs of units that take a stop; behind others it ends a sentence."""

_ADDRESS = re.compile(
    r"\s(?:[0-9]|[\w-]*(?:first|second|third|(?:four|fif|six|seven|eigh|nin|teen|tie)th)\b)"
)
"""After a "W" that is the west of a street: "10 W 42nd St"."""

_FEW = 20
"""Of which "4K" and "10K" may be a screen or a run, where nothing says what is counted."""

_PENSION = 401
"""A 401k."""

_MANY = words(
    """salary revenue income Gehalt salario salaire stipendio Euro euro Dollar dollari Kunden
    Menschen Leute Nutzer clienti utenti persone"""
)
"""Besides what ends in "s", things of which "5k" are five thousand: a "4k TV" is none."""

_TEMPERATURES = ("°C", "°F")


_PLACES = words(
    """in seat seats gate row exit room unit suite building block class apartment flat size platform
    grade option plan form chapter vitamin section key
    model place bus line lane terminal and to or asiento puerta fila platz
    zimmer klasse gleis posto porte siège salle chambre camera"""
)
"""Words that "12C" after is a place or a thing."""

_SPELLED = ("USD", "EUR", "GBP", "INR", "CHF", "SEK", "MXN")
"""Currencies whose nouns are those of most others."""


def _slash_before_measure(language: SpokenLanguage) -> str:
    """Return a pattern for the end of "5 people/hour"."""
    return rf"(?<=\w)\s?/\s?(?P<per>{any_of(language.per_what.split())})\b"


def _scale_pattern(language: SpokenLanguage) -> str:
    """Return a pattern for "5 Mio. Kunden", "2bn" and "1.2M users", which are no money."""
    names = {name for pair in language.scales.values() for name in pair}
    signs = [*language.scales, *(one for one in language.thousand.split() if one[:3] == "Tsd")]
    long = any_of(sign for sign in signs if len(sign) > 2 and sign not in names)
    short = any_of(sign for sign in language.scales if sign in ("bn", "Md"))
    return (
        rf"{SIGNED}(?P<number>{amount_pattern(language)})"
        rf"(?:\s?(?P<long>{long})|\s?(?P<short>{short})|\s?(?P<million>M)(?=\s[a-z])"
        rf"|(?P<thousand>[kK])(?=\s(?:[^\W\d_]+s|people|{any_of(_MANY)})\b)|(?P<bare>[kK]))"
        r"(?![\w²³/-])"
    )


def _scale(found: re.Match[str], language: SpokenLanguage) -> str:
    worth = amount_value(found["number"], language)
    if found["bare"] and (worth == _PENSION or (worth < _FEW and worth == int(worth))):
        return found[0]
    sign = found["bare"] or found["long"] or found["short"] or found["million"] or found["thousand"]
    if is_thousand(sign, language):
        return _sign(found, language) + in_words(worth * 1000, sign, language)
    return _sign(found, language) + counted(worth, language.scales[sign], language)


@cache
def _spelled(language: SpokenLanguage) -> frozenset[str]:
    """Return what units and currencies are called: words that change the number before them."""
    units = [name for sign in {**SIGNS, **language.units} for name in unit_names(sign, language)]
    money = [name for code in _SPELLED for name in cldr.currency(code, language.code)]
    units += [name for names in language.scales.values() for name in names]
    nouns = {name.partition(" ")[0] for name in units} | set(map(language.noun_of_currency, money))
    one = language.per_what.split()
    return frozenset({*nouns, *one, *(f"{word}s" for word in one)} - {"", "per", "por", "pour"})


def _spelled_pattern(language: SpokenLanguage) -> str:
    """Return a pattern for "1 hora" and "21 Euro"."""
    amount = amount_pattern(language)
    return rf"{SIGNED}(?P<number>{amount})\s(?P<name>{any_of(_spelled(language))})(?!\w)"


def _spelled_unit(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read the number alone: the words stay as they are written."""
    worth, name = amount_value(found["number"], language), found["name"]
    said = language.one(name) if worth == 1 else f"{in_words(worth, name, language)} {name}"
    return _sign(found, language) + said


def _noun_pattern(language: SpokenLanguage) -> str:
    """Return a pattern for "1 mensaje", "1 Termin" and "200 llamadas"."""
    groups = rf"[1-9][0-9]{{0,2}}(?:{language.thousands}[0-9]{{3}})*"
    if language.code == "de":
        adjective = rf"(?:[{LOWER}]{{2,}}e[rsn]?\s)?"
        return rf"(?<![\w.,:/+-])(?P<number>1)\s(?P<name>{adjective}[A-ZÄÖÜ][^\W\d_]+)(?![\w-])"
    many = "1" if language.code == "it" else groups
    return (
        rf"(?<![\w.,:/+-])(?<![0-9]\s)(?P<number>{many})\s"
        rf"(?P<name>(?!(?:{'|'.join(language.no_nouns)})\b)[{LOWER}]{{3,}})(?![\w-])"
    )


def _noun(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read "1 mensaje" as one of a thing, unless the word before says that 1 is its name."""
    name, worth = found["name"], amount_value(found["number"], language)
    before = found.string[: found.start()].rpartition("\n")[2].split()[-1:]
    last = before[0].lower() if before else ""
    if language.code == "de" and german.is_numbered(before[0] if before else ""):
        return found[0]
    if last in language.numbered or (worth > 1 and not name.endswith("s")):
        return found[0]
    if worth != 1:
        return f"{in_words(worth, name, language)} {name}"
    return german.one(name, last) if language.code == "de" else language.one(name)


def _temperature(found: re.Match[str], _: SpokenLanguage) -> str:
    """Write "-5 C", "98.6F" and "25C" with the sign of degrees; not "seat 25C", "Main St 25C"."""
    number, before = found["number"], found.string[: found.start()].rstrip(" ").rpartition(" ")[2]
    if re.search("[-−.,]", number):
        return f"{number}°{found['sign']}"
    is_name = before[:1].isupper() and before[-1].isalpha() and not before.endswith("s")
    if len(number) < 2 or is_name or before.casefold() in _PLACES:
        return found[0]
    return f"{number}°{found['sign']}"


def _swiss_pattern(language: SpokenLanguage) -> str:
    """Return a pattern for a number in groups, where an apostrophe is between them."""
    if "'" not in language.thousands:
        return "(?!)"
    return rf"(?<![\w.,])[1-9][0-9]{{0,2}}(?:{language.thousands}[0-9]{{3}})+(?:[.,][0-9]+)?(?!\w)"


def _meters(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read "1m80" as people say it."""
    meters = counted(Decimal(found["meters"]), unit_names("m", language), language)
    return meters + language.and_centimeters + cardinal(int(found["rest"]), language.code)


def _inches(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read 12" as inches, unless the mark closes a quotation."""
    if found["mark"] == '"' and len(_QUOTE.findall(found.string, 0, found.start())) % 2:
        return found[0]
    names = cldr.unit("length-inch", language.code)
    if found["next"]:
        return (
            f"{in_words(amount_value(found['number'], language), names[0], language)} {names[0]} "
        )
    return counted(amount_value(found["number"], language), names, language)


def _in_ascii(found: re.Match[str], _: SpokenLanguage) -> str:
    return " " + unicodedata.normalize("NFKC", found[0]).replace("\N{FRACTION SLASH}", "/")


def _fraction_pattern(language: SpokenLanguage) -> str:
    signs, names = any_of({**SIGNS, **language.units}), any_of(_pairs(language))
    units = rf"\s?(?P<unit>{signs})|\s(?P<name>{names})"
    return (
        rf"(?<![\w/.,])(?:(?P<whole>[0-9]{{1,3}})\s)?(?P<above>[1-9][0-9]?)/(?P<below>[2-9]|[1-9][0-9])"
        rf"(?![0-9/])(?:(?:{units})(?![\w/²³]))?"
    )


def _fraction(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read "1/2" of a thing or of nothing, and "5/8" of a thing."""
    above, below = int(found["above"]), int(found["below"])
    part, whole = f"{above}/{below}", int(found["whole"] or 0)
    thing = found["unit"] or found["name"]
    if above >= below or not (thing or part in language.fractions):
        return found[0]
    said = fraction_in_words(above, below, language)
    if not thing:
        return f"{found['whole']} {language.ampersand} {said}" if found["whole"] else said
    names = unit_names(thing, language) if found["unit"] else _pairs(language)[thing]
    if part == "1/2" and language.half:
        return language.half(whole, names)
    if whole:
        count = in_words(Decimal(whole), names[0], language)
        return f"{count} {language.ampersand} {said} {found['name'] or names[0]}"
    return language.contracted(f"{said}{language.of}{found['name'] or names[0]}")


@cache
def _pairs(language: SpokenLanguage) -> Mapping[str, Names]:
    """Return what one and several of each unit are called, by either of the two."""
    pairs = (unit_names(sign, language) for sign in {**SIGNS, **language.units})
    return {name: names for names in pairs for name in names if " " not in name}


def _percent_pattern(language: SpokenLanguage) -> str:
    amount = amount_pattern(language)
    return rf"{SIGNED}(?:(?P<first>{amount}){DASH})?(?P<number>{amount})\s?%"


def _percent(found: re.Match[str], language: SpokenLanguage) -> str:
    name = language.percent
    said = f"{in_words(amount_value(found['number'], language), name, language)} {name}"
    if found["first"]:
        first = in_words(amount_value(found["first"], language), name, language)
        said = f"{first} {language.to} {said}"
    return _sign(found, language) + said


def _sign(found: re.Match[str], language: SpokenLanguage) -> str:
    match found["minus"]:
        case None:
            return ""
        case "+":
            return f"{language.plus} "
        case _:
            return f"{language.minus} "


def _feet_and_inches(_: SpokenLanguage) -> str:
    """Return a pattern for 5'10" and "6 ft 2 in"."""
    return (
        r"(?<![\w.,])(?P<feet>[0-9]{1,3})(?:\s?(?:ft\.?|feet|foot)\s?(?P<inches>[0-9]{1,2})\s?"
        r"(?:inch(?:es)?\b|in\b|[\"″”])|['’′]\s?(?P<more>[0-9]{1,2})(?:[\"″”]|''|’’|(?!\w)))"
    )


def _feet(found: re.Match[str], language: SpokenLanguage) -> str:
    feet, inches = int(found["feet"]), int(found["inches"] or found["more"])
    foot, inch = (cldr.unit(f"length-{one}", language.code) for one in ("foot", "inch"))
    return f"{counted(Decimal(feet), foot, language)} {counted(Decimal(inches), inch, language)}"


def _unit_pattern(language: SpokenLanguage) -> str:
    amount, units = amount_pattern(language), any_of({**SIGNS, **language.units})
    return (
        rf"{SIGNED}(?:(?P<first>{amount})(?:\s?(?P<same>{units}))?{DASH})?(?P<number>{amount})\s?"
        rf"(?P<unit>{units})(?:/(?P<per>{any_of(per_names(language))})(?![\w/]))?"
        rf"(?![\w²³]|['’]\w)(?P<stop>\.(?=\s[{LOWER}0-9]))?"
    )


def _adjective_pattern(language: SpokenLanguage) -> str:
    """Return a pattern for "a 5-km run"."""
    units = any_of({**SIGNS, **language.units})
    return rf"(?<![\w.,-])(?P<number>{amount_pattern(language)})-(?P<unit>{units})(?=\s[a-z])"


def _adjective(found: re.Match[str], language: SpokenLanguage) -> str:
    one = unit_names(found["unit"], language)[0]
    return f"{in_words(amount_value(found['number'], language), one, language)} {one}"


def _unit(found: re.Match[str], language: SpokenLanguage) -> str:
    unit = found["unit"]
    if unit == "W" and _ADDRESS.match(found.string, found.end()):
        return found[0]
    names = unit_names(unit, language)
    if unit in _TEMPERATURES and all(one in found.string for one in _TEMPERATURES):
        names = cldr.unit(SIGNS[unit], language.code)  # which of the two is said
    worth = amount_value(found["number"], language)
    said = counted(worth, names, language)
    if unit == "m" and language.and_centimeters and re.search(r"[.,][1-9][0-9]$", found["number"]):
        hundredths = value_in_words(worth % 1 * 100, language)
        said = counted(Decimal(int(worth)), names, language) + language.and_centimeters + hundredths
    if first := found["first"]:
        if found["same"] not in (None, unit):
            return found[0]
        said = f"{in_words(amount_value(first, language), names[0], language)} {language.to} {said}"
    per = f" {language.per(per_names(language)[found['per']])}" if found["per"] else ""
    stop = "." if found["stop"] and unit not in _ABBREVIATED else ""
    return _sign(found, language) + said + per + stop


RULES = (
    Rule(
        _slash_before_measure,
        lambda found, language: f" {language.per(found['per'])}",
    ),
    Rule(
        r"(?<=[lL])\s?/\s?(?=100\s?km\b)",
        lambda _, language: f" {language.per('')}",
    ),
    Rule(r"[½⅓⅔¼¾]", _in_ascii),
    Rule(r"(?<=[0-9])\s?[°º˚]\s?(?=[CF]\b)", lambda *_: "°"),
    # "-5 C", "98.6F", "It is 25C"
    Rule(
        r"(?<![\w.,])(?P<number>[-−]?[0-9]{1,3}(?:[.,][0-9])?)\s?(?P<sign>[CF])(?![\w'’+#&]|-\w"
        r"|\s[A-Z0-9]|\s(?:batter|cells?\b|cups?\b|chip|keys?\b|major|minor|sharp|flat))",
        _temperature,
    ),
    # "350 degrees F"
    Rule(
        r"\b((?i:degrees?|grad|grados?|degrés?|gradi))\s([CF])\b",
        lambda found, _: f"{found[1]} {'Celsius' if found[2] == 'C' else 'Fahrenheit'}",
    ),
    Rule(_fraction_pattern, _fraction),
    Rule(_percent_pattern, _percent),
    Rule(_feet_and_inches, _feet),
    Rule(
        r"(?<![\w.,])(?P<number>[0-9]{1,3}(?:\.[0-9])?)(?P<mark>″|''|\")(?!\w)(?P<next>\s(?=[a-z]))?",
        _inches,
        only=("en",),
    ),
    Rule(
        r"(?<![\w.,])(?P<meters>[0-9])\s?m\s?(?P<rest>[0-9]{2})(?!\w)",
        _meters,
        only=("de", "es", "fr", "it"),
    ),
    # "5°C/41°F"
    Rule(r"(?<=°[CF])\s?/\s?(?=[-−]?[0-9])", lambda *_: ", "),
    Rule(_adjective_pattern, _adjective, only=("en",)),
    Rule(_unit_pattern, _unit),
    Rule(_scale_pattern, _scale),
    Rule(_noun_pattern, _noun, only=("de", "es", "fr", "it")),
    Rule(_spelled_pattern, _spelled_unit, only=("de", "es", "fr", "it")),
    # "25'000": what is in groups is no telephone number
    Rule(_swiss_pattern, lambda found, language: number_in_words(found[0], language)),
)
