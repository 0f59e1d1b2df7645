"""What is spelt: letters one by one, and digits."""

from __future__ import annotations

import re

from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.numerals import cardinal
from pipelines.text.rules.rule import Rule

_ASIDE = 0xE000
"""Where Unicode leaves characters to whoever wants them. No text that is read has any of them."""

_RUNS = re.compile(r"[0-9]{3}(?=[0-9]{3})|[0-9]+|[^\W0-9_]+")


def aside(text: str) -> str:
    """Return letters and digits so that only the last rule finds them, and spells them.

    A "1" in a code is not a price, nor "M." at its end a "Monsieur".
    """
    return "".join(chr(_ASIDE + ord(char)) for char in text)


def spelt(code: str, *, words: bool = False) -> str:
    """Return a code so that it is spelt, its groups apart: "A B, one two three four".

    Args:
        code: Its letters and digits, none beyond Latin; what stands between them is a pause.
        words: Whether what looks like a word stays one: "SAVE20" is "SAVE two zero".
    """
    groups: list[str] = []
    for part in re.split(r"[\W_]+", code):
        runs = _RUNS.findall(part)
        if part.isdigit():
            groups += map(aside, runs)
        elif part:
            groups.append(" ".join(run if words and _is_word(run) else aside(run) for run in runs))
    return ", ".join(groups)


def _is_word(letters: str) -> bool:
    return len(letters) >= 4 and bool(re.search("[aeiouyAEIOUY]", letters))


def _spelt(found: re.Match[str], language: SpokenLanguage) -> str:
    chars = [chr(ord(char) - _ASIDE) for char in found[0]]
    said = " ".join(
        cardinal(int(char), language.code) if char.isdigit() else char.upper() for char in chars
    )
    start, end = found.span()
    before, behind = found.string[max(0, start - 1) : start], found.string[end : end + 1]
    return " " * before.isalnum() + said + " " * behind.isalnum()


RULES = (Rule("[\ue000-\uf8ff]+", _spelt),)
