"""Codes and numbers of things: spelt where words around them, or their form, show what they are."""

from __future__ import annotations

import re
from collections.abc import Callable

from pipelines.text.currencies import signs
from pipelines.text.languages.code_words import CODE_WORDS, CodeWords
from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.rules.figures import number_in_words
from pipelines.text.rules.rule import Rule
from pipelines.text.rules.spelling import aside, is_word, spelled_out

_GROUP = (
    r"(?![0-9]+(?:st|nd|rd|th|[ap]m|min|ers?|ème|[xhkmgeoa]|kg|km|cm|mm|gb|mb|kb)\b)"
    r"[A-Za-z]{0,12}[0-9][A-Za-z0-9]{0,40}"
)
"""Of a code: with a digit, and neither a rank, a time nor a quantity."""

_MORE = (
    r"(?:[-/][0-9]{1,12}|-(?-i:[A-Z0-9]{1,12}|[a-z]{0,2}[0-9][a-z0-9]{0,12})| [0-9]{3,12}"
    r"| (?-i:[A-Z]{0,3}[0-9]{1,4}[A-Z]{1,3}|[A-Z]{1,3}(?![\w'’])))"
)
"""What goes on with it."""

_FREE_OF_CHARGE = (
    r"(?!1[ .-]8(?:00|33|44|55|66|77|88)[ .-]"
    r"|8(?:00|33|44|55|66|77|88)[ .-](?:[0-9]{1,4}-)?[A-Z]{2})"
)
"""Not a number of those that America calls free of charge: it is read as what it is."""

_CODE = (
    rf"{_FREE_OF_CHARGE}"
    r"(?!(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]|[0-3]?[0-9](?P<mark>[/-])[01]?[0-9](?P=mark)(?:19|20)?[0-9]{2}\b)"
    r"(?P<code>[0-9]{2}(?: [0-9]{2}){2,11}"
    rf"|(?-i:(?:[A-ZÄÖÜ]{{1,12}}-|[A-ZÄÖÜ]{{1,3}} (?=[A-Z0-9])){{0,2}}){_GROUP}{_MORE}{{0,12}})"
)
"""Groups that a hyphen or a space parts; no date."""


def _no_amount(shown: CodeWords) -> str:
    """Return a pattern for what does not follow: a currency, or what the number counts."""
    return rf"(?!\s?[%‰€$£¥₹°]|[\s-](?i:{shown.amounts})(?!\w))"


def _after(words: Callable[[SpokenLanguage], str], code: str = _CODE) -> Callable[..., str]:
    """Return a pattern for a code behind words that show it, and what joins the two."""

    def pattern(language: SpokenLanguage) -> str:
        shown = CODE_WORDS[language.code]
        return (
            rf"(?i:(?<![\w@.])(?P<word>{words(language)})(?!\w)(?P<join>(?:\s?[:=(#\[{{<«„“\"'–-]"
            rf"|\s?(?<!\w)(?:{shown.joins})(?:(?!\w)|(?<=[°º.])))"
            rf"{{0,5}}\s?)(?:(?<!\w)|(?<=º)){code}(?![\w@]|[.,:/–-]\w|[.]-)"
            + _no_amount(shown)
            + ")"
        )

    return pattern


def _joined(found: re.Match[str], language: SpokenLanguage) -> str:
    """Return what stands before a code, its number sign in words."""
    sign = r"#|\b[Nn][ro]\.|\b[Nn]\.?[°º]|\b[Nn]úm\.|№|\b[Nn]\."
    join = re.sub(sign, f" {language.number} ", found["join"])
    if not join.endswith(tuple("([{<«„“\"'")):
        join = re.sub(r"[=–-]?\s*$", " ", join)
    return found["word"] + join


def _code(found: re.Match[str], language: SpokenLanguage) -> str:
    return _joined(found, language) + spelled_out(found["code"], words=True)


