"""How much silence ends the caller's turn: set anew each time that something new is known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from agent.call.reply import Reply
from pipelines.listening.listener import Listener
from pipelines.turn_taking.judge import EndOfTurn, TurnJudge


class TurnEvidence:
    """What is known of the turn that the draft answers.

    Args:
        judge: Weighs it.
        listener: Counts the silence, and is told how much is needed.
        spawn: Starts the task that waits for the judge.
    """

    def __init__(
        self,
        judge: TurnJudge,
        listener: Listener,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        self._judge = judge
        self._listener = listener
        self._spawn = spawn
        self._question: asyncio.Task[None] | None = None
        self._weighed: EndOfTurn | None = None

    def weigh(self, draft: Reply) -> None:
        """Set the silence by what is known of the turn; call it while the caller pauses."""
        weighed = self._judge.weigh(draft.said, heard_end=draft.over_at is not None)
        if weighed is not None and weighed.silence is not None:
            self._weighed = weighed
            self._listener.end_after(weighed.silence)

    def gather(self, draft: Reply) -> None:
        """Have it judged whether the turn is over, and weigh that once it is known.

        Call :meth:`drop` when the caller goes on, or the turn has ended.
        """
        if draft.over_at is not None:
            self.weigh(draft)
        elif self._judge.can_ask and draft.utterance is not None:
            self.drop()
            self._question = self._spawn(self._ask(draft))

    def decide(self) -> EndOfTurn:
        """Return what has ended the turn; forget the evidence."""
        weighed = self._weighed or EndOfTurn(by="silence")
        self.drop()
        if self._listener.in_speech:
            return EndOfTurn(by="length")
        return replace(weighed, silence=self._listener.silent)

    def drop(self) -> None:
        """Forget all of it, and stop asking."""
        if self._question is not None:
            self._question.cancel()
        self._question = self._weighed = None
        self._judge.forget()

    async def _ask(self, draft: Reply) -> None:
        if draft.utterance is not None and await self._judge.ask(draft.utterance.audio):
            self.weigh(draft)
