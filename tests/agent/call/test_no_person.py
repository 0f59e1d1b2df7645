"""Calls of ours that no person has answered, after all, or as yet; whole, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.call.call import Call
from agent.call.orders import CallerMoved, Order, TransferCaller
from agent.call.screening import A_SCREENER, NO_BEEP, RINGS_FOR, Screening, Screens
from agent.call.transfer import Handover
from agent.records.events import A_MACHINE
from agent.records.recordings.recording_files import RecordingWriter
from agent.records.seals import NoSeal
from agent.server.call_recording import recording_of
from agent.settings.recording import RecordingSettings
from pipelines.providers import scripted
from pipelines.stages.stt import FailoverTranscriber
from tests.agent.conversation import RATE, SCRIPT, Loudness, Talk, talk, voice
from tests.agent.records.test_recording_files import AtOnce

HANG_UP = Screens(machine="hangup")
TEXT = "Please call Ann back."
MESSAGE = Screens(machine="message", message=TEXT)
SAYS = "I'm not here. Leave a message after the tone."
TOLD = "This is Linden Street Kitchen about your booking tonight."
KITCHEN = replace(SCRIPT, screener=TOLD)

HELLO = "....." + "+" * 6
"""Half a second, and then "hello?", until 1.1 s."""

GOES_ON = HELLO + "." * 8 + "+" * 25
"""A machine that begins like a person, until 4.4 s."""

ASKS = "Hi, if you record your name and reason for calling, I'll see if this person is available."
WAITS = "Thanks. Please stay on the line."
ASKED = "....." + "+" * 30 + "." * 60
"""A screener that asks until 3.5 s, and hears who calls until 9.5 s."""


class Model(scripted.LanguageModel):
    """One that keeps what it is shown."""

    def __init__(self) -> None:
        super().__init__(scripted.LanguageModelOptions(lines=("I see.",)))
        self.shown: list[list[str]] = []

    def reply(self, brief: Any, conversation: Any) -> Any:
        self.shown.append([message.text for message in conversation])
        return super().reply(brief, conversation)


def answered(
    script: str,
    *said: str,
    screens: Screens = HANG_UP,
    agent: Any = SCRIPT,
    told: list[str] | None = None,
    model: Model | None = None,
    **how: Any,
) -> Talk:
    """Have a call answered on whose line that is heard."""

    async def on_machine() -> None:
        if told is not None:
            told.append("machine")

    def ears(transcriber: FailoverTranscriber) -> Screening:
        return Screening(screens, agent, Loudness(), transcriber, on_machine)

    return talk(script, voice(said, llm=model or Model()), ears=ears, script=agent, **how)


def screened(done: Talk) -> list[str]:
    return [line["answerer"] for line in done.notes.of("screened") if "why" in line]


def said(done: Talk) -> list[str]:
    """What the caller's end heard of us in full or in part."""
    return [line["text"] for line in done.notes.of("agent")]


def sounds(done: Talk, start: float, end: float) -> Sequence[float]:
    return done.caller.audio_between(start, end)


def test_a_machine_found_late_gets_the_message_after_its_beep() -> None:
    """Nothing is said to it from when it is known until the beep, and then we hang up."""
    model = Model()
    script = GOES_ON + "." * 5 + "+" * 20 + "." * 8 + "b" * 4 + "." * 100
    done = answered(script, "Hello.", SAYS, "We will call back.", screens=MESSAGE, model=model)
    assert screened(done) == ["human", "machine"]
    [beep] = done.notes.of("beep")
    assert beep["at"] == pytest.approx(8.2, abs=0.2)
    assert not sounds(done, 4.9, beep["at"] - 0.1)
    assert done.notes.of("agent")[-1]["text"] == TEXT
    assert done.notes.of("agent")[-1]["at"] == pytest.approx(beep["at"], abs=0.3)
    assert done.ending == "the agent hung up"
    assert model.shown == []


