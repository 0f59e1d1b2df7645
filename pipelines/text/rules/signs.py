"""Signs between and before numbers, and between words."""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import attrgetter

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.languages.sign_names import SignNames, sign_names
from pipelines.text.rules.rule import Rule

_NUMBER_NEXT = r"(?=[-−+]?[$€£]?[0-9])"


def _named(pattern: str, name: Callable[[SignNames], str]) -> Rule:
    """Return a rule that puts the name of a sign in its place, apart from the words beside it."""
    return Rule(pattern, lambda _, language: f" {name(sign_names(language))} ")


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
    # In the names of programming languages and of notes
    _named(r"(?<=\b[A-G])[#♯](?!\w)", attrgetter("sharp")),
    Rule(r"#(?=[^\W\d_])", lambda *_: " hashtag "),
    # Powers: 10², 10⁻⁶, 2^8, 1.5e6
    Rule(r"(?<=[0-9])[⁻⁺]?[⁰¹²³⁴-⁹](?:[⁰¹²³⁴-⁹])+|(?<=[0-9])(?:[⁻⁺][⁰¹²³⁴-⁹]|[⁰¹⁴-⁹])", _raised),
    Rule(r"(?<=[\w)])[²³]", _power),
    _named(r"(?<=[\w)])\s?\^\s?\(?(?=[-−]?\w)", attrgetter("to_the_power")),
    _named(r"(?<=[0-9])[eE]\+?(?=[-−]?[0-9]{1,3}(?!\w|[.,][0-9]))", attrgetter("times_ten")),
    _named(r"√\s?", attrgetter("root")),
    _named(r"∞", attrgetter("infinite")),
    # What compares, the longest first
    _named(r"\s?(?:<?[-–—=]+>|→|⇒|↔|⟶)\s?(?=\S)", attrgetter("arrow")),
    _named(r"\s?(?:<=|=<|≤|⩽)\s?(?=\S)", attrgetter("at_most")),
    _named(r"\s?(?:>=|≥|⩾)\s?(?=\S)", attrgetter("at_least")),
    _named(r"\s?(?:!=|≠|=/=)\s?(?=\S)", attrgetter("unequal")),
    _named(r"(?<=[\w)%°'’])\s?={1,3}\s?(?=[-+(]?\w)", attrgetter("equals")),
    _named(rf"\s?<\s?{_NUMBER_NEXT}|(?<=\w)\s<\s(?=\w)", attrgetter("less")),
    _named(rf"\s?>\s?{_NUMBER_NEXT}|(?<=\b\w)\s?>\s?(?=\w\b)", attrgetter("more")),
    Rule(r"(?<=\w)\s[>›»]\s(?=\w)", lambda *_: ", "),  # "Settings > Privacy"
    # What reckons
    _named(r"\s?(?:±|\+/-|\+-)\s?", attrgetter("plus_minus")),
    _named(r"\s?[÷∕]\s?", attrgetter("divided")),
    _named(r"(?<=[0-9])x(?!\w)|\s?×\s?", attrgetter("times")),
    Rule(r"(?<=[0-9])\s?[-–—]\s?(?=[$€£]?[0-9])", lambda _, language: f" {language.to} "),
    Rule(r"(?<=[0-9])/(?=[0-9])", lambda *_: " "),
    Rule(r"(?<=[^\W\d_])–(?=[^\W\d_])", lambda _, language: f" {language.to} "),
    Rule(r"(?<![\w)])[-−](?=[0-9])", lambda _, language: f"{language.minus} "),
    Rule(r"\s?−\s?(?=[0-9])", lambda _, language: f" {language.minus} "),
    # "A4-sheet", "COVID-19": neither a pause nor a minus
    Rule(r"(?<=[^\W\d_])[-‐‑](?=[0-9])|(?<=[0-9])[-‐‑](?=[^\W\d_])", lambda *_: " "),
    Rule(r"(?<=\w)\+{1,2}(?!\w)|\s?\+\s?(?=\w)", _plus),
    Rule(r"(?:~|≈|≃|∼)\s?(?=[0-9])", lambda _, language: f"{language.about} "),
    # What is a word
    Rule(r"\s?&+\s?", lambda _, language: f" {language.ampersand} "),
    Rule(r"\s?@\s?", lambda _, language: f" {language.at} "),
    _named(r"\s?§{1,2}\s?", attrgetter("section")),
    _named(r"©|\(c\)(?=\s[0-9])", attrgetter("copyright")),
    Rule(r"\s?[™®℠]", lambda *_: ""),
    Rule(r"\s?№\s?", lambda _, language: f" {language.number} "),
    Rule(r"(?<=\w)\s?%(?!\w)", lambda _, language: f" {language.percent}"),
    Rule(r"(?<=\w)\s?°", _degrees),
    _named(r"(?<=\w)\\+(?=\w)|(?<=\w:)\\+(?=\w)", attrgetter("backslash")),
    # "and/or", "Monday / Tuesday"
    Rule(r"(?<=\w)/+(?=\w)", lambda *_: " "),
    Rule(r"\s/+\s|\s[•·‧∙]\s", lambda *_: ", "),
)
