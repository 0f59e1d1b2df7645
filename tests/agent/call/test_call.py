"""Whole calls in virtual time, with nothing faked between the line and the providers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.personas.script import Script
from agent.settings.calls import CallLimits, CallSettings, PlayoutSettings
from agent.stream.line import LineError
from pipelines.audio import Audio
from pipelines.conversation import Brief, Message
from pipelines.listening.settings import GateSettings
from pipelines.providers.contracts import (
    Piece,
    PlainTranscriptionSession,
    ProviderError,
    Speech,
    TranscriptionSession,
)
from pipelines.providers.scripted import (
    LanguageModel,
    LanguageModelOptions,
    Synthesizer,
    SynthesizerOptions,
    Transcriber,
    TranscriberOptions,
)
from pipelines.stages.budgets import Budgets
from pipelines.stages.recorded import recorded_sorry
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings, ScriptedTurnModel
from pipelines.turn_taking.settings import TurnSettings
from pipelines.turn_taking.turns import State
from tests.agent.conversation import FRAME, LOUD, RATE, SCRIPT, Caller, Talk, talk, voice

GREETING = ("assistant", "Hello, who is this?")
GREETED = "." * 25  # the greeting takes 1.2 s
END_AFTER = GateSettings().end_after
START_AFTER = GateSettings().start_after
PATIENT = CallSettings(turns=TurnSettings(idle_after=3600.0))


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
    answered = 1.5 + EndOfTurnSettings().shortest
    assert done.caller.audio_between(cleared - 0.0005, answered) == []
    assert done.lines == [("assistant", "Hello,"), ("user", "Stop."), ("assistant", "I will.")]
    assert [line["cut_off"] for line in done.notes.of("agent")] == [True, False]


@pytest.mark.parametrize(
    ("greeting", "heard"),
    [
        ("我们早上十点开门晚上六点关门。你要预订吗？", "我们"),
        ("ร้านเปิดสิบโมงเช้าค่ะ", "ร้านเปิ"),
        ("営業時間は十時からです。ご予約ですか？", "営業"),
    ],
)
def test_what_was_heard_before_a_barge_in_is_kept_without_spaces_too(
    greeting: str, heard: str
) -> None:
    """In history and transcript; a character is a word where no spaces are written."""
    script = replace(SCRIPT, greeting=greeting)
    done = talk("....." + "+" * 10 + "." * 20, voice(["好"], ["好。"]), script=script)
    assert done.lines == [("assistant", heard), ("user", "好"), ("assistant", "好。")]
    assert [line["text"] for line in done.notes.of("agent")] == [heard, "好。"]


def test_what_a_model_writes_beside_its_reply_is_neither_heard_nor_kept() -> None:
    """No reasoning, no call as text, no token: not in voice, history or transcript."""
    written = "<think>Hours. I look.</think>We open at ten.<|im_end|>"
    called = '<function=book_table>{"day": "Monday"}</function>'
    done = talk(
        GREETED + "+" * 6 + "." * 40,
        voice(["When do you open?"], llm=[_model(called), _model(written)]),
    )
    assert done.lines == [GREETING, ("user", "When do you open?"), ("assistant", "We open at ten.")]
    assert [line["text"] for line in done.notes.of("agent")] == [GREETING[1], "We open at ten."]
    assert done.notes.of("failed") == []


def _model(line: str) -> LanguageModel:
    return LanguageModel(LanguageModelOptions(lines=(line,)))


def test_a_caller_who_pauses_to_think_loses_nothing() -> None:
    """Speech resumed before any reply sounded is one utterance, answered once."""
    heard: list[float] = []

    class TranscriptionSession(Transcriber):
        async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
            heard.append(sum([audio.seconds async for audio in speech]))
            await asyncio.sleep(0.9)
            return "I would like a table."

    providers = voice(stt=TranscriptionSession(TranscriberOptions()), replies=["For how many?"])
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
        llm=LanguageModel(LanguageModelOptions(lines=("No.", "For how many?"), delay=1.0)),
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

    async def warm(self) -> None: ...

    def open_session(self) -> PlainTranscriptionSession:
        return PlainTranscriptionSession(self.transcribe)

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        await self._fail()
        return ""

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        await self._fail()
        yield ""

    async def speak(self, text: str, rate: int = RATE) -> AsyncGenerator[Speech, None]:
        await self._fail()
        yield Audio(b"", RATE)


BUDGETS = Budgets(transcript=1.0, first_token=1.0, first_audio=1.0)


@pytest.mark.parametrize("hang", [False, True], ids=["fails", "hangs"])
@pytest.mark.parametrize("stage", ["stt", "llm"])
def test_when_a_provider_fails_the_agent_apologises(stage: str, hang: bool) -> None:
    """In time, once, and the call goes on."""
    broken: dict[str, Any] = {stage: Failing(stage, hang)}
    providers = voice(["Hello?"], ["Hi."], budgets=BUDGETS, **broken)
    done = talk(GREETED + "+" * 10 + "." * 40, providers)
    assert done.lines[-1] == ("assistant", "Sorry, say that again?")
    assert [line["stage"] for line in done.notes.of("failed")] == [stage]
    assert min(at for at, _ in done.caller.audio if at > 3.5) <= 3.5 + 0.1 + 2 * 1.0 + 0.1
    assert done.ending == "the caller hung up"


@pytest.mark.parametrize("hang", [False, True], ids=["fails", "hangs"])
def test_without_a_voice_the_agent_gives_up_at_once(hang: bool) -> None:
    """It says so in a recording, which needs no voice, and hangs up rather than stay silent."""
    script = (GREETED + "+" * 10 + "." * 30) * 4
    providers = voice(["Hello?"], ["Hi."], tts=Failing("tts", hang), budgets=BUDGETS)
    done = talk(script, providers)
    assert done.ending == "the agent hung up"
    assert len(done.notes.of("failed")) == 1
    assert done.lines[0] == ("assistant", recorded_sorry("en").text)
    assert not [line for line in done.lines[1:] if line[0] == "assistant"]


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
    done = talk("." * 700, voice(), settings=PATIENT)
    sent = sorted(at for at, _ in done.caller.received)
    assert len(done.caller.commands("heartbeat")) >= 3
    assert max(b - a for a, b in zip(sent, [*sent[1:], 70.0], strict=True)) < 20
    talkative = talk("." * 300, voice(), script=_script("word " * 100), settings=PATIENT)
    assert talkative.caller.commands("heartbeat") == []


def test_a_caller_leg_that_stops_sending_mid_word_is_answered() -> None:
    """Audio time stands still then; the clock closes the utterance."""
    done = talk(GREETED + "+" * 10 + "_" * 60 + ".", voice(["Hello?"], ["Hi."]))
    assert done.lines[-2:] == [("user", "Hello?"), ("assistant", "Hi.")]


def test_a_line_without_audio_ends() -> None:
    """A half-open line is noticed by its silence, whatever else comes."""
    done = talk("....." + "_" * 1200 + ".", voice(), settings=PATIENT)
    assert done.ending == "no audio from the caller"
    assert done.notes.of("ended")[0]["at"] < 62


def test_a_caller_who_never_stops_is_answered() -> None:
    """An utterance is closed for its length, and the rest of it does not open another."""
    long = CallSettings(calls=CallLimits(max_utterance=5.0))
    done = talk(GREETED + "+" * 100 + "." * 20, voice(["Blah."], ["I see."]), settings=long)
    assert done.lines == [GREETING, ("user", "Blah."), ("assistant", "I see.")]
    assert done.caller.commands("clear") == []


def test_a_call_ends_at_its_maximum_length() -> None:
    """Whatever happens in it."""
    done = talk("." * 400, voice(), settings=CallSettings(calls=CallLimits(max_seconds=20.0)))
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
        assert number * FRAME - (at - began) <= PlayoutSettings().lead + FRAME


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
HEARD = ["a", "", "Mm-hm.", "stop", "Okay.", "b c d"]
CALM = TurnSettings(idle_after=3600.0, filler_after=3600.0)
seconds = st.sampled_from([0.0, 0.07, 0.15, 0.4, 0.9, 1.5])


@given(
    st.lists(st.tuples(st.sampled_from("+._"), st.integers(1, 25)), min_size=1, max_size=14),
    st.lists(st.sampled_from(HEARD), min_size=1, max_size=6),
    st.lists(st.sampled_from([0.01, 0.5, 0.99]), min_size=1, max_size=4),
    st.tuples(seconds, seconds, seconds, seconds),
    st.booleans(),
)
def test_whatever_the_caller_does_the_call_holds(
    marks: list[tuple[str, int]],
    heard: list[str],
    probabilities: list[float],
    delays: tuple[float, float, float, float],
    drafting: bool,
) -> None:
    """No dead end, no audio between a clear and what follows it, no word invented or lost."""
    stt, llm, tts, model = delays
    providers = voice(
        stt=Transcriber(TranscriberOptions(lines=tuple(heard), delay=stt)),
        llm=LanguageModel(LanguageModelOptions(lines=tuple(REPLIES), delay=llm)),
        tts=Synthesizer(SynthesizerOptions(delay=tts)),
    )
    done = talk(
        "".join(mark * count for mark, count in marks) + "." * 200,
        providers,
        turn_model=ScriptedTurnModel(probabilities, delay=model),
        settings=CallSettings(turns=CALM.model_copy(update={"drafting": drafting})),
    )
    assert done.call._turns.state is State.QUIET
    spoken = {"Hello, who is this?", *REPLIES}
    for role, text in done.lines:
        assert text in heard if role == "user" else any(r.startswith(text) for r in spoken)
    assert _quiet_after_clear(done)
    assert _never_faster_than_one_reply(done)
    assert _in_order(done)


def _quiet_after_clear(done: Talk) -> bool:
    """What follows a clear is a reply, or a resumption, which cannot come within two frames."""
    cleared = -1.0
    begun = [line["at"] for line in done.notes.of("agent")]
    for at, message in done.caller.received:
        if isinstance(message, str):
            cleared = at if "clear" in message else cleared
        elif at < cleared + 0.04 and not any(cleared <= start <= at for start in begun):
            return False
    return True


def _never_faster_than_one_reply(done: Talk) -> bool:
    """Two replies at once would send more than the lead allows."""
    sounding = 0.0
    for at, message in done.caller.received:
        if isinstance(message, bytes):
            sounding = max(sounding, at) + FRAME
            if sounding - at > PlayoutSettings().lead + 2 * FRAME:
                return False
        elif "clear" in message:
            sounding = at
    return True


def _in_order(done: Talk) -> bool:
    """Either side's words are in order; a line is written once it is known, which may be later."""
    for kind in ("caller", "agent"):
        times = [line["at"] for line in done.notes.of(kind)]
        if times != sorted(times):
            return False
    return str(done.notes.lines[-1]["kind"]) == "ended"