def test_a_beep_that_comes_before_the_words_are_understood_counts() -> None:
    """The message follows; nobody waits for another beep."""
    script = GOES_ON + "." + "b" * 3 + "." * 100
    done = answered(script, "Hello.", SAYS, screens=MESSAGE)
    assert [line["hertz"] for line in done.notes.of("beep")] == [1000.0]
    assert done.notes.of("agent")[-1]["text"] == TEXT
    assert done.notes.of("agent")[-1]["at"] < 4.8 + NO_BEEP - 0.5


def test_without_a_beep_it_gets_the_message_after_a_silence() -> None:
    """And is not asked whether it is still there."""
    done = answered(GOES_ON + "." * 150, "Hello.", SAYS, screens=MESSAGE)
    assert done.notes.of("agent")[-1]["at"] >= 4.4 + NO_BEEP - 0.1
    assert said(done)[1:] == [TEXT]
    assert done.ending == "the agent hung up"


def test_a_machine_found_late_is_hung_up_on() -> None:
    """Whoever has to know is told; no model is asked for anything."""
    told: list[str] = []
    model = Model()
    done = answered(GOES_ON + "." * 60, "Hello.", SAYS, told=told, model=model)
    assert (done.ending, told, model.shown) == (A_MACHINE, ["machine"], [])
    assert done.caller.closed is not None
    assert done.caller.closed[0] < 6


def test_what_it_has_said_is_on_record_and_in_no_conversation() -> None:
    """Once each, as what the caller has said."""
    script = GOES_ON + "." * 5 + "+" * 20 + "." * 100
    done = answered(script, "Hello.", SAYS, "We will call back.", screens=MESSAGE)
    assert [line["text"] for line in done.notes.of("caller")] == [
        "Hello.",
        SAYS,
        "We will call back.",
    ]
    assert done.lines == [("assistant", TEXT)]


@pytest.mark.parametrize("late", [True, False])
def test_who_picks_up_while_we_wait_for_the_beep_is_greeted(*, late: bool) -> None:
    """And talked to; the model is shown nothing of the machine."""
    model = Model()
    start = GOES_ON if late else "..." + "+" * 30
    script = start + "." * 14 + "+" * 6 + "." * 60 + "+" * 8 + "." * 40
    words = ["Hello.", SAYS] if late else [SAYS]
    done = answered(script, *words, "Hello?", "It is Ann.", screens=MESSAGE, model=model)
    assert screened(done)[-2:] == ["machine", "human"]
    assert said(done)[-2:] == [SCRIPT.greeting, "I see."]
    assert model.shown[-1] == ["Hello?", SCRIPT.greeting, "It is Ann."]
    assert done.ending == "the caller hung up"


@pytest.mark.parametrize("consent", ["", "This call is recorded."])
def test_a_recording_of_a_machine_is_deleted(tmp_path: Path, consent: str) -> None:
    """Also if it was begun, with a greeting or a consent that nobody but the machine has heard."""
    script = HELLO + "." * 40 + "+" * 25 + "." * 120
    done = recorded(tmp_path, script, ["Hello.", SAYS], MESSAGE, consent)
    statuses = [(line["status"], line.get("by")) for line in done.notes.of("recording")]
    assert statuses == [("started", None), ("stopped", "machine")]
    assert list(tmp_path.iterdir()) == []


def test_who_comes_behind_a_screener_that_was_greeted_is_recorded(tmp_path: Path) -> None:
    """From then on, and nothing of the screener."""
    script = GOES_ON + "." * 60 + "+" * 6 + "." * 60
    done = recorded(tmp_path, script, ["Hello.", ASKS, "Hello?"], HANG_UP, "", KITCHEN)
    lines = done.notes.of("recording")
    assert [line["status"] for line in lines] == ["started", "stopped", "started", "stopped"]
    assert lines[1]["deleted"]
    human = [line["seconds"] for line in done.notes.of("screened")][-1]
    assert lines[2]["began"] == pytest.approx(human, abs=0.1)
    assert len(list(tmp_path.iterdir())) == 1


