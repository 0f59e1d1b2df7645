"""Lists of words, as people read them."""

from __future__ import annotations


def listed(words: str) -> frozenset[str]:
    """Return words that stand with blanks between."""
    return frozenset(words.split())
