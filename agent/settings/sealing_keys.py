"""The keys that records are sealed with, as they are written in a setting."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

BYTES = 32
"""Of a key: AES-256."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,16}")

EXAMPLE = 'write NAME:BASE64, of 32 random bytes: echo "2026:$(openssl rand -base64 32)"'


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingKey:
    """One key. It is shown nowhere."""

    name: str
    """What it is called in what it has sealed; 1 to 16 letters, digits, ``_`` and ``-``."""

    secret: bytes = field(repr=False)


def read_keys(text: str) -> tuple[SealingKey, ...]:
    """Return the keys in ``text``, blanks or commas between them; none if there is nothing in it.

    Raises:
        ValueError: If one is not written as it should be, or two have one name; quotes no key.
    """
    found: dict[str, SealingKey] = {}
    for place, part in enumerate(re.split(r"[\s,]+", text.strip()) if text.strip() else (), 1):
        name, colon, secret = part.partition(":")
        try:
            given = base64.b64decode(secret, validate=True)
        except (binascii.Error, ValueError):
            given = b""
        if not colon or not _NAME.fullmatch(name) or len(given) != BYTES:
            raise ValueError(f"key {place}: {EXAMPLE}")
        if name in found:
            raise ValueError(f"key {place}: there is another of that name")
        if len(set(given)) < 8:
            raise ValueError(f"key {place}: these are no random bytes; {EXAMPLE}")
        found[name] = SealingKey(name=name, secret=given)
    return tuple(found.values())
