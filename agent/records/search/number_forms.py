"""One form for a number, in whatever form it came, so that it is found."""

from __future__ import annotations

from agent import phone_numbers

MSISDN = 11
"""Digits from which on a number without ``+`` has its country in it, as platforms write it."""


SCHEMES = ("tel:", phone_numbers.USER)
"""What may stand before a number, or the id of an In-App user."""


def looked_up_as(given: str, country: str = "") -> str:
    """Return what a number or address is looked up by: of a number E.164, else what it says.

    Args:
        given: As the platform has it, or as somebody wrote it: ``+1 (202) 555-0123``, ``tel:…``,
            ``sip:+12025550123@example.com``, ``0012025550123``, ``user:ann``, ``anonymous``.
        country: Two letters, for a number without its country; ``""`` wants one with it.
    """
    text = given.strip()
    if phone_numbers.sip_host(text):
        return phone_numbers.sip_number(text, country) or text.lower()
    for scheme in SCHEMES:
        if text.lower().startswith(scheme):
            text = text[len(scheme) :].strip()
    international = text.startswith("00") or (text.isdigit() and len(text) >= MSISDN)
    written = f"+{text.removeprefix('00')}" if international else text
    tried = [(written, ""), (text, country)]
    if country and phone_numbers.is_somebodys(text, country):
        tried.reverse()  # 11 digits may have no country in them: 11 98765-4321 in Brazil
    for one, home in tried:
        try:
            return phone_numbers.number(one, home)
        except ValueError:
            continue
    return text.lower()


def forms(given: str, country: str = "") -> tuple[str, ...]:
    """Return all that records may be looked up by: as above, and as they came in former times."""
    number = looked_up_as(given, country)
    if not number.startswith("+"):
        return tuple(dict.fromkeys((number, given.strip())))
    digits = number.removeprefix("+")
    return tuple(dict.fromkeys((number, digits, f"00{digits}", given.strip())))
