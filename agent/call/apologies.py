"""What the caller hears in place of a reply that is lost."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog

from agent.call.history import History
from agent.call.maker import ReplyMaker
from agent.call.reply import Reply
from pipelines.providers.contracts import ProviderError
from pipelines.reply.steps import SentenceEnded, SentenceStarted, Step
from pipelines.stages.recorded import recorded_sorry
from pipelines.text.words import words

log = structlog.get_logger()


class Apologies:
    """The apologies of one call. The last one ends it.

    That is the one after ``max_failures`` replies in a row, or the first that tells of a stage of
    which nobody works: the caller would only say it again, and again to nobody. Where no voice has
    the agent's own words, a recording has the last.

    Args:
        maker: Makes them of the agent's words.
        history: Told what was lost.
        max_failures: Replies in a row.
    """

    def __init__(self, maker: ReplyMaker, history: History, max_failures: int) -> None:
        self._maker = maker
        self._history = history
        self._max_failures = max_failures
        self._in_a_row = 0

    def heard_a_reply(self) -> None:
        """Note that one was not lost."""
        self._in_a_row = 0

    async def make(self, reply: Reply, error: ProviderError) -> AsyncGenerator[Step, None]:
        """Yield what is said in place of ``reply``, which may have to hang up afterwards.

        Never raises ProviderError.
        """
        self._in_a_row += 1
        log.warning("reply lost", stage=error.stage, error=str(error), in_a_row=self._in_a_row)
        self._history.record.lost(reply, error)
        reply.occasion = "apology"
        if reply.guarded and not self._is_last(error):
            return  # nobody may have spoken to us
        script, texts = self._maker.script, [self._maker.script.apology]
        if self._is_last(error):
            _make_last(reply)
            texts.append(script.brief.goodbye)
        # A voice that has just kept the caller waiting is not waited for once more.
        waits = error.stage == "tts" and error.timed_out
        if not waits or self._maker.is_prepared(*texts):
            try:
                async with aclosing(self._maker.steps(reply, *texts)) as steps:
                    async for step in steps:
                        yield step
            except ProviderError as second:
                log.warning("apology lost", stage=second.stage, error=str(second))
            else:
                return
        _make_last(reply)
        recorded = recorded_sorry(script.brief.language)
        yield SentenceStarted(recorded.text, len(words(recorded.text)))
        yield recorded.audio
        yield SentenceEnded(recorded.text)

    def _is_last(self, error: ProviderError) -> bool:
        return self._in_a_row >= self._max_failures or self._maker.lineup.down(error.stage)


def _make_last(reply: Reply) -> None:
    """Hang up after ``reply``, whatever the caller says over it; unless it is held by now."""
    reply.hang_up = True
    if reply.going.is_set():
        reply.interruptible = False
