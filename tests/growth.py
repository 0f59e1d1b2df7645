"""What a parser costs as its input grows: measured so that the machine's speed does not matter."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

SMALL, LARGE = 1_000, 8_000
"""Characters of the two inputs that are compared."""

MOST = 24
"""How many times as much the larger may cost: 8 if the cost is linear, 64 if it grows with the
square. Halfway between, as ratios go, so that noise decides nothing."""

NEGLIGIBLE = 0.0001
"""Seconds under which a cost is noise: what is measured is at least this."""

TRIES = 6
"""Times that both are measured, the best of each kept, before a cost is believed to grow too fast:
a machine that is busy elsewhere delays some of them."""

FAMILIES: dict[str, str] = {
    "dots": ".",
    "an ellipsis": "…",
    "digits": "7",
    "groups of digits": "1,000",
    "opening brackets": "[",
    "nested links": "[a](",
    "links that end": "](",
    "parentheses": "1)(",
    "spaces": " ",
    "tabs": "\t",
    "lines": "\n",
    "combining marks": "\u0301",
    "letters with marks": "e\u0301",
    "less than": "<",
    "tags that do not end": "<a ",
    "comments that do not end": "<!--",
    "quotes": '"',
    "marks and quotes": '."',
    "sentences in quotes": '. "',
    "backslashes": "\\",
    "escapes": "\\ud83d",
    "entities": "&amp;",
    "underscores": "_",
    "stars": "*",
    "ticks": "`",
    "pipes": "| ",
    "dashes": "- ",
    "lines of dashes": "--",
    "digits and dashes": "1-",
    "one long word": "a",
    "a long word of two scripts": "aя",
    "words": " a",
    "domains": "a.b",
    "words with dashes": "a-",
    "mail addresses": "a@",
    "web addresses": "www.",
    "initials": "a.m. ",
    "versions": "1.2.",
    "days": "Mo-",
    "amounts": "$1",
    "plus": "+1",
    "times": "12:",
    "commas": ", ",
    "emoji": "👍",
    "families": "👩\u200d",
    "halves of characters": "\ud83d",
    "Chinese": "我们。",
    "Hindi": "नमस्ते। ",
    "no-break spaces": "1\u202f000",
    "ideographs without marks": "漢",
    "numbers without a space": "No.5",
    "a list": "1. ",
    "nothing": "\x00",
}
"""Worst cases of many kinds of parser, each to be repeated."""


def text(family: str, length: int) -> str:
    """Return so many characters of a family."""
    unit = FAMILIES[family]
    return (unit * (length // len(unit) + 1))[:length]


def pieces(whole: str, size: int) -> Iterable[str]:
    """Cut a text as a model's deltas might be."""
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def growth(parse: Callable[[str], object], family: str) -> float:
    """Return how many times as much :data:`LARGE` characters cost as :data:`SMALL`.

    Seconds of this thread's own processor time, the best of several.
    """
    small, large = text(family, SMALL), text(family, LARGE)
    costs = {small: float("inf"), large: float("inf")}
    ratio = float("inf")
    for _ in range(TRIES):
        for given, best in costs.items():
            costs[given] = min(best, _seconds(parse, given))
        ratio = costs[large] / max(costs[small], NEGLIGIBLE)
        if ratio <= MOST:
            break
    return ratio


def _seconds(parse: Callable[[str], object], given: str) -> float:
    began = time.thread_time()
    parse(given)
    return max(NEGLIGIBLE, time.thread_time() - began)
