"""Addresses as they may be shown: without what may be a secret in them."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote

MASK = "***"

_START = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_WITHIN = re.compile(r"(?<![A-Za-z0-9+.-])" + _START.pattern + r"[^\s\"'<>]+")
"""Begun at the beginning of a word only, or a long word would cost its square."""

_SHORTEST = 3
"""Characters of a part of an address that is looked for in a text: less is in many words."""


def masked(text: str) -> str:
    """Return ``text`` with ``***`` for user, password, query and fragment of each address in it.

    Args:
        text: An address of any scheme, which may hold spaces and quotation marks then; or a text
            with addresses in it, which end at the first of these.
    """
    if _START.match(text.strip()):
        return _masked_address(text.strip())
    return _WITHIN.sub(lambda found: _masked_address(found[0]), text)


def without_secrets(text: str, address: str) -> str:
    """Return ``text`` with ``***`` for whatever :func:`masked` hides of an address.

    Args:
        text: What somebody says of it, such as that this user is refused.
        address: Its secrets are looked for as they stand there, and as they are meant.
    """
    _, user, _, query = _parts(address)
    values = (value for _, value in parse_qsl(query[1:]))
    parts = {user, *user.split(":", 1), query[1:], *values}
    parts |= {unquote(part) for part in parts}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _SHORTEST:
            text = text.replace(part, MASK)
    return masked(text)


def _masked_address(address: str) -> str:
    scheme, user, place, query = _parts(address)
    hidden = f"{MASK}@" if user else ""
    return f"{scheme}://{hidden}{place}{query[:1]}{MASK if query[1:] else ''}"


def _parts(address: str) -> tuple[str, str, str, str]:
    """Return scheme, user with password, host and path, and query or fragment with its sign.

    Passwords may hold whatever ends one, so the last ``@`` is what does. If that stands in a query,
    the host is taken for a user, and more is hidden than need be.
    """
    scheme, _, rest = address.strip().partition("://")
    user, _, place = rest.rpartition("@")
    end = min((at for sign in "?#" if (at := place.find(sign)) >= 0), default=len(place))
    return scheme, user, place[:end], place[end:]
