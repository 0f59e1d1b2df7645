"""What the agent has just asked for, and so what an answer looks like."""

from __future__ import annotations

import enum
from dataclasses import dataclass


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


def expectation(said: str, language: str) -> Expectation:  # noqa: ARG001 - the lists come next
    """Return what an answer looks like to what the agent has said.

    Args:
        said: What the caller has heard of it last, its last sentence at least.
        language: BCP 47 tag.
    """
    return Expectation(
        asked=AnswerKind.ANYTHING if said.rstrip().endswith("?") else AnswerKind.NOTHING
    )
