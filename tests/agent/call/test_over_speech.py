"""What the caller says over our words, in whole calls, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from agent.call.over_speech import _just_asked
from pipelines.audio import Audio
from pipelines.conversation import Brief, Message
from pipelines.providers.contracts import Piece, PlainTranscriptionSession, ProviderError, Speech
from pipelines.providers.scripted import (
    LanguageModel,
    LanguageModelOptions,
    Synthesizer,
    SynthesizerOptions,
    Transcriber,
    TranscriberOptions,
)
from tests.agent.conversation import FRAME, LOUD, RATE, SCRIPT, Caller, Talk, talk, voice

GREETED = "." * 25  # the greeting takes 1.2 s, and as much of near-silence as a test gives it
LONG = "One two three four five six seven eight nine ten eleven twelve."
ASKED = "I have a table for two at eight by the window and it is free until ten."


class Trailing(Synthesizer):
    """A voice whose sentences end in 0.28 s of near-silence, as Piper's do."""

    async def speak(self, text: str, rate: int = RATE) -> AsyncGenerator[Speech, None]:
        async for piece in super().speak(text, rate):
            yield piece
        yield Audio(b"\x01\x00\xff\xff" * round(0.14 * rate), rate)


def trailing(said: Sequence[str], replies: Sequence[str]) -> Any:
    return voice(said, replies, tts=Trailing(SynthesizerOptions()))


