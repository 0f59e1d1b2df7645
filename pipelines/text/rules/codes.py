"""Codes and numbers of things: spelt where words around them, or their form, show what they are."""

from __future__ import annotations

import re
from collections.abc import Callable

from pipelines.text.currencies import signs
from pipelines.text.languages.code_words import CODE_WORDS
from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.rules.rule import Rule
from pipelines.text.rules.spelling import spelt

_GROUP = (
    r"(?![0-9]+(?:st|nd|rd|th|[ap]m|min|ers?|ème|[xhkmgeoa]|kg|km|cm|mm|gb|mb|kb)\b)"
    r"[A-Za-z]{0,8}[0-9][A-Za-z0-9]{0,40}"
)
"""Of a code: with a digit, and neither a rank, a time nor a quantity."""

_MORE = (
    r"(?:[-/][0-9]{1,12}|-(?-i:[A-Z0-9]{1,12}|[a-z]{0,2}[0-9][a-z0-9]{0,12})| [0-9]{3,12}"
    r"| (?-i:[A-Z]{0,3}[0-9]{1,4}[A-Z]{1,3}|[A-Z]{1,3}(?![\w'’])))"
)
"""What goes on with it."""

_CODE = (
    r"(?!(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]|[0-3]?[0-9](?P<mark>[/-])[01]?[0-9](?P=mark)(?:19|20)?[0-9]{2}\b)"
    r"(?P<code>[0-9]{2}(?: [0-9]{2}){2,11}"
    rf"|(?-i:(?:[A-ZÄÖÜ]{{1,3}}(?:-| (?=[A-Z0-9]))){{0,2}}){_GROUP}{_MORE}{{0,12}})"
)
"""Groups that a hyphen or a space parts; no date."""


def _after(words: Callable[[SpokenLanguage], str], code: str = _CODE) -> Callable[..., str]:
    """Return a pattern for a code behind words that show it, and what joins the two."""

    def pattern(language: SpokenLanguage) -> str:
        shown = CODE_WORDS[language.code]
        return (
            rf"(?i:(?<![\w@.])(?P<word>{words(language)})(?!\w)(?P<join>(?:\s?[:=(#«„“\"'–-]"
            rf"|\s?(?<!\w)(?:{shown.joins})(?!\w)){{0,5}}\s?)(?<!\w){code}(?![\w@]|[.,:/–-]\w|[.]-)"
            rf"(?!\s?[%‰€$£¥₹°]|[\s-](?:{shown.amounts})(?!\w)))"
        )

    return pattern


def _joined(found: re.Match[str], language: SpokenLanguage) -> str:
    """Return what stands before a code, its number sign in words."""
    sign = r"#|\b[Nn][ro]\.|\b[Nn][°º]|\b[Nn]úm\.|№|\b[Nn]\."
    join = re.sub(sign, f" {language.number} ", found["join"])
    if not join.endswith(tuple("(«„“\"'")):
        join = re.sub(r"[=–-]?\s*$", " ", join)
    return found["word"] + join


def _code(found: re.Match[str], language: SpokenLanguage) -> str:
    return _joined(found, language) + spelt(found["code"], words=True)


