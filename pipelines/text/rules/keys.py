"""Signs that are markup elsewhere: keys of a telephone, masks of cards, factors, stars.

These rules come before markup is taken away.
"""

from __future__ import annotations

import re

from pipelines.text.languages.code_words import CODE_WORDS
from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.languages.sign_names import sign_names
from pipelines.text.rules.figures import digit_by_digit
from pipelines.text.rules.rule import Rule

_AROUND = r"\s\"'“”‘’„«»`"
_NEAR = 60
"""Characters before a sign in which something shows that it is pressed."""


def _masked(language: SpokenLanguage) -> str:
    """Return a pattern for "**** 1234", and "ending in" before it."""
    return (
        rf"(?P<ends>(?<!\w)(?i:{CODE_WORDS[language.code].ends})\s)?"
        r"(?<![\w*•●·])(?=(?:[*•●·][ -]?){3}|(?:[xX][ -]?){4}|\.{3}|…)"
        r"(?:[xX*•●·](?:[ -]?[xX*•●·])*[ -]?|(?:(?<=\s)|^)(?:\.{3}|…)(?=[0-9]{4}))"
        r"(?P<digits>[0-9]{2,6})(?![\w*])"
    )


def _last_digits(found: re.Match[str], language: SpokenLanguage) -> str:
    ends = found["ends"] or f"{CODE_WORDS[language.code].ending} "
    return ends + digit_by_digit(found["digits"], language)


def _is_pressed(found: re.Match[str], language: SpokenLanguage) -> bool:
    names = sign_names(language)
    before = found.string[max(0, found.start() - _NEAR) : found.start()]
    behind = found.string[found.end() : found.end() + _NEAR]
    line = before.rpartition("\n")[2] + found.groupdict().get("before", "")
    if not line.strip() and re.match(r"\s[*_]*[^\W\d_a-zà-ÿ]", behind):
        return False  # "# For you" is a heading
    joined = CODE_WORDS[language.code].joined
    return bool(
        re.search(rf"(?i)(?<!\w)(?:{names.press})(?!\w)|[*#]\S?\s(?:{joined})\s\W?$", before)
        or re.match(rf"(?i)[{_AROUND}*_)-]*(?:{names.for_key})(?!\w)", behind)
    )


def _key(found: re.Match[str], language: SpokenLanguage) -> str:
    if not _is_pressed(found, language):
        return found[0]
    names = sign_names(language)
    return f"{found['before']}{names.star if found['key'] == '*' else names.hash}"


def _named_already(language: SpokenLanguage) -> str:
    """Return a pattern for "the star key (*)"."""
    name = rf"(?<!\w)(?P<name>(?i:{sign_names(language).keys}))"
    return rf"{name}\s?\([{_AROUND}*_\\]{{0,4}}[*#][{_AROUND}*_]{{0,4}}\)"


def _keys(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read "*67" and "*#06#"; "#5" is a number, and "**5**" and "*5 of them*" are emphasis."""
    keys, line = found["keys"], found.string[found.end() :].partition("\n")[0]
    is_emphasis = keys[0] == "*" and (
        ("*" in keys[1:] and "#" not in keys) or re.search(r"[^\s*#]\*+(?!\w)", line)
    )
    is_number = keys[0] == "#" and not re.search("[*#]", keys[1:])
    if is_emphasis or (is_number and not _is_pressed(found, language)):
        return found[0]
    return _names_of_keys(keys, language)


def _names_of_keys(keys: str, language: SpokenLanguage) -> str:
    names = sign_names(language)
    named = {"*": f" {names.star} ", "#": f" {names.hash} "}
    said = re.sub("[*#]", lambda key: named[key[0]], keys)
    said = re.sub("[0-9]+", lambda digits: digit_by_digit(digits[0], language), said)
    return " ".join(said.split())


def _digits_and_hash(found: re.Match[str], language: SpokenLanguage) -> str:
    return f"{digit_by_digit(found['digits'], language)} {sign_names(language).hash}"


def _stars(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read the stars of a hotel, if no other of them makes it emphasis."""
    if found.string.count("*") > 1:
        return found[0]
    return f"{found['number']} {sign_names(language).stars}"


RULES = (
    Rule(_masked, _last_digits),
    Rule(_named_already, lambda found, _: found["name"]),
    # "*67", "*#06#", "#21#"
    Rule(
        rf"(?<![^{_AROUND}(\[:])(?P<keys>[*#]{{1,2}}[0-9*#]{{0,20}}[0-9][0-9*#]{{0,20}})(?![\w*#-])",
        _keys,
    ),
    # "1234#"
    Rule(r"(?<![\w.,])(?P<digits>[0-9]+)#(?![\w#])", _digits_and_hash),
    # "Press # or *.": alone, in quotes, escaped, in bold letters
    Rule(
        rf"(?P<before>(?<![^{_AROUND}(\[/,]))[*_\\]{{0,3}}(?P<key>[*#])[*_\u20e3]{{0,2}}"
        rf"(?![^{_AROUND}.,;:!?)\]/-]|-[\W\d_])",
        _key,
    ),
    Rule(
        r"(?<=[0-9])\*\*(?=[0-9])",
        lambda _, language: f" {sign_names(language).to_the_power} ",
    ),
    Rule(
        r"(?<=[0-9])(?: \* |\*)(?=[0-9])",
        lambda _, language: f" {sign_names(language).times} ",
    ),
    Rule(r"(?<![\w*])(?P<number>[1-7])\*(?![\w*])", _stars),
)
