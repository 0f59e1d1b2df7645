"""Whole calls in virtual time, with nothing faked between the line and the providers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.call import CallSettings, LineError
from agent.persona import Script
from pipelines.audio import Audio
from pipelines.chain import Budgets
from pipelines.providers.base import Brief, Message, ProviderError, ToolCall
from pipelines.providers.scripted import (
    LanguageModel,
    LanguageModelOptions,
    Synthesizer,
    SynthesizerOptions,
    Transcriber,
    TranscriberOptions,
)
from tests.agent.conversation import FRAME, LOUD, RATE, SCRIPT, Caller, Talk, talk, voice

GREETING = ("assistant", "Hello, who is this?")
GREETED = "." * 25  # the greeting takes 1.2 s
END_AFTER = CallSettings().gate.end_after
START_AFTER = CallSettings().gate.start_after


def test_a_question_is_answered() -> None:
    """The greeting plays out, the caller speaks, and the reply plays out."""
    done = talk(GREETED + "+" * 10 + "." * 30, voice(["My name is Ann."], ["Hi Ann. Go on."]))
    assert done.lines == [GREETING, ("user", "My name is Ann."), ("assistant", "Hi Ann. Go on.")]
    assert done.ending == "the caller hung up"


def test_the_answer_leaves_as_soon_as_the_providers_allow() -> None:
    """We add nothing to the configured silence and the providers' own time but a frame or two."""
    providers = voice(
        stt=Transcriber(TranscriberOptions(lines=("Hi.",), delay=0.15)),
        llm=LanguageModel(LanguageModelOptions(lines=("Hello there.",), delay=0.2)),
        tts=Synthesizer(SynthesizerOptions(delay=0.1)),
    )
    done = talk(GREETED + "+" * 10 + "." * 30, providers)
    spoke_until = 3.5
    first = min(at for at, _ in done.caller.audio if at > spoke_until)
    assert first - spoke_until - END_AFTER - 0.45 <= 0.045


def test_barge_in_clears_at_once_and_nothing_follows() -> None:
    """Speech over the greeting clears it as soon as it counts as speech, and silences it."""
    done = talk("....." + "+" * 10 + "." * 20, voice(["Stop."], ["I will."]))
    (cleared,) = done.caller.commands("clear")
    assert cleared - 0.5 <= START_AFTER + 2 * FRAME + 0.001
    answered = 1.5 + END_AFTER
    assert done.caller.audio_between(cleared - 0.0005, answered) == []
    assert done.lines == [("assistant", "Hello,"), ("user", "Stop."), ("assistant", "I will.")]
    assert [line["cut_off"] for line in done.notes.of("agent")] == [True, False]


def test_a_caller_who_pauses_to_think_loses_nothing() -> None:
    """Speech resumed before any reply sounded is one utterance, answered once."""
    heard: list[float] = []

    class Ears(Transcriber):
        async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
            heard.append(sum([audio.seconds async for audio in speech]))
            await asyncio.sleep(0.6)
            return "I would like a table."

    providers = voice(stt=Ears(TranscriberOptions()), replies=["For how many?"])
    done = talk(GREETED + "+" * 6 + "." * 8 + "+" * 6 + "." * 30, providers)
    assert len(heard) == 2
    assert heard[1] >= heard[0] + 0.6
    assert done.lines == [
        GREETING,
        ("user", "I would like a table."),
        ("assistant", "For how many?"),
    ]
    assert done.caller.commands("clear") == []


def test_words_known_before_the_caller_goes_on_are_not_kept_twice() -> None:
    """The transcript of the first half is discarded when the whole is transcribed again."""
    providers = voice(
        stt=Transcriber(TranscriberOptions(lines=("I would", "I would like a table."))),
        llm=LanguageModel(LanguageModelOptions(lines=("No.", "For how many?"), delay=0.5)),
    )
    done = talk(GREETED + "+" * 6 + "." * 8 + "+" * 6 + "." * 30, providers)
    assert [line["text"] for line in done.notes.of("caller")] == ["I would like a table."]


def test_a_caller_who_hangs_up_before_the_answer_is_still_on_record() -> None:
    """What they said was transcribed, so the transcript has it."""
    providers = voice(
        ["Never mind."], llm=LanguageModel(LanguageModelOptions(lines=("Oh.",), delay=3.0))
    )
    done = talk(GREETED + "+" * 6 + "." * 10, providers)
    assert [line["text"] for line in done.notes.of("caller")] == ["Never mind."]


def test_after_goodbye_was_heard_the_agent_hangs_up() -> None:
    """The last word is played to its end, and a margin, before the call ends."""
    done = talk(
        GREETED + "+" * 10 + "." * 90, voice(["Bye."], ["Thank you for calling. Bye! [end]"])
    )
    assert done.ending == "the agent hung up"
    assert done.lines[-1] == ("assistant", "Thank you for calling. Bye!")
    (ended,) = done.notes.of("ended")
    said = sum(len(m) for at, m in done.caller.audio if at > 3) / (2 * RATE)
    began = min(at for at, _ in done.caller.audio if at > 3)
    assert ended["at"] >= began + said + 0.3