@dataclass
class Room(Caller):
    """A line with other voices: a digit or a letter is one that is fainter, by so many decibels."""

    async def receive(self) -> str | bytes | None:
        while True:
            self._due += FRAME
            if (mark := next(self._marks, "")) != "_":
                break
        await asyncio.sleep(max(0.0, self._due - asyncio.get_running_loop().time()))
        if not mark:
            return None
        decibels = {"+": 0, "5": 5, "8": 8, "c": 12, "g": 16, "k": 20}.get(mark)
        if decibels is None:
            return bytes(len(LOUD))
        level = round(0x2000 * 10 ** (-decibels / 20))
        return b"".join(
            (level if n % 2 == 0 else -level).to_bytes(2, "little", signed=True)
            for n in range(RATE // 50)
        )


def texts(done: Talk, kind: str) -> list[Any]:
    return [line.get("text") for line in done.notes.of(kind)]


@pytest.mark.parametrize("said", ["Yes.", "Okay.", "Mm-hm.", "Right.", "Sure."])
@pytest.mark.parametrize("after", [-2, -1, 0, 1, 2, 3], ids=lambda n: f"{n / 10:+.1f} s")
def test_a_word_around_the_end_of_ours_is_an_answer(said: str, after: int) -> None:
    """The last word of the greeting ends at 1.2 s, its near-silence at 1.48 s."""
    done = talk("." * (12 + after) + "+++" + "." * 30, trailing([said], ["Good."]))
    assert done.lines[1:] == [("user", said), ("assistant", "Good.")]
    assert texts(done, "backchannel") == []
    if after >= 0:  # nothing of ours was lost, and nothing had to be stopped
        assert done.lines[0] == ("assistant", SCRIPT.greeting)
        assert done.caller.commands("clear") == []
    else:
        (barge_in,) = done.notes.of("barge_in")
        assert barge_in["by"] == "end of ours"


@pytest.mark.parametrize("said", ["Yes.", "Okay.", "Mm-hm.", "Right.", "Sure."])
@pytest.mark.parametrize("at", [3, 10, 20, 26])
def test_the_same_word_in_the_middle_of_ours_is_none(said: str, at: int) -> None:
    """The reply takes 3.6 s; it goes on, and the record says why."""
    done = talk(
        "." * at + "+++" + "." * 60,
        trailing([said], ["Good."]),
        script=replace(SCRIPT, greeting=LONG),
    )
    assert done.lines[-1] == ("assistant", LONG)
    assert ("assistant", "Good.") not in done.lines
    (resumed,) = done.notes.of("resumed")
    early = said == "Yes." and at < 30
    assert resumed["by"] == ("greeting" if early else "backchannel")


def test_while_more_of_ours_is_being_made_what_is_left_counts_as_long() -> None:
    """A model that has not written its last sentence yet: "okay" lets it go on."""

    class Slow(LanguageModel):
        async def reply(
            self, brief: Brief, conversation: Sequence[Message]
        ) -> AsyncGenerator[Piece, None]:
            yield "I am looking it up now. "
            await asyncio.sleep(2.5)
            yield "It is free at eight."

    done = talk(
        GREETED + "+++++" + "." * 24 + "+++" + "." * 50,
        voice(["Is it free?", "Okay."], llm=Slow(LanguageModelOptions())),
    )
    assert done.lines[-1] == ("assistant", "I am looking it up now. It is free at eight.")


@pytest.mark.parametrize("said", ["Okay.", "Bye.", "Yes."])
def test_a_word_over_the_end_of_our_goodbye_does_not_keep_the_caller(said: str) -> None:
    """What happens by itself after our last word still happens, unless they want something."""
    done = talk(
        GREETED + "+++++" + "." * 14 + "+++" + "." * 60,
        trailing(["That is all.", said], ["Thank you for calling. [end]"]),
    )
    answers = [line for line in done.notes.of("agent") if line["said"] == "answer"]
    assert len(answers) == (2 if said == "Bye." else 1)  # a word that is no backchannel
    assert done.ending == "the agent hung up"


# How long, and in which words.


@pytest.mark.parametrize("tenths", [5, 7, 9])
@pytest.mark.parametrize("said", ["Oh.", "Okay.", "Mm-hm, right."])
def test_a_drawn_out_okay_loses_no_reply(said: str, tenths: int) -> None:
    """We are silent from its onset on, and go on where the caller stopped hearing us."""
    done = talk(
        "." * 20 + "+" * tenths + "." * 50,
        voice([said], ["What?"]),
        script=replace(SCRIPT, greeting=LONG),
    )
    assert done.lines == [("assistant", LONG)]
    assert len(done.caller.commands("clear")) == 1


class Lost:
    """A transcriber that hangs, or fails."""

    Options = None

    def __init__(self, *, hangs: bool) -> None:
        self._hangs = hangs

    async def start(self) -> None: ...

    async def warm(self) -> None: ...

    async def aclose(self) -> None: ...

    def open_session(self) -> PlainTranscriptionSession:
        return PlainTranscriptionSession(self._transcribe)

    async def _transcribe(self, speech: AsyncIterator[Audio]) -> str:
        if self._hangs:
            await asyncio.sleep(3600)
        raise ProviderError("stt", "it broke")


@pytest.mark.parametrize("hangs", [True, False], ids=["hangs", "fails"])
def test_without_a_transcriber_a_second_of_voice_still_stops_us(hangs: bool) -> None:
    """For good: what we were saying is not gone on with."""
    script = replace(SCRIPT, greeting="Hi. " + LONG, recording_consent="")
    done = talk("." * 35 + "+" * 15 + "." * 20, voice(stt=Lost(hangs=hangs)), script=script)
    (barge_in,) = done.notes.of("barge_in")
    assert (barge_in["by"], done.notes.of("resumed")) == ("length", [])
    assert barge_in["at"] == pytest.approx(4.5, abs=0.06)


# Whose voice it is.

HOURS = "We are open from seven in the morning until nine at night on every day."


def spoken_to(room: str, said: Sequence[str], replies: Sequence[str] = (HOURS, "Yes?")) -> Talk:
    """Have a caller ask at their own level what is answered in 4.5 s, and then hear the room.

    The answer begins at 4.1 s.
    """
    return talk(Room(GREETED + "+" * 12 + room), voice(["When do you open?", *said], replies))


@pytest.mark.parametrize("below", list("8cgk"))
@pytest.mark.parametrize("tenths", [3, 8, 25])
def test_a_talker_in_the_background_does_not_kill_the_reply(below: str, tenths: int) -> None:
    """8 to 20 dB below: it may hold us briefly, and is not put into the conversation."""
    done = spoken_to("." * 14 + below * tenths + "." * 60, ["They were rather late, I said."])
    assert done.lines[-1] == ("assistant", HOURS)
    assert done.notes.of("barge_in") == []
    for line in done.notes.of("backchannel"):
        assert (line["by"], line["below"]) == ("background", pytest.approx(8, abs=0.3))
    for resumed in done.notes.of("resumed"):
        assert resumed["by"] == "background"
        assert resumed["after"] < 1.1


@pytest.mark.parametrize("own", list("+5"))
def test_the_caller_still_stops_us_when_they_speak_softly(own: str) -> None:
    """As soft as 5 dB below what they were before."""
    done = spoken_to("." * 14 + own * 5 + "." * 40, ["Stop, please."])
    assert done.lines[-2:] == [("user", "Stop, please."), ("assistant", "Yes?")]
    assert len(done.notes.of("barge_in")) == 1


@pytest.mark.parametrize("below", list("8cg"))
def test_a_talker_in_the_background_does_not_keep_the_callers_turn_open(below: str) -> None:
    """When only they go on, the turn ends."""
    done = talk(
        Room(GREETED + "+" * 12 + "." * 40 + "+" * 10 + below * 80),
        voice(["When do you open?", "And on Sunday?"], ["At nine.", "At ten."]),
    )
    (answer,) = [line for line in done.notes.of("agent") if line["text"] == "At ten."]
    spoke_until = 2.5 + 1.2 + 4.0 + 1.0
    assert answer["at"] < spoke_until + 2.0


@pytest.mark.parametrize("below", list("8cgk"))
def test_nor_their_very_first_turn(below: str) -> None:
    """Nothing is known of the caller but what they said just before."""
    room = GREETED + "+" * 12 + below * 60
    done = talk(Room(room), voice(["When do you open?"], ["At ten."]))
    answer = next(line for line in done.notes.of("agent") if line["text"] == "At ten.")
    assert answer["at"] < 2.5 + 1.2 + 2.0


def test_a_television_begins_no_turn() -> None:
    """In the seconds in which the caller is waited for, once it is known how loud they are."""
    room = "." * 16 + "g" * 25
    done = talk(
        Room(GREETED + "+" * 12 + room + "." * 5), voice(["At what time?", "No."], ["At nine."])
    )
    assert texts(done, "caller") == ["At what time?"]


@pytest.mark.parametrize("turns", [1, 4])
def test_a_caller_who_moves_away_is_heard_with_their_second_word(turns: int) -> None:
    """12 dB softer for good: the first attempt may be lost, and no other."""
    turn = "+" * 12 + "." * 25
    soft = "c" * 12 + "." * 40
    done = talk(
        Room(GREETED + turn * turns + soft * 4),
        voice(["Hello there."] * turns + ["It is me."], ["Good."]),
    )
    said = texts(done, "caller")
    assert said.count("It is me.") >= 3


# Who picks up.

REASON = "Hello, this is the bakery. Your cake is ready, and we are open until six."


def picked_up(script: str, said: Sequence[str], *, outgoing: bool = True) -> Talk:
    return talk(
        script,
        voice(said, ["I see."]),
        script=replace(SCRIPT, greeting=REASON, outgoing=outgoing),
    )


@pytest.mark.parametrize("outgoing", [True, False])
@pytest.mark.parametrize("before", [0, 2, 8, 20])
@pytest.mark.parametrize("said", ["Hello?", "Yes?", "Who is this?", "Hello, good morning."])
def test_a_greeting_is_not_dropped_by_a_greeting(said: str, before: int, outgoing: bool) -> None:
    """It begins anew; what was said is in the conversation, and on record."""
    done = picked_up("." * before + "+++" + "." * 80, [said], outgoing=outgoing)
    assert done.lines[-1] == ("assistant", REASON)
    assert ("user", said) in done.lines
    assert texts(done, "caller") == [said]
    (resumed,) = done.notes.of("resumed")
    assert (resumed["by"], resumed["anew"]) == ("greeting", True)
    assert done.call.history.conversation[0].unheard == ""


@pytest.mark.parametrize("said", ["Smith.", "Hello, Ann Smith speaking.", "Acme Plumbing Limited."])
def test_whoever_is_called_may_say_who_they_are(said: str) -> None:
    """It takes longer than a second, and is nothing to be answered."""
    done = picked_up("..+++++++++++++++" + "." * 90, [said])
    assert done.lines[-1] == ("assistant", REASON)
    assert ("user", said) in done.lines


def test_who_goes_on_after_a_greeting_is_waited_for() -> None:
    """What comes after a pause is one with it, and the greeting begins anew after it."""
    done = picked_up("..+++....+++" + "." * 90, ["Hello?", "Hello, Ann Smith."])
    assert texts(done, "caller") == ["Hello, Ann Smith."]
    assert done.lines[-1] == ("assistant", REASON)


def test_a_greeting_does_not_begin_anew_for_ever() -> None:
    """Twice; then it goes on where it was, whoever greets again."""
    done = picked_up("..+++.........." * 4 + "." * 90, ["Hello?"])
    assert [line.get("anew", False) for line in done.notes.of("resumed")] == [
        True,
        True,
        False,
        False,
    ]
    assert ("assistant", REASON) in done.lines


@pytest.mark.parametrize("outgoing", [True, False])
@pytest.mark.parametrize("said", ["I want to cancel my booking.", "Stop.", "I am busy."])
def test_real_words_over_the_greeting_still_stop_it(said: str, outgoing: bool) -> None:
    """And the model is told what of it was not heard."""
    done = picked_up("." * 8 + "++++++" + "." * 40, [said], outgoing=outgoing)
    assert done.lines[-2:] == [("user", said), ("assistant", "I see.")]
    greeting = done.call.history.conversation[0]
    assert f"{greeting.text} {greeting.unheard}" == REASON


def test_a_transcript_that_comes_late_keeps_the_greeting_going() -> None:
    """It goes on without being begun anew; what was said is kept all the same."""
    slow = voice(
        stt=Transcriber(TranscriberOptions(lines=("Hello?",), delay=0.9)), replies=["I see."]
    )
    done = talk("..+++" + "." * 90, slow, script=replace(SCRIPT, greeting=REASON, outgoing=True))
    assert done.lines == [("user", "Hello?"), ("assistant", REASON)]


@pytest.mark.parametrize(
    ("heard", "unheard", "asked"),
    [
        ("Would you like", "a table at eight tonight?", ""),
        ("Would you like a table", "at eight?", "Would you like a table at eight?"),
        ("Would you like a table?", "", "Would you like a table?"),
        ("Would you like a table?", "It is free.", "Would you like a table?"),
        ("Would you like a table? It", "is free until ten.", "Would you like a table?"),
        ("Would you like a table? It is", "free until ten at night.", ""),
        ("", "Would you like a table at eight?", ""),
        ("", "", ""),
    ],
)
def test_the_question_that_is_answered_is_all_but_said(
    heard: str, unheard: str, asked: str
) -> None:
    """Two words of it are left at most, or one of the next sentence was heard."""
    assert _just_asked(heard, unheard) == asked
