"""Signs between and before numbers, and between words."""

from __future__ import annotations

import re
from operator import attrgetter

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.languages.sign_names import sign_names
from pipelines.text.rules.comparisons import named_sign
from pipelines.text.rules.rule import Rule


def _power(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read "10²" and "x³"."""
    names = sign_names(language)
    return {"²": f" {names.squared}", "³": f" {names.cubed}"}[found[0]]


def _raised(found: re.Match[str], language: SpokenLanguage) -> str:
    """Read "10⁻⁶"."""
    digits = found[0].translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+"))
    minus = f"{language.minus} " if digits.startswith("-") else ""
    return f" {sign_names(language).to_the_power} {minus}{digits.strip('+-')}"


def _plus(found: re.Match[str], language: SpokenLanguage) -> str:
    return f" {language.plus}" * len(found[0].strip()) + " "


def _degrees(_: re.Match[str], language: SpokenLanguage) -> str:
    return f" {language.units['°'][1]} "


RULES = (
    # "n° 12", "n°s 5 et 6"
    Rule(r"\b[Nn]\.?[°º]s?(?![^\W\d_])\s?", lambda _, language: f"{language.number} "),
    # In the names of programming languages and of notes
    named_sign(r"(?<=\b[A-G])[#♯](?!\w)", attrgetter("sharp")),
    Rule(r"#(?=[^\W\d_])", lambda *_: " hashtag "),
    # Powers: 10², 10⁻⁶, 2^8, 1.5e6
    Rule(r"(?<=[0-9])[⁻⁺]?[⁰¹²³⁴-⁹](?:[⁰¹²³⁴-⁹])+|(?<=[0-9])(?:[⁻⁺][⁰¹²³⁴-⁹]|[⁰¹⁴-⁹])", _raised),
    Rule(r"(?<=[\w)])[²³]", _power),
    named_sign(r"(?<=[\w)])\s?\^\s?\(?(?=[-−]?\w)", attrgetter("to_the_power")),
    named_sign(r"(?<=[0-9])[eE]\+?(?=[-−]?[0-9]{1,3}(?!\w|[.,][0-9]))", attrgetter("times_ten")),
    named_sign(r"√\s?", attrgetter("root")),
    named_sign(r"∞", attrgetter("infinite")),
    # Of a footnote
    Rule(r"(?<=[^\W\d_])[¹⁴-⁹]+(?!\w)", lambda *_: ""),
    # What reckons
    named_sign(r"\s?(?:±|\+/-|\+-)\s?", attrgetter("plus_minus")),
    named_sign(r"\s?[÷∕]\s?", attrgetter("divided")),
    named_sign(r"(?<=[0-9])x(?!\w)|\s?×\s?", attrgetter("times")),
    Rule(r"(?<=[0-9])\s?[-–—]\s?(?=[$€£]?[0-9])", lambda _, language: f" {language.to} "),
    Rule(r"(?<=[0-9])/(?=[0-9])", lambda *_: " "),
    Rule(r"(?<=[^\W\d_])–(?=[^\W\d_])", lambda _, language: f" {language.to} "),
    Rule(r"(?<![\w)])[-−](?=[0-9])", lambda _, language: f"{language.minus} "),
    Rule(r"\s?−\s?(?=[0-9])", lambda _, language: f" {language.minus} "),
    # "A4-sheet", "COVID-19": neither a pause nor a minus
    Rule(r"(?<=[^\W\d_])-(?=[0-9])|(?<=[0-9])-(?=[^\W\d_])", lambda *_: " "),
    Rule(r"(?<=\w)\+{1,2}(?!\w)|\s?\+\s?(?=\w)", _plus),
    Rule(r"(?:~|≈|≃|∼)\s?(?=[0-9])", lambda _, language: f" {language.about} "),
    # What is a word
    Rule(r"\s?&+\s?", lambda _, language: f" {language.ampersand} "),
    Rule(r"\s?@\s?", lambda _, language: f" {language.at} "),
    named_sign(r"\s?§{1,2}\s?", attrgetter("section")),
    named_sign(r"©|\(c\)(?=\s[0-9])", attrgetter("copyright")),
    Rule(r"\s?[™®℠]", lambda *_: ""),
    Rule(r"\s?№\s?", lambda _, language: f" {language.number} "),
    Rule(r"\s?%", lambda _, language: f" {language.percent} "),
    Rule(r"(?<=\w)\s?°", _degrees),
    named_sign(r"(?<=\w)\\+(?=\w)|(?<=\w:)\\+(?=\w)", attrgetter("backslash")),
    # "and/or", "Monday / Tuesday"
    Rule(r"(?<=\w)/+(?=\w)", lambda *_: " "),
    Rule(r"\s/+\s|\s[•·‧∙]\s", lambda *_: ", "),
)
