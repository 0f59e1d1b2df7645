"""Whether whoever is there agrees to be dealt with by the agent: asked before anything else.

Until they do, nothing that they say or press is for a language model: what answers them is made
here, of the words of the agent file. It is all in the call's usual way, its table of turns and its
two replies: a question that is heard in full, drafts, what is overheard, "are you still there?".
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from math import inf
from typing import Literal

import structlog

from agent.call.keys import KEYPAD, PressedKeys
from agent.call.own_words import disclosing, goodbye, opening, own_words
from agent.call.reply import Announcement, Occasion, Reply
from agent.personas.script import Script
from agent.yes_and_no import says_yes
from pipelines.clock import now
from pipelines.listening.utterance import Utterance
from pipelines.reply.request import ReplyRequest
from pipelines.reply.steps import Step
from pipelines.stages.stt import Heard
from pipelines.turn_taking.turns import Action

log = structlog.get_logger()

MOST_ASKED = 3
"""Times that it is asked; what is no yes by then is a no, silence included."""

UNDERSTOOD_AFTER = 1.0
"""Seconds of the question before which nobody answers it: who speaks earlier says something else,
such as "Yes?" into a telephone that they pick up."""

QUESTION: Occasion = "consent question"

By = Literal["word", "key", "silence", "unclear", "machine"]
"""What has decided: ``unclear`` if they have said neither yes nor no, all the times; ``machine`` if
one had agreed, which counts for nobody."""

_KEYS = KEYPAD.format("")

Note = Callable[..., None]
"""Puts a line on the record of the call: ``note`` of its history."""


@dataclass(slots=True)
class Consent:
    """The consent of whoever is there, in one call.

    Args:
        script: Of the call; it may ask for none.
        note: Puts a line on its record.
        keys: What was pressed, and not answered.
    """

    script: Script
    note: Note
    keys: PressedKeys
    state: Literal["due", "given", "refused", "passing on"] = field(init=False)
    """``passing on``: it was refused, and somebody else is being dialled for them."""

    opts_out: Callable[[str], bool] = field(init=False)
    """Told what they said before a yes, once or more; returns whether they want no more calls,
    which is seen to then, goodbye included. In a call of theirs, nothing is meant so."""

    _asked: int = 0
    _question: Reply | None = None  # the last

    def __post_init__(self) -> None:
        self.state = "given" if self.script.consent is None else "due"
        self.opts_out = lambda _text: False
        self.keys.one_answers = not self.is_given

    @property
    def is_given(self) -> bool:
        """Whether they have agreed, or need not be asked."""
        return self.state == "given"

    def own_words(self, action: Action, script: Script) -> Announcement:
        """Return what is said for an action of the table, before they have agreed and afterwards.

        Args:
            action: Which.
            script: By which the call goes on: what a machine is greeted with asks for nothing.
        """
        if self.state == "due":
            if action in (Action.ASK_STILL_THERE, Action.SAY_GOODBYE):
                return self._ask_or("silence")
            if action is Action.GREET and script.consent is not None:
                return disclosing(script, self._ask_or("silence"))
        return own_words(action, script)

    def start_over(self) -> None:
        """Note that a machine was asked: whoever comes is asked anew, and as often."""
        if self.script.consent is None:
            return
        if self.is_given:
            self._decided("refused", "machine")
        self.state, self.keys.one_answers = "due", True
        self._asked, self._question = 0, None

    def asks(self, reply: Reply) -> None:
        """Note that this reply says the question."""
        self._question = reply

    async def answer(self, request: ReplyRequest, reply: Reply) -> AsyncGenerator[Step, None]:
        """Hear what they say to it; once their turn is over, have said what follows.

        Raises:
            ProviderError: If nobody could hear it.
        """
        said, keys_only = reply.utterance, self.script.consent and self.script.consent.keys_only
        if said is None:
            return
        if said.text or keys_only or self.state != "due":
            yield Heard(said.text)
        else:
            heard = await request.lineup.stt.transcribe(said)
            yield heard
        if not reply.said or self.state != "due":
            return
        await reply.released.wait()
        reply.then = self._answered(reply.said, said)

    def not_passed_on(self, text: str) -> Announcement:
        """Return what is said to somebody whom nobody has taken: goodbye, if they had said no.

        Args:
            text: What is said else, and before.
        """
        announcement = Announcement(text=text)
        if self.state != "passing on":
            return announcement
        self.state = "refused"
        return replace(announcement, interruptible=False, then=goodbye(self.script))

    def _answered(self, text: str, said: Utterance) -> Announcement | None:
        """Return what follows what they said; None if somebody else sees to it."""
        if not text.startswith(_KEYS) and self.opts_out(text):
            self._decided("refused", "word")
            return None
        by: By = "key"
        if (yes := self._by_key(text, said)) is None:
            yes, by = self._by_word(text, said), "word"
        if yes is None:
            return self._ask_or("unclear")
        if not yes:
            return self._refused(by)
        self._decided("given", by)
        return opening(self.script)

    def _by_key(self, text: str, said: Utterance) -> bool | None:
        """Return what the last key means, be it pressed while they spoke; None for none."""
        keys, until = text.removeprefix(_KEYS), said.until
        if not text.startswith(_KEYS):
            keys, _, until = self.keys.take()
        if until < self._asked_at:
            return None
        key = keys.strip("*#")[-1:]
        if (yes := says_yes(key, spoken=False, locale="")) is not None:
            self.keys.answered(key, now())
        return yes

    def _by_word(self, text: str, said: Utterance) -> bool | None:
        if text.startswith(_KEYS) or said.began < self._asked_at + UNDERSTOOD_AFTER:
            return None
        return says_yes(text, spoken=True, locale=self.script.brief.language)

    @property
    def _asked_at(self) -> float:
        """When the question began to sound the last time; never, if it has not."""
        began = None if self._question is None else self._question.started_at
        return inf if began is None else began

    def _ask_or(self, by: By) -> Announcement:
        """Return the question; or what follows a no, if it was asked often enough."""
        consent = self.script.consent
        if consent is None or self._asked >= MOST_ASKED:
            return self._refused(by)
        self._asked += 1
        return Announcement(
            text=consent.ask, occasion=QUESTION, interruptible=False, must_be_heard=True
        )

    def _refused(self, by: By) -> Announcement:
        self._decided("refused", by)
        consent = self.script.consent
        if consent is None or not consent.transfer:
            return goodbye(self.script, words="" if consent is None else consent.refused)
        self.state = "passing on"
        return Announcement(text=consent.refused, interruptible=False, transfer=consent.transfer)

    def _decided(self, state: Literal["given", "refused"], by: By) -> None:
        self.state, self.keys.one_answers = state, False
        self.note("consent", status=state, by=by)
        log.info("consent", status=state, by=by)
