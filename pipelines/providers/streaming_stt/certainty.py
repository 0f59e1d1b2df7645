"""In what language something was heard, and how surely: of what a provider says beside the text.

Nothing depends on it, so what cannot be read is not told, and loses no transcript.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipelines.providers.contracts import UNTOLD, Certainty

_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*")


def certainty(*, language: object = None, confidence: object = None) -> Certainty:
    """Return what is told.

    Args:
        language: A tag, or a list of which the first is the main one; anything else tells nothing.
        confidence: Between 0 and 1, or a list of words that have one each.
    """
    if isinstance(language, list | tuple):
        language = next(iter(language), None)
    tag = language if isinstance(language, str) and _TAG.fullmatch(language) else ""
    if isinstance(confidence, list | tuple):
        of_words = [one.get("confidence") for one in confidence if isinstance(one, dict)]
        sure = [one for one in map(_share, of_words) if one is not None]
        return Certainty(language=tag, confidence=sum(sure) / len(sure) if sure else None)
    return Certainty(language=tag, confidence=_share(confidence))


def of_all(parts: Sequence[tuple[str, Certainty]]) -> Certainty:
    """Return the certainty of texts together: the language of most of it, the mean by length."""
    told = [(len(text.strip()), known) for text, known in parts if text.strip()]
    languages: dict[str, int] = {}
    for length, known in told:
        if known.language:
            languages[known.language] = languages.get(known.language, 0) + length
    sure = [(length, known.confidence) for length, known in told if known.confidence is not None]
    if not (languages or sure):
        return UNTOLD
    length = sum(length for length, _ in sure)
    return Certainty(
        language=max(languages, key=lambda one: languages[one], default=""),
        confidence=sum(length * share for length, share in sure) / length if sure else None,
    )


def _share(value: object) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    return float(value) if known else None  # type: ignore[arg-type]
