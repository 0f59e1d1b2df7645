"""What is said around a number, which tells what it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.records.redaction.cues import (
    AFTER,
    BEFORE,
    Cue,
    cues,
    is_a_code,
    is_of_a_card,
    is_only_the_end,
)
from agent.records.redaction.number_words import words_of
from agent.records.redaction.pieces import DigitRun, Sort, TextPiece

NEAR = 5
"""Words before a number in which "code" is said of it."""

_OF_AMOUNTS = re.compile(r"\d[.,/]\d")


class Surroundings:
    """The words around the numbers of one text.

    Args:
        text: Any.
        pieces: All of it.
        context: What was said before it, of which the end counts.
    """

    def __init__(self, text: str, pieces: Sequence[TextPiece], context: str) -> None:
        self._text = text
        self._pieces = pieces
        self._asked = words_of(context[-300:])
        self._context = cues(self._asked)
        self._cues: dict[tuple[int, int], Cue | None] = {}

    def cue(self, run: DigitRun) -> Cue | None:
        """Return what is said about a number: before it, else behind it, else before the text."""
        place = run.first, run.pieces[-1].end
        if place not in self._cues:
            self._cues[place] = self._said_of(run)
        return self._cues[place]

    def _said_of(self, run: DigitRun) -> Cue | None:
        behind = self._behind(run)
        before = self._words(max(0, run.first - BEFORE), run.first)
        after = self._words(behind, behind + AFTER)
        said = cues(before)
        if said:
            return said[-1]
        said = cues(after)
        return said[0] if said else (self._context[-1] if self._context else None)

    def ends_only(self, run: DigitRun) -> bool:
        """Return whether a number is said to be only the end of one."""
        return is_only_the_end(self._words(max(0, run.first - 6), run.first))

    def is_of_a_card(self) -> bool:
        """Return whether a card is asked for or spoken of, or when one expires."""
        words = [piece.code.lower() for piece in self._pieces if piece.code.isalpha()]
        return any(cue in ("card", "code") for cue in self._context) or is_of_a_card(words)

    def is_its_code(self, run: DigitRun) -> bool:
        """Return whether words about a number, or the question if there are none, say "code"."""
        first = run.first
        while first > 0 and self._pieces[first - 1].sort is not Sort.DIGITS:
            first -= 1
        behind = self._behind(run)
        before = self._words(max(first, run.first - BEFORE), run.first)
        next_pieces = self._pieces[behind : behind + AFTER]
        ends = (at for at, piece in enumerate(next_pieces) if piece.code in (".", "?", "!"))
        after = self._words(behind, behind + next(ends, AFTER))
        if "other" in cues([*before, *after]) or _is_an_amount(self._text, run):
            return False
        if not before and not after:
            return is_a_code(self._asked)
        # What is said behind a number is of the next, if there is one.
        more = any(piece.sort is Sort.DIGITS for piece in next_pieces)
        return is_a_code(before[-NEAR:]) or (not more and not before and is_a_code(after))

    def _behind(self, run: DigitRun) -> int:
        """Return the place of the piece behind a run."""
        behind = run.first
        while behind < len(self._pieces) and self._pieces[behind].start < run.pieces[-1].end:
            behind += 1
        return behind

    def _words(self, start: int, end: int) -> list[str]:
        return [piece.code.lower() for piece in self._pieces[start:end] if piece.code[:1].isalnum()]


def code_behind(run: DigitRun, first: int) -> int:
    """Return the piece at which the code behind a card and its date begins; 0 if there is none.

    Args:
        run: Such as "4111 1111 1111 1111, 04/27, 737".
        first: The piece behind the card.
    """
    sizes = [len(piece.code) for piece in run.pieces[first:]]
    if sizes == [1, 1, 1]:
        return first
    with_date = sizes in ([3], [2, 2, 3], [2, 4, 3], [4, 3])
    return len(run.pieces) - 1 if with_date else 0


def _is_an_amount(text: str, run: DigitRun) -> bool:
    """Return whether a number is of money, a share, or a date: 45.00, 12 %, 04/27."""
    start, end = run.pieces[0].start, run.pieces[-1].end
    around = text[max(0, start - 2) : start] + text[end : end + 2]
    return bool(_OF_AMOUNTS.search(text[start:end]) or any(sign in around for sign in "$€£%"))
