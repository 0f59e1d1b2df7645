"""Two versions of a text, side by side in one list of lines: what went, what came, what stayed.

The time is about linear in the length of both, whatever they are: lines that stand once in each are
found first, and only what lies between two of these is compared line by line, if it is short.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise, zip_longest
from typing import Literal

AROUND = 3
"""Lines that are shown before and after a change."""

CLOSE = 60
"""Lines, of both texts together, between two that are known to be the same, which are compared with
each other; more of them are another text."""

MOST_WORDS = 120
"""Words, and what divides them, of a line in which changed words are marked: two such lines are
compared in a millisecond or two."""

MARKED = 300
"""Pairs of lines in which that is done: 0.3 s, if each is as bad as can be."""

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")

Kind = Literal["same", "removed", "added", "gap"]
Block = tuple[int, int, int, int]
"""Lines of the old text, from and to, and those of the new one in their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffPart:
    """A part of a line."""

    text: str
    marked: bool = False
    """Whether it is what has changed in that line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLine:
    """A line of either text, or of both."""

    kind: Kind
    """``gap`` stands for lines that are left out, since nothing near them has changed."""

    old: int | None = None
    """Its number in the old text, from 1."""

    new: int | None = None
    parts: tuple[DiffPart, ...] = ()


def differences(old: str, new: str) -> list[DiffLine]:
    """Return the lines that have changed, with some around them; none if nothing has."""
    before, after = old.split("\n"), new.split("\n")
    shown: list[DiffLine] = []
    at, to, left = 0, 0, [MARKED]
    blocks = list(_changes(before, after))
    for a, b, c, d in blocks:
        stayed = a - at
        # What lies between two changes is shown whole, or its beginning and its end are.
        start = AROUND if at else 0
        if stayed > start + AROUND + 1:
            shown += _same(before, at, to, start)
            shown.append(DiffLine(kind="gap"))
            at, to = a - AROUND, c - AROUND
        shown += _same(before, at, to, a - at)
        shown += _block(before[a:b], after[c:d], a, c, left)
        at, to = b, d
    if blocks and len(before) - at > AROUND + 1:
        shown += [*_same(before, at, to, AROUND), DiffLine(kind="gap")]
    elif blocks:
        shown += _same(before, at, to, len(before) - at)
    return shown


def _same(lines: Sequence[str], at: int, to: int, count: int) -> Iterator[DiffLine]:
    for number in range(count):
        part = DiffPart(text=lines[at + number])
        yield DiffLine(kind="same", old=at + number + 1, new=to + number + 1, parts=(part,))


def _block(
    gone: Sequence[str], come: Sequence[str], old: int, new: int, left: list[int]
) -> Iterator[DiffLine]:
    """Yield lines that went and lines that came, the words marked in which a pair differs."""
    removed: list[DiffLine] = []
    added: list[DiffLine] = []
    for number, (was, now) in enumerate(zip_longest(gone, come)):
        if was is not None and now is not None and left[0]:
            left[0] -= 1
            was_parts, now_parts = _words(was, now)
        else:
            was_parts, now_parts = ((DiffPart(text=one or ""),) for one in (was, now))
        if was is not None:
            removed.append(DiffLine(kind="removed", old=old + number + 1, parts=was_parts))
        if now is not None:
            added.append(DiffLine(kind="added", new=new + number + 1, parts=now_parts))
    yield from removed
    yield from added


def _words(was: str, now: str) -> tuple[tuple[DiffPart, ...], tuple[DiffPart, ...]]:
    """Return both lines in parts; as a whole each if they have little in common."""
    whole = (DiffPart(text=was),), (DiffPart(text=now),)
    if len(was) + len(now) > 20 * MOST_WORDS:
        return whole
    before, after = _WORDS.findall(was), _WORDS.findall(now)
    if max(len(before), len(after)) > MOST_WORDS:
        return whole
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < 0.4:
        return whole
    gone: list[DiffPart] = []
    come: list[DiffPart] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        changed = kind != "equal"
        gone += [DiffPart(text="".join(before[a:b]), marked=changed)] if a < b else []
        come += [DiffPart(text="".join(after[c:d]), marked=changed)] if c < d else []
    return tuple(gone), tuple(come)


def _changes(before: Sequence[str], after: Sequence[str]) -> Iterator[Block]:
    """Yield what differs, in order, no two of them side by side."""
    anchors = [(-1, -1), *_anchors(before, after), (len(before), len(after))]
    open_block: Block | None = None
    for (a, c), (b, d) in pairwise(anchors):
        for block in _between(before, after, (a + 1, b, c + 1, d)):
            if open_block is not None and open_block[1] == block[0] and open_block[3] == block[2]:
                open_block = (open_block[0], block[1], open_block[2], block[3])
                continue
            if open_block is not None:
                yield open_block
            open_block = block
    if open_block is not None:
        yield open_block


def _between(before: Sequence[str], after: Sequence[str], block: Block) -> Iterator[Block]:
    """Yield what differs between two lines that are the same."""
    a, b, c, d = block
    while a < b and c < d and before[a] == after[c]:
        a, c = a + 1, c + 1
    while a < b and c < d and before[b - 1] == after[d - 1]:
        b, d = b - 1, d - 1
    if a == b and c == d:
        return
    if b - a + d - c > CLOSE:
        yield a, b, c, d
        return
    matcher = SequenceMatcher(None, before[a:b], after[c:d], autojunk=False)
    for kind, e, f, g, h in matcher.get_opcodes():
        if kind != "equal":
            yield a + e, a + f, c + g, c + h


def _anchors(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
    """Return pairs of the same line in both texts, ascending in both: as many as there can be.

    Lines that stand once in each, and of these the longest row that is in order in both
    ("patience diff"): n log n.
    """
    once, also_once = Counter(before), Counter(after)
    place = {line: number for number, line in enumerate(after) if also_once[line] == 1}
    pairs = [
        (number, place[line])
        for number, line in enumerate(before)
        if line in place and once[line] == 1
    ]
    ends: list[int] = []  # the least place in which a row of each length ends
    last: list[int] = []  # and the pair that is
    previous: list[int] = []
    for index, (_, there) in enumerate(pairs):
        length = bisect_left(ends, there)
        previous.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [there]
        last[length : length + 1] = [index]
    row: list[tuple[int, int]] = []
    index = last[-1] if last else -1
    while index >= 0:
        row.append(pairs[index])
        index = previous[index]
    return row[::-1]
