"""Punctuation that nothing is left between or behind, once what it was for is gone."""

from __future__ import annotations

import re

from pipelines.text.replacements import Replacement, replaced

_LEFT: tuple[Replacement, ...] = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (r"\(\s*[,;.]?\s*\)|\[\s*\]|\{\s*\}|\"\s*\"|“\s*”|„\s*[“”]|«\s*»|''", " "),
        (r"\s+(?=['’](?:\s|$))|\s+(?=[)\]”’»])|(?<=[(\[“„«])\s+", ""),
        (r"\s*[,;:](?=\s*[,;:.!?]\s)", ""),  # the stronger of two marks, or the last
        (r"(?<=[!?…])\s*[,;]|(?<=[!?])\s*\.(?=\s|$)", ""),
        (r"\.,(?=\s*$)", "."),
        (r"\.(?=,\s)", ""),
        (r"(?<=[.!?…])(?:\s+\.)+(?=\s|$)", ""),
        (r"^\s*(?:[-–—•·/&+]\s+)+|(?:\s+[-–—/])+\s*(?=[.!?]?\s*$)", ""),
    )
)


def without_leftovers(text: str) -> str:
    """Return ``text`` without empty brackets, and with one mark where several came together."""
    return replaced(text, _LEFT)
