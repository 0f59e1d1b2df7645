"""A summary of a call that goes on: made by a model, within a deadline, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from agent.call.briefing import SUMMARY_WITHIN, summary_of
from agent.call.transfer import Handover
from pipelines.conversation import Brief, Message, ToolCall
from pipelines.providers import scripted
from pipelines.providers.contracts import Piece, ProviderError
from pipelines.stages.pool import ProviderPool
from tests.virtual_time import run

SAID = ({"who": "caller", "text": "My tap drips."},)


class Writer(scripted.LanguageModel):
    """Fills the form in, after a while, or fails; keeps what it was shown."""

    def __init__(self, after: float = 0.0, *, fails: bool = False) -> None:
        super().__init__(scripted.LanguageModelOptions(lines=()))
        self.after, self.fails = after, fails
        self.shown: list[str] = []

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        self.shown += [brief.form, *(one.text for one in conversation)]
        await asyncio.sleep(self.after)
        if self.fails:
            raise ProviderError("llm", "no")
        yield ToolCall(brief.form, {"summary": "Their tap drips."})


def summary(writer: Writer, handover: Handover | None = None) -> str:
    given = handover or Handover(to="+15550000002", said=SAID)
    return run(summary_of(given, ProviderPool("llm", [("1", writer)])))


def test_a_model_writes_it_of_what_was_said() -> None:
    """And of nothing else: it is not shown whom we call; what it costs is on the call's account."""
    writer, handover = Writer(), Handover(to="+15550000002", said=SAID)
    assert summary(writer, handover) == "Their tap drips."
    assert "My tap drips." in writer.shown[1]
    assert "+15550000002" not in str(writer.shown)
    assert handover.usage.of("llm", "1").requests == 1


def test_what_comes_late_or_not_at_all_is_nothing() -> None:
    """The agent file's own words stand in its place."""
    assert summary(Writer(SUMMARY_WITHIN + 1.0)) == ""
    assert summary(Writer(fails=True)) == ""


def test_nobody_is_asked_about_nothing() -> None:
    """A caller who has not said a word is no summary."""
    writer = Writer()
    assert summary(writer, Handover(to="+15550000002")) == ""
    assert writer.shown == []
