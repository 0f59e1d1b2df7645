"""What is a card, bank or identity number by its check digits, as python-stdnum knows them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import stdnum.at.vnr
import stdnum.ca.sin
import stdnum.ch.ssn
import stdnum.de.idnr
import stdnum.es.dni
import stdnum.es.nie
import stdnum.fr.nir
import stdnum.gb.nhs
import stdnum.iban
import stdnum.ie.pps
import stdnum.it.codicefiscale
import stdnum.luhn
import stdnum.mx.curp
import stdnum.us.itin
import stdnum.us.ssn

CARD = range(13, 20)
"""Digits of a card number; those of debit cards, from 12 on, are too many other numbers."""

_ISSUED: tuple[tuple[re.Pattern[str], tuple[int, ...]], ...] = (
    (re.compile(r"4"), (16, 13, 19)),  # Visa
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),  # Mastercard
    (re.compile(r"3[47]"), (15,)),  # American Express
    (re.compile(r"3(?:0[0-5]|[689])"), (14, 16, 19)),  # Diners Club
    (re.compile(r"35"), (16, 19)),  # JCB
    (re.compile(r"60|62|64|65|81|9792|220[0-4]"), (16, 19, 17, 18)),  # Discover, UnionPay, ...
    (re.compile(r"50|5[6-9]|6[0-9]"), (16, 13, 14, 15, 17, 18, 19)),  # Maestro
)
"""Digits of the cards that begin so (ISO/IEC 7812), the usual count first."""


def card_lengths(code: str) -> tuple[int, ...]:
    """Return how many digits a card has that begins like this; nothing if none does."""
    return next((lengths for begins, lengths in _ISSUED if begins.match(code)), ())


def is_card(code: str) -> bool:
    """Return whether these digits are the number of a card."""
    return len(code) in card_lengths(code) and bool(stdnum.luhn.is_valid(code))


def is_iban(code: str) -> bool:
    """Return whether this is the number of a bank account, of 15 to 34 characters."""
    return code[:2].isalpha() and code[2:4].isdigit() and bool(stdnum.iban.is_valid(code))


IBAN = range(15, 35)

_NINO = re.compile(
    r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]", re.ASCII
)
"""National insurance number, United Kingdom: it has no check digit, but a form of its own."""


def _formed(form: str, is_valid: Callable[[str], bool]) -> Callable[[str], bool]:
    """Return a check that asks for the check digits only of what has the form of a number."""
    pattern = re.compile(form, re.ASCII)
    return lambda code: pattern.fullmatch(code) is not None and is_valid(code)


_OWN_FORM: Mapping[int, tuple[Callable[[str], bool], ...]] = {
    9: (
        _formed(r"\d{8}[A-Z]", stdnum.es.dni.is_valid),
        _formed(r"[XYZ]\d{7}[A-Z]", stdnum.es.nie.is_valid),
        lambda code: bool(_NINO.fullmatch(code)),
        lambda code: code[7].isalpha() and stdnum.ie.pps.is_valid(code),
    ),
    11: (_formed(r"\d{11}", stdnum.de.idnr.is_valid),),
    13: (lambda code: code.startswith("756") and stdnum.ch.ssn.is_valid(code),),
    15: (_formed(r"\d{5}[0-9AB]{2}\d{8}", stdnum.fr.nir.is_valid),),
    16: (_formed(r"[A-Z]{6}[0-9A-Z]{9}[A-Z]", stdnum.it.codicefiscale.is_valid),),
    18: (_formed(r"[A-Z]{4}\d{6}[0-9A-Z]{7}\d", stdnum.mx.curp.is_valid),),
}
"""By length, what is told from any other number by its form and check digits."""


def is_identity(code: str) -> bool:
    """Return whether this is somebody's number with an authority, whatever is said around it."""
    return any(check(code) for check in _OWN_FORM.get(len(code), ()))


IDENTITY = tuple(_OWN_FORM)

SSN = re.compile(r"(?<![\d-])(\d{3})[- ](\d{2})[- ](\d{4})(?![\d-])", re.ASCII)
"""As social security and tax numbers of the United States are written; they have no check digit."""


def is_ssn(area: str, group: str, serial: str) -> bool:
    """Return whether a number in groups of 3, 2 and 4 digits is one of those."""
    written = f"{area}-{group}-{serial}"
    return bool(stdnum.us.ssn.is_valid(written) or stdnum.us.itin.is_valid(written))


def could_be_identity(code: str) -> bool:
    """Return whether this is a number whose check is too weak without a word for it."""
    return (
        (len(code) == 10 and (stdnum.gb.nhs.is_valid(code) or stdnum.at.vnr.is_valid(code)))
        or (len(code) == 9 and bool(stdnum.ca.sin.is_valid(code)))
        or (len(code) == 9 and is_ssn(code[:3], code[3:5], code[5:]))
    )
