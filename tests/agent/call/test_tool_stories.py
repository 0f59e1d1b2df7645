"""Whole calls in virtual time whose model uses tools."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from agent.settings.calls import CallSettings
from pipelines.conversation import Brief, Destination, Message, ToolCall, ToolSpec
from pipelines.providers.contracts import Piece, ProviderError
from pipelines.providers.scripted import LanguageModel, LanguageModelOptions
from pipelines.reply.chain import MOST_ROUNDS
from pipelines.tools.tool import CallInfo, OnBargeIn, Tool, ToolError
from pipelines.turn_taking.settings import TurnSettings
from tests.agent.conversation import SCRIPT, talk, voice

GREETED = "." * 25
QUESTION = GREETED + "+" * 10
SETTINGS = CallSettings(turns=TurnSettings(idle_after=3600.0))
SCHEMA = {"type": "object", "properties": {}}


class Booking:
    """A tool that takes its time, and counts."""

    def __init__(self, takes: float = 0.0, *, fails: bool = False) -> None:
        self.begun = self.done = 0
        self._takes, self._fails = takes, fails

    async def run(self, arguments: Mapping[str, Any], about: CallInfo) -> str:
        self.begun += 1
        await asyncio.sleep(self._takes)
        self.done += 1
        if self._fails:
            raise ToolError("the calendar is closed")
        return '{"booked": true}'

    def tool(self, name: str = "book", on_barge_in: OnBargeIn = "keep", filler: str = "") -> Tool:
        spec = ToolSpec(name=name, description="Book a table.", parameters=SCHEMA)
        return Tool(spec=spec, run=self.run, timeout=9.0, on_barge_in=on_barge_in, filler=filler)


class Watching(LanguageModel):
    """A scripted model that keeps what it was asked."""

    def __init__(self, *lines: str) -> None:
        super().__init__(LanguageModelOptions(lines=lines))
        self.asked: list[tuple[Brief, list[Message]]] = []

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        self.asked.append((brief, list(conversation)))
        async for piece in super().reply(brief, conversation):
            yield piece


def roles(lines: Sequence[Message]) -> list[tuple[str, str, list[str]]]:
    return [(m.role, m.text, [result.text for result in m.results]) for m in lines]


def test_a_tool_runs_and_the_model_goes_on() -> None:
    """It is told the result; history and transcript have the whole."""
    booking, model = Booking(), Watching("Let me see. [book]", "Your table is booked.")
    done = talk(QUESTION + "." * 60, voice(["Book it."], llm=model), tools=[booking.tool()])
    assert booking.done == 1
    assert roles(model.asked[1][1])[-2:] == [
        ("user", "Book it.", []),
        ("assistant", "Let me see.", ['{"booked": true}']),
    ]
    assert roles(done.call.history.conversation)[1:] == [
        ("user", "Book it.", []),
        ("assistant", "", ['{"booked": true}']),
        ("assistant", "Let me see. Your table is booked.", []),
    ]
    (line,) = done.notes.of("tool")
    assert (line["name"], line["status"], line["result"]) == ("book", "done", '{"booked": true}')


def test_the_model_is_told_what_there_is() -> None:
    """Call control, and the agent's own tools."""
    model = Watching("Yes.")
    talk(QUESTION + "." * 30, voice(["Hi."], llm=model), tools=[Booking().tool()])
    assert [tool.name for tool in model.asked[0][0].tools] == ["end_call", "book"]


def test_a_draft_runs_no_tool() -> None:
    """The caller goes on after a pause: what was drafted in it had no effect."""
    booking = Booking()
    model = Watching("[book]", "[book]", "Booked.")
    script = GREETED + "+" * 6 + "." * 3 + "+" * 6 + "." * 60
    talk(script, voice(["Book"], llm=model), tools=[booking.tool()])
    assert len(model.asked) == 3
    assert booking.begun == 1


@pytest.mark.parametrize("filler", ["", "I'm asking the kitchen."])
def test_a_slow_tool_is_bridged(filler: str) -> None:
    """By its own words, if it has some; within a little over a second of silence."""
    tool = Booking(4.0).tool(filler=filler)
    done = talk(
        QUESTION + "." * 100,
        voice(["Can you book it?"], llm=Watching("[book]", "Booked.")),
        tools=[tool],
        settings=SETTINGS,
    )
    heard = done.lines[-1][1]
    assert heard.startswith(filler or SCRIPT.fillers[0])
    assert heard.endswith("Booked.")
    first = min(at for at, _ in done.caller.audio if at > 3.5)
    # The turn ends half a second after 3.5.
    assert first - 4.0 <= SETTINGS.turns.tool_filler_after + 0.2


def test_a_tool_that_fails_is_told_to_the_model() -> None:
    """Which can say so; the call goes on."""
    model = Watching("[book]", "I could not book it.")
    tool = Booking(fails=True).tool()
    done = talk(QUESTION + "." * 60, voice(["Book it."], llm=model), tools=[tool])
    assert model.asked[1][1][-1].results[0].failed
    assert done.lines[-1] == ("assistant", "I could not book it.")
    assert done.notes.of("tool")[0]["status"] == "failed"


BARGE_IN = QUESTION + "." * 20 + "+" * 10 + "." * 60
"""The caller interrupts 1.5 s after the tool has begun."""


