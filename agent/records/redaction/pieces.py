"""A text as pieces of codes: its digits, however they are written, its letters, what is between."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from agent.records.redaction.number_words import (
    ARTICLES,
    COUNTED,
    TIMES,
    TIMES_WORDS,
    longest,
    numbers,
    plain,
)
from agent.records.redaction.word_lists import listed


class Sort(Enum):
    """What a piece is."""

    DIGITS = auto()
    LETTERS = auto()
    """Of a code: a single one, or a few capitals."""

    BETWEEN = auto()
    """What people write or say between the groups of a number."""

    PLUS = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A piece of a text."""

    sort: Sort
    code: str
    """Digits, or letters in capitals; of anything else the word in small letters, no accents."""

    start: int
    end: int
    """Where it stands in the text; ``end`` is behind it."""


@dataclass(frozen=True, slots=True)
class DigitRun:
    """Pieces of a number or code that follow one another, with nothing else between."""

    pieces: tuple[TextPiece, ...]
    """Digits and letters, in their order."""

    first: int
    """Place of the first among all pieces of the text."""

    plus: bool
    """Whether a plus stands before it."""

    @property
    def code(self) -> str:
        """All of it."""
        return "".join(piece.code for piece in self.pieces)

    def edges(self) -> list[int]:
        """Return where in the code pieces begin, and its length."""
        places, at = [], 0
        for piece in self.pieces:
            places.append(at)
            at += len(piece.code)
        return [*places, at]


LONGEST_DIGITS = 40
"""Digits that stand together; more are no number of a person's."""

_TOKEN = re.compile(r"[0-9]+|[^\W\d_]+|\d|\S")

_JOINS = ("-", "‑")

_SIGNS = frozenset("-–—‑−.,/()[]·_'’\"*")

_BETWEEN = listed(
    """
        uh um er erm hm äh ähm eh ehm euh hum dash hyphen minus space slash dot point
        comma and then strich bindestrich minus leerzeichen schrägstrich punkt komma und
        dann tiret trait espace point virgule et puis guion espacio raya punto coma y
        luego trattino spazio meno virgola e poi okay ok
        """
)
_BETWEEN_PLAIN = frozenset(plain(word) for word in _BETWEEN)

_PLUS = frozenset(("plus", "piu", "mas"))


def pieces(text: str, language: str) -> list[TextPiece]:
    """Return the pieces of a text.

    Args:
        text: Of any length.
        language: Whose number words are understood; one of ``LANGUAGES``.
    """
    tokens = [
        (found[0], found.start(), found.end())
        for found in _TOKEN.finditer(text)
        if not (found[0] in _JOINS and _is_within_a_word(text, found.start()))
    ]
    plains = [plain(token) for token, _, _ in tokens]
    found: list[TextPiece] = []
    at = 0
    while at < len(tokens):
        taken, code = _spoken(plains, at, language)
        start, end = tokens[at][1], tokens[at + max(taken, 1) - 1][2]
        if taken:
            found.append(TextPiece(Sort.DIGITS, code, start, end))
        else:
            found.append(_written(tokens, plains, at))
        at += max(taken, 1)
    return found


def _is_within_a_word(text: str, at: int) -> bool:
    """Return whether a hyphen joins two words, as in "forty-two"."""
    return 0 < at < len(text) - 1 and text[at - 1].isalpha() and text[at + 1].isalpha()


def _spoken(words: Sequence[str], at: int, language: str) -> tuple[int, str]:
    """Return how many words say a number here, and its digits; 0 if none do."""
    word = words[at]
    times, behind = TIMES.get(word, 0), at + 1
    if word in COUNTED and at + 1 < len(words) and words[at + 1] in TIMES_WORDS:
        times, behind = COUNTED[word], at + 2
    if times:
        behind += behind < len(words) and words[behind] in ARTICLES
        if behind < len(words):
            taken, code = _number(words, behind, language)
            if not taken and words[behind].isdigit():
                taken, code = 1, words[behind]
            if taken and len(code) == 1:
                return behind + taken - at, code * times
        return 0, ""
    return _number(words, at, language)


def _number(words: Sequence[str], at: int, language: str) -> tuple[int, str]:
    known = numbers(language)
    for length in range(min(longest(language).get(words[at], 0), len(words) - at), 0, -1):
        if code := known.get(tuple(words[at : at + length])):
            return length, code
    return 0, ""


def _written(tokens: Sequence[tuple[str, int, int]], plains: Sequence[str], at: int) -> TextPiece:
    written, start, end = tokens[at]
    sort, code = Sort.OTHER, plains[at]
    if written.isdigit():
        code = "".join(str(int(one)) if one.isdecimal() else one for one in written)
        if len(written) <= LONGEST_DIGITS and code.isascii():
            sort = Sort.DIGITS
    elif written == "+" or code in _PLUS:
        sort = Sort.PLUS
    elif written in _SIGNS or code in _BETWEEN_PLAIN:
        sort = Sort.BETWEEN
    elif code.isascii() and code.isalpha() and _is_of_a_code(tokens, at):
        sort, code = Sort.LETTERS, code.upper()
    return TextPiece(sort, code, start, end)


def _is_of_a_code(tokens: Sequence[tuple[str, int, int]], at: int) -> bool:
    token, start, end = tokens[at]
    if len(token) == 1 or (len(token) <= 6 and token.isupper()):
        return True
    before = at > 0 and tokens[at - 1][2] == start and tokens[at - 1][0].isdigit()
    after = at + 1 < len(tokens) and tokens[at + 1][1] == end and tokens[at + 1][0].isdigit()
    return len(token) <= 6 and (before or after)


MOST_BETWEEN = 3
"""Signs and words between two groups of a number, such as ``, uh, ``."""


def runs(given: Sequence[TextPiece], *, letters: bool) -> Iterator[DigitRun]:
    """Yield what may be a number or, with ``letters``, a code."""
    wanted = {Sort.DIGITS, Sort.LETTERS} if letters else {Sort.DIGITS}
    taken: list[TextPiece] = []
    first = between = 0
    plus = plus_waits = False
    for place, piece in enumerate(given):
        # "e" and "y" are words between, and letters of a code.
        letter = letters and piece.sort is Sort.BETWEEN and len(piece.code) == 1
        letter = letter and piece.code.isalpha()
        if piece.sort in wanted or letter:
            if not taken:
                first, plus = place, plus_waits
            taken.append(
                TextPiece(Sort.LETTERS, piece.code.upper(), piece.start, piece.end)
                if letter
                else piece
            )
            between, plus_waits = 0, False
            continue
        between += 1
        if piece.sort is not Sort.BETWEEN or between > MOST_BETWEEN:
            if taken:
                yield DigitRun(tuple(taken), first, plus)
            taken, between = [], 0
            plus_waits = piece.sort is Sort.PLUS
    if taken:
        yield DigitRun(tuple(taken), first, plus)
