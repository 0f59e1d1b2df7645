"""Words as they are compared: by their letters, or by their sound."""

from __future__ import annotations

import re

_APOSTROPHE = re.compile(r"['’]")
_WORD = re.compile(r"\w+")
_ALIKE = str.maketrans("bdgcqkvzj", "ptkkkkfsk")
_SILENT = re.compile(r"[aeiouhwy]")
_DOUBLE = re.compile(r"(.)\1+")


def plain_words(text: str) -> list[str]:
    """Return the words of a text in lower case, without punctuation: "don't" is ``dont``."""
    return _WORD.findall(_APOSTROPHE.sub("", text.casefold()))


def consonants(word: str) -> str:
    """Return the consonants, voiced and unvoiced as one: what narrow-band speech confuses."""
    plain = word.replace("ph", "f").replace("x", "ks").translate(_ALIKE)
    return _DOUBLE.sub(r"\1", plain[:1] + _SILENT.sub("", plain[1:]))
