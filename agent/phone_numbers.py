"""Telephone numbers, SIP addresses, In-App users: as people write them, as they are dialled."""

from __future__ import annotations

import re
from urllib.parse import unquote

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType, ValidationResult, shortnumberinfo

_SIP = re.compile(
    r"sips?:(?P<user>[^\s@:<>]{1,128})@(?P<host>[A-Za-z0-9.-]{1,253})(:[0-9]{1,5})?", re.IGNORECASE
)

_USER_ID = re.compile(r"[!-~]([ -~]{0,253}[!-~])?")

USER = "user:"
"""Begins what is dialled if it is the id of an In-App user, and no number or SIP address."""

EMERGENCY = "an emergency number"

_USUAL_KINDS = {
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.VOIP,
    PhoneNumberType.UAN,  # of companies, at the price of a landline
}

_KINDS = {
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
    PhoneNumberType.PERSONAL_NUMBER: "a personal number, which is passed on at any price",
    PhoneNumberType.PAGER: "a pager",
    PhoneNumberType.VOICEMAIL: "a voice mailbox",
}


class ImpossibleNumberError(ValueError):
    """It has the form of a number, but nobody can be called by it. The message quotes nothing."""


def load() -> None:
    """Read what is known of all countries: 0.1 s. Else each is read when first met, in a call."""
    phonenumbers.PhoneMetadata.load_all()


def number(text: str, country: str = "") -> str:
    """Return a number in E.164, such as ``+12025550123``.

    Args:
        text: As somebody wrote it: spaces, brackets and hyphens are fine.
        country: Two letters, such as ``US``, for a number without ``+``; ``""`` wants one with.

    Raises:
        ValueError: If nobody could have this number, :class:`ImpossibleNumberError` if that is all
            that is wrong with it; the message does not quote it.
    """
    try:
        parsed = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        hint = "" if country else ", with + and the country, such as +12025550100"
        raise ValueError(f"not a telephone number{hint}") from None
    # "Possible" is about length: numbers of new ranges are dialled before any table knows them.
    # Others that are dialled within their country or town alone have no form in E.164.
    possible = phonenumbers.is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE
    if not possible and not _is_emergency(parsed):
        raise ImpossibleNumberError("a telephone number of that country has another length")
    if parsed.extension:
        raise ValueError("an extension cannot be dialled with the number: press it once connected")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def is_somebodys(text: str, country: str = "") -> bool:
    """Return whether the numbering plan of its country has a place for this number.

    Args:
        text: Digits, with ``+`` before them if their country is among them.
        country: As of :func:`number`.
    """
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, country or None))
    except phonenumbers.NumberParseException:
        return False


def address(text: str, country: str = "") -> str:
    """Return a SIP address or an In-App user as it is, or a number as :func:`number` does.

    Raises:
        ValueError: If it is none of them.
    """
    text = text.strip()
    if text.startswith(USER):
        if not _USER_ID.fullmatch(text.removeprefix(USER)):
            raise ValueError("not the id of an In-App user: 1 to 255 characters of ASCII")
        return text
    if not text.lower().startswith(("sip:", "sips:")):
        return number(text, country)
    if not _SIP.fullmatch(text):
        raise ValueError("not a SIP address, such as sip:desk@example.com")
    return text


def without_parameters(text: str) -> str:
    """Return an address without what a SIP URI may have after its host: ``;transport=tls``."""
    before, at, host = text.strip().rpartition("@")
    if not before.lower().startswith(("sip:", "sips:")):
        return text
    return before + at + re.split("[;?]", host, maxsplit=1)[0]


def shown(to: str) -> str:
    """Return what is dialled as it is told to an agent: of an In-App user, their id."""
    return to.removeprefix(USER)


def user(to: str) -> str:
    """Return the id of the In-App user that is dialled; ``""`` if it is a number or SIP address."""
    return to.removeprefix(USER) if to.startswith(USER) else ""


def is_country(code: str) -> bool:
    """Return whether a country has telephone numbers; ``code`` is two capital letters."""
    return code in phonenumbers.SUPPORTED_REGIONS


def country(dialled: str) -> str:
    """Return the two letters of a number's country; ``""`` for a network that belongs to none.

    Args:
        dialled: In E.164. Of one that nobody has, it is the largest country of its code.
    """
    parsed = _parsed(dialled)
    found = phonenumbers.region_code_for_number(parsed)
    found = found or phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return found if is_country(found) else ""


def country_of(text: str) -> str:
    """Return the two letters of the country of whoever calls; ``""`` if that is not known.

    Args:
        text: A number in E.164, or an address; whatever came with a call.
    """
    try:
        dialled = sip_number(text, "") if sip_host(text) else number(text)
    except ValueError:
        return ""
    return country(dialled) if dialled else ""


def oddity(dialled: str) -> str:
    """Say why a number is not that of somebody's usual telephone; ``""`` if it is.

    Args:
        dialled: In E.164. It is not quoted. Of an emergency number this is :data:`EMERGENCY`.
    """
    parsed = _parsed(dialled)
    if _is_emergency(parsed):
        return EMERGENCY
    if not phonenumbers.is_valid_number(parsed):
        return "a number that nobody has, by the numbering plan of its country"
    if not country(dialled):
        return "a number of a satellite or an international network"
    kind = phonenumbers.number_type(parsed)
    return "" if kind in _USUAL_KINDS else _KINDS.get(kind, "a number of an unknown kind")


def sip_host(address: str) -> str:
    """Return the host of a SIP address, in lower case; ``""`` if ``address`` is a number."""
    parts = _SIP.fullmatch(address)
    return "" if parts is None else parts["host"].lower().rstrip(".")


def person(dialled: str, home: str = "") -> str:
    """Return whom an address reaches: one text for all ways in which a number is dialled.

    Args:
        dialled: As :func:`address` returns it.
        home: The country of a number without ``+`` in a SIP address; ``""`` if it is not known.
    """
    if not sip_host(dialled):
        return dialled
    if by_number := sip_number(dialled, home):
        return by_number
    user, _, _ = _sip_user(dialled).partition(";")
    return f"sip:{user}@{sip_host(dialled)}".lower()


def _sip_user(address: str) -> str:
    """Return whom a SIP address has before its host, as it is meant: ``%2B`` is ``+``."""
    parts = _SIP.fullmatch(address)
    return "" if parts is None else unquote(parts["user"])


def sip_number(address: str, home: str) -> str:
    """Return the number that the user of a SIP address is, in E.164; ``""`` if it is none.

    Args:
        address: A SIP address.
        home: The country of a number without ``+``; ``""`` if it is not known.
    """
    user, _, _ = _sip_user(address).partition(";")
    try:
        return number(user, home)
    except ValueError:
        return ""


def _parsed(dialled: str) -> PhoneNumber:
    """Return a number that :func:`number` has taken."""
    return phonenumbers.parse(dialled)


def _is_emergency(parsed: PhoneNumber) -> bool:
    """Return whether a number reaches an emergency service, in a country of its code."""
    national = phonenumbers.national_significant_number(parsed)
    regions = phonenumbers.region_codes_for_country_code(parsed.country_code or 0)
    return len(national) <= 6 and any(
        shortnumberinfo.is_emergency_number(national, region) for region in regions
    )


def shortened(text: str) -> str:
    """Return a number as a log may show it: its last three digits; of an id, nothing."""
    if user(text):
        return f"{USER}…"
    return f"…{text[-3:]}" if len(text) > 6 else "…"
