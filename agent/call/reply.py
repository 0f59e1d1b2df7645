"""A reply, drafted or sounding."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from agent.call.orders import Order
from agent.records.events import HungUpBy
from pipelines.clock import now
from pipelines.conversation import Message
from pipelines.listening.utterance import Utterance
from pipelines.providers.contracts import UNTOLD, Certainty, Timing
from pipelines.reply.playout import Playout
from pipelines.reply.steps import (
    EndCall,
    SentenceStarted,
    StaySilent,
    Step,
    ToolsEnded,
    ToolsStarted,
    TransferCall,
)
from pipelines.stages.stt import Heard
from pipelines.stages.usage import DraftCost
from pipelines.text.words import words
from pipelines.turn_taking.floor import Addressee, Verdict
from pipelines.turn_taking.judge import EndOfTurn
from pipelines.turn_taking.turns import Event

WENT_ON = 0.3
"""Seconds of audio after the end that a provider heard, from which it was none: more than we need
to notice the same silence."""


Occasion = Literal[
    "answer",
    "greeting",
    "apology",
    "goodbye",
    "idle question",
    "time warning",
    "consent",
    "consent question",
    "disclosure",
    "introduction",
    "announcement",
    "filler",
]
"""What the agent says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """Something that the agent says unasked."""

    text: str
    occasion: Occasion = "announcement"
    interruptible: bool = True
    hang_up: bool = False
    """Whether to hang up once it was heard."""

    hung_up_by: HungUpBy = "agent"
    """Who wants that."""

    transfer: str = ""
    """Whom to pass the caller on to then."""

    must_be_heard: bool = False
    """Whether it is said again until it was heard in full, before the caller is answered. Nothing
    interrupts it, so ``interruptible`` has to be false."""

    then: Announcement | None = None
    """What is said next, before anything else."""

    not_before: float = 0.0
    """When it may be said at the earliest, by the clock of the call."""

    order: Order | None = None
    """What is done once it was heard."""

    @property
    def discloses(self) -> bool:
        """Whether it tells that a machine talks."""
        return self.must_be_heard and self.occasion != "consent question"

    @property
    def is_owed(self) -> bool:
        """Whether it, or what follows it, must be heard in full."""
        return self.must_be_heard or (self.then is not None and self.then.is_owed)


