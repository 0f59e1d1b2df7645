"""Secrets in the environment, or in files that it names, as container platforms give them.

What is pasted often has more in it than can be seen. What surrounds a key and is surely not of it
is left out; anything else that no key can have is refused where the service starts, by name.
"""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

QUOTES = ('""', "''", "``", "\u201c\u201d", "\u2018\u2019")
"""Pairs of them. Docker hands down those of its files of variables, office programs curl them."""

_FILLERS = "\u034f\u115f\u1160\u2800\u3164\uffa0\ufe0e\ufe0f"
"""Characters of other categories that cannot be seen."""


_PLACE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def strange_character(text: str, *, ascii_only: bool = False) -> str:
    """Return the name of the first character that is not seen, or is not meant; ``""`` if none is.

    Blanks are one at the beginning and the end alone.

    Args:
        text: Of a setting that is sent to a server: an address, a name.
        ascii_only: Whether it is a key, which has neither blanks nor letters beyond ASCII.
    """
    for at, char in enumerate(text):
        if ascii_only:
            strange = not "!" <= char <= "~"
        elif char == " ":
            strange = at in (0, len(text) - 1)
        else:
            strange = unicodedata.category(char)[0] in "CZ" or char in _FILLERS
        if strange or char in "\u201c\u201d\u2018\u2019":
            return f"U+{ord(char):04X} {unicodedata.name(char, 'a control character')}"
    return ""


def plain_key(given: str) -> str:
    """Return a key as it was meant: without blanks, quotes and ``Bearer`` around it.

    Raises:
        ValueError: If there is a character in it that no key has; names that, and nothing else.
    """
    key = given.strip()
    if len(key) > 1 and key[0] + key[-1] in QUOTES:
        key = key[1:-1].strip()
    key = re.sub(r"^bearer(?:\s+|$)", "", key, flags=re.IGNORECASE)
    if strange := strange_character(key, ascii_only=True):
        raise ValueError(f"there is a character in it that no key has ({strange}); copy it anew")
    return key


def from_environment(variable: str) -> str:
    """Return a secret: of ``variable``, or of the file whose path is in ``variable_FILE``.

    Returns:
        ``""`` if there is neither.

    Raises:
        ValueError: If the file cannot be read; names the variable.
    """
    if secret := os.environ.get(variable, "").strip():
        return secret
    path = os.environ.get(f"{variable}_FILE")
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8-sig").strip()
    except (OSError, ValueError) as error:  # the latter of UTF-8, and of a path
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ValueError(f"the file that {variable}_FILE names cannot be read: {why}") from None


def required_from_environment(variable: str) -> str:
    """Return a secret as :func:`from_environment` does.

    Raises:
        ValueError: If there is none, or its file cannot be read; says how to set it.
    """
    if secret := from_environment(variable):
        return secret
    raise ValueError(f"set it in the environment, or {variable}_FILE")


def filled_in(text: str) -> str:
    """Return a text with the secret of the environment for each ``${NAME}`` in it.

    Raises:
        ValueError: If there is none, or its file cannot be read; begins with the name.
    """
    return _PLACE.sub(_secret, text)


def _secret(found: re.Match[str]) -> str:
    try:
        return required_from_environment(found[1])
    except ValueError as error:
        raise ValueError(f"{found[1]}: {error}") from None
