"""Signs between and before numbers, and between words."""

from __future__ import annotations

from pipelines.text.rules.rule import Rule

RULES = (
    Rule(r"(?<=[0-9])\s?[-–—]\s?(?=[$€£]?[0-9])", lambda _, language: f" {language.to} "),
    Rule(r"(?<=[0-9])/(?=[0-9])", lambda *_: " "),
    Rule(r"(?<=[^\W\d_])–(?=[^\W\d_])", lambda _, language: f" {language.to} "),
    Rule(r"(?<![\w)])[-−](?=[0-9])", lambda _, language: f"{language.minus} "),
    Rule(
        r"(?<!\w)\+(?=[0-9])|(?<=[0-9])\s?\+\s?(?=[0-9])",
        lambda _, language: f" {language.plus} ",
    ),
    Rule(r"(?:~|≈)\s?(?=[0-9])", lambda _, language: f"{language.about} "),
    Rule(r"\s?&\s?", lambda _, language: f" {language.ampersand} "),
)
