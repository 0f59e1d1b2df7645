"""Markdown, HTML and pictures: what a language model writes, and nobody reads out."""

from __future__ import annotations

import html
import re
import unicodedata

from pipelines.text.characters import JOINERS
from pipelines.text.replacements import Replacement, replaced

_MARKUP: tuple[Replacement, ...] = tuple(
    (re.compile(pattern, re.MULTILINE), new)
    for pattern, new in (
        (r"^[ \t]*(?:```|~~~).*$", " "),
        (r"<!--.*?-->|</?[A-Za-z][^<>]*>", " "),
        (r"^[ \t]*(?:[-*_][ \t]*){3,}$", " "),  # a line across
        (r"^[ \t]*\|?[ \t]*:?-{2,}[-| :]*$", " "),  # below the head of a table
        (r"!?\[([^\[\]]*)\]\([^()]*\)", r"\1"),
        (r"<((?:https?://|mailto:)[^<>\s]*)>", r"\1"),
        (r"^[ \t]*(?:#{1,6}[ \t]|>[ \t]?|[-*+•‣◦][ \t]+)+", ""),
        (r"\[[ xX]\][ \t]+", ""),
        (r"^[ \t]*\||\|[ \t]*$", ""),
        (r"[ \t]*\|[ \t]*", ", "),
        (r"`+|\*+|~~+", ""),
        (r"(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)", ""),
        (r"\\(?=[^\w\s])", ""),
    )
)


def without_markup(text: str) -> str:
    """Return the words of ``text``, with what stands for markup in them: spaces, commas."""
    words = html.unescape(replaced(text, _MARKUP))
    return "".join(" " if _is_picture(char) else char for char in words)


_READ = frozenset("°©®™№")
"""Signs among the pictures that are more than that."""

_KEYCAP = "\N{COMBINING ENCLOSING KEYCAP}"


def _is_picture(char: str) -> bool:
    """Return whether ``char`` is an emoji, part of one, or nothing that has a name."""
    if char in _READ or char in JOINERS or char.isascii():
        return False
    return char == _KEYCAP or unicodedata.category(char) in ("So", "Sk", "Cn", "Co", "Cs", "Cf")


_LAST: tuple[Replacement, ...] = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (r"[*_`~|\\^{}<>=\[\]#]", " "),
        (r"\s+", " "),
        (r"\s+(?=[,.!?;:])", ""),
        (r"(?:,\s?){2,}", ", "),
        (r",(?=[.!?])", ""),
        (r"^[\s,;:]+|[\s,]+$", ""),
    )
)


def tidied(text: str) -> str:
    """Return ``text`` on one line, without what voices differ about: odd signs, many spaces."""
    return replaced(text, _LAST)
