"""``python -m tests.benchmarks.redaction``: how much of what is to be taken out of texts is.

Counted by stretches of text: one that is to go is found if nine tenths of it are in what was taken
out; what was taken out and has nothing to do with any is false. With the names of those that fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import get_args

from agent.records.redaction.finder import Finder, redacted
from agent.settings.privacy import Redacted
from agent.simulator.intervals import of_share
from tests.agent.records.redaction.sentences import HELD_OUT, SEEN, Sentence, sentences

FINDER = Finder(kinds=frozenset(get_args(Redacted)))


def score(given: Iterable[Sentence], *, tell: bool = False) -> Counter[str]:
    """Return how many stretches were found, missed, and taken out falsely; print the failures."""
    counted: Counter[str] = Counter()
    for one in given:
        found = FINDER.find(one.text, one.language)
        covered = {at for span in found for at in range(span.start, span.end)}
        missed = [
            span
            for span in one.spans
            if sum(at in covered for at in range(*span)) < 0.9 * (span[1] - span[0])
        ]
        false = [
            span
            for span in found
            if not any(span.start < end and span.end > start for start, end in one.spans)
        ]
        counted["found"] += len(one.spans) - len(missed)
        counted["missed"] += len(missed)
        counted["false"] += len(false)
        counted["sentences"] += 1
        if tell and (missed or false):
            print(f"  {one.language} {one.kind}: {redacted(one.text, found)}   [{one.text}]")
    return counted


def main() -> None:
    """Print precision and recall of both halves."""
    for name, written in (("seen", SEEN), ("held out", HELD_OUT)):
        given = list(sentences(written))
        counted = score(given, tell=True)
        found, missed, false = counted["found"], counted["missed"], counted["false"]
        for what, right, wrong in (("precision", found, false), ("recall", found, missed)):
            low, high = of_share(right, right + wrong) or (0.0, 1.0)
            share = right / (right + wrong)
            print(f"{name}: {what} {share:.3f} ({right}/{right + wrong}; {low:.2f} to {high:.2f})")
        print(f"{name}: {counted['sentences']} sentences")


if __name__ == "__main__":
    main()
