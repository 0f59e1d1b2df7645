"""Which letters of one text are those of another: by edit distance, in memory that grows linearly.

Letters and not words: a recognizer writes a word in two, or in another spelling, and what is left
of it still is most of the letters in their order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

SMALL = 250_000
"""Pairs of letters up to which all costs are kept at once: a quarter of a megabyte."""

Codes = npt.NDArray[np.uint32]
Marks = npt.NDArray[np.bool_]


def matched(one: str, other: str) -> tuple[Marks, Marks]:
    """Return which letters of ``one`` stand in ``other`` too, and which of ``other`` in ``one``.

    In the order of both, so that as few as possible are left. Takes time that grows with the
    product of the lengths: some 4,000 letters each take a tenth of a second.
    """
    a, b = _codes(one), _codes(other)
    in_one, in_other = np.zeros(len(a), np.bool_), np.zeros(len(b), np.bool_)
    for i, j in _pairs(a, b):
        in_one[i] = in_other[j] = True
    return in_one, in_other


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)


def _pairs(a: Codes, b: Codes) -> list[tuple[int, int]]:
    """Return the places of letters that are one and the same; Hirschberg's halves if they are many.

    (D. S. Hirschberg, Communications of the ACM 18, 1975.)
    """
    found: list[tuple[int, int]] = []
    waiting = [(0, len(a), 0, len(b))]
    while waiting:
        begin, end, first, last = waiting.pop()
        if begin == end or first == last:
            continue
        if (end - begin) * (last - first) <= SMALL or end - begin == 1:
            found += [(begin + i, first + j) for i, j in _traced(a[begin:end], b[first:last])]
            continue
        middle = (begin + end) // 2
        head = _costs(a[begin:middle], b[first:last])
        tail = _costs(a[middle:end][::-1], b[first:last][::-1])[::-1]
        at = first + int(np.argmin(head + tail))
        waiting += [(begin, middle, first, at), (middle, end, at, last)]
    return found


def _costs(a: Codes, b: Codes) -> npt.NDArray[np.int32]:
    """Return what it costs to make each beginning of ``b`` of ``a``."""
    row = np.arange(len(b) + 1, dtype=np.int32)
    for letter in a:
        row = _next(row, letter, b)
    return row


def _next(row: npt.NDArray[np.int32], letter: np.uint32, b: Codes) -> npt.NDArray[np.int32]:
    steps = np.arange(len(b) + 1, dtype=np.int32)
    below = row + 1
    below[1:] = np.minimum(below[1:], row[:-1] + (b != letter))
    # A letter more than the one to the left, as often as that is cheaper.
    costs: npt.NDArray[np.int32] = np.minimum.accumulate(below - steps) + steps
    return costs


def _traced(a: Codes, b: Codes) -> Sequence[tuple[int, int]]:
    rows = [np.arange(len(b) + 1, dtype=np.int32)]
    for letter in a:
        rows.append(_next(rows[-1], letter, b))
    found = []
    i, j = len(a), len(b)
    while i and j:
        same = a[i - 1] == b[j - 1]
        if rows[i][j] == rows[i - 1][j - 1] + (not same):
            if same:
                found.append((i - 1, j - 1))
            i, j = i - 1, j - 1
        elif rows[i][j] == rows[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
    return found
