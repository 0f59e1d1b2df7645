"""What of an utterance is not about the business: greetings, thanks, a wish to hear it again."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from pipelines.providers.lookup.language import Talk
from pipelines.providers.lookup.languages import LANGUAGES
from pipelines.providers.lookup.words import plain_words

_PAUSE = re.compile(r"[.?!,;:]+(?:\s|$)")

_LONGEST = 600
"""Characters looked at of an utterance: a minute of speech."""


@functools.cache
def _patterns(language: str) -> Mapping[Talk, re.Pattern[str]]:
    patterns = LANGUAGES[language].talk
    return {talk: re.compile(rf"\b(?:{patterns[talk]})(?!\w)") for talk in Talk if talk in patterns}


def heard_in(text: str, language: str) -> tuple[frozenset[Talk], list[str]]:
    """Return the small talk in an utterance and, clause by clause, the rest in plain words."""
    talk: set[Talk] = set()
    rest: list[str] = []
    for clause in _PAUSE.split(text[-_LONGEST:]):
        words = " ".join(plain_words(clause))
        for kind, pattern in _patterns(language).items():
            words, times = pattern.subn(" ", words)
            words = words.strip()
            if times:
                talk.add(kind)
        rest.append(words)
    return frozenset(talk), [words for words in rest if words]
