"""What the caller says over our words, in whole calls, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from agent.call.over_speech import _just_asked
from agent.settings.calls import CallSettings
from pipelines.audio import Audio
from pipelines.providers.contracts import Piece, PlainTranscriptionSession, ProviderError, Speech
from pipelines.providers.scripted import (
    LanguageModel,
    LanguageModelOptions,
    Synthesizer,
    SynthesizerOptions,
    Transcriber,
    TranscriberOptions,
)
from pipelines.conversation import Brief, Message
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
