"""What depends on the language: the fixed sentences, and how a caller talks."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class Talk(enum.Enum):
    """What a caller says that is not about the business; the first that is heard counts."""

    GOODBYE = enum.auto()
    IDENTITY = enum.auto()
    REPEAT = enum.auto()
    """A wish to hear it again, in so many words."""

    TOPICS = enum.auto()
    WAIT = enum.auto()
    DONE = enum.auto()
    """"That's it": the end of the call, or what a question back was about."""

    WRONG_ANSWER = enum.auto()
    """We have answered something else than was asked."""

    NO = enum.auto()
    YES = enum.auto()
    """A yes that cannot be meant otherwise."""

    OKAY = enum.auto()
    """"Great": a yes to an offer, or the end of a matter if thanks go with it."""

    THANKS = enum.auto()
    SORRY = enum.auto()
    """What asks to hear it again if nothing else is said."""

    HELLO = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionLanguage:
    """What depends on the language: the fixed sentences, and how a caller talks.

    Regular expressions are over lower-case words without punctuation; lists of words have white
    space between them.
    """

    hello: str
    welcome: str
    anything_else: str
    listening: str
    all_right: str
    take_your_time: str
    identity: str
    not_caught: str
    unsure: str
    """For a brief that has no sentence of its own."""

    goodbye: str
    """The same."""

    which: str
    """Asks back, before two questions."""

    alternatively: str
    """Between the two."""

    this_one: str
    """Asks back, before one question."""

    examples: str
    """Before a few questions that can be asked."""

    talk: Mapping[Talk, str]
    """Regular expressions of each."""

    first: str
    second: str
    both: str
    """Regular expressions, for the answer to ``which``."""

    joints: str
    """Regular expression: between two questions in one breath."""

    questions: str
    """Regular expression: how a question begins, where no punctuation tells."""

    tells: str
    """The same of a wish, and of what is told before a question."""

    subject: str
    """Regular expression: a word (its group) that a question is about, and nothing else."""

    follows: str
    """Regular expression: how an utterance begins that goes on with the last topic."""

    refers: str
    """Regular expression: what stands for something said before."""

    asks: Mapping[str, str]
    """By what is asked for (a time, a place, a price ...): a regular expression of how."""

    phrases: Mapping[str, str]
    """By the words that they are taken for: regular expressions of what is said in several words,
    or is a brand."""

    idle: str
    """Words that say nothing of the topic."""

    light: str
    """Words that say little of the topic."""

    decisive: str
    """Words that make another matter of what they are said of: to cancel is not to book."""

    alike: str
    """Words that callers use for the same thing, a line for each thing."""

    instead: str
    """Words one of which takes the place of another in what is asked next: days, mostly. Groups of
    them are lines."""

    stemmer: str
    """Snowball's name for the language."""