def test_a_caller_may_talk_over_the_goodbye() -> None:
    """Then the call goes on."""
    done = talk(
        GREETED + "+" * 10 + "." * 10 + "+" * 10 + "." * 30,
        voice(["Bye.", "Wait!"], ["Thank you for calling. Bye now! [end]", "Yes?"]),
    )
    assert done.ending == "the caller hung up"
    assert done.lines[-2:] == [("user", "Wait!"), ("assistant", "Yes?")]


def test_noise_gets_no_reply() -> None:
    """An empty transcript is nobody speaking: no reply, no apology, no record."""
    done = talk(GREETED + "+" * 6 + "." * 30, voice([""], ["What?"]))
    assert done.lines == [GREETING]
    assert done.notes.of("failed") == []


class Failing:
    """Any provider, failing in any way a provider may."""

    Options = None

    def __init__(self, stage: Any, hang: bool) -> None:
        self._stage, self._hang = stage, hang

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...

    async def _fail(self) -> None:
        if self._hang:
            await asyncio.sleep(3600)
        raise ProviderError(self._stage, "it broke")

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        await self._fail()
        return ""

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[str | ToolCall, None]:
        await self._fail()
        yield ""

    async def speak(self, text: str) -> AsyncGenerator[Audio, None]:
        await self._fail()
        yield Audio(b"", RATE)


BUDGETS = CallSettings(budgets=Budgets(transcript=1.0, first_token=1.0, first_audio=1.0))


@pytest.mark.parametrize("hang", [False, True], ids=["fails", "hangs"])
@pytest.mark.parametrize("stage", ["stt", "llm"])
def test_when_a_provider_fails_the_agent_apologises(stage: str, hang: bool) -> None:
    """In time, once, and the call goes on."""
    broken: dict[str, Any] = {stage: Failing(stage, hang)}
    providers = voice(["Hello?"], ["Hi."], **broken)
    done = talk(GREETED + "+" * 10 + "." * 40, providers, settings=BUDGETS)
    assert done.lines[-1] == ("assistant", "Sorry, say that again?")
    assert [line["stage"] for line in done.notes.of("failed")] == [stage]
    assert min(at for at, _ in done.caller.audio if at > 3.5) <= 3.5 + END_AFTER + 1.0 + 0.05
    assert done.ending == "the caller hung up"


@pytest.mark.parametrize("hang", [False, True], ids=["fails", "hangs"])
def test_without_a_voice_the_agent_gives_up_in_the_end(hang: bool) -> None:
    """Nothing can be said, so after three lost replies it hangs up rather than stay silent."""
    script = (GREETED + "+" * 10 + "." * 30) * 4
    done = talk(script, voice(["Hello?"], ["Hi."], tts=Failing("tts", hang)), settings=BUDGETS)
    assert done.ending == "the agent hung up"
    assert len(done.notes.of("failed")) == 3


def test_an_empty_reply_is_a_failure() -> None:
    """Silence is no answer: the agent says so."""
    done = talk(GREETED + "+" * 10 + "." * 40, voice(["Hello?"], [" "]))
    assert done.lines[-1] == ("assistant", "Sorry, say that again?")


def test_a_bug_ends_the_call_loudly() -> None:
    """What is not a ProviderError is not caught; still nothing is left running."""

    class Buggy(Transcriber):
        async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
            raise KeyError("a bug")

    with pytest.raises(ExceptionGroup) as caught:
        talk(GREETED + "+" * 10 + "." * 40, voice(stt=Buggy(TranscriberOptions())))
    assert caught.group_contains(KeyError)


def test_a_heartbeat_comes_within_twenty_seconds_of_our_silence() -> None:
    """And none while we speak."""
    done = talk("." * 700, voice())
    sent = sorted(at for at, _ in done.caller.received)
    assert len(done.caller.commands("heartbeat")) >= 3
    assert max(b - a for a, b in zip(sent, [*sent[1:], 70.0], strict=True)) < 20
    talkative = talk("." * 300, voice(), script=_script("word " * 100))
    assert talkative.caller.commands("heartbeat") == []


def test_a_caller_leg_that_stops_sending_mid_word_is_answered() -> None:
    """Audio time stands still then; the clock closes the utterance."""
    done = talk(GREETED + "+" * 10 + "_" * 60 + ".", voice(["Hello?"], ["Hi."]))
    assert done.lines[-2:] == [("user", "Hello?"), ("assistant", "Hi.")]


