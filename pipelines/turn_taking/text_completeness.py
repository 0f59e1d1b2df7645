"""How likely the words so far are all of what the caller wants to say.

A logistic regression over the last few words, fitted by ``tests.benchmarks.fit_text_completeness``
on whole sentences and on the same cut after each word: one file of weights a language, in
``completeness``. A language without one is not judged.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.text.sounding_alike import without_accents
from pipelines.turn_taking.words_by_language import primary

WEIGHTS = Path(__file__).with_name("completeness")
"""Where the weights lie: ``en.json`` and so on."""

WORDS = 8
"""Words that are looked at: the last ones."""

_REACH = 120
"""Characters in which these are looked for, so that long speeches cost no more than short ones."""

_WORD = re.compile(r"\w+(?:'\w+)*'?")
_ELIDED = re.compile(r"(?<=\w')(?=\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletenessWeights:
    """What was learned of one language."""

    elides: bool
    """Whether words are divided after an apostrophe: "l'heure"."""

    common: frozenset[str]
    """The commonest words; of others the last letters count."""

    weights: Mapping[str, float]
    """What each feature adds to the log-odds."""


def words_at_end(transcript: str, *, elides: bool) -> list[str]:
    """Return the last words of ``transcript``, one more than :data:`WORDS` at the most.

    Without case, accents, and punctuation; numbers in digits are all ``#``.

    Args:
        transcript: As a speech-to-text gives it.
        elides: Whether words are divided after an apostrophe.
    """
    end = transcript[-_REACH:].casefold().replace("’", "'")
    plain = end if end.isascii() else without_accents(end)
    words = [
        part
        for word in _WORD.findall(plain)
        for part in (_ELIDED.split(word) if elides else (word.rstrip("'"),))
    ]
    return ["#" if word[0].isdigit() else word for word in words[-WORDS - 1 :]]


def features(words: Sequence[str], common: frozenset[str]) -> Iterator[str]:
    """Yield what the end of a transcript looks like.

    Args:
        words: Of :func:`words_at_end`; one at least.
        common: The words that are told apart.
    """
    known = [word if word in common else "~" + word[-2:] for word in words[-WORDS:]]
    padded = ["^", "^", *known]
    third, second, last = padded[-3:]
    yield "bias"
    yield f"n {min(len(words), WORDS)}"
    yield f"= {words[-1]}"
    yield f"~ {words[-1][-3:]}"
    yield f"1 {last}"
    yield f"2 {second}"
    yield f"3 {third}"
    yield f"12 {second} {last}"
    yield f"13 {third} {last}"
    yield f"123 {third} {second} {last}"
    if len(words) <= WORDS:
        yield f"first {known[0]}"
    for word in set(known[:-1]):
        yield f"has {word}"


def log_odds(transcript: str, learned: CompletenessWeights) -> float | None:
    """Return the logarithm of the odds that ``transcript`` is whole; None without a common word.

    Of names and jargon alone nothing is known but how they end, and that tells too little.
    """
    words = words_at_end(transcript, elides=learned.elides)
    if learned.common.isdisjoint(words[-WORDS:]):
        return None
    weigh = learned.weights.get
    return sum(weigh(feature, 0.0) for feature in features(words, learned.common))


def load(path: Path) -> CompletenessWeights:
    """Return the weights in a file."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return CompletenessWeights(
        elides=data["elides"],
        common=frozenset(data["common"].split()),
        weights={name: weight / 100 for name, weight in data["hundredths"].items()},
    )


# Read when this is imported: later, it would be in the middle of a call.
_LANGUAGES: Mapping[str, CompletenessWeights] = {
    path.stem: load(path) for path in sorted(WEIGHTS.glob("*.json"))
}


def text_completeness(transcript: str, language: str) -> float | None:
    """Return the probability that ``transcript`` is a whole turn; None where nothing can tell.

    It is what the words alone say if whole and unfinished ones are equally frequent: its log-odds
    are to be added to those of other evidence. Case and punctuation do not matter, since
    transcribers put a full stop before any silence. Takes time in proportion to the last
    :data:`WORDS` words alone.

    Args:
        transcript: What was said so far, as a speech-to-text gives it.
        language: BCP 47 tag.
    """
    learned = _LANGUAGES.get(primary(language))
    if learned is None:
        return None
    odds = log_odds(transcript, learned)
    return None if odds is None else 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))