def test_barge_in_cancels_a_tool_that_may_be_cancelled() -> None:
    """Its request is closed, and nobody hears of it."""
    booking = Booking(4.0)
    done = talk(
        BARGE_IN,
        voice(["Book it.", "Never mind."], llm=Watching("Let me see. [book]", "All right.")),
        tools=[booking.tool(on_barge_in="cancel")],
    )
    assert (booking.begun, booking.done) == (1, 0)
    assert done.notes.of("tool")[0]["status"] == "cancelled"
    assert done.lines[-1] == ("assistant", "All right.")


def test_barge_in_keeps_a_tool_that_has_to_be_finished() -> None:
    """It runs once, and the model knows with the next turn."""
    booking, model = Booking(2.0), Watching("Let me see. [book]", "All right.", "It is booked.")
    done = talk(
        QUESTION + "." * 20 + "+" * 10 + "." * 30 + "+" * 10 + "." * 40,
        voice(["Book it.", "For two.", "Well?"], llm=model),
        tools=[booking.tool()],
    )
    assert (booking.begun, booking.done) == (1, 1)
    told = [result.text for m in model.asked[2][1] for result in m.results]
    assert told == ['{"booked": true}']
    assert done.lines[-1] == ("assistant", "It is booked.")


def test_a_model_that_only_uses_tools_has_to_answer_in_the_end() -> None:
    """After so many rounds it may use none."""
    model = Watching(*["[book]"] * MOST_ROUNDS, "There you are.")
    booking = Booking()
    done = talk(QUESTION + "." * 60, voice(["Book it."], llm=model), tools=[booking.tool()])
    allowed = [brief.may_call_tools for brief, _ in model.asked]
    assert allowed == [True] * MOST_ROUNDS + [False]
    assert done.lines[-1] == ("assistant", "There you are.")
    assert booking.begun == 1  # the same thing is done once a turn


def test_another_model_that_takes_over_does_not_do_it_twice() -> None:
    """The first breaks off after the tool has run; the second asks for it again."""

    class BreaksOff(Watching):
        async def reply(
            self, brief: Brief, conversation: Sequence[Message]
        ) -> AsyncGenerator[Piece, None]:
            if self.asked:
                raise ProviderError("llm", "it broke", retryable=False)
            async for piece in super().reply(brief, conversation):
                yield piece

    booking, second = Booking(), Watching("[book]", "Booked.")
    models = [BreaksOff("Let me see. [book]"), second]
    done = talk(QUESTION + "." * 60, voice(["Book it."], llm=models), tools=[booking.tool()])
    assert booking.begun == 1
    assert done.lines[-1] == ("assistant", "Let me see. Booked.")


def test_tools_and_a_hang_up_in_one_message() -> None:
    """The tool runs, the goodbye is heard, then the call ends."""
    booking = Booking()

    class Both(Watching):
        async def reply(
            self, brief: Brief, conversation: Sequence[Message]
        ) -> AsyncGenerator[Piece, None]:
            async for piece in super().reply(brief, conversation):
                yield piece
            if len(self.asked) == 1:
                yield ToolCall("end_call")

    model = Both("[book]", "Booked. Goodbye.")
    done = talk(QUESTION + "." * 60, voice(["Book it."], llm=model), tools=[booking.tool()])
    assert booking.done == 1
    assert done.lines[-1] == ("assistant", "Booked. Goodbye.")
    assert done.ending == "the agent hung up"


def test_a_model_that_asks_for_nobody_is_told_who_there_is() -> None:
    """A transfer to a name that does not exist is its mistake to mend."""
    brief = replace(SCRIPT.brief, destinations=(Destination(name="manager"),))
    model = Watching("One moment. [transfer boss]", "There is only the manager.")
    done = talk(
        QUESTION + "." * 60,
        voice(["The boss, please."], llm=model),
        script=replace(SCRIPT, brief=brief),
    )
    assert "There are: manager" in model.asked[1][1][-1].results[0].text
    assert done.lines[-1] == ("assistant", "One moment. There is only the manager.")


def test_a_tool_that_is_kept_is_finished_after_the_hang_up() -> None:
    """What has begun to be booked is booked, though the caller is gone."""
    booking = Booking(2.0)
    done = talk(
        QUESTION + "." * 12, voice(["Book it."], llm=Watching("[book]")), tools=[booking.tool()]
    )
    assert done.ending == "the caller hung up"
    assert booking.done == 1


def test_a_tool_that_ends_while_its_filler_is_held_is_told_to_the_model() -> None:
    """The caller interrupts the filler: the reply is dropped, and what was done is known."""
    booking = Booking(1.5)
    model = Watching("[book]", "All right.")
    filler = "I am asking the kitchen now, that takes a while."
    done = talk(
        QUESTION + "." * 18 + "+" * 10 + "." * 60,
        voice(["Book it.", "Never mind."], llm=model),
        tools=[booking.tool(filler=filler)],
    )
    assert booking.done == 1
    assert len(done.caller.commands("clear")) == 1
    told = [result.text for m in model.asked[1][1] for result in m.results]
    assert told == ['{"booked": true}']
    assert done.lines[-1] == ("assistant", "All right.")
