"""From one number to another."""

from __future__ import annotations

import re

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.rules.rule import Rule


def _range(found: re.Match[str], language: SpokenLanguage) -> str:
    return f"{found['first']} {language.to} "


RULES = (
    # "9-5", "9am-5pm", "5%-10%"; "555-0123" is none
    Rule(
        r"(?P<first>[0-9]|[0-9]\s?[AaPp]\.?\s?[Mm]\.?|[0-9]\s?[%€h°])\s?[-–—]\s?"
        r"(?=[$€£]?[0-9]{1,2}(?:[:.,][0-9]+)?(?![0-9-]))",
        _range,
    ),
)