@dataclass(slots=True, kw_only=True)
class Reply:
    """A reply, drafted or sounding, and the utterance it answers."""

    playout: Playout
    steps: AsyncGenerator[Step, None] = field(init=False)
    """What it is made of, pulled by whoever plays it; set at once by whoever makes it."""

    utterance: Utterance | None = None
    """What it answers; None for a greeting and the like."""

    occasion: Occasion = "answer"
    turn: int = 0
    """Its number on the record; 0 until something of it stands there."""

    ended_by: EndOfTurn | None = None
    """What has ended the turn that it answers; None while nothing has."""

    times: dict[str, float] = field(default_factory=dict)
    """When each stage was passed for the first time: ``decided`` (that it may sound),
    ``transcript``, ``first_sentence``, ``first_audio``."""

    timed: bool = False
    """Whether these are on the record."""

    over_speech: bool = False
    """Whether the utterance began while we were speaking, and may be an "uh-huh"."""

    background: Mapping[str, object] = field(default_factory=dict)
    """What told that it was somebody else's, if it was, as it stands on the record."""

    interruptible: bool = True
    said: str = ""
    """What the caller said, once it is known."""

    about_consent: bool = False
    """Whether what it answers is no part of the conversation: they have not agreed to one yet."""

    certainty: Certainty = UNTOLD
    """How sure that is."""

    over_at: float | None = None
    """Length of the utterance at which the speech-to-text provider heard the end of the turn."""

    verdict: Verdict | None = None
    """To whom of several it was said, once that is known; None where there is one phone alone."""

    guarded: bool = False
    """Whether it may not be to us, so that nothing but the reply itself may sound: no filler, and
    no apology."""

    stays_silent: bool = False
    """Whether the language model has found that it was not to us."""

    settled: bool = False
    """Whether it is known what the caller said, or that nobody will know."""

    keys_until: float = 0.0
    """Until when keys were pressed, and not answered, that the model was shown before it."""

    kept: bool = False
    """Whether ``said`` is in the history. It is from when the reply begins to sound."""

    hang_up: bool = False
    hung_up_by: HungUpBy = "agent"
    transfer: str = ""
    """Whom the caller is passed on to once it was heard: a name in the agent file, or a number."""

    then: Announcement | None = None
    """What is said once it was heard, before anything else."""

    order: Order | None = None
    """What is done then, if that is still to be done."""

    announcement: Announcement | None = None
    """What it says unasked; None for an answer."""

    tells_unheard: bool = False
    """Whether the model is told, if it is cut off, what of it was not heard."""

    whole: bool = False
    """Whether all of it was made and sent: only what is left in its ledger is still to be heard."""

    started_at: float | None = None
    """When it began to sound; None while it has not."""

    held_at: float = 0.0
    quiet_since: float = 0.0
    """When the caller began to wait for it: at its release, or when that would have been had the
    words not been late; or after a filler."""

    filler: str = ""
    """What to say while its tools run; ``""`` for one of the agent's own."""

    using_tools: bool = False
    tool_messages: list[Message] = field(default_factory=list)
    """What its tools gave back, for the history."""

    spent: DraftCost = field(default_factory=DraftCost)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    going: asyncio.Event = field(default_factory=asyncio.Event)
    """Clear while it is held."""

    task: asyncio.Task[None] | None = None
    """Plays it; cancelled when nobody shall hear any more of it."""

    def __post_init__(self) -> None:
        self.going.set()

    def take(self, heard: Heard) -> None:
        """Note what the caller turned out to say."""
        self.said, self.settled, self.certainty = heard.text, True, heard.certainty
        self.passed("transcript")
        if heard.turn_over and self.utterance is not None:
            self.over_at = self.utterance.seconds

    def note(
        self,
        step: SentenceStarted
        | Timing
        | ToolsStarted
        | ToolsEnded
        | EndCall
        | StaySilent
        | TransferCall,
    ) -> None:
        """Note a step that is neither audio nor what the caller said."""
        match step:
            case SentenceStarted(sentence, words):
                self.using_tools = False
                self.passed("first_sentence")
                self.playout.begin(sentence, words, now())
            case Timing(ends):
                self.playout.time(ends)
            case ToolsStarted(filler=filler):
                self.using_tools, self.filler = True, filler
                self.guarded = False  # who looks something up has found that it was to us
            case ToolsEnded(message):
                self.tool_messages.append(message)
            case EndCall():
                self.hang_up = True
            case StaySilent():
                self.stays_silent = True
            case TransferCall(to):
                self.transfer = to

    def passed(self, stage: str) -> None:
        """Note when a stage is passed, if that is for the first time."""
        if stage not in self.times:
            self.times[stage] = now()

    def release(self, by: EndOfTurn | None = None) -> None:
        """Let it sound, from now, since ``by`` has ended the caller's turn."""
        self.quiet_since = now() - (by.late if by is not None else 0.0)
        self.passed("decided")
        if self.utterance is not None:
            self.ended_by = self.ended_by or (EndOfTurn(by="words") if self.over_speech else by)
            self.utterance.close()
        self.released.set()

    def cancel(self) -> None:
        """Stop it. What has been sent may still be heard: a ``clear`` has to follow."""
        if self.task is not None:
            self.task.cancel()

    def not_heard(self, heard: str) -> str:
        """Return the words after those that were ``heard``: of all that is to be said, if known."""
        if self.announcement is None:
            return self.playout.unheard(now())
        return "".join(words(self.announcement.text)[len(words(heard)) :]).strip()

    def was_heard(self, heard: str) -> bool:
        """Return whether all of it was heard; what must be, and was not, is said next.

        Args:
            heard: All that was heard of it, now that it is over.
        """
        if self.announcement is None or heard.split() == self.announcement.text.split():
            return True
        if self.announcement.must_be_heard:
            self.then = self.announcement
        return False

    @property
    def is_to_others(self) -> bool:
        """Whether what it would have answered was said to others on a line of several."""
        if self.verdict is None or self.started_at is not None:
            return False
        return self.stays_silent or self.verdict.to is not Addressee.AGENT

    @property
    def made_at(self) -> float:
        """When it began to be made, by what was known then; 0.0 while it is not."""
        return self.times.get("transcript", self.times.get("decided", 0.0))

    @property
    def ends_as(self) -> Event:
        """What its end is for the table."""
        if self.hang_up:
            return Event.GOODBYE_ENDED
        return Event.NOT_ADDRESSED if self.is_to_others else Event.REPLY_ENDED

    @property
    def is_followed(self) -> bool:
        """Whether something happens by itself once it was heard."""
        followed = self.then is not None or self.order is not None
        return self.hang_up or bool(self.transfer) or followed

    @property
    def answers(self) -> bool:
        """Whether it has begun to answer what it is known that the caller said."""
        return self.settled and self.started_at is not None

    @property
    def is_silent_answer(self) -> bool:
        """Whether it answers the caller, and has not begun to sound."""
        return self.utterance is not None and self.started_at is None

    @property
    def caller_went_on(self) -> bool:
        """Whether the caller went on after a provider had heard the end of their turn."""
        if self.over_at is None or self.utterance is None:
            return False
        return self.utterance.seconds > self.over_at + WENT_ON
