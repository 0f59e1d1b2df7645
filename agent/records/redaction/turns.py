"""Numbers that callers give in several turns: whether one may go on, and where."""

from __future__ import annotations

from agent.records.redaction import mail
from agent.records.redaction.cues import cues
from agent.records.redaction.finder import languages
from agent.records.redaction.number_words import LANGUAGES, words_of
from agent.records.redaction.pieces import Sort, pieces, runs, tokens

NOTICED = 3
"""Digits at the end of a turn from which on it may be the beginning of a number, whatever was asked
for; fewer are a time, or how many people come."""

WORDS_BEHIND = 3
"""Words behind the last digits of a turn, such as "okay?", after which it may still go on."""


def unfinished(text: str, language: str = "", context: str = "", *, least: int = NOTICED) -> str:
    """Return the digits, or letters, that may go on in the next turn; ``""`` if nothing does.

    Args:
        text: What the caller said.
        language: Its BCP 47 tag.
        context: What the agent said before.
        least: Digits from which on it may, unless the agent has asked for some.
    """
    asked = bool(cues(words_of(context[-300:])))
    end = tokens(text[-400:])
    for code in languages(language):
        given = pieces(end, code)
        if mail.is_open(given, code):
            return "@"
        last = None
        for run in runs(given, letters=True):
            last = run
        if last is None or not any(char.isdigit() for char in last.code):
            continue
        behind = [one for one in given if one.start >= last.pieces[-1].end]
        if sum(one.code[:1].isalnum() for one in behind) > WORDS_BEHIND:
            continue
        if len(last.code) >= least or asked:
            return last.code
    return ""


def goes_on(text: str, language: str = "") -> bool:
    """Return whether a turn may begin in the middle of a number, or of an address."""
    beginning = tokens(text[:200])
    for code in languages(language):
        words = 0
        for piece in pieces(beginning, code):
            if piece.sort is Sort.DIGITS or piece.code in ("at", "@"):
                return True
            words += piece.code[:1].isalnum()
            if words > WORDS_BEHIND:
                break
    return False


def bare(text: str, language: str, *, head: bool, tail: bool) -> str:
    """Return a turn without the words around its digits, each character of them a blank.

    Args:
        text: What the caller said: "Keypad: 1111#", "okay so 1111 1111, right?".
        language: Its BCP 47 tag.
        head: Whether those before the first digit go.
        tail: Whether those behind the last digit go.
    """
    given = tokens(text)
    for code in languages(language):
        digits = [piece for piece in pieces(given, code) if piece.sort is Sort.DIGITS]
        if not digits:
            continue
        first = digits[0].start if head else 0
        last = digits[-1].end if tail else len(text)
        return " " * first + text[first:last] + " " * (len(text) - last)
    return text


def repeats(text: str, code: str) -> bool:
    """Return whether some of these digits, three or more, stand in a text."""
    given = tokens(text)
    for language in LANGUAGES:
        for run in runs(pieces(given, language), letters=False):
            if len(run.code) >= NOTICED and (run.code in code or code in run.code):
                return True
    return False