def recorded(
    folder: Path,
    script: str,
    words: Sequence[str],
    screens: Screens,
    consent: str,
    agent: Any = SCRIPT,
) -> Talk:
    writer = RecordingWriter(folder, NoSeal(), limit_mb=1000, min_free_mb=0, threads=AtOnce())
    settings = RecordingSettings(calls="on", consent=consent)
    recording, agent = recording_of(settings, writer, agent, "r1", RATE)
    return answered(script, *words, screens=screens, agent=agent, recording=recording)


def test_a_screener_is_told_who_calls_and_whoever_comes_is_greeted() -> None:
    """In between nothing is said, whatever the screener says; the model is shown none of it."""
    model = Model()
    script = ASKED + "+" * 15 + "." * 50 + "+" * 6 + "." * 40 + "+" * 8 + "." * 40
    done = answered(script, ASKS, WAITS, "Hello?", "Yes.", agent=KITCHEN, model=model)
    assert screened(done) == ["screener", "human"]
    assert said(done) == [TOLD, SCRIPT.greeting, "I see."]
    [told, greeted, _] = done.notes.of("agent")
    assert (told["said"], greeted["said"]) == ("introduction", "greeting")
    assert 3.5 < told["at"] < 5.2
    assert not sounds(done, told["until"] + 0.2, greeted["at"] - 0.1)
    assert 16.6 < greeted["at"] < 17.5
    assert model.shown == [["Hello?", SCRIPT.greeting, "Yes."]]


@pytest.mark.parametrize("screens", [HANG_UP, MESSAGE], ids=["hangup", "message"])
def test_a_screener_that_finds_nobody_is_a_machine(screens: Screens) -> None:
    """By what it says; the message is left after its beep."""
    script = ASKED + "+" * 20 + "." * 5 + "b" * 4 + "." * 100
    gone = "She is not available. Please leave a message after the tone."
    done = answered(script, ASKS, gone, screens=screens, agent=KITCHEN)
    assert screened(done) == ["screener", "machine"]
    assert said(done) == [TOLD, *([TEXT] if screens is MESSAGE else [])]
    assert done.ending == (A_MACHINE if screens is HANG_UP else "the agent hung up")


def test_a_screener_that_says_no_more_is_left_in_the_end() -> None:
    """After a minute."""
    done = answered(ASKED + "." * 900, ASKS, agent=KITCHEN)
    assert done.ending == A_MACHINE
    assert done.caller.closed is not None
    assert RINGS_FOR < done.caller.closed[0] < RINGS_FOR + 12


def test_a_screener_that_hangs_up_has_hung_up() -> None:
    """And the call is over."""
    assert answered(ASKED, ASKS, agent=KITCHEN).ending == "the caller hung up"


def test_a_screener_that_has_not_understood_is_told_once_more() -> None:
    """And no more than that."""
    again = "+" * 20 + "." * 70
    script = ASKED + again * 3
    sorry = "Sorry, I did not get that. Please say your name."
    done = answered(script, ASKS, sorry, sorry, sorry, agent=KITCHEN)
    assert said(done) == [TOLD, TOLD]


def test_a_screener_that_begins_like_a_person_is_told_who_calls() -> None:
    """Once its words show what it is."""
    done = answered(GOES_ON + "." * 60 + "+" * 6 + "." * 60, "Hi.", ASKS, "Hello?", agent=KITCHEN)
    assert screened(done) == ["human", "screener", "human"]
    assert said(done)[-2:] == [TOLD, SCRIPT.greeting]


@pytest.mark.parametrize("screens", [HANG_UP, MESSAGE], ids=["hangup", "message"])
def test_without_words_for_it_a_screener_is_a_machine(screens: Screens) -> None:
    """As it was: hung up on, or left the message; the record says that it is one."""
    told: list[str] = []
    done = answered(ASKED + "." * 100, ASKS, screens=screens, told=told)
    assert screened(done) == ["screener"]
    assert said(done) == ([TEXT] if screens is MESSAGE else [])
    assert done.ending == (A_SCREENER if screens is HANG_UP else "the agent hung up")
    assert told == (["machine"] if screens is HANG_UP else [])


