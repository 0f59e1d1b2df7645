"""Who has answered a call that we placed: somebody, a machine, or a screener? By words and timing.

People say "hello?", in about a second, and wait. A machine speaks on: that somebody is not there,
and what to do after the tone. A call screener (of a phone, of a carrier) asks who calls and why, is
told, and then rings whoever was called: :func:`verdict_on_hold` says who is there next. No clock is
read and nothing is awaited: whoever listens tells of what is heard, in seconds of audio since the
answer, and asks after every frame.

The seconds were chosen on half of the greetings of ``python -m tests.benchmarks.machines``, which
prints how it decides on the other half.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from pipelines.turn_taking.annotations import words_of
from pipelines.turn_taking.greetings import is_greeting
from pipelines.turn_taking.words_by_language import NO_WORDS, LanguageWords, spoken_words, words_in

Answerer = Literal["human", "machine", "screener", "unknown"]

Told = Literal["", "human", "machine", "unknown", "beep"]
"""What the platform says of it; ``""`` while it says nothing."""

Why = Literal["words", "short", "pause", "length", "beep", "silence", "time", "platform", "key"]
"""What a verdict is by: what was said; a greeting that was ``short``, or longer, and then a
``pause``; the ``length`` of one without a pause; the ``beep``; that nobody said anything, or that
it took too long; a ``key`` that only a person presses."""

NOBODY = 1.8
"""Seconds without a word after which whoever is there is greeted."""

LATEST = 12.0
"""Seconds after which nobody waits for more."""

SHORT = 1.5
"""Seconds of a greeting that a person's hardly exceeds: "hello?", or a name."""

WAITS = 0.4
"""Seconds of silence after it: they wait to be spoken to."""

OPENS = 1.0
"""The same after a longer greeting, of which each sentence of a machine's might be the last.
Between those of recorded greetings lie 0.2 to 0.9 s."""

LONG, OPENS_LATE = 3.0, 1.8
"""Seconds of a greeting that hardly a person's has, and of silence after it: time for the beep that
follows on most machines' within 1.5 s."""

ON_AND_ON = 5.0
"""Seconds of speech after which it is a machine, whatever it says: the longest greeting of an
office, with the name of the firm, of whoever speaks and an offer to help, takes four."""

WORDS_WITHIN = 5.0
"""Seconds more for which the words are waited for, where they may be those of a screener."""

WORDS_LATE = 1.5
"""Seconds of silence in which words are known if they ever are, on hold."""

_once = lru_cache(maxsize=256)
"""Looks at a text once: whoever listens asks after every frame, of which few bring words."""

