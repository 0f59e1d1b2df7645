"""What a reply is made of: words, audio, and what to do afterwards, in order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.audio import Audio
from pipelines.conversation import Message, ToolCall
from pipelines.providers.contracts import Timing
from pipelines.stages.stt import Heard

KEYS = re.compile("[0-9*#A-Dw]{1,32}").fullmatch
"""What can be pressed; ``w`` is half a second of waiting."""


@dataclass(frozen=True, slots=True)
class SentenceStarted:
    """The sentence that the audio after this one speaks."""

    text: str

    words: int
    """Of the text that the voice was given: amounts and dates have more of them than as written."""


@dataclass(frozen=True, slots=True)
class SentenceEnded:
    """All audio of the sentence has come."""

    text: str


@dataclass(frozen=True, slots=True)
class EndCall:
    """End the call once everything said so far has been heard."""


@dataclass(frozen=True, slots=True)
class StaySilent:
    """What was said was not said to us."""


@dataclass(frozen=True, slots=True)
class TransferCall:
    """Pass the caller on once everything said so far has been heard."""

    to: str
    """Name of a :class:`~pipelines.conversation.Destination`."""


@dataclass(frozen=True, slots=True)
class PressKeys:
    """Press keys once everything said so far has been heard."""

    keys: str


@dataclass(frozen=True, slots=True)
class ToolsStarted:
    """Tools are about to run: what follows comes after them."""

    filler: str
    """What to say if they take long; ``""`` for one of the agent's own."""

    calls: Sequence[ToolCall] = ()
    """What is to be run, and call control that was asked for wrongly."""


@dataclass(frozen=True, slots=True)
class ToolsEnded:
    """What the tools gave back, as it stands in the conversation."""

    message: Message


Step = (
    Heard
    | SentenceStarted
    | Audio
    | Timing
    | SentenceEnded
    | ToolsStarted
    | ToolsEnded
    | EndCall
    | StaySilent
    | TransferCall
    | PressKeys
)