def test_a_long_question_without_a_pause_is_waited_for() -> None:
    """By its length alone it would be a machine, on which we hang up."""
    script = "....." + "+" * 70 + "." * 60 + "+" * 6 + "." * 60
    done = answered(script, ASKS, "Hello?", agent=KITCHEN)
    assert screened(done) == ["screener", "human"]


def test_that_a_machine_talks_is_said_to_the_screener_and_to_whoever_comes() -> None:
    """Whole, each time: the person has not heard the first."""
    agent = replace(KITCHEN, disclosure="You are talking to an automated assistant.")
    script = ASKED + "." * 40 + "+" * 6 + "." * 100
    done = answered(script, ASKS, "Hello?", agent=agent)
    assert said(done) == [agent.disclosure, TOLD, agent.disclosure, SCRIPT.greeting]
    assert [line.get("cut_off") for line in done.notes.of("disclosed")] == [None, None]


@pytest.mark.parametrize("tells", [True, False])
def test_where_the_greeting_says_it_the_screener_is_told_too(*, tells: bool) -> None:
    """By its own sentence, or by one of ours before it."""
    sentence = "This is the automated assistant of Linden Street Kitchen." if tells else TOLD
    agent = replace(KITCHEN, screener=sentence, greeting_discloses=True)
    done = answered(ASKED + "." * 40 + "+" * 6 + "." * 80, ASKS, "Hello?", agent=agent)
    before = [] if tells else ["You are talking to an automated assistant."]
    assert said(done) == [*before, sentence, SCRIPT.greeting]


FIRST_GREETED = HELLO + "." * 34 + "+" * 25 + "." * 150
"""Who says hello and is greeted, until 4.5 s, and then, until 7 s, says what it is."""


def taken_over(order: Order, at: float, screens: Screens, *words: str) -> Talk:
    """Have an operator fetched onto a call that no person has answered, who comes at a second."""
    calls: list[Call] = []

    async def move(_handover: Handover) -> None:
        loop = asyncio.get_running_loop()
        loop.call_at(at, calls[0].obey, order)
        loop.call_at(at + 0.3, calls[0].obey, order)  # callbacks come twice

    def made(call: Call) -> None:
        calls.append(call)
        fetch = TransferCaller(to="+15550000002", announcement="Wait.")
        asyncio.get_running_loop().call_later(1.5, call.obey, fetch)

    how: dict[str, Any] = {"mover": move, "made": made, "agent": KITCHEN}
    return answered(FIRST_GREETED, "Hello.", *words, screens=screens, **how)


@pytest.mark.parametrize("introduction", ["", "Here you are."])
@pytest.mark.parametrize("stay", [True, False])
@pytest.mark.parametrize(
    ("words", "at", "told"),
    [(ASKS, 7.6, []), (ASKS, 14.0, [TOLD]), (SAYS, 8.0, [])],
    ids=["a screener asks", "a screener rings", "a machine has not beeped"],
)
def test_an_operator_takes_over_a_call_that_no_person_has_answered(
    words: str, at: float, told: list[str], introduction: str, *, stay: bool
) -> None:
    """They talk to whatever is there: the agent introduces them if it is to, and no more."""
    order = CallerMoved(stay=stay, introduction=introduction)
    done = taken_over(order, at, MESSAGE, words)
    assert screened(done)[:2] == ["human", "screener" if words == ASKS else "machine"]
    assert said(done) == [
        SCRIPT.greeting,
        "Wait.",
        *told,
        *([introduction] if introduction else []),
    ]
    assert [line["status"] for line in done.notes.of("transfer")] == ["started", "done"]
    [moved] = [line["at"] for line in done.notes.of("transfer")][1:]
    assert at < moved < at + 3
    assert done.ending == ("the caller hung up" if stay else "the caller was passed on")
    assert not sounds(done, moved + 0.1, 1000)


def test_words_of_a_machine_change_nothing_for_whoever_is_being_introduced() -> None:
    """They have come by then: they are introduced, and the agent leaves."""
    done = taken_over(CallerMoved(stay=False, introduction="Here you are."), 6.9, MESSAGE, ASKS)
    assert said(done)[-1] == "Here you are."
    assert done.ending == "the caller was passed on"
