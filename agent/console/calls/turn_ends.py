"""Why a turn was taken for over, in words that people understand: of ``decided`` of its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.records.values import number, text

BECAUSE: Mapping[str, str] = {
    "silence": "They had been silent for long enough.",
    "turn model": "It sounded as if they had finished.",
    "text": "What they said read as a whole sentence.",
    "words": "Their words told that this was all, or that there was more to come.",
    "provider": "The speech-to-text service said that they had finished.",
    "length": "They had spoken for as long as a turn may last.",
    "keys": "They pressed keys, and then no more.",
    "hang-up": "They hung up.",
}
"""What weighed most."""

WORDS: Mapping[str, str] = {
    "whole": "what they said is an answer by itself, such as “yes” or “goodbye”",
    "trailing": "it ended as if there was more to come, such as with “and”",
    "open": "something was still missing, as after “my number is”",
    "dictated: part": "a part of a number or a name was dictated",
    "dictated: maybe all": "what was dictated may have been all of it",
    "dictated: all": "all of what was dictated had come",
    "dictated: unknown": "something was dictated, of a length that nobody knows",
    "called": "there was nothing yet but the agent’s name, so that more was waited for",
    "open to others": "others on the line may have answered, or a name followed: it was waited for",
}

EXPECTED: Mapping[str, str] = {
    "yes or no": "the agent had asked for a yes or a no",
    "number": "the agent had asked for a number",
    "spelling": "the agent had asked for something to be spelled",
}


def because(decided: Mapping[str, Any]) -> str:
    """Return what weighed most, as a sentence; ``""`` if that is not known."""
    by = text(decided.get("by")) or ""
    return BECAUSE.get(by, by)


def weighed(decided: Mapping[str, Any]) -> Iterator[str]:
    """Yield all that was weighed, one thing at a time."""
    if (silence := number(decided.get("silence"))) is not None:
        yield f"{silence:.2f} s of silence were waited for"
    if (chance := number(decided.get("probability"))) is not None:
        asked = number(decided.get("asked")) or 1
        times = f", asked {asked:.0f} times" if asked > 1 else ""
        yield f"the turn model was {chance:.0%} sure, by the sound, that they had finished{times}"
    if (chance := number(decided.get("complete"))) is not None:
        yield f"the text was {chance:.0%} likely to be whole"
    if words := text(decided.get("words")):
        yield WORDS.get(words, words)
    if expected := EXPECTED.get(text(decided.get("expected")) or ""):
        yield expected
    if (extra := number(decided.get("extra"))) and round(extra, 2):
        yield f"{extra:.2f} s were added, for how this caller pauses"
    if late := number(decided.get("late")):
        yield f"{late:.2f} s of the silence were waited for the words alone"