def _number_of_thing(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read the number of an order or the like, unless it may as well count them."""
    digits = sum(map(str.isdigit, found["code"]))
    least = 3 if found["join"].strip() else 4
    if digits < least and not re.search(r"(?i)[a-z]", found["code"]):
        return found[0]
    if re.fullmatch(r"(?:[A-Z]+ )?[0-9]{1,2}(?:-[0-9]{1,2})?", found["code"]):
        return found[0]
    if re.fullmatch("of|de|di", found["join"].strip()):  # "a loan of 5000"
        return found[0]
    return _code(found, language)


def _flight_or_plate(found: re.Match[str], language: SpokenLanguage) -> str:
    code = found["code"]
    if not re.search(r"[0-9]{3}|[A-Za-z]", code):
        return found[0]
    return _joined(found, language) + spelled_out(re.sub(r"(?<=[A-Z]) (?=[0-9])", "", code))


def _room(found: re.Match[str], language: SpokenLanguage) -> str:
    longest = max(map(len, re.findall("[0-9]+", found["code"])))
    return _code(found, language) if longest >= 3 else found[0]


def _locator(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read letters behind a word that is not all capitals: among those it would be a word."""
    if found["word"].isupper() and len(found["word"]) > 5:
        return found[0]
    return _joined(found, language) + spelled_out(found["code"])


def _then(words: Callable[[SpokenLanguage], str]) -> Callable[[SpokenLanguage], str]:
    """Return a pattern for a number of a thing, where the sentence goes on as behind one."""

    def pattern(language: SpokenLanguage) -> str:
        return _after(words)(language) + _goes_on(CODE_WORDS[language.code])

    return pattern


def _goes_on(shown: CodeWords) -> str:
    return rf"(?!\s(?!(?:{shown.goes_on})\b)[a-z])" if shown.goes_on else ""


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


def _said_between(language: SpokenLanguage) -> str:
    """Return a pattern for "the code that I sent you was 4821", "the code, 4821, is"."""
    shown = CODE_WORDS[language.code]
    apart = (
        rf"(?:{shown.codes}|{shown.numbers})(?:\s(?:{shown.joins}))*,\s"
        r"(?=[0-9]{3,10}(?:,|[.?!]?\s*$))(?!(?:19|20)[0-9]{2}\b)"
    )
    told = (
        rf"(?:{shown.codes}),?\s(?:{shown.leads})(?![^\W\d])(?:,?\s[^\W\d][^\W\d'’-]*){{0,9}}?"
        rf"(?::|,?\s(?:{shown.states}))\s"
    )
    return (
        rf"(?i:(?<![\w@.])(?P<before>{apart}|{told}))"
        r"(?P<code>[0-9]{3}[ -][0-9]{3}|[0-9]{3,10})"
        rf"(?![\w@]|[.,:/–-]\w|\s[0-9]|\s(?!(?:{shown.joined}|{shown.goes_on or '(?!)'})(?!\w))"
        rf"[^\W\d_])" + _no_amount(shown)
    )


def _more_of_them(language: SpokenLanguage) -> str:
    """Return a pattern for "1001, 1002 and 1003", of which the first is spelt by now."""
    shown = CODE_WORDS[language.code]
    between = rf"(?:,\s|,?\s(?:{shown.joined})\s|\s?[/&]\s?)"
    return (
        rf"(?P<first>{_SPELT_DIGITS}+(?:, {_SPELT_DIGITS}+)*)"
        rf"(?P<more>(?:{between}[0-9]{{3,10}}(?![\w@]|[.,:/–-]\w)"
        + _no_amount(shown)
        + _goes_on(shown)
        + ")+)"
    )


_SPELT_DIGITS = f"[{aside('0')}-{aside('9')}]"


def _others(found: re.Match[str], _: SpokenLanguage) -> str:
    """Spell the numbers that have as many digits as the first."""
    digits = len(re.findall(_SPELT_DIGITS, found["first"]))
    return found["first"] + re.sub(
        "[0-9]+",
        lambda number: spelled_out(number[0]) if len(number[0]) == digits else number[0],
        found["more"],
    )


def _extension(found: re.Match[str], language: SpokenLanguage) -> str:
    return f" {language.abbreviations['ext']} {spelled_out(found['code'])}"


def _letters(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read "code ABC-DEF"; a word is one, and letters without anything between may be words."""
    if "-" not in found["code"] and (is_word(found["code"]) or not found["join"].strip()):
        return found[0]
    return _code(found, language)


def _iban(found: re.Match[str], _: SpokenLanguage) -> str:
    """Read an account in groups of four, as it is printed."""
    plain = re.sub(r"[ -]", "", found[0])
    return ", ".join(spelled_out(plain[at : at + 4]) for at in range(0, len(plain), 4))


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
    return spelled_out(token, words=True) if is_code else token


def _in_pairs(number: str, language: SpokenLanguage) -> str:
    """Read three digits as the name of a car or a plane: in English, 150 is "one fifty"."""
    if language.code != "en" or number[1] == "0":
        return number_in_words(number, language)
    return f"{number_in_words(number[0], language)} {number_in_words(number[1:], language)}"


def _plane(found: re.Match[str], language: SpokenLanguage) -> str:
    numbers = re.findall("[0-9]+", found["numbers"])
    return " ".join([found["maker"], *(_in_pairs(number, language) for number in numbers)])


def _hyphened(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read a code of groups: "INV-2024-001"; "UTF-8" and "COVID-19" are none."""
    token = found[0]
    digits = re.findall("[0-9]+", token)
    if not digits or not re.search("[A-Za-z]", token):
        return token
    if re.fullmatch("[A-Z]-[1-9][0-9]{2}", token):  # a car, a plane
        return f"{token[0]} {_in_pairs(token[2:], language)}"
    is_code = max(map(len, digits)) >= 3 or token.count("-") >= 2
    return spelled_out(token, words=True) if is_code else token


def _flight(found: re.Match[str], _: SpokenLanguage) -> str:
    return spelled_out(found["airline"] + found["number"])


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


def _lettered(language: SpokenLanguage) -> str:
    shown = CODE_WORDS[language.code]
    return f"{shown.codes}|{shown.locators}"


def _locators(language: SpokenLanguage) -> str:
    return CODE_WORDS[language.code].locators


RULES = (
    # An account: two letters, two digits, then groups of four
    Rule(
        r"(?<![\w-])[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?(?![\w-])",
        _iban,
    ),
    # The address of a device, an identifier of 36 characters, and who pays taxes in Italy
    Rule(
        r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])"
        r"|(?<![\w-])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![\w-])"
        r"|(?<![\w-])[A-Z]{6}[0-9]{2}[A-Z][0-9]{2}[A-Z][0-9]{3}[A-Z](?![\w-])",
        lambda found, _: spelled_out(found[0]),
    ),
    Rule(_after(_locators, r"(?P<code>(?-i:[A-Z]{5,8}|[A-Z]{4}[A-Z]{2}[A-Z0-9]{2,5}))"), _locator),
    Rule(_is_your, lambda found, _: spelled_out(found["code"], words=True) + found["rest"]),
    Rule(_ends, lambda found, _: f"{found['before']} {spelled_out(found['code'])}"),
    Rule(_then(_flights), _flight_or_plate),
    Rule(_after(_codes), _code),
    Rule(_after(_lettered, r"(?P<code>(?-i:[A-Z]{2,8}(?:-[A-Z]{2,8}){1,5}|[A-Z]{4,8}))"), _letters),
    Rule(_said_between, lambda found, _: found["before"] + spelled_out(found["code"])),
    Rule(_then(_rooms), _room, only=("en",)),
    Rule(_then(_numbers), _number_of_thing),
    # "LH 454"
    Rule(
        rf"(?<![\w-])(?P<airline>{_AIRLINES}) (?P<number>[0-9]{{3,4}})(?![\w-]|[.,:]?[0-9])",
        _flight,
    ),
    Rule(_more_of_them, _others),
    # "555-2671 x123"
    Rule(
        r"(?<=[0-9]{3}[ .-][0-9]{4})\s?[xX]\s?(?P<code>[0-9]{1,6})(?![\w.,:-])",
        _extension,
        only=("en",),
    ),
    # Postcodes of Britain and Canada
    Rule(
        r"(?<![\w-])(?:[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9])"
        r"(?![\w-])",
        lambda found, _: spelled_out(found[0]),
    ),
    # "Boeing 737-800", "Airbus A320-200"
    Rule(
        r"\b(?P<maker>Boeing|Airbus A)\s?-?(?P<numbers>[1-9][0-9]{2}(?:-[1-9][0-9]{2})?)(?![\w-])",
        _plane,
    ),
    Rule(r"(?<![\w.-])[A-Z]{1,5}-(?:[A-Z0-9]{1,12}-){0,4}[A-Z0-9]{1,12}(?![\w-])", _hyphened),
    Rule(r"(?<![\w-])(?=[A-Z]*[0-9])(?=[0-9]*[A-Z])[A-Z0-9]{4,40}(?![\w-])", _mixed),
)
