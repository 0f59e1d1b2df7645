"""What is said on a line of several and left to a language model: what that is told, and may do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import pytest

from agent.call.evidence import A_FRAME
from agent.call.party_line import PartyLine
from agent.personas.party import PartyScript
from agent.settings.calls import CallSettings
from pipelines.conversation import STAY_SILENT, Brief, Message, ToolCall
from pipelines.providers import scripted
from pipelines.providers.contracts import Piece
from pipelines.providers.prompt import JUDGING, PERHAPS, system_message, turns
from pipelines.reply.control import as_asked
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings
from pipelines.turn_taking.settings import TurnSettings
from tests.agent.call.test_party_line import GREETED, PARTY, TURN, Model, Mute, party, sounds
from tests.agent.call.test_tool_stories import Booking
from tests.agent.conversation import SCRIPT, Talk, talk, voice

LEFT = (
    "By the window, I would say.",  # the greeting has asked
    "What time does it start?",
    "Can you take the Saturday?",
    "Esmeralda, could you come over?",
)
"""What may be said to the agent, and to others."""


def first_sound(done: Talk) -> float:
    """When the audio of the first reply began to leave."""
    return min(at for at, _ in done.caller.audio if at > 2.5)


@pytest.mark.parametrize("text", LEFT)
def test_a_model_that_stays_silent_makes_no_sound(text: str) -> None:
    """Whatever was left to it; it counts as said to others then, and is shown as such next."""
    model = Mute()
    done = party([text, text], llm=model)
    assert [line["to"] for line in done.notes.of("caller")] == ["others", "others"]
    assert sounds(done) == 0.0
    assert [message.to_others for message in model.told[-1][1]][1:] == [True, False]


@pytest.mark.parametrize("text", LEFT)
def test_a_turn_that_a_model_judges_leaves_others_time_to_answer(text: str) -> None:
    """As much silence as where nobody can say, and no more: the judgement is the answer itself."""
    judged, known = party([text]), party([text], script=replace(PARTY, answers="always"))
    turns = [done.notes.of("caller")[0] for done in (judged, known)]
    assert [turn["to"] for turn in turns] == ["agent", "agent"]
    waited, usual = (turn["decided"]["silence"] for turn in turns)
    assert turns[0]["decided"]["words"] == "open to others"
    assert waited == pytest.approx(max(EndOfTurnSettings().middle, usual), abs=A_FRAME)
    later = first_sound(judged) - first_sound(known)
    assert later == pytest.approx(waited - usual, abs=A_FRAME)


def test_who_calls_the_agent_and_pauses_has_not_finished() -> None:
    """A breath stands behind the name: it is one turn, which nothing cuts into."""
    pause = "." * 8
    words = ["Okay, Linden.", "Okay, Linden. Are you open?"]
    audio = GREETED + "+" * 10 + pause + "+" * 12 + "." * 30
    done = party(words, audio=audio)
    assert [line["text"] for line in done.notes.of("caller")] == [words[1]]
    assert {line["turn"] for line in done.notes.of("heard")} == {
        1,
        2,
    }  # greeting, answer
    alone = party(["Linden."], audio=GREETED + "+" * 10 + "." * 40)
    decided = alone.notes.of("caller")[0]["decided"]
    assert decided["words"] == "called"
    assert decided["silence"] == pytest.approx(EndOfTurnSettings().long, abs=A_FRAME)
    for text in ("Linden, are you open?", "Linden?"):
        asked = party([text], audio=GREETED + "+" * 10 + "." * 40).notes.of("caller")[0]
        assert asked["decided"]["silence"] < EndOfTurnSettings().middle


def test_the_remark_stands_behind_what_was_said_last_alone() -> None:
    """The prompt is the same for each turn, so that a server's cache of it stays of use."""
    model = Model("One.", "Two.", "Three.")
    party(
        ["What time does it start?", "Linden, is it far?", "Can you take the Saturday?"], llm=model
    )
    prompts = {system_message(brief) for brief, _ in model.told}
    sent = [turns(conversation) for _, conversation in model.told]
    assert len(prompts) == 1
    assert JUDGING in prompts.pop()
    assert [lines[-1].text.endswith(PERHAPS) for lines in sent] == [True, False, True]
    assert [sum(PERHAPS in line.text for line in lines) for lines in sent] == [1, 0, 1]
    assert sent[0][-1].text == f"What time does it start?\n{PERHAPS}"
    assert [brief.may_stay_silent for brief, _ in model.told] == [True, False, True]
    assert all(brief.tools[-1].name == STAY_SILENT for brief, _ in model.told)


