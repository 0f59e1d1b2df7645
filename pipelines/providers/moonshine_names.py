"""Names that Moonshine was told, put where they were likely said."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, groupby, pairwise

from pipelines.text.sounding_alike import unlike

WORD = "▁"
"""What a token begins with that begins a word."""

FIRST_BYTE = 3
"""The token of byte 0; those of the others follow."""

MARGIN = 7.4
"""How much smaller the log probability of a text with a name may be than that of what was heard, if
one name is told. Of several each is less likely beforehand, by the logarithm of how many."""

NEAR_ENOUGH = 0.6
"""How unlike a name what was heard may sound for the name to be tried there, 0 to 1."""

NEAR_END = 2
"""Words from either end at which somebody may be called: "Hey Clara, …", "…, Clara, please"."""

MOST_NAMES, MOST_PLACES, MOST_TRIED = 40, 24, 12
"""Names that count, places that are compared with them, and texts that are tried. A place costs
0.1 ms a name, a text as much as three tokens of what was heard."""

LONGEST_NAME = 40
"""Characters; a longer one is not looked for."""

_AROUND = re.compile(r"(\W*)\w(?:.*\w)?(\W*)", re.DOTALL)
"""What stands before and behind words."""


def vocabulary(table: bytes) -> list[bytes]:
    """Read a `tokenizer.bin`: the bytes of each token, by id.

    Each token is preceded by its length: one byte, or, from 128 on, two, of which the first
    holds the low seven bits.

    Raises:
        ValueError: If the table ends within a token.
    """
    tokens: list[bytes] = []
    at = 0
    try:
        while at < len(table):
            length = table[at]
            at += 1
            if length >= 128:
                length += 128 * (table[at] - 1)
                at += 1
            tokens.append(table[at : at + length])
            at += length
    except IndexError:
        at = len(table) + 1
    if at != len(table):
        raise ValueError("tokenizer.bin is cut short")
    return tokens


class Tokenizer:
    """The model's vocabulary, both ways.

    It is a byte-pair encoding of SentencePiece's: the earlier a token, the earlier it is made.

    Args:
        table: A `tokenizer.bin`.

    Raises:
        ValueError: If it is cut short.
    """

    def __init__(self, table: bytes) -> None:
        self._tokens = vocabulary(table)
        # A character of one byte is there twice: as a byte first, which is not what is written.
        self._ids = {token: n for n, token in enumerate(self._tokens)}

    def text(self, tokens: Sequence[int]) -> str:
        """Return what is written with these tokens."""
        written = b"".join(self._tokens[token] for token in tokens)
        return written.decode(errors="ignore").replace(WORD, " ").strip()

    def begins_word(self, token: int) -> bool:
        """Return whether a word begins with this token."""
        return self._tokens[token].startswith(WORD.encode())

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text that stands behind a space, or at the start."""
        parts = [char.encode() for char in WORD + text.replace(" ", WORD)]
        while True:
            pairs = (self._ids.get(one + two) for one, two in pairwise(parts))
            made = [(made, at) for at, made in enumerate(pairs) if made is not None]
            if not made:
                break
            at = min(made)[1]
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        return [
            token
            for part in parts
            for token in (
                [self._ids[part]] if part in self._ids else [FIRST_BYTE + byte for byte in part]
            )
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """A name in the place of words that sound like it."""

    start: int
    end: int
    """Behind the last word."""

    tokens: Sequence[int]
    """Of the name, and of the punctuation around it."""

    unlike: float


def with_names(
    tokens: Sequence[int],
    names: Sequence[str],
    tokenizer: Tokenizer,
    likelihood: Callable[[Sequence[int]], float],
) -> list[int]:
    """Return what was heard, with names in the place of words that were misheard for them.

    A name is as likely to the model as it was in what the model learned from; that it is on the
    line, the model does not know. So it may be less likely than what was heard, by :data:`MARGIN`.

    Args:
        tokens: What was heard.
        names: What may have been said; :data:`MOST_NAMES` of them count.
        tokenizer: The model's.
        likelihood: Returns the log probability of a text. It is asked for :data:`MOST_TRIED` texts
            at the most, and for what was heard; for none if nothing sounds like a name.
    """
    said = _words(tokens, tokenizer)
    tries = sorted(_tries(said, names[:MOST_NAMES], tokenizer), key=lambda each: each.unlike)
    if not tries:
        return list(tokens)
    least = likelihood(tokens) - (MARGIN - math.log(len(names[:MOST_NAMES])))
    likely = [
        (likelihood(_replaced(said, [each])), at) for at, each in enumerate(tries[:MOST_TRIED])
    ]
    taken: list[_Try] = []
    for found, at in sorted(likely, reverse=True):
        each = tries[at]
        if found >= least and all(each.end <= o.start or o.end <= each.start for o in taken):
            taken.append(each)
    return _replaced(said, taken)


def _words(tokens: Sequence[int], tokenizer: Tokenizer) -> list[Sequence[int]]:
    """Return the tokens word by word, each with the punctuation behind it."""
    starts = [at for at, token in enumerate(tokens) if at and tokenizer.begins_word(token)]
    return [tokens[start:end] for start, end in pairwise([0, *starts, len(tokens)])]


def _tries(
    said: Sequence[Sequence[int]], names: Sequence[str], tokenizer: Tokenizer
) -> Iterator[_Try]:
    """Yield the places of names: as many words as a name has, or one more, that are no name."""
    written = [tokenizer.text(word) for word in said]
    heard = [_letters(word) for word in written]
    known = {_letters(name) for name in names}
    short = (name for name in names if len(name) <= LONGEST_NAME)
    for size, sized in groupby(sorted(short, key=_size), key=_size):
        told = list(sized)
        for start, end in _places(written, size)[:MOST_PLACES]:
            if any("".join(heard[a:b]) in known for a, b in combinations(range(start, end + 1), 2)):
                continue  # somebody's name was heard there
            words = "".join(heard[start:end])
            around = _AROUND.fullmatch(" ".join(written[start:end]))
            for name in told:
                off = unlike(words, _letters(name))
                if off <= NEAR_ENOUGH and around:
                    text = around[1] + name + around[2]
                    yield _Try(start=start, end=end, tokens=tokenizer.tokens(text), unlike=off)


def _places(written: Sequence[str], size: int) -> list[tuple[int, int]]:
    """Return where somebody may be called, at the ends and at punctuation, those at ends first."""
    ends = [not word[-1:].isalnum() for word in written]
    last = len(written)
    spans = [
        (start, end)
        for start in range(last)
        for end in range(start + size, min(start + size + 1, last) + 1)
    ]
    places = [
        (start, end)
        for start, end in spans
        if min(start, last - end) < NEAR_END or ends[start - 1] or ends[end - 1]
    ]
    return sorted(places, key=lambda place: min(place[0], last - place[1]))


def _size(name: str) -> int:
    return len(name.split())


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _replaced(said: Sequence[Sequence[int]], tries: Sequence[_Try]) -> list[int]:
    """Return the tokens of what was said, with these in their places."""
    text: list[int] = []
    at = 0
    for each in sorted(tries, key=lambda one: one.start):
        text += [*chain(*said[at : each.start]), *each.tokens]
        at = each.end
    return [*text, *chain(*said[at:])]
