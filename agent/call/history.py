"""What was said and heard in one call: for the model's next turn, and for the transcript.

Both hold what the caller has heard, no word more (:mod:`pipelines.reply.playout`).
"""

from __future__ import annotations

from typing import Protocol

import structlog

from agent.call.reply import Reply
from pipelines.clock import now
from pipelines.conversation import Message, ToolResult
from pipelines.reply.steps import Step, ToolsEnded
from pipelines.stages.usage import Pricing, Usage
from pipelines.tools.tool import ToolRun

log = structlog.get_logger()

KEYPAD = "Keypad: {}"
"""How keys that were pressed stand in conversation and transcript."""


class Journal(Protocol):
    """Where the transcript of a call goes."""

    def add(self, kind: str, **fields: object) -> None:
        """Keep one line. Never raises."""
        ...


class History:
    """The memory of one call, and its record.

    Args:
        journal: Gets a line for all that happens.
        usage: What the call uses of its providers.
        pricing: What those charge.
    """

    def __init__(self, journal: Journal, usage: Usage, pricing: Pricing) -> None:
        self._journal = journal
        self._usage = usage
        self._pricing = pricing
        self.began = now()
        """Zero of the clock of the call."""

        self._discarded = 0
        self._tokens_wasted = 0
        self._audio_wasted = 0.0
        self.conversation: list[Message] = []
        """As a language model is shown it; only added to."""

    def note(self, kind: str, **fields: object) -> None:
        """Put a line on the record: what happened, and when, in seconds since the answer."""
        self._journal.add(kind, at=self._at(), **fields)

    def caller_said(self, reply: Reply) -> None:
        """Keep what the caller said, once: from when the reply to it begins to sound."""
        if reply.said and not reply.kept:
            reply.kept = True
            self.caller_told(reply.said, None if reply.utterance is None else reply.utterance.began)

    def caller_told(self, text: str, began: float | None) -> None:
        """Keep what the caller said or pressed, with when they began to; None is now."""
        self.conversation.append(Message("user", text))
        self._journal.add("caller", at=self._at(began), text=text)

    def agent_said(self, reply: Reply, *, cut_off: bool) -> None:
        """Keep what the caller has heard of a reply, and what its tools gave back."""
        self.conversation += reply.tool_messages
        if heard := reply.playout.heard(now()):
            self.conversation.append(Message("assistant", heard, cut_off))
            began = self._at(reply.started_at)
            self._journal.add("agent", at=began, text=heard, cut_off=cut_off)
        if reply.playout.gaps:
            log.warning("the reply was heard with gaps", gaps=reply.playout.gaps)

    def came_too_late(self, step: Step | None) -> None:
        """Keep what tools gave to a reply that was dropped before it could take it."""
        if isinstance(step, ToolsEnded):
            self.conversation.append(step.message)

    def tool_gave(self, result: ToolResult) -> None:
        """Tell the model, with the next turn, what became of a tool that nobody waits for."""
        self.conversation.append(Message("assistant", "", results=(result,)))

    def tool_ran(self, run: ToolRun) -> None:
        """Put a tool on the record."""
        self.note(
            "tool",
            name=run.result.call.name,
            seconds=round(run.seconds, 3),
            status="cancelled" if run.cancelled else "failed" if run.result.failed else "done",
            arguments=run.result.call.arguments,
            result=run.result.text,
        )

    def discarded(self, draft: Reply) -> None:
        """Count what a draft that nobody hears has cost."""
        self._discarded += bool(draft.said)
        self._tokens_wasted += draft.spent.tokens
        self._audio_wasted += draft.spent.audio

    def close(self, reason: str) -> None:
        """Put the last lines on the record: what was used, and why the call has ended."""
        for used in self._usage.lines(self._pricing):
            self._journal.add("usage", **used)
        self.note(
            "ended",
            reason=reason,
            drafts_discarded=self._discarded,
            tokens_wasted=self._tokens_wasted,
            audio_wasted=round(self._audio_wasted, 1),
        )

    def _at(self, time: float | None = None) -> float:
        """Return a time, or now, as it stands in the transcript: seconds since the answer."""
        return round((now() if time is None else time) - self.began, 3)