def test_a_model_that_cannot_judge_is_told_nothing_of_it() -> None:
    """Neither the tool nor the rules nor that it may be silent: the likelier counts."""
    brief = Brief(prompt="Be brief.")
    script = replace(SCRIPT, party=PARTY)
    line = PartyLine(script, lambda *_, **__: None, judges=False)
    told = line.brief(brief, None)
    assert JUDGING not in system_message(told)
    assert not told.tools
    assert JUDGING not in system_message(
        PartyLine(replace(SCRIPT, party=PartyScript()), lambda *_, **__: None).brief(brief, None)
    )


class Wordy(Model):
    """A language model that says something, and stays silent behind it."""

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        yield "At nine."
        yield ToolCall(STAY_SILENT)


def test_what_a_model_has_answered_was_said_to_it() -> None:
    """Also if it says then that it was not."""
    done = party(["What time does it start?"], llm=Wordy())
    told = [(line["to"], line["told_by"]) for line in done.notes.of("caller")]
    assert told == [("agent", "model")]
    assert done.lines[-1] == ("assistant", "At nine.")


@pytest.mark.parametrize("written", ["stay_silent", "(stays silent)", "*silence*", "Stay silent."])
def test_a_model_that_writes_that_it_is_silent_is(written: str) -> None:
    """Small ones do so instead of asking for the tool."""
    done = party(["What time does it start?"], llm=Model(written))
    assert sounds(done) == 0.0
    assert [line["to"] for line in done.notes.of("caller")] == ["others"]
    assert as_asked(written, Brief()) == written
    assert as_asked("Silence is golden.", Brief(may_stay_silent=True)) == "Silence is golden."


@pytest.mark.parametrize("then", ["Can you take the Saturday?", "Linden, is it far?"])
def test_a_model_whose_server_reads_no_tool_calls_stays_silent_too(then: str) -> None:
    """It writes the call among its words. Once it is spoken to by name, it is told to answer."""
    call = '<tool_call>\n{"name": "stay_silent", "arguments": {}}\n</tool_call>'
    model = Model(call, call, "Not far.")
    done = party(["What time does it start?", then], llm=model)
    to_us = then.startswith("Linden")
    assert len(model.told) == (3 if to_us else 2)
    assert [line["to"] for line in done.notes.of("caller")] == [
        "others",
        "agent" if to_us else "others",
    ]
    assert (done.lines[-1] == ("assistant", "Not far.")) == to_us
    assert not done.notes.of("failover")


def test_a_model_that_looks_something_up_has_found_that_it_was_asked() -> None:
    """So that a slow tool is bridged, as in any other call; nothing sounds before."""
    tool = Booking(4.0).tool(filler="I'm asking the kitchen.")
    done = talk(
        GREETED + TURN + "." * 60,
        voice(["What time does it start?"], llm=Model("[book]", "At nine.")),
        script=replace(SCRIPT, party=PARTY),
        settings=CallSettings(turns=TurnSettings(idle_after=3600.0)),
        tools=[tool],
    )
    assert done.lines[-1] == ("assistant", "I'm asking the kitchen. At nine.")
    slow = scripted.LanguageModel(scripted.LanguageModelOptions(lines=("One.",), delay=3.0))
    settings = CallSettings(turns=TurnSettings(filler_after=0.5))
    quiet = party(["What time does it start?"], llm=slow, settings=settings)
    assert quiet.notes.of("filler") == []
