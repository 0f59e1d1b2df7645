"""What was said and heard in one call: for the model's next turn, and for the record.

Both hold what the caller has heard, no word more (:mod:`pipelines.reply.playout`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from agent.call.consent import Consent
from agent.call.keys import KEYPAD, PressedKeys
from agent.call.orders import AnswererFound, Order, PartyExpected, PartyJoined, PartyLeft, Whisper
from agent.call.party_line import PartyLine
from agent.call.reply import Reply
from agent.call.turn_record import Journal, TurnRecord
from agent.personas.script import Script
from agent.records.events import HungUpBy
from pipelines.clock import now
from pipelines.conversation import Brief, Destination, Message, ToolResult
from pipelines.reply.playout import LineEnd
from pipelines.reply.steps import Step, ToolsEnded
from pipelines.stages.usage import Pricing, Usage
from pipelines.turn_taking.judge import EndOfTurn

log = structlog.get_logger()

NOBODY = Script(greeting="", apology="", brief=Brief())
"""Of an agent that is on a line with one alone."""

MOST_WHISPERS = 20
"""Instructions of an operator that are in force at once; the oldest makes room."""

COLLEAGUE_TALKED = (
    "A colleague of yours has taken this caller over in between, and given them back to you. You "
    "have not heard what they said to each other: do not guess at it, and ask the caller where it "
    "matters."
)
"""What the model knows, like an instruction, once it is back from a caller who was taken over."""


class History:
    """The memory of one call.

    Args:
        journal: Gets a line for all that happens.
        usage: What the call uses of its providers.
        pricing: What those charge.
        script: Of the agent, for a line of several.
        judges: Whether the language model can tell what is said to the agent on one.
    """

    def __init__(
        self,
        journal: Journal,
        usage: Usage,
        pricing: Pricing,
        script: Script = NOBODY,
        *,
        judges: bool = True,
    ) -> None:
        self.record = TurnRecord(journal)
        """What happens, for whoever reads it later; anybody may tell it."""

        self.usage = usage
        """What the call uses of its providers; is added to."""

        self.party = PartyLine(script, self.record.note, judges=judges, now=self.record.began)
        """Who is on the line, and to whom they talk."""

        self.destinations: Callable[[Sequence[Destination]], tuple[Destination, ...]] = tuple
        """Gives whom a model may have the caller passed on to, each with why it may not now."""

        self.before_end: Callable[[], None] = lambda: None
        """Puts on record what the end of the call has cut off."""

        usage.on_failover = self.record.failover
        self._pricing = pricing
        self._discarded = 0
        self._tokens_wasted = 0
        self._audio_wasted = 0.0
        self.conversation: list[Message] = []
        """As a language model is shown it; only added to."""

        self.whispers: list[str] = []
        """What operators have told the agent, and the caller has not heard."""

        self.line = LineEnd()
        """What sounds at the caller's end, whichever reply it is of; told how late it left."""

        self.pressed = PressedKeys()
        """What the caller has pressed, until it is answered: with what they say next, if they go
        on to speak before."""

        self.consent = Consent(script, self.record.note, self.pressed)
        """Whether the caller agrees to be dealt with; until then nothing of them is kept for a
        language model."""

    @property
    def heard_last(self) -> str:
        """What the caller has heard of replies that are over, since they last said something."""
        heard: list[str] = []
        for message in reversed(self.conversation):
            if message.role == "user":
                break
            heard.append(message.text)
        return " ".join(text for text in reversed(heard) if text)

    def obey(self, order: Order) -> None:
        """Take an instruction for the model, in force from its next request on; or who is there."""
        match order:
            case Whisper(text=text, by=by):
                self.whispers.append(text)
                del self.whispers[:-MOST_WHISPERS]
                self.record.note("whisper", text=text, by=by)
            case PartyExpected():
                self.party.expects(order)
            case PartyJoined():
                self.party.joined(order, now())
            case PartyLeft():
                self.party.left(order, now())
            case AnswererFound(answerer=answerer):
                self.record.note("screened", by="platform", answerer=answerer)

    def colleague_talked(self) -> None:
        """Tell the model that somebody else has talked to the caller, from its next request on."""
        self.whispers[:] = [one for one in self.whispers if one != COLLEAGUE_TALKED]
        self.whispers.append(COLLEAGUE_TALKED)

    def before(self, reply: Reply) -> Sequence[Message]:
        """Return what the model is shown of the caller before what ``reply`` answers, now.

        That is the conversation, and keys after which they went on to speak, so that no other
        follows: they are of the same turn.
        """
        reply.keys_until = 0.0 if reply.utterance is None else reply.utterance.until
        keys = self.pressed.until(reply.keys_until)
        return [*self.conversation, *([Message("user", KEYPAD.format(keys))] if keys else [])]

    def caller_said(self, reply: Reply) -> None:
        """Keep what the caller said, once: from when the reply to it begins to sound."""
        if reply.said and not reply.kept:
            said = reply.utterance
            began, until = (now(), now()) if said is None else (said.began, said.until)
            keys, since, last = self.pressed.take(max(began, reply.keys_until))
            if keys:
                self.caller_pressed(KEYPAD.format(keys), since, last, EndOfTurn(by="keys"))
            to_others = reply.is_to_others
            if reply.about_consent:
                self.consent.opts_out(reply.said)  # also of who hangs up before it is answered
            else:
                self.conversation.append(Message("user", reply.said, to_others=to_others))
            self.party.turn_ended(reply, until)
            self.record.caller(reply, reply.said, began, until, reply.ended_by)
            reply.kept = True

    def caller_greeted(
        self, text: str, began: float, until: float, *, answers: bool = True
    ) -> None:
        """Keep what whoever has answered said first, which the greeting answers.

        Args:
            text: It.
            began: When, by the event loop's clock.
            until: The same.
            answers: False for a machine, with which no conversation is had: it is on record alone.
        """
        if answers:
            self.caller_answered(text)
        self.record.caller(None, text, began, until)

    def caller_answered(self, text: str) -> None:
        """Have the conversation begin with what stands on record already: somebody has come."""
        if self.consent.is_given:
            self.conversation.append(Message("user", text))

    def start_over(self) -> None:
        """Forget the conversation, which was had with a machine: no model is shown any of it."""
        self.conversation.clear()
        self.consent.start_over()

    def caller_pressed(
        self, text: str, began: float, until: float, ended_by: EndOfTurn | None = None
    ) -> None:
        """Keep keys that were pressed, and that have no answer of their own."""
        if self.consent.is_given:
            self.conversation.append(Message("user", text))
        self.record.caller(None, text, began, until, ended_by)

    def agent_said(self, reply: Reply, *, cut_off: bool) -> None:
        """Keep what the caller has heard of a reply, and what its tools gave back."""
        self.conversation += reply.tool_messages
        if cut_off:
            self._audio_wasted += max(0.0, reply.spent.audio - reply.playout.position(now()))
        heard, unheard = self.record.agent(reply, cut_off=cut_off), ""
        self.party.agent_said(reply, heard, now())
        if cut_off and reply.tells_unheard and reply.started_at is not None:
            unheard = reply.not_heard(heard)
        if heard or unheard:
            self.conversation.append(Message("assistant", heard, cut_off, unheard=unheard))
        if reply.playout.gaps:
            log.warning("the reply was heard with gaps", gaps=reply.playout.gaps)

    def came_too_late(self, step: Step | None) -> None:
        """Keep what tools gave to a reply that was dropped before it could take it."""
        if isinstance(step, ToolsEnded):
            self.conversation.append(step.message)

    def tool_gave(self, result: ToolResult) -> None:
        """Tell the model, with the next turn, what became of a tool that nobody waits for."""
        self.conversation.append(Message("assistant", "", results=(result,)))

    def discarded(self, draft: Reply) -> None:
        """Count what a draft that nobody hears has cost."""
        self._discarded += bool(draft.said)
        self._tokens_wasted += draft.spent.tokens
        self._audio_wasted += draft.spent.audio

    def close(self, reason: str, by: HungUpBy, echo: float = 0.0) -> None:
        """Put the last lines on the record: what was used, and why the call has ended.

        Args:
            reason: In words.
            by: Who has ended it.
            echo: Seconds of our own voice that came back.
        """
        self.before_end()
        for used in self.usage.lines(self._pricing):
            self.record.used(used)
        self.record.note(
            "ended",
            reason=reason,
            hung_up_by=by,
            drafts_discarded=self._discarded,
            tokens_wasted=self._tokens_wasted,
            audio_wasted=round(self._audio_wasted, 1),
            **({"echo": round(echo, 1)} if echo else {}),
        )