def _script(greeting: str) -> Script:
    return replace(SCRIPT, greeting=greeting)


# Natural turn-taking: drafts, holds, idling, fillers.


def test_a_draft_answers_in_the_silence_that_is_waited_for_anyway() -> None:
    """Providers that take 0.45 s and a silence of 0.5 s: the answer leaves 0.55 s after the end."""
    providers = voice(
        stt=Transcriber(TranscriberOptions(lines=("Thank you.",), delay=0.15)),
        llm=LanguageModel(LanguageModelOptions(lines=("Hello there.",), delay=0.2)),
        tts=Synthesizer(SynthesizerOptions(delay=0.1)),
    )
    for drafting, expected in ((True, 0.1 + 0.45), (False, END_AFTER + 0.45)):
        done = talk(
            GREETED + "+" * 10 + "." * 30,
            providers,
            settings=CallSettings(turns=TurnSettings(drafting=drafting)),
        )
        first = min(at for at, _ in done.caller.audio if at > 3.5) - 3.5
        assert first == pytest.approx(max(expected, END_AFTER), abs=0.045)


@pytest.mark.parametrize(
    ("probability", "silence"),
    [(0.99, 0.35), (0.4, 0.75), (0.01, 1.65)],
    ids=["sure", "?", "not yet"],
)
def test_the_turn_model_decides_how_long_to_wait(probability: float, silence: float) -> None:
    """Sure that the caller has finished, we answer early; sure that they have not, we wait."""
    model = ScriptedTurnModel([probability])
    done = talk(GREETED + "+" * 10 + "." * 40, voice(["Xyzzy"], ["Yes?"]), turn_model=model)
    first = min(at for at, _ in done.caller.audio if at > 3.5) - 3.5
    assert first == pytest.approx(silence, abs=0.1)


