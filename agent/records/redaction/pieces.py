"""A text as pieces of codes: its digits, however they are written, its letters, what is between."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from agent.records.redaction.number_words import (
    ARTICLES,
    COUNTED,
    TIMES,
    TIMES_WORDS,
    large,
    may_begin,
    plain,
    small,
)
from agent.records.redaction.word_lists import listed


class Sort(Enum):
    """What a piece is."""

    DIGITS = auto()
    LETTERS = auto()
    """Of a code: a single one, or a few capitals."""

    BETWEEN = auto()
    """What people write or say between the groups of a number."""

    PAUSE = auto()
    """What people say while they look for the next group of a card's number."""

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

_PAUSES = listed(
    """
        wait sorry so well like yes yeah right moment hang hold on one sec second let me see
        warte warten moment also ja genau sekunde attends attendez pardon alors oui
        espera perdon bueno si a ver aspetta scusi scusa allora ecco
        """
)

_UNSEEN = ("Cf", "Mn", "Me")
"""Categories of characters that nobody sees by themselves: blanks without width, rings of keys."""

_PLUS = frozenset(("plus", "piu", "mas"))


@dataclass(frozen=True, slots=True)
class TextTokens:
    """The words and signs of a text: what of it is the same in every language."""

    places: Sequence[tuple[int, int]]
    """Where each begins in the text, and where it ends."""

    plains: Sequence[str]
    """Each as :func:`plain` gives it."""

    written: Sequence[TextPiece]
    """What each is, if no language's words for numbers are known."""


def tokens(text: str) -> TextTokens:
    """Return the words and signs of a text, of any length."""
    found = [
        (found[0], found.start(), found.end())
        for found in _TOKEN.finditer(text)
        if not (found[0] in _JOINS and _is_within_a_word(text, found.start()))
        and not (len(found[0]) == 1 and unicodedata.category(found[0]) in _UNSEEN)
    ]
    plains = [plain(token) for token, _, _ in found]
    return TextTokens(
        [(start, end) for _, start, end in found],
        plains,
        [_written(found, plains, at) for at in range(len(found))],
    )


def pieces(given: TextTokens, language: str) -> list[TextPiece]:
    """Return the pieces of a text.

    Args:
        given: All of it.
        language: Whose number words are understood; one of ``LANGUAGES``.
    """
    plains, places = given.plains, given.places
    begin = {word for word in set(plains) if _may_begin(word, language)}
    found: list[TextPiece] = []
    at = 0
    while at < len(plains):
        taken, code = _spoken(plains, at, language) if plains[at] in begin else (0, "")
        if taken:
            found.append(TextPiece(Sort.DIGITS, code, places[at][0], places[at + taken - 1][1]))
        else:
            found.append(given.written[at])
        at += max(taken, 1)
    return found


def _may_begin(word: str, language: str) -> bool:
    """Return whether :func:`_spoken` may find something that begins with a word."""
    return word in TIMES or word in COUNTED or may_begin(word, language)


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
    taken, code = large(words, at, language)
    return (taken, code) if taken else small(words, at, language)


def _written(tokens: Sequence[tuple[str, int, int]], plains: Sequence[str], at: int) -> TextPiece:
    written, start, end = tokens[at]
    sort, code = Sort.OTHER, plains[at]
    if written.isdigit():
        code = "".join(str(unicodedata.digit(one)) for one in written)
        if len(written) <= LONGEST_DIGITS and code.isascii():
            sort = Sort.DIGITS
    elif written == "+" or code in _PLUS:
        sort = Sort.PLUS
    elif written in _SIGNS or code in _BETWEEN_PLAIN:
        sort = Sort.BETWEEN
    elif code in _PAUSES and len(code) > 1 and not written.isupper():
        sort = Sort.PAUSE
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


_ALIKE = str.maketrans("LIO", "110")


def read_as_digits(given: Sequence[TextPiece]) -> list[TextPiece]:
    """Return pieces with the letters that look like digits, and touch some, as these: ``4l11``."""
    found: list[TextPiece] = []
    for at, piece in enumerate(given):
        code = piece.code.translate(_ALIKE)
        if piece.sort is Sort.LETTERS and code.isdigit():
            before = bool(found) and found[-1].end == piece.start and found[-1].code.isdigit()
            behind = at + 1 < len(given) and given[at + 1].start == piece.end
            if before or (behind and given[at + 1].sort is Sort.DIGITS):
                found.append(replace(piece, sort=Sort.DIGITS, code=code))
                continue
        found.append(piece)
    return found


def runs(given: Sequence[TextPiece], *, letters: bool, pauses: bool = False) -> Iterator[DigitRun]:
    """Yield what may be a number or, with ``letters``, a code.

    Args:
        given: All pieces of a text.
        letters: Whether letters are of it.
        pauses: Whether it goes on behind words such as "wait".
    """
    passed = (Sort.BETWEEN, Sort.PAUSE) if pauses else (Sort.BETWEEN,)
    wanted = (Sort.DIGITS, Sort.LETTERS) if letters else (Sort.DIGITS,)
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
        if piece.sort not in passed or between > MOST_BETWEEN:
            if taken:
                yield DigitRun(tuple(taken), first, plus)
            taken, between = [], 0
            plus_waits = piece.sort is Sort.PLUS
    if taken:
        yield DigitRun(tuple(taken), first, plus)
