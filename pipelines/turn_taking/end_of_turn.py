"""Has the caller finished, or only paused? How long to wait is decided by the evidence.

What is known is added up in log-odds, as independent witnesses are: an acoustic model of the last
seconds, which hears whether a sentence falls to its end; how complete the words are as text; and
words that say more than that ("yes", a last "and"). The sum says how much silence ends the turn, on
a line through the settings. What is dictated is counted, and bounds it: half a number is waited for
whatever anybody hears. The silence itself is counted by :mod:`pipelines.listening.gate`.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Protocol

from pydantic import Field

from pipelines.settings import Section
from pipelines.turn_taking.dictation import Progress, dictated, progress
from pipelines.turn_taking.end_of_turn_words import Ending, ending, opens
from pipelines.turn_taking.expectation import NOTHING, AnswerKind, Expectation
from pipelines.turn_taking.floor import WaitsFor


class EndOfTurnSettings(Section):
    """How long a silence ends a turn, by the evidence; without any, it is ``vad.end_after``.

    The defaults are chosen by ``tests.benchmarks.endpoints`` on one half of its speech, and hold on
    the other.
    """

    shortest: float = Field(
        0.35,
        ge=0.1,
        le=5,
        description="Seconds, sure that they finished: by all evidence, or a whole answer (yes).",
    )
    """Longer than the pause at a comma ("Thanks, goodbye."), 0.2 to 0.32 s in Piper's speech; and a
    draft by providers that take 0.5 s is not ready before it anyway."""

    middle: float = Field(0.8, ge=0.1, le=5, description="Seconds, when nobody can say.")
    """A fifth of whole utterances wait for about as much, and the answer to them still comes within
    a second. What is dictated and may be all waits for it, too: the pauses between groups of digits
    are shorter."""

    long: float = Field(
        1.8,
        ge=0.1,
        le=10,
        description="Seconds, sure that they go on: by all evidence, or a last `and`.",
    )
    longest: float = Field(
        2.2,
        ge=0.1,
        le=10,
        description="Seconds, when the words cannot be all (`my number is`, half a number), or are "
        "not known yet.",
    )
    """Nobody is kept waiting for longer."""

    finished_from: float = Field(
        0.86,
        ge=0,
        le=1,
        description="Probability from which it is sure that they finished, all evidence weighed.",
    )
    going_on_below: float = Field(
        0.18,
        ge=0,
        le=1,
        description="Probability below which it is sure that they did not.",
    )


class TurnModel(Protocol):
    """Hears whether a turn is over. One object serves every call at once."""

    async def start(self) -> None:
        """Load and warm the model; called once, before any use.

        Raises:
            ProviderError: If it does not load.
        """
        ...

    async def aclose(self) -> None:
        """Let go of what it holds."""
        ...

    async def complete(self, pcm: bytes) -> float:
        """Return the probability that the turn is over after ``pcm``.

        Args:
            pcm: The turn so far at :data:`pipelines.audio.SPEECH_RATE`, its silence included;
                earlier audio than the last 8 s makes no difference.

        Raises:
            ProviderError: If it cannot tell. Cancelling is safe.
        """
        ...


class ScriptedTurnModel:
    """Answers with the next probability of a script: for tests.

    Args:
        probabilities: In order; the last is repeated.
        delay: Seconds each takes.
    """

    def __init__(self, probabilities: Sequence[float], *, delay: float = 0.0) -> None:
        self._probabilities = probabilities
        self._delay = delay
        self._next = 0

    async def start(self) -> None:
        """Be ready."""

    async def aclose(self) -> None:
        """Hold nothing."""

    async def complete(self, pcm: bytes) -> float:  # noqa: ARG002 - a script does not listen
        """Return the next probability."""
        self._next += 1
        await asyncio.sleep(self._delay)
        return self._probabilities[min(self._next, len(self._probabilities)) - 1]


MODEL_WEIGHT = 0.5
"""Of the turn model's log-odds: it is surer than it is right. This and what follows is fitted by
``tests.benchmarks.endpoints``."""

MODEL_MOST = 3.5
"""Log-odds that the turn model may say, either way: 0.97."""

TEXT_MOST = 4.0
"""Log-odds that the text may say, either way: 0.98."""

UNHEARD, UNREAD = 1.25, 0.5
"""Log-odds in place of a turn model that was not asked, and of a text that nothing can judge: most
silences that are asked about are ends. With the first, a text that tells nothing asks for as much
silence as no text at all, ``vad.end_after``."""

SURE_NOT = -7.0
"""Log-odds at which a turn is waited for longest."""

ANSWERED, SAID_ALL, LEFT_OPEN = 2.5, 2.0, -5.0
"""Log-odds of words, in place of the text's: of a whole answer to a question of yes or no, and of a
goodbye; of a whole answer to nothing that we know of; of a last word that sentences seldom end in.
With the first, a model that is sure of more to come (0.03) still makes for ``middle``."""

FALLS_SURELY = 0.965
"""The turn model's probability from which the answer to a question of yes or no is one that nothing
follows: below it, and after anything else, a "yes" that goes on does so within ``middle``. Of four
such words it is sure of one."""

REACHED = 0.95
"""Seconds that a number is waited for that has one of the lengths that it may have, or a name that
is spelled: answered within a second, and longer than the pauses between groups."""

RHYTHM = 2.0
"""Times the longest pause between what is dictated so far that it is waited for more."""

BEATS = 2
"""Pauses within a dictation from which it has a rhythm."""

WAITED_FOR: Mapping[WaitsFor, str] = {"": "", "more": "called", "others": "open to others"}
"""What the record says of it."""

Decider = Literal["silence", "turn model", "text", "words", "provider", "length", "keys", "hang-up"]
"""What ended a turn, or weighed most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known of a pause of the caller's."""

    said: str = ""
    """What was said so far; ``""`` while it is not known."""

    heard: Sequence[float] = ()
    """The turn model's probabilities that the turn is over, in the order they were asked for."""

    told: bool | None = None
    """What the speech-to-text provider says itself, if it does."""

    complete: float | None = None
    """Probability that what was said is all, as text."""

    expected: Expectation = NOTHING
    """What the agent has asked for."""

    extra: float = 0.0
    """Seconds to add for this caller, who pauses."""

    pauses: int = 0
    """Pauses within this turn so far, after which the caller went on."""

    longest_pause: float = 0.0
    """Seconds of the longest of them."""

    waits_for: WaitsFor = ""
    """What it is waited with for on a line of several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What follows from the evidence."""

    seconds: float
    """Of silence that end the turn."""

    by: Decider
    """What weighed most."""

    probability: float | None = None
    """The turn model's, all its answers combined; None if it was not asked, or did not count."""

    words: str = ""
    """What the words said, beside how complete they are: ``whole``, ``trailing``, ``open``, or how
    far a dictation is, such as ``dictated: part``; on a line of several, ``called`` and ``open to
    others``; ``""`` for nothing."""


