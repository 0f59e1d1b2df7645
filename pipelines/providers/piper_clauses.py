"""Where a speaker would breathe: text cut into clauses, the first one short."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.text.sentences import SentenceCutter

FIRST = (3, 9)
"""Words in the first clause, at least and at most if there is somewhere to cut."""

LATER = (7, 14)
"""Words in later ones. Longer, because they sound better, and there is time: one thread makes a
clause in a twelfth of the time that it takes to hear the one before it."""

LAST = 2
"""Fewest words after a cut: "please" alone sounds like a command."""

MOST = 40
"""Words that are spoken at once, where there is nowhere to cut. Memory grows with them."""

# fmt: off
JOINTS = frozenset({
    "about", "after", "although", "and", "as", "at", "because", "before", "between", "but", "by",
    "during", "except", "for", "from", "if", "in", "including", "into", "on", "or", "over", "since",
    "so", "than", "that", "through", "under", "unless", "until", "when", "where", "whether",
    "which", "while", "who", "with", "within", "without",
})
# fmt: on
"""English words that a speaker can take a breath before."""


@dataclass(frozen=True, slots=True)
class Clause:
    """Words that are spoken in one breath."""

    text: str
    """Ends in a mark, which the voice hears: a comma where the sentence goes on."""

    pause: float
    """Seconds of silence after it."""


def clauses(text: str) -> Iterator[Clause]:
    """Cut ``text`` where a speaker would breathe: the first clause short, the others longer.

    Joined, the clauses hold the words of ``text``; a comma is added where there was no mark.
    """
    limits = FIRST
    cutter = SentenceCutter()
    for sentence in (*cutter.feed(text), *cutter.flush()):
        words = sentence.split()
        while words:
            end = _breath(words, *limits)
            yield _clause(" ".join(words[:end]), whole=end == len(words))
            words = words[end:]
            limits = LATER


def _breath(words: Sequence[str], fewest: int, most: int) -> int:
    """Return how many of ``words``, the rest of a sentence, make the next clause."""
    if len(words) <= most:
        return len(words)
    ends = range(fewest, len(words) - LAST + 1)
    mark = next((end for end in ends if words[end - 1].endswith(",")), None)
    if mark is not None and mark <= most:
        return mark
    joint = next((end for end in ends if words[end].lower() in JOINTS), None)
    return min(joint or mark or len(words), MOST)


def _clause(text: str, *, whole: bool) -> Clause:
    """Give ``text`` its mark and its pause; ``whole`` if the sentence ends with it."""
    if text.endswith(","):
        return Clause(text, 0.12)
    if not whole:
        return Clause(text + ",", 0.04)
    return Clause(text if text[-1] in ".!?" else text + ".", 0.25)
