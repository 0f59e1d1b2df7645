"""What the agent has just asked for, and so what an answer looks like."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.conversation import ExpectedAnswer, ToolSpec
from pipelines.turn_taking.expectation_words import Questions, questions_in
from pipelines.turn_taking.words_by_language import spoken_words


class AnswerKind(enum.Enum):
    """What kind of answer the agent has just asked for."""

    NOTHING = "nothing"
    """It has asked no question."""

    ANYTHING = "anything"
    """An open question: "How can I help?"."""

    YES_OR_NO = "yes or no"
    NUMBER = "number"
    """Digits, dictated one by one or in groups: a PIN, a zip, a telephone number, a year."""

    SPELLING = "spelling"
    """A name, spelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What an answer to the agent looks like."""

    asked: AnswerKind = AnswerKind.NOTHING
    digits: tuple[int, ...] = ()
    """How many digits a number that was asked for may have; empty if that is not known."""


NOTHING = Expectation()

MOST_READ = 400
"""Characters of what was said that are read, from its end: two sentences for a telephone."""

_SENTENCE = re.compile(r"[^.!?…。！？]+[.!?…。！？]*")
_DIGITS = re.compile(r"\^?(?:\\d|\[0-9\])(?:\{(\d{1,2})(?:,(\d{1,2}))?\})?\$?")
"""A JSON Schema ``pattern`` of digits alone: ``^\\d{5}$``, ``[0-9]{4,6}``."""


def expectation(said: str, language: str, declared: Sequence[ExpectedAnswer] = ()) -> Expectation:
    """Return what an answer looks like to what the agent has said.

    The last sentence counts, or the one before it if that asks and the last does not ("What is
    your zip code? Take your time.").

    Args:
        said: What the caller has heard of it last, its last two sentences at least.
        language: BCP 47 tag. In one that we have no words for, a question is an open one.
        declared: What the agent file and the tools say of the agent's questions; asked first.
    """
    known = questions_in(language)
    for sentence in reversed(_SENTENCE.findall(said[-MOST_READ:])[-2:]):
        if (found := _of(sentence.strip(), known, declared)) != NOTHING:
            return found
    return NOTHING


def expected_by(tools: Iterable[ToolSpec]) -> Iterator[ExpectedAnswer]:
    """Yield what the parameters of tools expect: those whose ``pattern`` is digits alone.

    The agent asks for one if it says its name: for ``zip_code``, "zip code".
    """
    for tool in tools:
        properties = tool.parameters.get("properties")
        for name, schema in properties.items() if isinstance(properties, Mapping) else ():
            if digits := _of_pattern(schema):
                yield ExpectedAnswer(when=_as_words(name), digits=digits)


def _of(sentence: str, known: Questions | None, declared: Sequence[ExpectedAnswer]) -> Expectation:
    asks = sentence.endswith(("?", "？"))
    text = " ".join(spoken_words(sentence))
    requests = known is not None and known.request.search(text) is not None
    if known is not None and asks and (known.is_tag(text) or known.is_polar(text)) and not requests:
        return Expectation(asked=AnswerKind.YES_OR_NO)
    wanted = _declared(text, declared) or _wanted(text, known) if asks or requests else None
    return wanted or (Expectation(asked=AnswerKind.ANYTHING) if asks else NOTHING)


def _wanted(text: str, known: Questions | None) -> Expectation | None:
    """Return what a question asks for that is dictated; None if it is nothing of that kind."""
    if known is None:
        return None
    if known.spelling.search(text):
        return Expectation(asked=AnswerKind.SPELLING)
    digits = known.digits_in(text)
    return None if digits is None else Expectation(asked=AnswerKind.NUMBER, digits=digits)


def _declared(text: str, declared: Sequence[ExpectedAnswer]) -> Expectation | None:
    for answer in declared:
        if f" {_as_words(answer.when)} " in f" {text} ":
            kind = AnswerKind.SPELLING if answer.spelled else AnswerKind.NUMBER
            return Expectation(asked=kind, digits=answer.digits)
    return None


def _of_pattern(schema: Any) -> tuple[int, ...]:  # noqa: ANN401 - any JSON
    pattern = schema.get("pattern") if isinstance(schema, Mapping) else None
    if not isinstance(pattern, str) or not (found := _DIGITS.fullmatch(pattern)):
        return ()
    least, most = found.groups()
    return tuple(range(int(least), int(most or least) + 1)) if least else ()


def _as_words(name: str) -> str:
    """Return the name of a parameter, or a phrase, as :func:`expectation` reads what was said."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ")
    return " ".join(spoken_words(apart))
