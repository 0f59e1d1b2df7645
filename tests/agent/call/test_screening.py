"""Who has answered a call that we placed: heard before its conversation, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.call.call import Call
from agent.call.opting_out import OptingOut
from agent.call.orders import AnswererFound, HangUp, PartyJoined
from agent.call.own_words import message_script
from agent.call.screening import NO_BEEP, Screening, Screens
from agent.personas.script import Script
from agent.records.events import A_MACHINE
from agent.records.recordings.recording_files import RecordingWriter
from agent.records.seals import NoSeal
from agent.server.call_recording import recording_of
from agent.settings.recording import RecordingSettings
from agent.simulator.speech import pressed_turn
from pipelines.providers import scripted
from pipelines.stages.stt import FailoverTranscriber
from tests.agent.call.test_opting_out import BY_KEY
from tests.agent.conversation import LOUD, RATE, SCRIPT, Caller, Loudness, Talk, talk, voice
from tests.agent.records.test_recording_files import AtOnce

HANG_UP = Screens(machine="hangup")
TEXT = "Please call Ann back."
MESSAGE = Screens(machine="message", message=TEXT)
HELLO = "....." + "+" * 6
"""Half a second, and then "hello?", until 1.1 s."""

GREETING = "..." + "+" * 30 + "....." + "+" * 20
"""Of a machine, until 5.8 s."""

SAYS = "I'm not here. Leave a message after the tone."


def slow(*lines: str) -> Any:
    """Speech-to-text that is of no use to a screening."""
    return scripted.Transcriber(scripted.TranscriberOptions(lines=lines, delay=1.0))


def answered(
    line: Caller | str,
    *said: str,
    of: Script = SCRIPT,
    screens: Screens = HANG_UP,
    on_machine: Callable[[], object] = lambda: None,
    stt: Any = None,
    **how: Any,
) -> Talk:
    """Have a call answered on whose line that is heard."""

    async def told() -> None:
        on_machine()

    def ears(transcriber: FailoverTranscriber) -> Screening:
        return Screening(screens, of, Loudness(), transcriber, told)

    return talk(line, voice(said, ["I see."], stt=stt), ears=ears, script=of, **how)


def screened(done: Talk) -> list[tuple[str, str]]:
    return [(line["answerer"], line["why"]) for line in done.notes.of("screened") if "why" in line]


def first_sound(done: Talk) -> float:
    return done.caller.audio[0][0]


@pytest.mark.parametrize("late", [False, True], ids=["words in time", "words later"])
def test_somebody_is_greeted_half_a_second_after_their_hello(*, late: bool) -> None:
    """With the greeting, whether their words are known yet or not; these are kept."""
    done = answered(HELLO + "." * 60, "Hello?", stt=slow("Hello?") if late else None)
    assert screened(done) == [("human", "short")]
    assert 1.1 < first_sound(done) <= 1.1 + 0.5
    assert ("user", "Hello?") in done.lines
    assert ("assistant", SCRIPT.greeting) in done.lines
    assert [line["text"] for line in done.notes.of("caller")] == ["Hello?"]


def test_what_they_say_after_the_greeting_is_a_conversation() -> None:
    """As on any call."""
    done = answered(HELLO + "." * 40 + "+" * 8 + "." * 40, "Hello?", "It is Ann.")
    said = ["Hello?", SCRIPT.greeting, "It is Ann.", "I see."]
    assert [text for _, text in done.lines][:4] == said


class Pressing(Caller):
    """Somebody who presses a key, as tones on the line, after so many seconds."""

    def presses(self, key: str, at: float) -> Pressing:
        pcm, size = pressed_turn(key, RATE).audio.pcm, len(LOUD)
        self.tone = [pcm[n : n + size].ljust(size, b"\0") for n in range(0, len(pcm), size)]
        self.at = at
        return self

    async def receive(self) -> str | bytes | None:
        given = await super().receive()
        if given and self.tone and asyncio.get_running_loop().time() >= self.at:
            return self.tone.pop(0)
        return given


@pytest.mark.parametrize("script", ["." * 200, "." * 3 + "+" * 30 + "." * 200])
def test_who_opts_out_by_key_before_they_are_greeted_has_opted_out(script: str) -> None:
    """While it is still being found out who they are: a person, since they have pressed it."""
    kept: list[str] = []

    async def keep(how: str) -> bool:
        kept.append(how)
        return True

    def made(call: Call) -> None:
        OptingOut(keep, call.history, call.obey, BY_KEY)

    line = Pressing(script).presses("9", 0.8)
    done = answered(line, stt=slow("Hello, who is it?"), made=made, of=BY_KEY)
    assert kept == ["keys"]
    assert screened(done)[0] == ("human", "key")
    heard = [one["text"] for one in done.notes.of("agent") if not one["cut_off"]]
    assert heard == [BY_KEY.disclosure, BY_KEY.opted_out]
    assert done.ending == "the agent hung up"


def test_another_key_tells_nothing_of_who_has_answered() -> None:
    """Nor is it an answer to a greeting that nobody has heard."""
    done = answered(Pressing("." * 100).presses("5", 0.8))
    assert screened(done) == [("unknown", "silence")]
    assert not [line for line in done.lines if "Keypad" in line[1]]


@pytest.mark.parametrize("nothing", [".", "_"], ids=["silence", "no packets"])
def test_who_says_nothing_is_greeted(nothing: str) -> None:
    """Within two seconds, be it that the line carries nothing."""
    done = answered(nothing * 20 + "." * 40)
    assert screened(done) == [("unknown", "silence")]
    assert 1.5 <= first_sound(done) <= 2.5
    assert done.lines[0] == ("assistant", SCRIPT.greeting)


@pytest.mark.parametrize("words", [True, False], ids=["by words", "by length"])
def test_on_a_machine_we_hang_up(*, words: bool) -> None:
    """Without a word, and whoever has to know is told; no greeting is said to it."""
    told: list[str] = []
    stt = None if words else slow("")
    done = answered(
        GREETING + "." * 60, SAYS, SAYS, stt=stt, on_machine=lambda: told.append("machine")
    )
    assert screened(done) == [("machine", "words" if words else "length")]
    assert told == ["machine"]
    assert done.ending == A_MACHINE
    assert not done.caller.audio
    assert done.caller.closed is not None
    assert done.caller.closed[0] < (3.8 if words else 5.9)


def test_the_message_is_left_after_the_beep() -> None:
    """All of it, and then we hang up."""
    done = answered(GREETING + "." * 5 + "b" * 4 + "." * 80, SAYS, SAYS, screens=MESSAGE)
    assert screened(done) == [("machine", "words")]
    beep = done.notes.of("beep")
    assert [line["hertz"] for line in beep] == [1000.0]
    assert 6.7 < first_sound(done) < 7.1
    assert [line["text"] for line in done.notes.of("agent")] == [TEXT]
    assert done.ending == "the agent hung up"


def test_the_message_is_left_to_a_machine_that_does_not_beep() -> None:
    """Once it has been silent for as long as its beep may take."""
    done = answered(GREETING + "." * 120, SAYS, SAYS, screens=MESSAGE)
    assert 5.8 + NO_BEEP <= first_sound(done) < 5.8 + NO_BEEP + 0.3
    assert done.ending == "the agent hung up"


def test_who_picks_up_while_the_message_is_said_is_talked_to() -> None:
    """The message is stopped, and they are answered; nobody hangs up on them."""
    script = GREETING + "." * 5 + "b" * 4 + "." * 8 + "+" * 14 + "." * 60
    long = Screens(machine="message", message=" ".join([TEXT] * 5))
    done = answered(script, SAYS, SAYS, "Wait, I am here, who is it?", screens=long)
    assert done.lines[-1] == ("assistant", "I see.")
    assert done.ending == "the caller hung up"


def test_a_machine_that_begins_like_a_person_is_found_out() -> None:
    """By its words, as the call understands them later: "Hello?", and then the rest."""
    told: list[str] = []
    script = HELLO + "." * 8 + "+" * 25 + "." * 60
    done = answered(script, "Hello.", SAYS, on_machine=lambda: told.append("machine"))
    assert done.ending == A_MACHINE
    assert told == ["machine"]


def test_found_out_late_it_gets_the_message_all_the_same() -> None:
    """After what was begun."""
    script = HELLO + "." * 8 + "+" * 25 + "." * 200
    done = answered(script, "Hello.", SAYS, screens=MESSAGE)
    assert done.lines[-1] == ("assistant", TEXT)
    assert done.ending == "the agent hung up"


def test_the_machine_of_somebody_who_was_added_ends_nothing() -> None:
    """Once others are on the line, what is heard may be theirs."""
    script = HELLO + "." * 8 + "+" * 25 + "." * 60

    def soon(call: Call) -> None:
        joined = PartyJoined(party="p1", title="Bob")
        asyncio.get_running_loop().call_later(1.6, call.obey, joined)
        asyncio.get_running_loop().call_later(1.6, call.history.obey, joined)

    assert answered(script, "Hello.", SAYS, made=soon).ending == "the caller hung up"


@pytest.mark.parametrize(
    ("script", "screens", "begun"),
    [
        (HELLO + "." * 60, MESSAGE, True),
        ("." * 60, MESSAGE, True),
        (GREETING + "." * 5 + "b" * 4 + "." * 80, MESSAGE, False),
        (GREETING + "." * 60, HANG_UP, False),
    ],
    ids=["a person", "nobody speaks", "a message", "hung up on"],
)
def test_nothing_of_a_machine_is_recorded(
    tmp_path: Path, script: str, screens: Screens, *, begun: bool
) -> None:
    """Where no consent is asked for, it begins once it is known that it is none."""
    writer = RecordingWriter(tmp_path, NoSeal(), limit_mb=1000, min_free_mb=0, threads=AtOnce())
    settings = RecordingSettings(calls="on", consent="")
    recording, _ = recording_of(settings, writer, SCRIPT, "r1", RATE)
    assert recording is not None
    said = ("Hello?",) if screens is MESSAGE and begun else (SAYS, SAYS)
    done = answered(script, *said, screens=screens, recording=recording)
    found = done.notes.of("screened")[0]
    statuses = [(line["status"], line["began"]) for line in done.notes.of("recording")]
    began = [at for status, at in statuses if status == "started"]
    assert began == ([pytest.approx(found["seconds"], abs=0.1)] if begun else [])
    assert bool(list(tmp_path.iterdir())) == begun


@pytest.mark.parametrize("found", ["machine", "human"])
def test_what_the_platform_finds_out_counts(found: Any) -> None:
    """While it is open who it is; later it is only noted."""
    order = AnswererFound(answerer=found)

    def soon(call: Call) -> None:
        asyncio.get_running_loop().call_later(1.0, call.history.obey, order)

    done = answered("..." + "+" * 30 + "." * 60, stt=slow(""), made=soon)
    assert screened(done) == [(found, "platform")]


def test_the_operator_can_hang_up_meanwhile() -> None:
    """While a machine speaks, say."""

    def soon(call: Call) -> None:
        order = HangUp(goodbye=False)
        asyncio.get_running_loop().call_later(2.0, call.obey, order)

    done = answered(GREETING + "." * 60, stt=slow(""), screens=MESSAGE, made=soon)
    assert done.ending == "the operator hung up"
    assert done.caller.closed is not None
    assert done.caller.closed[0] == pytest.approx(2.0, abs=0.1)


def test_who_hangs_up_meanwhile_has_hung_up() -> None:
    """And the call is over."""
    assert answered("...++").ending == "the caller hung up"


def test_a_message_may_be_interrupted_and_tells_of_no_recording() -> None:
    """It is said to a machine, which gave no consent; or to whoever picks up."""
    script = message_script(SCRIPT, TEXT)
    assert (script.greeting, script.hang_up_after_greeting) == (TEXT, True)
    assert script.greeting_interruptible
    assert script.recording_consent == ""
