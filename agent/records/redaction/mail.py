"""Mail addresses in a text, as they are written, and as they are spoken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from agent.records.redaction.pieces import Sort, TextPiece
from agent.records.redaction.word_lists import listed

_AT = listed(
    """
        @ at arroba arobase arrobase chiocciola chiocciolina klammeraffe aet
        """
)

_DOTS: Mapping[str, frozenset[str]] = {
    "en": frozenset(("dot",)),
    "de": frozenset(("punkt", "dot")),
    "fr": frozenset(("point", "dot")),
    "es": frozenset(("punto", "dot")),
    "it": frozenset(("punto", "dot")),
}

_JOINS = listed(
    """
        _ - + ' underscore dash hyphen minus plus unterstrich bindestrich strich tiret
        souligne bas guion bajo trattino basso apostrophe
        """
)

_TOPS = listed(
    """
        com org net edu gov mil io co uk de at ch fr it es eu info biz me us ca au nz ie
        nl be lu mx ar cl pt se no dk pl online shop store app dev email cloud tech site
        berlin koln bzh cat comm come
        """
)
"""Ends of domains, and what "com" is misheard for."""

_STOPS = listed(
    """
        is s it its ist est es e ce c my mein meine mon mi mia mio email mail mails
        address adresse correo direccion indirizzo posta electronico and und et y the
        send to an a at me under lautet die der la il le el lo yes ja oui si ok okay use
        write reach schreiben sie unter auf von please bitte al alla alle of for fur
        pour para per with mit i m im j ai so well electronique elettronica sure that or
        oder ou o
        """
)
"""Words before a mail address that are not of it."""

_OPENING = ("(", "[", ":", "<", '"')
_ENDING = (",", ".", "?", "!", ":", ";")

MOST_LABEL, MOST_LOCAL, MOST_WORDS = 14, 40, 2
"""Pieces of a domain before its first dot, pieces of what stands before the sign, and plain words
of that which follow no dot: "john smith at"."""


def unwrapped(pieces: Sequence[TextPiece], language: str) -> list[TextPiece]:
    """Return pieces with the signs of an address out of their brackets: "john(at)gmail(dot)com"."""
    signs = _AT | _DOTS.get(language, _DOTS["en"]) | {"."}
    found: list[TextPiece] = []
    for piece in pieces:
        found.append(piece)
        if len(found) > 2 and found[-2].code in signs:
            opens, sign, closes = found[-3:]
            if opens.code + closes.code in _BRACKETS:
                found[-3:] = [replace(sign, start=opens.start, end=closes.end)]
    return found


_BRACKETS = ("()", "[]", "{}", "<>")


def addresses(pieces: Sequence[TextPiece], language: str) -> Iterator[tuple[int, int]]:
    """Yield the first piece of each mail address, and the one behind its last."""
    behind = 0
    for at, piece in enumerate(pieces):
        if piece.code not in _AT or at < behind:
            continue
        end = _domain(pieces, at + 1, language)
        start = _local(pieces, at, behind, language)
        if end and start < at:
            yield start, end
            behind = end


_UNFINISHED = frozenset(("underscore", "unterstrich", "souligne", "guion", "trattino", "_", "@"))


def is_open(pieces: Sequence[TextPiece], language: str) -> bool:
    """Return whether the text may end in the beginning of a mail address: "john dot smith"."""
    signs = _DOTS.get(language, _DOTS["en"]) | _UNFINISHED
    return any(piece.code in signs for piece in pieces[-6:][1:])


def _domain(pieces: Sequence[TextPiece], at: int, language: str) -> int:
    """Return the piece behind the domain that begins here; 0 if none does."""
    end = 0
    for place in range(at, min(at + MOST_LABEL, len(pieces) - 1)):
        piece = pieces[place]
        if _is_dot(pieces, place, language) and place > at:
            if pieces[place + 1].code.lower() in _TOPS:
                end = place + 2
                continue
        elif end and place >= end:
            break
        if piece.sort is Sort.BETWEEN and piece.code in ",()[]":
            break
        if piece.code in _AT or piece.code in ("?", "!", ":", ";"):
            break
        if piece.code == "." and not _is_dot(pieces, place, language):
            break
    return end


def _is_dot(pieces: Sequence[TextPiece], at: int, language: str) -> bool:
    piece = pieces[at]
    if piece.code != ".":
        return piece.code in _DOTS.get(language, _DOTS["en"])
    # A sentence ends in one with a blank behind it alone.
    behind = at + 1 < len(pieces) and pieces[at + 1].start == piece.end
    before = at > 0 and pieces[at - 1].end == piece.start
    return behind or not before


def _local(pieces: Sequence[TextPiece], at: int, least: int, language: str) -> int:
    """Return the first piece of what stands before the sign at ``at``."""
    start, words, joined = at, 0, True
    while start > max(least, at - MOST_LOCAL):
        piece = pieces[start - 1]
        touches = piece.end == pieces[start].start and piece.code not in _OPENING
        join = piece.code in _JOINS or _is_dot(pieces, start - 1, language)
        if not touches and not join:
            first = start == at
            if piece.code in _ENDING or (piece.code in _STOPS and not (joined and not first)):
                break
            words += not joined and not _is_spelled(piece)
            if words > MOST_WORDS:
                break
        joined = join
        start -= 1
    while start < at and (pieces[start].code in _JOINS or pieces[start].code == "."):
        start += 1
    return start


def _is_spelled(piece: TextPiece) -> bool:
    return piece.sort in (Sort.DIGITS, Sort.LETTERS) or len(piece.code) == 1
