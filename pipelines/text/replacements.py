"""Patterns in a text, and what stands in their place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

Replacement = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]
"""What is looked for, and what stands in its place: as :meth:`re.Pattern.sub` takes it."""


def replaced(text: str, replacements: Iterable[Replacement]) -> str:
    """Return ``text`` after all ``replacements``, one after the other."""
    for pattern, new in replacements:
        text = pattern.sub(new, text)
    return text


def any_of(words: Iterable[str]) -> str:
    """Return a regular expression for any of ``words``, the longest first; of none, for nothing."""
    longest_first = sorted(words, key=len, reverse=True)
    return f"(?:{'|'.join(map(re.escape, longest_first))})" if longest_first else "(?!)"