class _AsSpoken:
    """A session that is given what the caller says as they say it."""

    detects_turns = False
    so_far = ""

    def __init__(self, transcribe: Callable[[AsyncIterator[Audio]], Awaitable[str]]) -> None:
        plain = PlainTranscriptionSession(transcribe)
        self.transcribe, self.turn_over, self.aclose = (
            plain.transcribe,
            plain.turn_over,
            plain.aclose,
        )


class Sure(Transcriber):
    """Speech-to-text that detects the end of a turn, after so many seconds of audio."""

    def __init__(self, lines: tuple[str, ...], ends: Sequence[float]) -> None:
        super().__init__(TranscriberOptions(lines=lines))
        self._ends = iter([*ends, 99.0])

    def open_session(self) -> TranscriptionSession:
        return _AsSpoken(self.transcribe)

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        end, heard = next(self._ends), 0.0
        async for piece in speech:
            heard += piece.seconds
            if heard >= end:
                break
        return await super().transcribe(_nothing())


async def _nothing() -> AsyncGenerator[Audio, None]:
    if False:
        yield


def test_a_provider_that_detects_turns_takes_the_place_of_the_turn_model() -> None:
    """It is not asked; the answer comes after the shortest silence."""
    model = ScriptedTurnModel([0.5])
    providers = voice(stt=Sure(("All of it",), [1.3]), replies=["Yes?"])
    done = talk(GREETED + "+" * 10 + "." * 40, providers, turn_model=model)
    first = min(at for at, _ in done.caller.audio if at > 3.5) - 3.5
    assert first == pytest.approx(0.35, abs=0.06)
    assert done.lines[1:] == [("user", "All of it"), ("assistant", "Yes?")]


