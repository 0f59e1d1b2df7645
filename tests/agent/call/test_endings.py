"""The end of a call: in every state, however it comes, all of it is gone within 5 seconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from agent.call.call import Call
from agent.call.ending import GOING_AWAY, NORMAL, CallEnded
from agent.call.orders import CallerMoved, HangUp
from agent.call.transfer import Handover
from agent.settings.calls import CallLimits, CallSettings
from pipelines.audio import Audio
from pipelines.conversation import Brief, Destination, ToolSpec
from pipelines.providers.contracts import PlainTranscriptionSession
from pipelines.providers.scripted import (
    LanguageModel,
    LanguageModelOptions,
    Synthesizer,
    SynthesizerOptions,
    Transcriber,
    TranscriberOptions,
)
from pipelines.stages.lineup import Providers
from pipelines.tools.tool import CallInfo, OnBargeIn, Tool
from pipelines.turn_taking.settings import TurnSettings
from pipelines.turn_taking.turns import State
from tests.agent.conversation import SCRIPT, Talk, talk, voice

GONE_WITHIN = 5.0
AT = 4.25
"""Seconds at which the call ends, or is asked to."""

GREETED = "." * 25
ASKED = GREETED + "+" * 10
"""The caller has asked at 3.5 s."""

SCRIPTED = replace(
    SCRIPT,
    numbers={"desk": "+15550000002"},
    brief=Brief(goodbye="Bye.", destinations=(Destination(name="desk"),)),
)


async def for_ever(*_: Any) -> str:
    """Take longer than any call."""
    await asyncio.sleep(3600.0)
    return ""


async def dialling(_handover: Handover) -> None:
    """Be asked to dial, and get no answer from the platform."""
    await for_ever()


def tool(on_barge_in: OnBargeIn = "keep") -> Tool:
    spec = ToolSpec(name="book", description="Book.", parameters={"type": "object"})
    return Tool(spec=spec, run=for_ever, timeout=3600.0, on_barge_in=on_barge_in)


class SlowToClose(Transcriber):
    """Its connection does not close."""

    def open_session(self) -> PlainTranscriptionSession:
        class Session(PlainTranscriptionSession):
            async def aclose(self) -> None:
                await for_ever()

        return Session(self.transcribe)


def model(line: str, delay: float = 0.0) -> LanguageModel:
    return LanguageModel(LanguageModelOptions(lines=(line,), delay=delay))


LONG = "one two three four five six seven eight nine ten."


@dataclass
class Situation:
    """Where a call is at :data:`AT`."""

    state: State
    script: str
    providers: Callable[[], Providers]
    tools: tuple[Tool, ...] = ()
    moved: bool = False


SITUATIONS: Mapping[str, Situation] = {
    "nobody speaks": Situation(State.QUIET, GREETED, voice),
    "the caller speaks": Situation(State.HEARING, "." * 35 + "+" * 300, voice),
    "the caller pauses": Situation(
        State.PAUSED, "." * 32 + "+" * 8, lambda: voice(["My number is"])
    ),
    "stt hangs": Situation(
        State.PAUSED,
        ASKED,
        lambda: voice(stt=Transcriber(TranscriberOptions(fault="hangs"))),
    ),
    "stt hangs, and does not close": Situation(
        State.PAUSED,
        ASKED,
        lambda: voice(stt=[SlowToClose(TranscriberOptions(delay=4.0)) for _ in range(3)]),
    ),
    "the model hangs": Situation(
        State.REPLYING, ASKED, lambda: voice(["Thank you."], llm=model("", 99))
    ),
    "the voice hangs": Situation(
        State.REPLYING,
        ASKED,
        lambda: voice(["Thank you."], [LONG], tts=Synthesizer(SynthesizerOptions(fault="hangs"))),
    ),
    "we speak": Situation(State.REPLYING, ASKED, lambda: voice(["Thank you."], [LONG])),
    "a sound over our words": Situation(
        State.HELD,
        "." * 25 + "+" * 5 + "." * 10 + "+" * 4,
        lambda: voice(["Thank you."], [LONG]),
    ),
    "a tool that is kept hangs": Situation(
        State.REPLYING, ASKED, lambda: voice(["Thank you."], ["[book]"]), (tool(),)
    ),
    "a tool that may be cancelled hangs": Situation(
        State.REPLYING, ASKED, lambda: voice(["Thank you."], ["[book]"]), (tool("cancel"),)
    ),
    "somebody is being dialled": Situation(
        State.QUIET, "." * 25 + "+" * 5, lambda: voice(["Desk."], ["Wait. [transfer desk]"])
    ),
    "the caller talks to somebody else": Situation(State.AWAY, GREETED, voice, moved=True),
}


@dataclass
class Ending:
    """What ends the call at :data:`AT`."""

    done: Callable[[Call], object]
    code: int = NORMAL
    settings: CallLimits = field(default_factory=CallLimits)
    after: float = 0.2
    """Seconds until it has to be hung up."""


ENDINGS: Mapping[str, Ending] = {
    "the caller hangs up": Ending(lambda _: None),
    "goodbye": Ending(lambda call: call.obey(HangUp(goodbye=True)), after=99.0),
    "the operator hangs up": Ending(lambda call: call.obey(HangUp(goodbye=False))),
    "too long": Ending(lambda _: None, settings=CallLimits(max_seconds=AT, warn_before=5.0)),
    "drain": Ending(
        lambda call: call.end(CallEnded("the service stops", code=GOING_AWAY)), code=GOING_AWAY
    ),
}


def held(situation: Situation, ending: str) -> tuple[Talk, float]:
    """Hold the call; return it, and when it was gone."""
    how, gone, found = ENDINGS[ending], list[float](), list[State]()
    script = situation.script.ljust(600, ".")
    if ending == "the caller hangs up":
        script = script[: round(AT * 10)]

    def made(call: Call) -> None:
        loop = asyncio.get_running_loop()
        if situation.moved:
            loop.call_later(3.0, call.obey, CallerMoved(stay=True))

        def end() -> None:
            found.append(call._turns.state)
            how.done(call)

        loop.call_later(AT - 0.06, end)

    done = talk(
        script,
        situation.providers(),
        script=SCRIPTED,
        settings=CallSettings(turns=TurnSettings(idle_after=3600.0), calls=how.settings),
        mover=dialling,
        made=made,
        tools=situation.tools,
        gone=gone.append,
    )
    assert found == [situation.state]
    return done, gone[0]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_call_is_gone_in_time_whatever_it_was_doing(situation: str, ending: str) -> None:
    """Its line is closed at once, all else within 5 seconds of that, connections included."""
    if situation == "the caller talks to somebody else" and ending == "too long":
        pytest.skip("they may, for as long as they like")
    done, gone = held(SITUATIONS[situation], ending)
    assert done.caller.closed is not None
    closed, code = done.caller.closed
    assert closed <= AT + ENDINGS[ending].after
    assert code == ENDINGS[ending].code
    assert gone - closed <= GONE_WITHIN
    assert done.notes.lines[-1]["kind"] == "ended"
    assert [at for at, _ in done.caller.received if at > closed + 0.001] == []


def test_the_line_is_closed_before_tools_are_waited_for() -> None:
    """The caller hears no silence after goodbye, while something is still being booked."""

    async def book(arguments: Mapping[str, Any], about: CallInfo) -> str:
        await asyncio.sleep(9.0)
        return "booked"

    kept = replace(tool(), run=book)
    done = talk(
        ASKED + "." * 12 + "+" * 8 + "." * 100,
        voice(["Book it.", "Bye."], ["[book]", "Goodbye. [end]"]),
        tools=[kept],
    )
    assert done.ending == "the agent hung up"
    assert done.caller.closed is not None
    said = done.notes.of("agent")[-1]
    assert said["text"] == "Goodbye."
    assert done.caller.closed[0] <= said["at"] + 0.3 + 0.4 + 0.1  # a word, and the margin
    assert done.notes.of("ended")[0]["at"] >= done.caller.closed[0] + 3.0


def test_a_tool_that_cannot_be_stopped_does_not_hold_the_call() -> None:
    """It is left behind."""

    async def stubborn(arguments: Mapping[str, Any], about: CallInfo) -> str:
        for _ in range(30):
            try:
                await asyncio.sleep(1.0)
            except asyncio.CancelledError:
                continue
        return "at last"

    gone: list[float] = []
    done = talk(
        ASKED + "." * 12,
        voice(["Book it."], ["[book]"]),
        tools=[replace(tool(), run=stubborn)],
        gone=gone.append,
        leaves=2,  # it, and what waits for it
    )
    assert done.caller.closed is not None
    assert gone[0] - done.caller.closed[0] <= GONE_WITHIN


# The caller's last words


@pytest.mark.parametrize("delay", [0.0, 0.5, 1.5])
def test_the_last_words_before_a_hang_up_are_kept(delay: float) -> None:
    """Transcribed after it, and told with when they were said."""
    stt = Transcriber(TranscriberOptions(lines=("Call me back.",), delay=delay))
    done = talk(GREETED + "+" * 8, voice(stt=stt))
    (line,) = done.notes.of("caller")
    assert line["text"] == "Call me back."
    assert line["at"] == pytest.approx(2.5, abs=0.05)
    assert done.lines[-1] == ("user", "Call me back.")


def test_last_words_that_take_too_long_are_not_waited_for() -> None:
    """Nothing of the call stays for them."""
    stt = Transcriber(TranscriberOptions(lines=("Call me back.",), delay=2.5))
    gone: list[float] = []
    done = talk(GREETED + "+" * 8, voice(stt=stt), gone=gone.append)
    assert done.notes.of("caller") == []
    assert gone[0] <= 3.3 + 2.1


def test_last_words_over_ours_and_over_a_legal_notice_are_kept() -> None:
    """Whether or not they may interrupt us."""
    for interruptible in (True, False):
        notice = replace(SCRIPT, greeting=LONG, greeting_interruptible=interruptible)
        done = talk("." * 10 + "+" * 4, voice(["Stop."]), script=notice)
        assert [line["text"] for line in done.notes.of("caller")] == ["Stop."]


def test_no_model_is_asked_about_last_words() -> None:
    """There is nobody to answer."""

    class Asked(LanguageModel):
        count = 0

        def reply(self, *given: Any) -> Any:
            Asked.count += 1
            return super().reply(*given)

    talk(GREETED + "+" * 8, voice(["Bye."], llm=Asked(LanguageModelOptions())))
    assert Asked.count == 0


def test_a_line_of_the_caller_says_when_they_began_to_speak() -> None:
    """However long they speak, pause, and wait for the answer."""
    slow = model("Well.", 2.0)
    done = talk("." * 20 + "+" * 100 + "." * 3 + "+" * 20 + "." * 60, voice(["A"], llm=slow))
    (line,) = done.notes.of("caller")
    assert line["at"] == pytest.approx(2.0, abs=0.05)


class Hears(Transcriber):
    """Gives each utterance the same transcript."""

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        async for _ in speech:
            pass
        return self.says

    says = ""


@pytest.mark.parametrize("sound", [".", "[BLANK_AUDIO]", "(silence)", "[Music]", "♪"])
def test_a_sound_without_a_word_is_no_turn_and_drops_no_reply(sound: str) -> None:
    """Over our words or in a silence."""
    hears = Hears(TranscriberOptions())
    hears.says = sound
    over = talk(
        "." * 10 + "+" * 2 + "." * 50, voice(stt=hears), script=replace(SCRIPT, greeting=LONG)
    )
    assert over.lines == [("assistant", LONG)]
    after = talk(GREETED + "+" * 8 + "." * 30, voice(stt=hears))
    assert [role for role, _ in after.lines] == ["assistant"]
    assert after.notes.of("failed") == []


def test_a_filler_before_a_late_voice_takes_nothing_from_its_sentence() -> None:
    """History and transcript have what was offered; the model does not offer it again."""

    class Late(Synthesizer):
        async def speak(self, text: str, rate: int = 16_000) -> Any:
            if text.startswith("Nine"):
                await asyncio.sleep(4.5)
            async for piece in super().speak(text, rate):
                yield piece

    done = talk(
        ASKED + "." * 90,
        voice(["When?"], ["Nine or ten. Which one?"], tts=Late(SynthesizerOptions())),
    )
    assert done.lines[-1] == ("assistant", "One moment, please. Nine or ten. Which one?")
    assert done.notes.of("agent")[-1]["text"] == "One moment, please. Nine or ten. Which one?"