A_WORD = 0.16
"""Seconds of voice that a word takes; what is shorter is a click."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardSoFar:
    """What was heard of whoever has answered."""

    at: float
    """Seconds since the answer."""

    spoken: float = 0.0
    """Seconds from the beginning of their speech to its last voiced frame; 0 for none."""

    silent: float = 0.0
    """Seconds since then."""

    text: str = ""
    """What they have said, as far as it is known."""

    beeped: bool = False
    tone: bool = False
    """Whether there is a tone now, which may turn out to be the beep."""

    platform: Told = ""

    words_to_come: bool = False
    """Whether more words of what was said are to be known soon, and matter: those of a screener."""


@dataclass(frozen=True, slots=True)
class AnswererVerdict:
    """Who it is."""

    answerer: Answerer
    why: Why


def verdict(heard: HeardSoFar, language: str) -> AnswererVerdict | None:
    """Return who it is; None while that is open.

    What is heard counts for more than what the platform tells, which is one more thing known.

    Args:
        heard: So far.
        language: BCP 47 tag, of what is said. Where its words are not known, timing alone decides.
    """
    if says_screener(heard.text, language):
        return AnswererVerdict("screener", "words")
    if found := _machine(heard, language):
        waits = heard.words_to_come and heard.at < LATEST
        waits = waits and heard.spoken < ON_AND_ON + WORDS_WITHIN
        return None if waits and not asks_for_message(heard.text, language) else found
    if heard.platform == "human":
        return AnswererVerdict("human", "platform")
    return _by_pause(heard, language) or _by_time(heard)


def verdict_on_hold(
    heard: HeardSoFar, language: str, *, machine: bool = False
) -> AnswererVerdict | None:
    """Return who is there now, of what was heard since it was silent last; None if nobody new is.

    Args:
        heard: Since then.
        language: BCP 47 tag, of what is said.
        machine: Whether it is a machine that goes on, whose beep is waited for. Otherwise it is a
            screener, who has heard who calls.
    """
    text = heard.text
    if says_screener(text, language):
        rings = not machine and keeps_waiting(text, language)
        return None if rings else AnswererVerdict("screener", "words")
    if says_machine(text, language):
        return AnswererVerdict("machine", "words")
    if heard.beeped:
        return AnswererVerdict("machine", "beep")
    if heard.spoken < A_WORD or heard.silent < WAITS:
        return None
    return _picks_up(heard, language, machine=machine)


def _picks_up(heard: HeardSoFar, language: str, *, machine: bool) -> AnswererVerdict | None:
    if machine:  # whatever it says: nobody but somebody who picks up says "hello?" there
        is_person = bool(heard.text) and is_greeting(heard.text, language)
    elif heard.words_to_come:
        late = heard.silent >= WORDS_LATE and heard.spoken <= SHORT
        return AnswererVerdict("human", "short") if late else None
    else:
        is_person = bool(heard.text) and not keeps_waiting(heard.text, language)
    return AnswererVerdict("human", "words") if is_person else None


def _machine(heard: HeardSoFar, language: str) -> AnswererVerdict | None:
    if says_machine(heard.text, language):
        return AnswererVerdict("machine", "words")
    # In a "hello?" it is rather a voice that hums: nobody is hung up on for that.
    if heard.beeped and not A_WORD <= heard.spoken <= SHORT:
        return AnswererVerdict("machine", "beep")
    if heard.platform in ("machine", "beep"):
        return AnswererVerdict("machine", "platform")
    return AnswererVerdict("machine", "length") if heard.spoken >= ON_AND_ON else None


def _by_pause(heard: HeardSoFar, language: str) -> AnswererVerdict | None:
    if heard.spoken < A_WORD:
        return None
    reached = begins_as_machine(heard.text, language)
    if heard.spoken <= SHORT and not reached:
        return AnswererVerdict("human", "short") if heard.silent >= WAITS else None
    if heard.silent >= (OPENS if heard.spoken < LONG else OPENS_LATE) and not heard.tone:
        return AnswererVerdict("human", "pause")
    return None


def _by_time(heard: HeardSoFar) -> AnswererVerdict | None:
    if heard.spoken < A_WORD and heard.at >= NOBODY:
        return AnswererVerdict("unknown", "silence")
    return AnswererVerdict("unknown", "time") if heard.at >= LATEST else None


@_once
def says_machine(text: str, language: str) -> bool:
    """Return whether a machine, or an assistant that screens calls, has said this.

    Args:
        text: A transcript; case and punctuation do not matter.
        language: BCP 47 tag.
    """
    known = words_in(language)
    return known is not None and known.machines.search(_plain(text)) is not None


@_once
def says_screener(text: str, language: str) -> bool:
    """Return whether a call screener has said this: who asks for a message is none."""
    known, said = words_in(language), _plain(text)
    return known is not None and bool(known.screeners.search(said) and not _leave(known, said))


def knows_screeners(language: str) -> bool:
    """Return whether call screeners are known by their words in a language."""
    known = words_in(language)
    return known is not None and known.screeners.pattern != NO_WORDS.screeners.pattern


@_once
def asks_for_message(text: str, language: str) -> bool:
    """Return whether this is of a machine that records: no call screener says it."""
    known = words_in(language)
    return known is not None and _leave(known, _plain(text))


@_once
def keeps_waiting(text: str, language: str) -> bool:
    """Return whether a call screener that has heard who calls has said this, and rings now."""
    known = words_in(language)
    return known is not None and known.on_hold.search(_plain(text)) is not None


def _leave(known: LanguageWords, said: str) -> bool:
    return known.mailboxes.search(said) is not None


@_once
def begins_as_machine(text: str, language: str) -> bool:
    """Return whether machines begin like this; people in an office do, too."""
    known = words_in(language)
    return known is not None and known.reached.search(_plain(text)) is not None


def _plain(text: str) -> str:
    return " ".join(spoken_words(words_of(text)))
