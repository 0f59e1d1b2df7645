"""That a machine talks is heard first and in full, whatever happens meanwhile. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import pytest

from agent.call.call import Call
from agent.call.orders import CallerMoved, HangUp
from agent.call.own_words import message_script, own_words
from agent.personas.machine_words import example
from pipelines.audio import SPEECH_RATE
from pipelines.providers import scripted
from pipelines.providers.contracts import ProviderError, Speech
from pipelines.turn_taking.turns import Action, Event
from tests.agent.conversation import SCRIPT, Caller, Talk, talk, voice

TOLD = "You are talking to a machine that books tables for people."
DISCLOSING = replace(SCRIPT, disclosure=TOLD)
GREETED = ("assistant", SCRIPT.greeting)
FIRST = ("assistant", TOLD)


def said(done: Talk) -> list[str]:
    """Return what was said to its end, in order."""
    return [line["text"] for line in done.notes.of("agent") if not line["cut_off"]]


def test_it_comes_before_the_greeting_and_stands_on_record() -> None:
    """One line, with the time from which and until when it was heard."""
    done = talk("." * 120, voice(), script=DISCLOSING)
    assert done.lines[:2] == [FIRST, GREETED]
    (line,) = done.notes.of("disclosed")
    assert (line["text"], "cut_off" in line) == (TOLD, False)
    greeting = next(one for one in done.notes.of("agent") if one["said"] == "greeting")
    assert 0 <= line["at"] < line["until"] <= greeting["at"]


def test_an_agent_that_discloses_nothing_has_no_such_line() -> None:
    """And its greeting may be interrupted as ever."""
    done = talk("." * 60, voice())
    assert done.notes.of("disclosed") == []
    assert own_words(Action.GREET, SCRIPT).interruptible


@pytest.mark.parametrize("tenths", [4, 12, 22, 24, 27, 29, 33])
def test_what_is_said_over_it_is_answered_afterwards(tenths: int) -> None:
    """It is not held for it; nobody hears the caller before, neither a transcriber nor a model."""
    stt = scripted.Transcriber(scripted.TranscriberOptions(lines=("I want a table for two.",)))
    done = talk(
        Caller("." * 5 + "+" * tenths + "." * 120),
        voice(stt=stt, replies=["For when?"]),
        script=DISCLOSING,
    )
    (line,) = done.notes.of("disclosed")
    assert "cut_off" not in line
    assert not [one for one in done.notes.of("held") if one["at"] < line["until"]]
    assert done.lines[0] == FIRST
    assert ("user", "I want a table for two.") in done.lines
    assert ("assistant", "For when?") in done.lines
    before = {"understood", "caller", "tool", "held", "barge_in"}
    early = done.notes.lines[: done.notes.lines.index(line)]
    assert not before & {one["kind"] for one in early}


def test_keys_over_it_are_answered_afterwards() -> None:
    """No menu choice skips it."""

    def press(call: Call) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(0.5, call._press, "1")

    done = talk("." * 120, voice(replies=["One it is."]), script=DISCLOSING, made=press)
    assert done.lines[0] == FIRST
    assert ("user", "Keypad: 1") in done.lines[1:]


def test_the_consent_to_a_recording_comes_after_it_and_is_heard_in_full_too() -> None:
    """Speech over the first of them interrupts neither."""
    script = replace(DISCLOSING, recording_consent="This call is recorded.")
    done = talk(
        Caller("." * 5 + "+" * 12 + "." * 140),
        voice(["Fine, I want a table."], ["For when?"]),
        script=script,
    )
    assert said(done)[:2] == [TOLD, "This call is recorded."]
    assert ("user", "Fine, I want a table.") in done.lines


def test_a_greeting_that_says_it_is_heard_in_full() -> None:
    """Whoever speaks over it is answered afterwards."""
    greeting = "Hello, I am a machine, and I book tables. What can I do for you?"
    script = replace(SCRIPT, greeting=greeting, greeting_discloses=True)
    done = talk(
        Caller("." * 5 + "+" * 15 + "." * 100),
        voice(["A table."], ["For when?"]),
        script=script,
    )
    (line,) = done.notes.of("disclosed")
    assert (line["text"], "cut_off" in line) == (greeting, False)
    assert done.lines == [
        ("assistant", greeting),
        ("user", "A table."),
        ("assistant", "For when?"),
    ]


def test_a_message_on_a_machine_begins_with_it() -> None:
    """The message follows, and the call ends."""
    script = replace(
        DISCLOSING,
        greeting="Your table is booked.",
        greeting_interruptible=False,
        hang_up_after_greeting=True,
    )
    done = talk("." * 200, voice(), script=script)
    assert said(done) == [TOLD, "Your table is booked."]
    assert done.ending == "the agent hung up"


class Breaks(scripted.Synthesizer):
    """Breaks off in the disclosure, so many times, wherever it is asked for."""

    def __init__(self, times: int) -> None:
        super().__init__(scripted.SynthesizerOptions())
        self.left = times

    async def speak(self, text: str, rate: int = SPEECH_RATE) -> AsyncGenerator[Speech, None]:
        """Fail after a word of it, and at once when the rest is asked for; or speak all of it."""
        breaks = self.left > 0 and TOLD.endswith(text)
        self.left -= breaks
        async with aclosing(super().speak(text, rate)) as pieces:
            async for piece in pieces:
                if text == TOLD or not breaks:
                    yield piece
                if breaks:
                    raise ProviderError("tts", "it broke off")


def test_one_that_could_not_be_spoken_is_said_again() -> None:
    """Nothing but an apology comes before it was heard in full, no answer and no greeting."""
    done = talk(
        Caller("." * 5 + "+" * 12 + "." * 200),
        voice(["A table."], ["For when?"], tts=Breaks(4)),
        script=DISCLOSING,
    )
    *broken, whole = done.notes.of("disclosed")
    assert broken
    assert all(one["cut_off"] and one["text"] != TOLD for one in broken)
    assert (whole["text"], "cut_off" in whole) == (TOLD, False)
    early = done.notes.lines[: done.notes.lines.index(whole)]
    assert {one["said"] for one in early if one["kind"] == "agent"} <= {"apology", "disclosure"}
    assert not [one for one in early if one["kind"] == "caller"]
    assert ("assistant", "For when?") in done.lines


@pytest.mark.parametrize(
    ("message", "first"),
    [
        ("Your table is booked.", example("en")),
        ("This is an automated call: your table is booked.", ""),
    ],
)
def test_a_message_says_it_where_the_greeting_would_have(message: str, first: str) -> None:
    """The greeting is not said to a machine; a sentence of ours stands in for it if it has to."""
    script = message_script(replace(SCRIPT, greeting_discloses=True), message)
    done = talk("." * 200, voice(), script=script)
    assert said(done) == [*filter(None, [first]), message]
    assert done.notes.of("disclosed")[0]["text"] == (first or message)
    assert done.ending == "the agent hung up"


def test_who_hangs_up_on_it_has_not_heard_it() -> None:
    """The record says how much they have."""
    done = talk("." * 15, voice(), script=DISCLOSING)
    (line,) = done.notes.of("disclosed")
    assert line["cut_off"]
    assert TOLD.startswith(line["text"])
    assert line["text"] != TOLD
    assert done.notes.of("agent")[0]["said"] == "disclosure"


def test_whoever_comes_back_before_they_have_heard_it_hears_it_first() -> None:
    """They were passed on during it: it begins anew, before anything else, whatever waits."""

    def moved(call: Call) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(0.5, call.obey, HangUp(goodbye=True))
        loop.call_later(1.0, call.obey, CallerMoved(stay=True))
        loop.call_later(3.0, call._happened, Event.RETURNED)

    done = talk("." * 29 + "+" * 8 + "." * 150, voice(["Hello?"]), script=DISCLOSING, made=moved)
    first, again = done.notes.of("disclosed")
    assert first["cut_off"]
    assert again["text"] == TOLD
    assert "cut_off" not in again
    assert again["at"] < 3.2
    kinds = [one["kind"] for one in done.notes.lines]
    assert "caller" not in kinds[: done.notes.lines.index(again)]


def test_whoever_has_heard_it_does_not_hear_it_again() -> None:
    """They were passed on afterwards, and came back."""

    def moved(call: Call) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(9.0, call.obey, CallerMoved(stay=True))
        loop.call_later(10.0, call._happened, Event.RETURNED)

    done = talk("." * 140, voice(), script=DISCLOSING, made=moved)
    assert len(done.notes.of("disclosed")) == 1