def _number_of_thing(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read the number of an order or the like, unless it may as well count them."""
    digits = sum(map(str.isdigit, found["code"]))
    least = 3 if found["join"].strip() else 4
    if digits < least and not re.search(r"(?i)[a-z]", found["code"]):
        return found[0]
    if re.fullmatch(r"[0-9]{1,2}(?:-[0-9]{1,2})?", found["code"]):
        return found[0]
    return _code(found, language)


def _flight_or_plate(found: re.Match[str], language: SpokenLanguage) -> str:
    code = found["code"]
    if not re.search(r"[0-9]{3}|[A-Za-z]", code):
        return found[0]
    return _joined(found, language) + spelt(re.sub(r"(?<=[A-Z]) (?=[0-9])", "", code))


def _room(found: re.Match[str], language: SpokenLanguage) -> str:
    longest = max(map(len, re.findall("[0-9]+", found["code"])))
    return _code(found, language) if longest >= 3 else found[0]


def _locator(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read letters behind a word that is not all capitals: among those it would be a word."""
    if found["word"].isupper() and len(found["word"]) > 5:
        return found[0]
    return _joined(found, language) + spelt(found["code"])


def _then(words: Callable[[SpokenLanguage], str]) -> Callable[[SpokenLanguage], str]:
    """Return a pattern for a number of a thing, where the sentence goes on as behind one."""

    def pattern(language: SpokenLanguage) -> str:
        goes_on = CODE_WORDS[language.code].goes_on
        guard = rf"(?!\s(?!(?:{goes_on})\b)[a-z])" if goes_on else ""
        return _after(words)(language) + guard

    return pattern


def _is_your(language: SpokenLanguage) -> str:
    """Return a pattern for a code before what it is: "1234 is your PIN"."""
    shown = CODE_WORDS[language.code]
    return (
        r"(?<![\w.,:/$€£#-])(?P<code>[0-9]{3,10}|[0-9]{3}[ -][0-9]{3}"
        r"|(?=[A-Z-]*[0-9])[A-Z0-9]{2,6}-?[A-Z0-9]{2,8})"
        rf"(?P<rest>\s(?i:{shown.is_your}(?:[\w-]+\s){{0,3}}?(?:{shown.codes})(?!\w)))"
    )


def _ends(language: SpokenLanguage) -> str:
    """Return a pattern for the last digits of a card."""
    ends = CODE_WORDS[language.code].ends
    return (
        rf"(?i:(?<!\w)(?P<before>{ends})\s?:?\s?)(?P<code>[0-9]{{2,6}})"
        r"(?!\w|[.,:/-][0-9]|\s?[%€$£])"
    )


def _iban(found: re.Match[str], _: SpokenLanguage) -> str:
    """Read an account in groups of four, as it is printed."""
    plain = re.sub(r"[ -]", "", found[0])
    return ", ".join(spelt(plain[at : at + 4]) for at in range(0, len(plain), 4))


_TIMESTAMP = re.compile("[0-9]{8}T[0-9]{4,6}Z?")
"""The shortest way that ISO 8601 has."""


def _mixed(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read letters with digits if they are a code: "AB12CD", "BA2490", not "B2B" or "A380"."""
    token = found[0]
    runs = re.findall("[0-9]+|[A-Z]+", token)
    longest = max(len(run) for run in runs if run.isdigit())
    if any(run in signs(language) or run in language.units for run in runs):
        return token
    if _TIMESTAMP.fullmatch(token):
        return token
    if len(runs) == 2 and token[0].isdigit():
        is_code = longest >= 5
    else:
        is_code = len(token) >= 5 and (len(runs) >= 3 or longest >= 3)
    return spelt(token, words=True) if is_code else token


def _hyphened(found: re.Match[str], _: SpokenLanguage) -> str:
    """Read a code of groups: "INV-2024-001"; "UTF-8" and "COVID-19" are none."""
    token = found[0]
    digits = re.findall("[0-9]+", token)
    if not digits or not re.search("[A-Za-z]", token):
        return token
    is_code = max(map(len, digits)) >= 3 or token.count("-") >= 2
    return spelt(token, words=True) if is_code else token


def _flight(found: re.Match[str], _: SpokenLanguage) -> str:
    return spelt(found["airline"] + found["number"])


_AIRLINES = (
    "A3|AA|AC|AF|AI|AR|AS|AT|AV|AY|AZ|B6|BA|BG|BR|BT|CA|CI|CM|CX|CZ|D8|DE|DL|DY|EI|EK|ET|EW|EY|F9"
    "|FB|FI|FR|G3|GA|GF|HA|HV|IB|JL|JQ|JU|KE|KL|KQ|KU|LA|LH|LO|LX|LY|MH|MK|MS|MU|NH|NK|NZ|OA|OK|OS"
    "|OU|OZ|PC|PK|PR|QF|QR|RJ|RO|SA|SK|SN|SQ|SU|SV|TG|TK|TP|U2|UA|UK|UX|VA|VN|VS|VY|W4|W6|WB|WF|WN"
    "|WS|X3|5X|6E|FX|HG|TO"
)
"""IATA's designators of airlines with passengers in Europe and beyond. Those that are words in
capitals, such as AM and ME, need a word for a flight before them."""


def _codes(language: SpokenLanguage) -> str:
    return CODE_WORDS[language.code].codes


def _numbers(language: SpokenLanguage) -> str:
    return CODE_WORDS[language.code].numbers


def _rooms(language: SpokenLanguage) -> str:
    return CODE_WORDS[language.code].rooms


def _flights(language: SpokenLanguage) -> str:
    shown = CODE_WORDS[language.code]
    return f"{shown.flights}|{shown.plates}"


def _locators(language: SpokenLanguage) -> str:
    return CODE_WORDS[language.code].locators


RULES = (
    # An account: two letters, two digits, then groups of four
    Rule(
        r"(?<![\w-])[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?(?![\w-])",
        _iban,
    ),
    # The address of a device, and an identifier of 36 characters
    Rule(
        r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])"
        r"|(?<![\w-])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![\w-])",
        lambda found, _: spelt(found[0]),
    ),
    Rule(_after(_locators, r"(?P<code>(?-i:[A-Z]{5,8}|[A-Z]{4}[A-Z]{2}[A-Z0-9]{2,5}))"), _locator),
    Rule(_is_your, lambda found, _: spelt(found["code"], words=True) + found["rest"]),
    Rule(_ends, lambda found, _: f"{found['before']} {spelt(found['code'])}"),
    Rule(_then(_flights), _flight_or_plate),
    Rule(_after(_codes), _code),
    Rule(_then(_rooms), _room, only=("en",)),
    Rule(_then(_numbers), _number_of_thing),
    # "LH 454"
    Rule(
        rf"(?<![\w-])(?P<airline>{_AIRLINES}) (?P<number>[0-9]{{3,4}})(?![\w-]|[.,:]?[0-9])",
        _flight,
    ),
    # Postcodes of Britain and Canada
    Rule(
        r"(?<![\w-])(?:[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9])"
        r"(?![\w-])",
        lambda found, _: spelt(found[0]),
    ),
    Rule(r"(?<![\w.-])[A-Z]{1,5}-(?:[A-Z0-9]{1,12}-){0,4}[A-Z0-9]{1,12}(?![\w-])", _hyphened),
    Rule(r"(?<![\w-])(?=[A-Z]*[0-9])(?=[0-9]*[A-Z])[A-Z0-9]{4,40}(?![\w-])", _mixed),
)
