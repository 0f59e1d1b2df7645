"""Words that say what a number is, before it or behind it; parts of words, without accents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from agent.records.redaction.word_lists import listed

Cue = Literal["card", "code", "iban", "phone", "identity", "other"]

_PARTS: Mapping[Cue, frozenset[str]] = {
    "code": listed(
        """
        cvc cvv cvv2 csc prufnummer prufziffer kartenprufnummer cryptogramme
        sicherheitscode
        """
    ),
    "card": listed(
        """
        card visa mastercard amex maestro kreditkarte bankkarte kartennummer karte carte
        tarjeta carta
        """
    ),
    "iban": listed(
        """
        iban kontonummer bankverbindung
        """
    ),
    "phone": listed(
        """
        phone telefon telephone mobile cell cellphone fax whatsapp handy ruckruf
        rufnummer anrufen erreichbar erreichen callback ring portable mobil numero-de-
        telephone telefono movil celular cellulare rappel joindre llamar llame llamarme
        chiamarmi chiamare richiamare text sms appeler
        """
    ),
    "identity": listed(
        """
        ssn itin nino passport reisepass passeport pasaporte passaporto personalausweis
        ausweis steuer steueridentifikationsnummer sozialversicherung rentenversicherung
        sozialversicherungsnummer dni nie nif nir siren ahv svnr nhs sin insee identity
        identita identite identidad codice-fiscale fiscale curp license licence
        fuhrerschein aadhaar
        """
    ),
    "other": listed(
        """
        order invoice ticket reference booking reservation tracking case serial article
        part model sku confirmation customer parcel shipment version bestell bestellung
        bestellnummer auftrag auftragsnummer rechnung rechnungsnummer vorgang
        vorgangsnummer kundennummer sendung sendungsnummer aktenzeichen artikel
        artikelnummer commande facture dossier reference suivi colis pedido factura
        referencia reserva expediente envio ordine fattura pratica prenotazione
        spedizione riferimento euro euros dollar dollars dollari pounds zahler
        zahlernummer meter
        """
    ),
}

_BY_WORD: Mapping[str, Cue] = {word: cue for cue, words in _PARTS.items() for word in words}

_PHRASES: Mapping[tuple[str, ...], Cue] = {
    ("security", "code"): "code", ("verification", "code"): "code", ("three", "digits"): "code",
    ("code", "de", "securite"): "code", ("codigo", "de", "seguridad"): "code",
    ("codice", "di", "sicurezza"): "code", ("codice", "cvv"): "code",
    ("on", "the", "back"): "code", ("auf", "der", "ruckseite"): "code", ("au", "dos"): "code",
    ("account", "number"): "iban",
    ("call", "me"): "phone", ("reach", "me"): "phone", ("my", "number"): "phone",
    ("your", "number"): "phone", ("call", "you"): "phone", ("reach", "you"): "phone",
    ("meine", "nummer"): "phone", ("ihre", "nummer"): "phone", ("mon", "numero"): "phone",
    ("votre", "numero"): "phone", ("mi", "numero"): "phone", ("su", "numero"): "phone",
    ("mio", "numero"): "phone", ("suo", "numero"): "phone", ("best", "number"): "phone",
    ("contact", "number"): "phone",
    ("my", "social"): "identity", ("your", "social"): "identity",
    ("social", "security"): "identity", ("national", "insurance"): "identity",
    ("tax", "id"): "identity", ("tax", "number"): "identity", ("taxpayer", "id"): "identity",
    ("securite", "sociale"): "identity", ("seguridad", "social"): "identity",
    ("codice", "fiscale"): "identity", ("health", "number"): "identity",
    ("id", "number"): "identity", ("identification", "number"): "identity",
    ("insurance", "number"): "identity", ("social", "insurance"): "identity",
    ("numero", "fiscal"): "identity", ("carta", "d", "identita"): "identity",
    ("carta", "identita"): "identity", ("carte", "d", "identite"): "identity",
    ("carte", "vitale"): "identity", ("tarjeta", "sanitaria"): "identity",
    ("id", "card"): "identity", ("tessera", "sanitaria"): "identity",
    ("confirmation", "number"): "other", ("customer", "number"): "other",
    ("carta", "fedelta"): "other", ("gift", "card"): "card",
}  # fmt: skip

_BEGINNINGS = frozenset(words[0] for words in _PHRASES)

_CODES = listed(
    """
        code kode kod codigo codice crypto pin ziffern kartencode sicherheitsnummer
        chiffres cifras cifre
        """
)
_CODES_OF_OTHERS = listed(
    """
        postal post postale postleitzahl zip area country dress promo promotion discount
        voucher coupon gift offer booking reservation door gate entry access sort qr bar dial
        dialling error product postcode rabatt gutschein tur land fehler reduction cadeau
        entree porte acces erreur descuento puerta pais error sconto porta prefisso errore
        source morse tax pickup locker safe invite referral
        fiscal fiscale building alarm wifi dialing promotionnel promozionale
        """
)
_EXPIRIES = listed(
    """
        expires expire expiry expiration exp valid gultig ablaufdatum ablauf verfallt
        expiration valable validite caduca caducidad vence vencimiento scade scadenza valida
        """
)


def is_a_code(words: Sequence[str]) -> bool:
    """Return whether these words call something a code, which behind a card is that on its back."""
    said = set(words)
    return bool(said & _CODES) and not said & (_CODES_OF_OTHERS | _EXPIRIES)


def is_of_a_card(words: Sequence[str]) -> bool:
    """Return whether these words are of a card, or of when it expires, and not of an offer."""
    said = set(words)
    if said & _CODES_OF_OTHERS:
        return False
    return bool(said & _EXPIRIES) or "card" in cues(words) or "code" in cues(words)


_ENDINGS = listed(
    """
        ending ends last four letzten endet endend finissant derniers ultimas ultimos
        ultime finisce termina terminada
        """
)
"""Say that what follows is only the end of a number, which tells which one it is and no more."""

BEFORE, AFTER = 14, 5
"""Words and signs before and behind a number in which its name is looked for."""


def cues(words: Sequence[str]) -> list[Cue]:
    """Return what these words say that numbers are, in their order."""
    found: list[Cue] = []
    for at, word in enumerate(words):
        if word in _BEGINNINGS and (phrase := _phrase(words, at)) is not None:
            found.append(phrase)
        elif (cue := _by_word(word)) is not None and not _of_a_phrase(words, at):
            found.append(cue)
    return found


def _phrase(words: Sequence[str], at: int) -> Cue | None:
    longer = _PHRASES.get(tuple(words[at : at + 3]))
    return longer or _PHRASES.get(tuple(words[at : at + 2]))


def _by_word(word: str) -> Cue | None:
    return _BY_WORD.get(word) or (_BY_WORD.get(word[:-1]) if word[-1:] in ("s", "n") else None)


def _of_a_phrase(words: Sequence[str], at: int) -> bool:
    """Return whether a phrase that was counted already ends in this word."""
    return any(
        tuple(words[at - before : at - before + length]) in _PHRASES
        for length in (2, 3)
        for before in range(1, length)
        if at >= before
    )


def is_only_the_end(words: Sequence[str]) -> bool:
    """Return whether these words say that only the end of a number follows."""
    return not _ENDINGS.isdisjoint(words)
