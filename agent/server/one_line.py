"""Texts of the operator's interface that other people are shown or told: a line, and no more."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


OneLine = Annotated[str, AfterValidator(_one_line)]
"""A text without line breaks, control characters and marks that are not seen."""
