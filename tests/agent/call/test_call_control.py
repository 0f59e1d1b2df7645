"""Keys, transfers and what is said from outside, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

import pytest

from agent.call.call import Call
from agent.call.orders import CallerMoved, CallerNotMoved, HangUp, TransferCaller
from agent.call.transfer import Handover, TransferError
from pipelines.audio import SPEECH_RATE, Chunker, Resampler, frame_bytes
from pipelines.conversation import Brief, Destination, Message
from pipelines.listening.dtmf import KeypadDetector, tones
from pipelines.providers.contracts import Piece
from pipelines.providers.scripted import LanguageModel, LanguageModelOptions
from tests.agent.conversation import LOUD, RATE, SCRIPT, Caller, Talk, talk, voice

DESK = Destination(name="desk", announcement="I'll connect you.")
MOVABLE = replace(
    SCRIPT,
    numbers={"desk": "+15550000002"},
    transfer_failed="Nobody is there.",
    brief=Brief(goodbye="Bye.", destinations=(DESK,), may_press_keys=True),
)


@dataclass
class Presser(Caller):
    """A caller who also presses keys: in the script, a digit is 100 ms of tone and as much pause.

    Everything else is as in :class:`Caller`.
    """

    keys: list[bytes] = field(default_factory=list)

    async def receive(self) -> str | bytes | None:
        given = await super().receive()
        return given if given is None else (self.keys.pop(0) or given)

    @classmethod
    def of(cls, script: str) -> Presser:
        plain, keys = "", []
        for mark in script:
            if mark in "0123456789*#":
                plain += ".."
                pcm = tones(mark, RATE)
                keys += [pcm[at : at + len(LOUD)] for at in range(0, len(pcm), len(LOUD))]
            else:
                plain += mark
                keys += [b""] * 5
        return cls(plain, keys=keys)


class ModelSees(LanguageModel):
    """A model that keeps what it is told the caller has said last: since it has last answered."""

    def __init__(self, *lines: str) -> None:
        super().__init__(LanguageModelOptions(lines=lines))
        self.asked: list[list[str]] = []

    def reply(self, brief: Brief, conversation: Sequence[Message]) -> AsyncGenerator[Piece, None]:
        last = takewhile(lambda message: message.role == "user", reversed(conversation))
        self.asked.append([message.text for message in last][::-1])
        return super().reply(brief, conversation)


def said(done: Talk) -> list[str]:
    return [text for role, text in done.lines if role == "user"]


def spoken(done: Talk) -> list[str]:
    return [line["text"] for line in done.notes.of("agent")]


def test_keys_are_answered_when_no_other_follows() -> None:
    """Two seconds after the last, as one thing that was said."""
    done = talk(Presser.of("." * 20 + "1.2.3" + "." * 60), voice([], ["Thank you."]))
    assert said(done) == ["Keypad: 123"]
    assert spoken(done) == ["Hello, who is this?", "Thank you."]
    at = done.notes.of("agent")[1]["at"]
    assert 2.6 + 2.0 <= at <= 2.6 + 2.3


def test_a_hash_ends_them_at_once() -> None:
    """As every menu teaches."""
    done = talk(Presser.of("." * 20 + "12#" + "." * 40), voice([], ["Thank you."]))
    assert said(done) == ["Keypad: 12#"]
    assert done.notes.of("agent")[1]["at"] < 2.4 + 0.2


def test_a_key_stops_the_agent_and_is_no_speech() -> None:
    """The tone silences what is being said, and never reaches speech-to-text."""
    done = talk(Presser.of("......5" + "." * 50), voice(["Beep."], ["Five it is."]))
    assert said(done) == ["Keypad: 5"]
    greeting, reply = done.notes.of("agent")
    assert greeting["cut_off"]
    assert reply["text"] == "Five it is."
    (cleared,) = done.caller.commands("clear")
    assert 0.6 <= cleared <= 0.7
    assert done.caller.audio_between(cleared - 0.0005, reply["at"]) == []


def test_a_transfer_that_is_answered_while_we_speak_silences_us_at_once() -> None:
    """The caller hears who has answered, and no more of us."""

    def order(call: Call) -> None:
        asyncio.get_running_loop().call_later(0.5, call.obey, CallerMoved(stay=True))

    done = talk("." * 40, voice(), made=order)
    (cleared,) = done.caller.commands("clear")
    assert cleared == pytest.approx(0.5, abs=0.11)
    assert done.caller.audio_between(cleared - 0.0005, 4.0) == []


def test_keys_over_a_legal_notice_wait_for_its_end() -> None:
    """It is said whole, and then they are answered."""
    notice = replace(SCRIPT, greeting_interruptible=False)
    done = talk(Presser.of("...7" + "." * 60), voice([], ["Seven."]), script=notice)
    greeting, reply = done.notes.of("agent")
    assert not greeting["cut_off"]
    assert (reply["text"], said(done)) == ("Seven.", ["Keypad: 7"])


def test_keys_while_the_caller_speaks_come_after_it() -> None:
    """First what they said is answered, then what they pressed."""
    script = "." * 20 + "++++++8" + "." * 90
    done = talk(Presser.of(script), voice(["My number is"], ["Yes?", "Eight."]))
    assert said(done) == ["My number is", "Keypad: 8"]
    assert spoken(done)[1:] == ["Yes?", "Eight."]


def answered(done: Talk) -> list[tuple[str, str]]:
    """What is known of both sides after the greeting, but what was cut off."""
    return [line for line in done.lines if line[1] and line[1] != "Hello, who is this?"]


@pytest.mark.parametrize("marks", ["", "." * 9, "." * 16])
def test_keys_before_speech_are_of_its_turn(marks: str) -> None:
    """However soon they speak: the model is shown both, and gives one answer, before anything."""
    script = "." * 20 + "9.0." + marks + "++++++" + "." * 20 + "++++++" + "." * 60
    seen = ModelSees("Ninety it is.", "Bye now.")
    done = talk(Presser.of(script), voice(["Is it there?", "Thank you."], llm=seen))
    assert seen.asked[0] == ["Keypad: 90", "Is it there?"]
    assert answered(done) == [
        ("user", "Keypad: 90"),
        ("user", "Is it there?"),
        ("assistant", "Ninety it is."),
        ("user", "Thank you."),
        ("assistant", "Bye now."),
    ]
    lines = done.notes.of("caller")
    assert lines[0]["decided"]["by"] == "keys"
    assert [line["turn"] for line in lines] == sorted({line["turn"] for line in lines})


def test_speech_after_keys_are_all_goes_on_with_them() -> None:
    """2.9 seconds after the last, while they are answered: what they said is answered, too."""
    script = "." * 20 + "9.0" + "." * 27 + "++++++" + "." * 60
    done = talk(Presser.of(script), voice(["Is it there?"], ["Ninety.", "It is."]))
    assert said(done) == ["Keypad: 90", "Is it there?"]
    assert spoken(done)[-1] == "It is."


def test_keys_over_our_reply_are_of_the_turn_that_follows() -> None:
    """They stop us, and what is said behind them is answered together with them."""
    script = "......5...++++++" + "." * 60
    seen = ModelSees("Five it is.")
    done = talk(Presser.of(script), voice(["For tomorrow."], llm=seen))
    assert seen.asked == [["Keypad: 5", "For tomorrow."]]
    assert spoken(done)[1:] == ["Five it is."]


def test_keys_amid_speech_are_of_its_turn() -> None:
    """The caller went on to speak, so there are no more of them."""
    script = "." * 20 + "+++8+++" + "." * 90
    done = talk(Presser.of(script), voice(["My number is that"], ["Eight."]))
    assert said(done) == ["Keypad: 8", "My number is that"]
    assert spoken(done)[1:] == ["Eight."]


def test_keys_after_speech_are_never_left_behind_the_next() -> None:
    """They speak again, over our answer, before the keys had theirs: it is for both."""
    script = "." * 20 + "++++++8" + "." * 18 + "+" * 12 + "." * 60
    seen = ModelSees("Yes, please tell me all of your long number now.", "Eight.")
    done = talk(Presser.of(script), voice(["Is it open?", "That was eight."], llm=seen))
    assert said(done) == ["Is it open?", "Keypad: 8", "That was eight."]
    assert spoken(done)[-1] == "Eight."


def test_a_cough_after_keys_takes_none_of_them() -> None:
    """Nothing was said: they are answered, as if it had not been heard."""
    script = "." * 20 + "9.0....+++" + "." * 60
    done = talk(Presser.of(script), voice([""], ["Ninety."]))
    assert said(done) == ["Keypad: 90"]
    assert spoken(done)[1:] == ["Ninety."]


def test_keys_before_the_last_words_of_a_call_stand_before_them() -> None:
    """Whoever hangs up before the answer has pressed, and said, all the same."""
    done = talk(Presser.of("." * 20 + "9.0...++++++"), voice(["Never mind."], ["Ninety."]))
    assert said(done) == ["Keypad: 90", "Never mind."]


def test_the_agent_presses_keys() -> None:
    """As tones in its own audio, after its words; history says that it did."""
    done = talk(
        "." * 20 + "++++++" + "." * 60,
        voice(["Press one for sales."], ["All right. [press 1w2]"]),
        script=MOVABLE,
    )
    resampler, frames = Resampler(RATE, SPEECH_RATE), Chunker(frame_bytes(SPEECH_RATE))
    pcm = b"".join(audio for _, audio in done.caller.audio)
    detector = KeypadDetector()
    keys = "".join(detector.feed(f) for f in frames.feed(resampler.feed(pcm) + bytes(1280)))
    assert keys == "12"
    assert done.lines[-1] == ("assistant", "All right. (pressed 1w2)")


@dataclass
class CallControl:
    """What dials for a call: notes whom, and what becomes of it a second later."""

    then: Callable[[Call], None] | None = None
    refuses: bool = False
    dialled: list[tuple[float, str]] = field(default_factory=list)


def moved(
    script: str, control: CallControl, *replies: str, words: str = "The desk please."
) -> Talk:
    call: list[Call] = []

    async def move(handover: Handover) -> None:
        loop = asyncio.get_running_loop()
        control.dialled.append((round(loop.time(), 1), handover.to))
        if control.refuses:
            raise TransferError("no credit")
        if control.then is not None:
            loop.call_later(1.0, control.then, call[0])

    return talk(
        script,
        voice([words, "Never mind."], ["I'll connect you. [transfer desk]", *replies]),
        script=MOVABLE,
        mover=move,
        made=call.append,
    )


ASKED = "." * 20 + "++++++"


def test_a_caller_is_dialled_on_after_the_announcement_was_heard() -> None:
    """Then we leave, and nothing more is said or heard."""
    control = CallControl(then=lambda call: call.obey(CallerMoved(stay=False)))
    done = moved(ASKED + "." * 200, control)
    assert [to for _, to in control.dialled] == ["+15550000002"]
    announced = done.notes.of("agent")[-1]
    assert announced["text"] == "I'll connect you."
    assert control.dialled[0][0] >= announced["at"] + 0.85
    assert [line["status"] for line in done.notes.of("transfer")] == ["started", "done"]
    assert done.ending == "the caller was passed on"


def test_we_stay_in_silence_where_leaving_would_hang_up() -> None:
    """Nothing is said, nothing is listened to, however long they talk; heartbeats go on."""
    control = CallControl(then=lambda call: call.obey(CallerMoved(stay=True)))
    done = moved(ASKED + "." * 60 + "++++++....." * 60, control)
    left = done.notes.of("transfer")[-1]["at"]
    assert done.caller.audio_between(left + 0.1, 1000) == []
    assert len(done.caller.commands("heartbeat")) >= 3
    assert done.ending == "the caller hung up"
    assert said(done) == ["The desk please."]


def test_nobody_answers_and_we_are_back() -> None:
    """A filler bridges the ringing; then the caller is told, and talked to."""

    def give_up(call: Call) -> None:
        asyncio.get_running_loop().call_later(9.0, call.obey, CallerNotMoved())

    control = CallControl(then=give_up)
    done = moved(ASKED + "." * 160 + "++++++" + "." * 40, control, "All right.")
    assert spoken(done)[2:] == [
        "One moment, please.",
        "One moment, please.",
        "Nobody is there.",
        "All right.",
    ]
    assert [line["status"] for line in done.notes.of("transfer")] == ["started", "failed"]


def test_a_transfer_that_cannot_be_dialled_is_told() -> None:
    """At once, and the call goes on."""
    done = moved(ASKED + "." * 60, CallControl(refuses=True))
    assert spoken(done)[-1] == "Nobody is there."


def test_a_caller_who_talks_over_the_announcement_is_not_dialled_on() -> None:
    """It was not heard: they may have changed their mind."""
    control = CallControl()
    script = ASKED + ".........++++++++" + "." * 60
    done = moved(script, control, "All right.")
    assert control.dialled == []
    assert said(done) == ["The desk please.", "Never mind."]


@pytest.mark.parametrize("busy", ["." * 40, "." * 20 + "++++++" + "." * 30])
def test_a_goodbye_from_outside_waits_for_its_moment(busy: str) -> None:
    """Nobody is interrupted; then it is said, heard, and the call is over."""

    def order(call: Call) -> None:
        asyncio.get_running_loop().call_later(2.2, call.obey, HangUp(goodbye=True))

    done = talk(busy + "." * 100, voice(["Yes."], ["I see."]), made=order)
    assert spoken(done)[-1] == "Bye."
    assert not any(line["cut_off"] for line in done.notes.of("agent"))
    assert done.ending == "the operator hung up"


def test_what_is_brought_up_is_said_in_turn() -> None:
    """One after the other, when nobody speaks."""

    def order(call: Call) -> None:
        for text in ("First.", "Second."):
            call.obey(TransferCaller(to="desk", announcement=text))

    done = talk("." * 90, voice(), made=order)
    assert spoken(done)[:3] == ["Hello, who is this?", "First.", "Second."]
    assert spoken(done)[3] == SCRIPT.transfer_failed  # this call cannot be passed on


def test_a_message_is_left_whatever_is_said() -> None:
    """The machine's own words do not stop it; the end of the message hangs up."""
    message = replace(
        SCRIPT,
        greeting="Please call us back tomorrow.",
        greeting_interruptible=False,
        hang_up_after_greeting=True,
    )
    done = talk("++++++++++++" + "." * 100, voice(["Hi, leave a message."]), script=message)
    assert spoken(done) == ["Please call us back tomorrow."]
    assert done.ending == "the agent hung up"