def combined(probabilities: Sequence[float]) -> float | None:
    """Return what several answers of the turn model say together: the mean of their log-odds."""
    if not probabilities:
        return None
    mean = sum(_log_odds(one, MODEL_MOST) for one in probabilities) / len(probabilities)
    return 1 / (1 + math.exp(-mean))


def silence_needed(
    settings: EndOfTurnSettings, evidence: Evidence, language: str
) -> Weighed | None:
    """Return the silence that ends the turn, by what is known; None if nothing is.

    Args:
        settings: The limits.
        evidence: What is known.
        language: BCP 47 tag.
    """
    said, expected = evidence.said, evidence.expected
    words = ending(said, language)
    along = progress(dictated(said, language, expected), expected)
    weights = dict(_weights(settings, evidence, words, judged=along is None))
    if not (weights or evidence.waits_for) and along is None and words is Ending.UNKNOWN:
        return None
    odds = sum(weights.values())
    odds += UNHEARD * (not weights.keys() & {"turn model", "provider"})
    odds += UNREAD * (weights.keys() == {"turn model"})
    by_odds = _seconds(settings, odds) + evidence.extra * (words is not Ending.WHOLE)
    least, most = _bounds(settings, evidence, words, along, language)
    seconds = min(max(by_odds, least), most)
    most_telling: Decider = "words"
    if weights and seconds == by_odds:
        most_telling = max(weights, key=lambda name: abs(weights[name]))
    return Weighed(
        seconds=seconds,
        by=most_telling,
        probability=combined(evidence.heard),
        words=_in_words(words, along) or WAITED_FOR[evidence.waits_for],
    )