def test_a_provider_that_detects_turns_too_early_is_asked_again() -> None:
    """The caller went on in the same breath: nothing they said is lost."""
    providers = voice(stt=Sure(("Half", "All of it"), [0.5]), replies=["What?", "Yes?"])
    done = talk(GREETED + "+" * 20 + "." * 40, providers)
    assert done.lines[1:] == [("user", "All of it"), ("assistant", "Yes?")]


def test_drafts_leave_no_trace_and_are_counted() -> None:
    """A caller with many pauses is answered once; what the drafts cost is in the transcript."""
    script = GREETED + ("+" * 5 + "." * 3) * 4 + "." * 30
    done = talk(script, voice(["a", "a b", "a b c", "a b c d"], ["w x", "x", "y", "z"]))
    assert done.lines[1:] == [("user", "a b c d"), ("assistant", "z")]
    (ended,) = done.notes.of("ended")
    assert ended["drafts_discarded"] == 3
    assert ended["tokens_wasted"] >= 3
    assert ended["audio_wasted"] > 0


def test_the_number_of_drafts_is_bounded() -> None:
    """Past it, the providers start when the turn ends."""
    script = GREETED + ("+" * 5 + "." * 3) * 5 + "." * 30
    done = talk(
        script, voice(["a"] * 9, ["b"] * 9), settings=CallSettings(turns=TurnSettings(max_drafts=2))
    )
    assert done.notes.of("ended")[0]["drafts_discarded"] == 2
    assert done.lines[1:] == [("user", "a"), ("assistant", "b")]


LONG = "one two three four five six seven eight nine ten."


