"""How much silence ends the caller's turn: set anew each time that something new is known.

What is known of a pause comes piece by piece: the turn model's answers, the words, more silence.
Each time all of it is weighed (:mod:`pipelines.turn_taking.judge`), and the gate is told how much
silence is needed. It ends the turn with the next frame if there was as much already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from agent.call.history import History
from agent.call.reply import Reply
from pipelines.clock import now
from pipelines.listening.listener import Listener
from pipelines.turn_taking.judge import EndOfTurn, TurnJudge
from pipelines.turn_taking.turns import Event

ASK_AGAIN_AT = 0.2
"""Seconds of silence after which the turn model is asked once more: before any turn is decided, and
with 0.1 s more to hear. Its answers for one pause vary; the mean of two is right more often
(``tests.benchmarks.endpoints``)."""

TOO_LATE = 0.4
"""Seconds of silence from which it is not: it is busy, and would be with this, too."""

CUT_INTO = 0.7
"""Seconds of a reply over which a caller who barges in has most likely never finished."""

A_FRAME = 0.04
"""Seconds by which a turn may end later than it was decided, by the frames of the line."""


class TurnEvidence:
    """What is known of the turn that the draft answers.

    Args:
        judge: Weighs it.
        listener: Counts the silence, and is told how much is needed.
        spawn: Starts the task that waits for the judge.
        history: Knows what the agent has asked.
    """

    def __init__(
        self,
        judge: TurnJudge,
        listener: Listener,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        history: History,
    ) -> None:
        self._judge = judge
        self._listener = listener
        self._spawn = spawn
        self._history = history
        self._question: asyncio.Task[None] | None = None
        self._weighed: EndOfTurn | None = None
        self._paused: Reply | None = None  # the draft of the pause that lasts
        self._heard_then = 0.0  # seconds of its utterance, less the silence at its end
        self._ended_after = 0.0  # seconds of silence that have ended the turn before
        self._cuts_in = False

    def weigh(self, draft: Reply) -> None:
        """Set the silence by what is known of the turn; call it while the caller pauses."""
        self._weighed = weighed = self._all_of(draft, words_to_come=self._words_to_come(draft))
        if weighed.silence is not None:
            self._listener.end_after(weighed.silence)

    def gather(self, draft: Reply) -> None:
        """Weigh what is known of a pause that has begun, and have it judged whether it is the end.

        Call :meth:`drop` when the caller goes on, or the turn has ended.
        """
        self.drop()
        self._paused = draft
        if draft.utterance is not None:
            self._heard_then = draft.utterance.seconds - self._listener.silent
        self.weigh(draft)
        if draft.over_at is None and self._judge.can_ask and draft.utterance is not None:
            self._question = self._spawn(self._ask(draft))

    def decide(self) -> EndOfTurn:
        """Return what has ended the turn; forget the evidence."""
        weighed, draft = self._weighed or EndOfTurn(by="silence"), self._paused
        silent = self._listener.silent
        if draft is not None and self._words_to_come(draft):
            weighed = self._all_of(draft, words_to_come=False)  # they have not come
        self.drop()
        if self._listener.in_speech:
            return EndOfTurn(by="length")
        self._ended_after = silent
        late = silent - (silent if weighed.silence is None else weighed.silence)
        return replace(weighed, silence=silent, late=late if late > A_FRAME else 0.0)

    def drop(self) -> None:
        """Forget all of it, and stop asking."""
        if self._question is not None:
            self._question.cancel()
        self._question = self._weighed = self._paused = None
        self._judge.forget()

    def happened(self, event: Event, sounding: Reply | None) -> None:
        """Learn how this caller pauses from what happens next, before that is acted upon.

        Args:
            event: What happens.
            sounding: The reply that sounds, or will next.
        """
        pauses = self._judge.pauses
        match event:
            case Event.SPEECH_RESUMED if self._paused is not None:
                said = self._paused.utterance
                pauses.went_on(0.0 if said is None else said.seconds - self._heard_then)
            case Event.SPEECH_RESUMED if sounding is not None and sounding.is_silent_answer:
                pauses.was_cut_into(self._ended_after)
            case Event.SPEECH_STARTED:
                pauses.next_turn()
                began = None if sounding is None else sounding.started_at
                answers = sounding is not None and sounding.utterance is not None
                self._cuts_in = answers and began is not None and now() - began < CUT_INTO
            case Event.BARGE_IN | Event.WORDS if self._cuts_in:
                self._cuts_in = False
                pauses.was_cut_into(self._ended_after)
            case _:
                return

    def _words_to_come(self, draft: Reply) -> bool:
        """Return whether it is being found out what was said."""
        return not draft.settled and draft.utterance is not None and draft.utterance.closed

    def _all_of(self, draft: Reply, *, words_to_come: bool) -> EndOfTurn:
        return self._judge.weigh(
            draft.said if draft.settled else None,
            asked=self._history.heard_last,
            heard_end=draft.over_at is not None,
            words_to_come=words_to_come,
            waits_for=self._history.party.waits_for(draft) if draft.settled else "",
        )

    async def _ask(self, draft: Reply) -> None:
        if draft.utterance is None:
            return
        if await self._judge.ask(draft.utterance.audio):
            self.weigh(draft)
        if self._judge.can_ask_again and self._listener.silent < TOO_LATE:
            await asyncio.sleep(max(0.0, ASK_AGAIN_AT - self._listener.silent))
            if await self._judge.ask(draft.utterance.audio):
                self.weigh(draft)
