"""Where in a line the words stand that were searched for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.records.search.search_words import Question, words_of

AROUND = 160
"""Characters that are shown before the first found word, and three times as many behind it."""

_WORDS = re.compile(r"\w+")


def marked_words(text: str, language: str, asked: Question) -> list[tuple[str, bool]]:
    """Return a text in pieces, each with whether it was searched for.

    A word of a phrase is marked wherever it stands. Scripts without spaces between words are marked
    from the first to the last character of what was found in a run.

    Args:
        text: Of a line; a long one is cut to what is around the first word.
        language: Of the line; ``""`` if it is not known.
        asked: What was searched for.
    """
    words = {word for forms in asked for term in forms if not term.begins for word in term.words}
    begin = tuple(term.words[0] for forms in asked for term in forms if term.begins)
    pieces: list[tuple[str, bool]] = []
    at = 0
    for start, end in _found(text, language, words, begin):
        if start > at:
            pieces.append((text[at:start], False))
        pieces.append((text[start:end], True))
        at = end
    pieces.append((text[at:], False))
    return list(_cut(pieces))


def _found(
    text: str, language: str, words: set[str], begin: tuple[str, ...]
) -> Iterator[tuple[int, int]]:
    for word in _WORDS.finditer(text):
        its = words_of(word[0], language)
        every = {*its.spoken, *its.besides}
        if not every & words and not (begin and any(one.startswith(begin) for one in every)):
            continue
        yield _within(word[0], words, word.start()) if len(its.spoken) > 1 else word.span()


def _within(run: str, words: set[str], at: int) -> tuple[int, int]:
    """Return where in a run of characters without spaces that stands which was found."""
    places = [
        (found.start(), found.end()) for one in words for found in re.finditer(re.escape(one), run)
    ]
    if not places:
        return at, at + len(run)
    return at + min(start for start, _ in places), at + max(end for _, end in places)


def _cut(pieces: list[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    first = next((n for n, (_, found) in enumerate(pieces) if found), 0)
    before = "".join(piece for piece, _ in pieces[:first])
    if before:
        yield (before if len(before) <= AROUND else f"… {before[-AROUND:]}"), False
    left = 3 * AROUND
    for piece, found in pieces[first:]:
        if not piece:
            continue
        yield (piece if len(piece) <= left else f"{piece[:left]} …"), found
        left -= len(piece)
        if left <= 0:
            return
