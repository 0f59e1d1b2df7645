"""Telephone numbers and SIP addresses, as people write them and as they are dialled."""

from __future__ import annotations

import re

import phonenumbers

_SIP = re.compile(r"sips?:[^\s@:<>]{1,128}@[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", re.IGNORECASE)


def load() -> None:
    """Read what is known of all countries: 0.1 s. Else each is read when first met, in a call."""
    phonenumbers.PhoneMetadata.load_all()


def number(text: str, country: str = "") -> str:
    """Return a number in E.164, such as ``+15551234567``.

    Args:
        text: As somebody wrote it: spaces, brackets and hyphens are fine.
        country: Two letters, such as ``US``, for a number without ``+``; ``""`` wants one with.

    Raises:
        ValueError: If nobody could have this number; the message does not quote it.
    """
    try:
        parsed = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        hint = "" if country else ", with + and the country, such as +15551234567"
        raise ValueError(f"not a telephone number{hint}") from None
    # "Possible" is about length: numbers of new ranges are dialled before any table knows them.
    if not phonenumbers.is_possible_number(parsed):
        raise ValueError("a telephone number of that country has another length")
    if parsed.extension:
        raise ValueError("an extension cannot be dialled with the number: press it once connected")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def address(text: str, country: str = "") -> str:
    """Return a SIP address as it is, or a number as :func:`number` does.

    Raises:
        ValueError: If it is neither.
    """
    text = text.strip()
    if not text.lower().startswith(("sip:", "sips:")):
        return number(text, country)
    if not _SIP.fullmatch(text):
        raise ValueError("not a SIP address, such as sip:desk@example.com")
    return text


def shortened(text: str) -> str:
    """Return a number as a log may show it: its last three digits."""
    return f"…{text[-3:]}" if len(text) > 6 else "…"
