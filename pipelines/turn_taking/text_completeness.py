"""How likely the words so far are all of what the caller wants to say."""

from __future__ import annotations


def text_completeness(transcript: str, language: str) -> float | None:  # noqa: ARG001
    """Return the probability that ``transcript`` is a whole turn; None where nothing can tell.

    Takes time in proportion to the last few words alone.

    Args:
        transcript: What was said so far, as a speech-to-text gives it.
        language: BCP 47 tag.
    """
    return None