@pytest.mark.parametrize("said", ["Mm-hm.", "Okay.", "Yeah, right.", ""])
def test_a_backchannel_or_noise_stops_the_reply_for_a_moment_only(said: str) -> None:
    """The reply goes on where the caller stopped hearing it, soon after they are silent again."""
    script = "." * 10 + "+" * 3 + "." * 50
    done = talk(script, voice([said], ["What?"]), script=_script(LONG))
    (cleared,) = done.caller.commands("clear")
    quiet_from = 1.3
    resumed = min(at for at, _ in done.caller.audio if at > cleared)
    assert resumed <= quiet_from + 0.4
    assert done.lines == [("assistant", LONG)]
    assert done.notes.of("agent")[0]["cut_off"] is False
    heard = len([at for at, _ in done.caller.audio if at >= cleared]) * FRAME + cleared
    assert heard == pytest.approx(10 * 0.3, abs=0.045)  # no sample twice, none left out


def test_a_short_word_that_wants_an_answer_stops_the_reply() -> None:
    """'Stop' is shorter than half a second, and no backchannel."""
    done = talk("." * 10 + "+" * 3 + "." * 30, voice(["Stop."], ["I stop."]), script=_script(LONG))
    assert done.lines == [("assistant", "one two"), ("user", "Stop."), ("assistant", "I stop.")]


def test_a_word_understood_late_still_stops_the_reply() -> None:
    """The transcript takes longer than we hold: the reply goes on, and then stops after all."""
    slow = voice(
        stt=Transcriber(TranscriberOptions(lines=("Stop.",), delay=0.8)), replies=["I stop."]
    )
    done = talk("." * 10 + "+" * 3 + "." * 40, slow, script=_script(LONG))
    assert len(done.notes.of("resumed")) == 1
    assert len(done.caller.commands("clear")) == 2
    assert done.lines[1:] == [("user", "Stop."), ("assistant", "I stop.")]


def test_a_long_hold_begins_the_sentence_again() -> None:
    """After more than a second and a half nobody remembers half a sentence."""
    noises = ("+" * 3 + "." * 2) * 4  # keeps us held, never for half a second of speech
    settings = CallSettings(turns=TurnSettings(confirm_after=3.0, rewind_after=1.0))
    slow = voice(stt=Transcriber(TranscriberOptions(lines=("",), delay=4.0)))
    done = talk("." * 10 + noises + "." * 60, slow, script=_script(LONG), settings=settings)
    (cleared,) = done.caller.commands("clear")
    again = [at for at, _ in done.caller.audio if at > cleared]
    assert len(again) * FRAME == pytest.approx(10 * 0.3, abs=0.045)
    assert done.lines == [("assistant", LONG)]


def test_what_is_said_over_a_legal_notice_is_kept_for_afterwards() -> None:
    """The greeting is not interrupted; the caller's words are answered when it has been heard."""
    notice = replace(_script(LONG), greeting_interruptible=False)
    done = talk("." * 10 + "+" * 10 + "." * 50, voice(["Hello?"], ["Hi."]), script=notice)
    assert done.caller.commands("clear") == []
    assert done.lines == [("assistant", LONG), ("user", "Hello?"), ("assistant", "Hi.")]


def test_a_silent_caller_is_asked_and_then_let_go() -> None:
    """Twice asked, then goodbye; a word in between starts over."""
    done = talk("." * 700, voice())
    still = "Are you still there?"
    assert [text for _, text in done.lines[1:]] == [still, still, "Bye."]
    assert done.ending == "the agent hung up"
    spoken = talk("." * 150 + "+" * 5 + "." * 700, voice(["Yes."], ["Good."]))
    assert [text for _, text in spoken.lines].count(still) == 3


def test_the_caller_is_told_before_the_time_is_up() -> None:
    """Once, and when nobody speaks."""
    settings = CallSettings(
        turns=TurnSettings(idle_after=3600.0), calls=CallLimits(max_seconds=20.0, warn_before=10.0)
    )
    done = talk("." * 300, voice(), settings=settings)
    assert done.lines[1:] == [("assistant", SCRIPT.time_up)]
    assert done.ending == "the call was too long"


FILLER = "One moment, please."
SLOW = CallSettings(turns=TurnSettings(filler_after=1.5, idle_after=3600.0))
SLOW_BUDGETS = Budgets(
    transcript=4.0, first_token=4.0, next_token=4.0, first_audio=4.0, next_audio=1.5
)


