"""Abbreviations."""

from __future__ import annotations

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.replacements import any_of
from pipelines.text.rules.rule import Rule


def _short(language: SpokenLanguage) -> str:
    """Return a pattern for an abbreviation; its stop stays where it may end the sentence.

    One that ends in letters behind a stop of its own has no other: "Sig.ra".
    """
    return (
        rf"(?<![\w.])(?i:({any_of(language.abbreviations)}))"
        r"(?:\.(?!\s*$|[^\W\d_]|\s[A-ZÄÖÜÉ](?![.\w]))|(?=\.(?!\w))"
        r"|(?:(?<=\.\w\w)|(?<=\.\w\w\w))(?!\w))"
    )


RULES = (
    # "#4", "No. 5"
    Rule(r"(?:#|№\s?|\b[Nn]o\.\s)(?=[0-9])", lambda _, language: f"{language.number} "),
    # "In Main St." is a street, "at St. Mary's" is not
    Rule(
        r"(?<=\w )([A-Z]\w*) St(?:\.(?=\s[a-z])|(?=\.))",
        lambda found, _: f"{found[1]} street",
        only=("en",),
    ),
    Rule(r"\bSt\.(?= [A-Z])", lambda _found, _: "saint", only=("en",)),
    Rule(_short, lambda found, language: language.abbreviations[found[1].lower()]),
)