def _weights(
    settings: EndOfTurnSettings, evidence: Evidence, words: Ending, *, judged: bool
) -> Iterator[tuple[Decider, float]]:
    """Yield the log-odds that each witness adds.

    Args:
        settings: The limits.
        evidence: What is known.
        words: How what was said ends.
        judged: Whether it is judged as text; what is dictated is none.
    """
    if evidence.told is not None:
        sure = settings.finished_from if evidence.told else settings.going_on_below
        yield "provider", _log_odds(sure)
    elif (heard := combined(evidence.heard)) is not None:
        yield "turn model", MODEL_WEIGHT * _log_odds(heard)
    if words is Ending.WHOLE:
        asked = evidence.expected.asked is AnswerKind.YES_OR_NO
        yield "words", ANSWERED if asked else SAID_ALL
    elif words is Ending.TRAILING:
        yield "words", LEFT_OPEN
    elif judged and evidence.complete is not None and evidence.told is None:
        yield "text", _log_odds(evidence.complete, TEXT_MOST)


def _seconds(settings: EndOfTurnSettings, odds: float) -> float:
    """Return the silence that such log-odds ask for: on a line through the settings."""
    low, high = _log_odds(settings.going_on_below), _log_odds(settings.finished_from)
    corners = (
        (SURE_NOT, settings.longest),
        (low, settings.long),
        ((low + high) / 2, settings.middle),
        (high, settings.shortest),
    )
    for (left, more), (right, less) in pairwise(corners):
        if odds < right:
            part = max(0.0, odds - left) / max(right - left, 1e-9)
            return more + part * (less - more)
    return settings.shortest


def _bounds(
    settings: EndOfTurnSettings,
    evidence: Evidence,
    words: Ending,
    along: Progress | None,
    language: str,
) -> tuple[float, float]:
    """Return the least and the most silence that what is said, and was asked for, allows."""
    asked = evidence.expected.asked
    least, most = settings.shortest, settings.longest
    if along is not None:
        least, most = _bounds_of_dictation(settings, evidence, along)
    elif words is Ending.OPEN:
        least = most
    elif words is Ending.WHOLE:
        least = settings.middle if _may_open(evidence, language) else least
    elif asked in (AnswerKind.NUMBER, AnswerKind.SPELLING):
        least = settings.middle  # whatever it was heard as, it comes in groups
    if evidence.waits_for:
        least = max(least, settings.long if evidence.waits_for == "more" else settings.middle)
    return min(least, settings.longest), min(most, settings.longest)


def _may_open(evidence: Evidence, language: str) -> bool:
    """Return whether what is a whole answer may be the first word of a longer one, by its sound."""
    heard = combined(evidence.heard)
    answers = evidence.expected.asked is AnswerKind.YES_OR_NO
    over = evidence.told or (answers and (heard is None or heard >= FALLS_SURELY))
    return opens(evidence.said, language, asked=not over)


def _bounds_of_dictation(
    settings: EndOfTurnSettings, evidence: Evidence, along: Progress
) -> tuple[float, float]:
    heard, beat = combined(evidence.heard), RHYTHM * evidence.longest_pause
    spells = evidence.expected.asked is AnswerKind.SPELLING
    match along:
        case Progress.ALL:
            return settings.shortest, settings.middle
        case Progress.MAYBE_ALL:
            return settings.middle, max(settings.middle, REACHED)
        case Progress.UNKNOWN if evidence.told or (heard or 0.0) >= settings.finished_from:
            silence = max(settings.middle, beat)
        case Progress.UNKNOWN if spells or evidence.pauses >= BEATS:
            silence = max(settings.middle, REACHED, beat)
        case _:
            silence = settings.longest
    return silence, silence


def _in_words(words: Ending, along: Progress | None) -> str:
    if along is not None:
        return f"dictated: {along.name.lower().replace('_', ' ')}"
    return "" if words is Ending.UNKNOWN else words.name.lower()


def _log_odds(probability: float, most: float = 12.0) -> float:
    """Return the log-odds of a probability, at most so many either way."""
    least = 1 / (1 + math.exp(most))
    inside = min(max(probability, least), 1 - least)
    return math.log(inside / (1 - inside))