class Trickling:
    """Provides after long waits, but in time."""

    def __init__(self, stage: Any) -> None:
        self._stage = stage

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...

    async def warm(self) -> None: ...

    def open_session(self) -> PlainTranscriptionSession:
        return PlainTranscriptionSession(self.transcribe)

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        async for _ in speech:
            pass
        await asyncio.sleep(3.5)
        return "Hello?"

    async def reply(
        self, brief: Brief, conversation: Sequence[Message]
    ) -> AsyncGenerator[Piece, None]:
        for word in ("One. ", "Two. ", "Three. "):
            await asyncio.sleep(3.5)
            yield word

    async def speak(self, text: str, rate: int = RATE) -> AsyncGenerator[Speech, None]:
        for _ in text.split():
            await asyncio.sleep(1.2)
            yield Audio(LOUD * 10, RATE)


class SometimesMute(Synthesizer):
    """A voice that works until the greeting and the phrases are done, then as ``broken`` does."""

    def __init__(self, broken: Any) -> None:
        super().__init__(SynthesizerOptions())
        self._broken = broken
        self._left = 9

    async def speak(self, text: str, rate: int = RATE) -> AsyncGenerator[Speech, None]:
        self._left -= 1
        async with aclosing(
            super().speak(text, rate) if self._left >= 0 else self._broken.speak(text, rate)
        ) as s:
            async for piece in s:
                yield piece


@pytest.mark.parametrize("way", ["hangs", "fails", "trickles"])
@pytest.mark.parametrize("stage", ["stt", "llm", "tts"])
def test_whatever_a_stage_does_the_caller_never_waits_in_silence(stage: str, way: str) -> None:
    """No silence of ours is longer than the setting, a filler's frame and a look at the clock.

    Nor, where the words are what is late, than any turn is waited for.
    """
    broken: Any = Trickling(stage) if way == "trickles" else Failing(stage, way == "hangs")
    if stage == "tts":
        broken = SometimesMute(broken)
    given: dict[str, Any] = {stage: broken}
    done = talk(
        GREETED + "." * 25 + "+" * 10 + "." * 500,
        voice(["Thank you."], ["Well."], budgets=SLOW_BUDGETS, **given),
        settings=SLOW,
    )
    sounding, longest = 6.0, 0.0  # the caller stops speaking then
    for at, message in done.caller.audio:
        if at > 6.0:
            longest = max(longest, at - sounding)
            sounding = max(at, sounding) + len(message) / (2 * RATE)
    at_last = max(END_AFTER + SLOW.turns.filler_after, SLOW.end_of_turn.longest)
    assert longest <= at_last + 0.2
    said = done.lines[-1][1]
    answers = ("Well.", SCRIPT.apology, "One. Two. Three.")
    assert said.endswith(answers) or said.startswith(FILLER)


# What the voice is given.


class Reading(Synthesizer):
    """Keep what is to be spoken."""

    def __init__(self) -> None:
        super().__init__(SynthesizerOptions())
        self.read: list[str] = []

    async def speak(self, text: str, rate: int = RATE) -> AsyncGenerator[Speech, None]:
        self.read.append(text)
        async for piece in super().speak(text, rate):
            yield piece


def test_the_voice_reads_words_and_history_keeps_what_was_written() -> None:
    """Markup and numbers are for the eye; names are pronounced as the agent file says."""
    tts = Reading()
    brief = replace(SCRIPT.brief, pronounce={"Nguyen": "win"})
    written = "**Nguyen** opens at 9:30. 😀"
    done = talk(
        GREETED + "+" * 10 + "." * 60,
        voice(["When?"], [written], tts=tts),
        script=replace(SCRIPT, brief=brief),
    )
    assert "win opens at nine thirty." in tts.read
    assert done.lines[1:] == [("user", "When?"), ("assistant", "**Nguyen** opens at 9:30.")]


def test_a_reply_that_cannot_be_read_out_is_no_answer() -> None:
    """The caller hears an apology, not silence."""
    done = talk(GREETED + "+" * 10 + "." * 60, voice(["Hi."], ["😀", "👍"]))
    assert done.lines[1:] == [("user", "Hi."), ("assistant", SCRIPT.apology)]
    assert done.notes.of("failed")[0]["stage"] == "llm"
