"""What is known of a line of several, and the verdict on to whom of them something is said."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Literal

from pipelines.turn_taking.expectation import MOST_READ

Answers = Literal["named", "asked", "always"]
"""What an agent answers on a line of several: what is said to it by name, and answers to its own
questions; also questions and requests that are to nobody else; or everything."""


class Addressee(enum.Enum):
    """To whom something is said."""

    AGENT = "agent"
    OTHERS = "others"
    UNCLEAR = "unclear"
    """A language model may tell; where none can, it counts as said to others."""


Clue = Literal[
    "mode", "name", "another name", "mention", "question", "request", "answer", "follow-up",
    "among them", "reply to another", "statement",
]  # fmt: skip
"""What tells it."""


WaitsFor = Literal["", "more", "others"]
"""What a turn on a line of several is waited with for, longer than for its end alone: more of it,
as behind a name that is called; or others, who may answer it, and a name that may stand behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """To whom it is said, and by what that was told."""

    to: Addressee
    by: Clue

    asks: bool = False
    """Whether it wants an answer."""

    sure: bool = True
    """False for what is likely said to the agent, and may be to others as well: it counts as said
    to the agent, and a language model may find that it is not."""

    only_calls: bool = False
    """Whether there is nothing but the name that it calls: more is to come."""

    @property
    def waits_for(self) -> WaitsFor:
        """What it is waited with for, before it is answered."""
        if self.only_calls:
            return "more"
        open_to_all = self.may_be_to_others or self.by in ("question", "request", "follow-up")
        return "others" if open_to_all and self.to is not Addressee.OTHERS else ""

    @property
    def may_be_to_others(self) -> bool:
        """Whether a language model that can tell should be asked."""
        return self.to is Addressee.UNCLEAR or not self.sure

    @property
    def likelier(self) -> Verdict:
        """What counts where no language model can tell."""
        to = Addressee.OTHERS if self.to is Addressee.UNCLEAR else self.to
        return replace(self, to=to, sure=True)

    @property
    def told_by(self) -> str:
        """What told it, for the record; `model` where the language model was left to tell."""
        return "model" if self.may_be_to_others else self.by


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """What is known of a line of several before something is said on it."""

    called: Sequence[str] = ()
    """What the agent is called."""

    others: Sequence[str] = ()
    """What those are called who are there, or expected."""

    answers: Answers = "asked"
    said: str = ""
    """What was heard of the agent last."""

    since_said: float = inf
    """Seconds since then."""

    others_since: int = 0
    """How many turns were to others since then."""

    answered: bool = False
    """Whether one was to the agent since then, and asked nothing back."""

    asked_another: bool = False
    """Whether the turn before this one asked another of them something."""

    since_turn: float = inf
    """Seconds since the turn before this one."""

    def after_turn(self, *, to_others: bool, asks: bool) -> Floor:
        """Return what is known after a turn of theirs.

        Args:
            to_others: Whether it was to others; else it was to the agent.
            asks: Whether it wanted an answer: then it is none to what the agent has asked.
        """
        return replace(
            self,
            others_since=self.others_since + to_others,
            answered=self.answered or not (to_others or asks),
            asked_another=to_others and asks,
        )

    def after_agent(self, heard: str) -> Floor:
        """Return what is known after the agent has spoken; what it has asked before stays open."""
        said = heard if self.answered else f"{self.said} {heard}".strip()
        return replace(
            self, said=said[-MOST_READ:], others_since=0, answered=False, asked_another=False
        )
