"""A reply, drafted or sounding."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from pipelines.conversation import Message
from pipelines.listening.utterance import Utterance
from pipelines.reply.playout import Playout
from pipelines.stages.usage import DraftCost


@dataclass(slots=True, kw_only=True)
class Reply:
    """A reply, drafted or sounding, and the utterance it answers."""

    playout: Playout
    utterance: Utterance | None = None
    """What it answers; None for a greeting and the like."""

    over_speech: bool = False
    """Whether the utterance began while we were speaking, and may be an "uh-huh"."""

    interruptible: bool = True
    said: str = ""
    """What the caller said, once it is known."""

    over_at: float | None = None
    """Length of the utterance at which the speech-to-text provider heard the end of the turn."""

    kept: bool = False
    """Whether ``said`` is in the history. It is from when the reply begins to sound."""

    hang_up: bool = False
    transfer: str = ""
    """Whom the caller is passed on to once it was heard: a name in the agent file, or a number."""

    started_at: float = 0.0
    held_at: float = 0.0
    quiet_since: float = 0.0
    """When the caller began to wait for it: at its release, or after a filler."""

    filler: str = ""
    """What to say while its tools run; ``""`` for one of the agent's own."""

    using_tools: bool = False
    exchange: list[Message] = field(default_factory=list)
    """What its tools gave back, for the history."""

    spent: DraftCost = field(default_factory=DraftCost)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    going: asyncio.Event = field(default_factory=asyncio.Event)
    """Clear while it is held."""

    task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.going.set()
