"""Whoever says that they want no more calls: it is kept, put on record, and confirmed aloud."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import pytest

from agent.call.opting_out import no_more_calls
from agent.store.errors import StoreError
from pipelines.conversation import Brief, Message, ToolCall
from pipelines.providers import scripted
from pipelines.providers.contracts import Piece
from tests.agent.conversation import Talk, talk, voice


class Obliging(scripted.LanguageModel):
    """Uses the tool, and says what it gave."""

    def __init__(self) -> None:
        super().__init__(scripted.LanguageModelOptions())

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        assert "no_more_calls" in {spec.name for spec in brief.tools}
        if conversation[-1].results:
            yield conversation[-1].results[-1].text
        else:
            yield ToolCall("no_more_calls", {})


def opting_out(new: bool | None) -> tuple[Talk, list[dict[str, object]]]:
    """Have somebody say so; keeping it fails if ``new`` is None."""
    noted: list[dict[str, object]] = []

    async def keep() -> bool:
        if new is None:
            raise StoreError("it is away")
        return new

    def note(kind: str, **fields: object) -> None:
        noted.append({"kind": kind, **fields})

    said = "." * 30 + "+" * 10 + "." * 120
    tools = (no_more_calls(keep, note),)
    return talk(said, voice(["Take me off your list."], llm=Obliging()), tools=tools), noted


@pytest.mark.parametrize(("new", "more"), [(True, {}), (False, {"known": True})])
def test_it_is_kept_and_confirmed(new: bool, more: dict[str, object]) -> None:
    """Once is enough; to say it again does no harm."""
    done, noted = opting_out(new)
    assert noted == [{"kind": "opt_out", "by": "model", **more}]
    assert "no agent of ours will call them again" in done.notes.of("agent")[-1]["text"]
    assert done.notes.of("tool")[0]["status"] == "done"


def test_what_could_not_be_kept_is_not_promised() -> None:
    """The database is away: the model is told so."""
    done, noted = opting_out(None)
    assert noted == []
    assert done.notes.of("tool")[0]["status"] == "failed"
    assert "It could not be kept." in done.notes.of("agent")[-1]["text"]