def test_a_line_without_audio_ends() -> None:
    """A half-open line is noticed by its silence, whatever else comes."""
    done = talk("....." + "_" * 1200 + ".", voice())
    assert done.ending == "no audio from the caller"
    assert done.notes.of("ended")[0]["at"] < 62


def test_a_caller_who_never_stops_is_answered() -> None:
    """An utterance is closed for its length, and the rest of it does not open another."""
    long = CallSettings(max_utterance=5.0)
    done = talk(GREETED + "+" * 100 + "." * 20, voice(["Blah."], ["I see."]), settings=long)
    assert done.lines == [GREETING, ("user", "Blah."), ("assistant", "I see.")]
    assert done.caller.commands("clear") == []


def test_a_call_ends_at_its_maximum_length() -> None:
    """Whatever happens in it."""
    done = talk("." * 400, voice(), settings=CallSettings(max_seconds=20.0))
    assert done.ending == "the call was too long"
    assert 20.0 <= done.notes.of("ended")[0]["at"] < 20.5


def test_what_has_no_meaning_is_survived() -> None:
    """Bad JSON, an unknown command and a second connect change nothing."""
    caller = Caller(
        GREETED + "+" * 10 + "." * 30,
        extra=["{", '{"command": "dance"}', '{"command": "connect"}', b""],
    )
    assert talk(caller, voice(["Hello?"], ["Hi."])).lines[-1] == ("assistant", "Hi.")


def test_a_stall_shorter_than_the_lead_is_not_heard() -> None:
    """A socket that blocks for 0.8 s is caught up with: audio stays ahead of the ear."""
    caller = Caller("." * 80, stall=(2.0, 0.8))
    done = talk(caller, voice(), script=_script("word " * 20))
    plays_until = 0.0
    for at, message in done.caller.audio:
        assert plays_until == 0.0 or at <= plays_until + 1e-6
        plays_until = max(at, plays_until) + len(message) / (2 * RATE)


def test_audio_leaves_in_whole_frames_and_never_far_ahead() -> None:
    """20 ms a message, at most the lead and a frame before it is heard."""
    done = talk("." * 80, voice(), script=_script("word " * 20))
    assert {len(m) for _, m in done.caller.audio} == {len(LOUD)}
    began = done.caller.audio[0][0]
    for number, (at, _) in enumerate(done.caller.audio):
        assert number * FRAME - (at - began) <= CallSettings().lead + FRAME


def test_a_line_that_breaks_ends_the_call() -> None:
    """The reason is the line's own."""

    class Broken(Caller):
        async def send(self, message: str | bytes) -> None:
            raise LineError("the line is closed")

    assert talk(Broken("." * 50), voice()).ending == "the line is closed"


def test_odd_byte_counts_make_no_difference() -> None:
    """A frame cut in the middle of a sample is the same frame."""

    class Ragged(Caller):
        async def receive(self) -> str | bytes | None:
            if self.left:
                rest, self.left = self.left, b""
                return rest
            message = await super().receive()
            if isinstance(message, bytes):
                self.left = message[101:]
                return message[:101]
            return message

        left = b""

    script = GREETED + "+" * 10 + "." * 30
    providers = ["Hello?"], ["Hi."]
    assert talk(Ragged(script), voice(*providers)).lines == talk(script, voice(*providers)).lines


REPLIES = ["one two three four.", "Five six. Seven eight nine.", "Ten."]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("+._"), st.integers(1, 25)), min_size=1, max_size=14),
    st.floats(0, 1.5),
    st.floats(0, 1.5),
    st.floats(0, 0.8),
)
def test_whatever_the_caller_does_the_call_holds(
    marks: list[tuple[str, int]], stt: float, llm: float, tts: float
) -> None:
    """No audio between a clear and the next reply, one reply at a time, and no word invented."""
    providers = voice(
        stt=Transcriber(TranscriberOptions(lines=("a", "", "c"), delay=stt)),
        llm=LanguageModel(LanguageModelOptions(lines=tuple(REPLIES), delay=llm)),
        tts=Synthesizer(SynthesizerOptions(delay=tts)),
    )
    done = talk("".join(mark * count for mark, count in marks), providers)
    spoken = {"Hello, who is this?", "Sorry, say that again?", *REPLIES}
    for role, text in done.lines:
        assert role == "user" or any(reply.startswith(text) for reply in spoken)
    for cleared in done.caller.commands("clear"):
        quiet_until = cleared + END_AFTER - START_AFTER
        assert done.caller.audio_between(cleared - 0.0005, quiet_until) == []
    assert _in_order(done)


def _in_order(done: Talk) -> bool:
    times = [line["at"] for line in done.notes.lines if line["kind"] in ("caller", "agent")]
    return times == sorted(times) and done.notes.lines[-1]["kind"] == "ended"


def _script(greeting: str) -> Script:
    return replace(SCRIPT, greeting=greeting)
