"""The record of a call: what stands in its lines, and when they are written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from agent.call.clock import TICK
from agent.call.orders import HangUp
from agent.call.turn_record import PART, TurnRecord
from agent.settings.calls import CallLimits, CallSettings
from agent.stream.line import LineError
from pipelines.audio import Audio
from pipelines.clock import now
from pipelines.conversation import ToolSpec
from pipelines.listening.utterance import Utterance
from pipelines.providers.contracts import (
    Certainty,
    ContextTooLongError,
    ProviderError,
    RequestRefusedError,
)
from pipelines.providers.scripted import (
    LanguageModel,
    LanguageModelOptions,
    Synthesizer,
    SynthesizerOptions,
    Transcriber,
    TranscriberOptions,
)
from pipelines.stages.stt import Heard
from pipelines.tools.tool import CallInfo, Tool
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings, ScriptedTurnModel
from pipelines.turn_taking.settings import TurnSettings
from tests.agent.call.parts import reply_of
from tests.agent.conversation import FRAME, RATE, SCRIPT, Caller, Notes, Talk, talk, voice
from tests.virtual_time import run

GREETED = "." * 25  # the greeting takes 1.2 s
LONG = "one two three four five six seven eight nine ten."


def only(done: Talk, kind: str, **fields: object) -> dict[str, Any]:
    """Return the one line of a kind with these fields."""
    (line,) = [one for one in done.notes.of(kind) if fields.items() <= one.items()]
    return line


def test_the_times_of_a_turn_are_those_at_which_it_happened() -> None:
    """The caller speaks from 2.5 to 3.5 s; stages take 0.15, 0.2 and 0.1 s."""
    providers = voice(
        stt=Transcriber(TranscriberOptions(lines=("Hi.",), delay=0.15)),
        llm=LanguageModel(LanguageModelOptions(lines=("Hello there.",), delay=0.2)),
        tts=Synthesizer(SynthesizerOptions(delay=0.1)),
    )
    done = talk(GREETED + "+" * 10 + "." * 30, providers, settings=undrafted())
    caller, timing = only(done, "caller"), only(done, "timing", turn=2)
    assert (caller["at"], caller["until"]) == pytest.approx((2.5, 3.5), abs=2.5 * FRAME)
    silence = caller["decided"]["silence"]
    assert caller["decided"]["by"] == "silence"
    assert silence == pytest.approx(0.5, abs=0.021)
    began = caller["until"] + silence
    assert [timing[name] for name in ("speech_end", "decided", "transcript")] == pytest.approx(
        [caller["until"], began, began + 0.15], abs=0.03
    )
    assert timing["first_token"] == pytest.approx(began + 0.35, abs=0.03)
    assert timing["first_audio"] == pytest.approx(began + 0.45, abs=0.03)
    assert timing["heard"] == pytest.approx(timing["first_audio"], abs=0.001)
    assert only(done, "agent", turn=2)["at"] == timing["heard"]


def undrafted() -> CallSettings:
    """Settings by which nothing is begun before the turn has ended."""
    return CallSettings(turns=TurnSettings(drafting=False))


def test_the_record_tells_all_that_was_weighed() -> None:
    """What was heard, read, asked for and added; none of the caller's words."""
    done = talk(
        GREETED + "+" * 10 + "." * 40,
        voice(["four one five"], ["Yes."]),
        script=replace(SCRIPT, greeting="What is your PIN?"),
        turn_model=ScriptedTurnModel([0.9, 0.7]),
    )
    decided = only(done, "caller")["decided"]
    assert decided["silence"] == pytest.approx(EndOfTurnSettings().longest, abs=0.03)
    assert decided["probability"] == pytest.approx(0.82, abs=0.01)
    assert (decided["asked"], decided["expected"]) == (2, "number")
    assert (decided["by"], decided["words"]) == ("words", "dictated: part")
    assert "four" not in str(decided)


def test_a_draft_is_begun_before_the_turn_has_ended() -> None:
    """Its waterfall says so: the transcript is there before it is decided that it was all."""
    done = talk(GREETED + "+" * 10 + "." * 30, voice(["Hi."], ["Hello."]))
    timing = only(done, "timing", turn=2)
    assert timing["transcript"] < timing["decided"] <= timing["heard"]


@pytest.mark.parametrize(
    ("script", "model", "stt", "by"),
    [
        ("+" * 10 + "." * 30, None, "Xyzzy", {"by": "silence"}),
        ("+" * 10 + "." * 30, 0.95, "Xyzzy", {"by": "turn model", "probability": 0.95}),
        ("+" * 10 + "." * 40, None, "my number is", {"by": "words", "words": "open"}),
        ("+" * 80 + "." * 30, None, "I go on", {"by": "length"}),
        ("+" * 10, None, "I hang up", {"by": "hang-up"}),
    ],
)
def test_the_record_says_what_ended_a_turn(
    script: str, model: float | None, stt: str, by: Mapping[str, object]
) -> None:
    """And how long a silence was waited for, where one was."""
    done = talk(
        GREETED + script,
        voice([stt], ["Yes."]),
        turn_model=None if model is None else ScriptedTurnModel([model]),
        settings=CallSettings(calls=CallLimits(max_utterance=5.0)),
    )
    decided = dict(done.notes.of("caller")[0]["decided"])
    silence = decided.pop("silence", None)
    assert by.items() <= decided.items()
    assert (silence is None) == (by["by"] in ("length", "hang-up"))


def understood(done: Talk) -> list[tuple[str, bool]]:
    """Return what was understood, in order, and whether it was known to be all."""
    return [(one["text"], "so_far" not in one) for one in done.notes.of("understood")]


def test_what_was_understood_is_on_record_before_it_is_answered() -> None:
    """The answer takes 5 s; the draft is told at once, and that it was all with the end of turn."""
    slow = LanguageModel(LanguageModelOptions(lines=("Hello.",), delay=5.0))
    done = talk(GREETED + "+" * 10 + "." * 30, voice(["Hi."], llm=slow))
    assert understood(done)[:2] == [("Hi.", False), ("Hi.", True)]
    kinds = [line["kind"] for line in done.notes.lines]
    assert kinds.index("understood") < kinds.index("caller")
    caller = only(done, "caller")
    for line in done.notes.of("understood"):
        assert caller["at"] <= line["at"] <= caller["until"]


def test_language_and_confidence_are_on_record_where_they_are_told() -> None:
    """Of the line of the turn, and of what was understood before."""
    notes = Notes()

    async def main() -> None:
        record, reply = TurnRecord(notes), reply_of()
        reply.utterance = Utterance()
        reply.take(Heard("Hallo.", certainty=Certainty(language="de", confidence=0.91234)))
        record.understood(reply)
        record.caller(reply, reply.said, now(), now())
        reply.take(Heard("Hallo."))
        record.caller(reply, reply.said, now(), now())

    run(main())
    *told, untold = notes.lines
    assert [(one["language"], one["confidence"]) for one in told] == [("de", 0.912)] * 2
    assert not {"language", "confidence"} & untold.keys()


def test_a_draft_that_changes_is_told_anew() -> None:
    """The caller pauses for 0.4 s and goes on; each text stands there once, and one line of all."""
    script = GREETED + "+" * 10 + "." * 4 + "+" * 5 + "." * 30
    done = talk(script, voice(["My name", "My name is Ann."], ["Hello."]))
    assert understood(done) == [
        ("My name", False),
        ("My name is Ann.", False),
        ("My name is Ann.", True),
    ]
    assert [line["text"] for line in done.notes.of("caller")] == ["My name is Ann."]


def test_words_that_want_no_answer_are_told_as_such() -> None:
    """An "uh-huh" over the greeting is no turn of the caller's, and stands on record."""
    done = talk("......++" + "." * 40, voice(["uh-huh"]))
    told = only(done, "backchannel")
    assert (told["text"], done.notes.of("caller")) == ("uh-huh", [])
    assert told["at"] == done.notes.of("understood")[-1]["at"]
    assert only(done, "resumed")


class TimedNotes(Notes):
    """A journal that knows how long after it was heard a piece was written."""

    def __init__(self) -> None:
        super().__init__()
        self.late: list[float] = []

    def add(self, kind: str, **fields: Any) -> None:
        if kind == "heard":
            self.late.append(round(now() - fields["until"], 3))
        super().add(kind, **fields)


def test_what_is_heard_is_on_record_within_a_second() -> None:
    """Also in the middle of a long sentence; all pieces together are what was heard."""
    notes = TimedNotes()

    async def main() -> None:
        record, reply = TurnRecord(notes), reply_of(started_at=0.0)
        reply.playout.begin(LONG)
        reply.playout.put(Audio(bytes(2 * 5 * RATE), RATE))
        reply.playout.finish()
        while reply.playout.pending:
            reply.playout.take(0.0)
        for _ in range(52):
            record.heard(reply)
            await asyncio.sleep(TICK)

    run(main())
    pieces = notes.of("heard")
    assert " ".join(line["text"] for line in pieces) == LONG
    assert [line.get("more", False) for line in pieces] == [True] * (len(pieces) - 1) + [False]
    assert [line["at"] for line in pieces[1:]] == [line["until"] for line in pieces[:-1]]
    assert len(pieces) >= 5
    assert min(notes.late) >= 0
    assert max(notes.late) <= PART + TICK


def test_what_was_made_and_not_heard_stands_beside_it() -> None:
    """A barge-in by its length, over a long reply."""
    done = talk(
        GREETED + "+" * 6 + "." * 25 + "+" * 12 + "." * 30,
        voice(["Count.", "Stop."], [LONG, "I will."]),
    )
    first = only(done, "agent", turn=2)
    assert f"{first['text']} {first['unheard']}" == LONG
    assert first["cut_off"]
    held, barge_in = only(done, "held"), only(done, "barge_in")
    assert (barge_in["turn"], barge_in["by"]) == (2, "length")
    assert first["until"] == held["at"] < barge_in["at"]
    said = [(line["turn"], line["said"]) for line in done.notes.of("agent")]
    assert said == [(1, "greeting"), (2, "answer"), (3, "answer")]


def test_a_false_alarm_is_a_hold_that_was_resumed() -> None:
    """With how long it was; in the turn of the reply."""
    done = talk(GREETED + "+" * 6 + "." * 18 + "+" * 3 + "." * 60, voice(["Hi.", "."], [LONG]))
    held, resumed = only(done, "held"), only(done, "resumed")
    assert held["turn"] == resumed["turn"] == 2
    assert resumed["after"] == pytest.approx(resumed["at"] - held["at"], abs=0.002)
    assert only(done, "agent", turn=2)["text"] == LONG


@pytest.mark.parametrize("stage", ["stt", "llm", "tts"])
def test_a_failover_is_told_in_every_stage(stage: str) -> None:
    """Who was left for whom, and why; that of a voice while it says the greeting, too."""

    class Failing(Transcriber, LanguageModel, Synthesizer):  # type: ignore[misc]
        def __init__(self) -> None: ...

        async def start(self) -> None: ...

        def open_session(self) -> Any:
            return self

        detects_turns, so_far = False, ""

        async def transcribe(self, _speech: Any) -> str:
            raise ProviderError(stage, "too many", limited=True, retryable=False)  # type: ignore[arg-type]

        async def reply(self, *_: Any) -> Any:
            raise ProviderError("llm", "too many", limited=True, retryable=False)
            yield

        async def speak(self, *_: Any) -> Any:
            raise ProviderError("tts", "too many", limited=True, retryable=False)
            yield

        async def aclose(self) -> None: ...

    works: dict[str, Any] = {
        "stt": Transcriber(TranscriberOptions(lines=("Hi.",))),
        "llm": LanguageModel(LanguageModelOptions(lines=("Hello.",))),
        "tts": Synthesizer(SynthesizerOptions()),
    }
    done = talk(GREETED + "+" * 10 + "." * 30, voice(**works | {stage: [Failing(), works[stage]]}))
    first = done.notes.of("failover")[0]
    assert first.pop("at") <= (1.0 if stage == "tts" else 9.0)
    assert first == {
        "kind": "failover",
        "stage": stage,
        "provider": "1",
        "to": "2",
        "error": "limited",
        "reason": "too many",
    }
    assert [text for _, text in done.lines] == ["Hello, who is this?", "Hi.", "Hello."]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ProviderError("llm", "late", timed_out=True), "timeout"),
        (ContextTooLongError(), "context too long"),
        (RequestRefusedError("no"), "refused"),
        (ProviderError("llm", "key", retryable=False), "refused"),
        (ProviderError("llm", "gone"), "failed"),
    ],
)
def test_why_a_reply_was_lost_is_told_by_the_class_of_the_error(
    error: ProviderError, kind: str
) -> None:
    """And in words of ours."""
    notes = Notes()

    async def main() -> None:
        TurnRecord(notes).lost(reply_of(), error)

    run(main())
    (line,) = notes.lines
    assert (line["kind"], line["turn"], line["error"], line["reason"]) == (
        "failed",
        1,
        kind,
        error.reason,
    )


def test_a_tool_and_a_filler_stand_in_the_turn_that_wants_them() -> None:
    """A tool that goes on through a barge-in is of the turn before."""

    async def slow(_arguments: Mapping[str, Any], _about: CallInfo) -> str:
        await asyncio.sleep(4.0)
        return "booked"

    tool = Tool(
        spec=ToolSpec(name="book", description="Book.", parameters={"type": "object"}),
        run=slow,
        timeout=9.0,
        on_barge_in="keep",
    )
    done = talk(
        GREETED + "+" * 6 + "." * 20 + "+" * 8 + "." * 60,
        voice(["Book it.", "Hello?"], ["I look. [book]", "Yes."]),
        tools=[tool],
    )
    assert only(done, "tool")["turn"] == 2
    assert [line["turn"] for line in done.notes.of("caller")][:2] == [2, 3]
    assert all(line["turn"] == 2 for line in done.notes.of("filler"))


class Broken(Caller):
    """A line that breaks when its caller has nothing more to say."""

    async def receive(self) -> str | bytes | None:
        message = await super().receive()
        if message is None:
            raise LineError("the line broke")
        return message


@pytest.mark.parametrize(
    ("line", "order", "by"),
    [
        (Caller(GREETED), None, "caller"),
        (Broken(GREETED), None, "platform"),
        (Caller("." * 99), HangUp(goodbye=True), "operator"),
        (Caller("." * 99), HangUp(goodbye=False), "operator"),
        (Caller("." * 99), HangUp(goodbye=True, by="service"), "service"),
        (Caller("." * 9999), None, "agent"),  # who is asked three times whether they are there
    ],
)
def test_the_record_says_who_hung_up(line: Caller, order: HangUp | None, by: str) -> None:
    """An agent who says goodbye because somebody wants it has not."""

    def made(call: Any) -> None:
        if order is not None:
            asyncio.get_running_loop().call_later(2.0, call.obey, order)

    done = talk(line, voice(), made=made)
    assert only(done, "ended")["hung_up_by"] == by


def test_a_clock_that_is_set_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """All times are of the call's own clock."""
    story = GREETED + "+" * 10 + "." * 30
    usual = talk(story, voice(["Hi."], ["Hello."])).notes.lines
    jumps = iter(range(0, 10**9, 86_400))
    monkeypatch.setattr(time, "time", lambda: float(next(jumps)))
    assert talk(story, voice(["Hi."], ["Hello."])).notes.lines == usual


def test_what_the_agent_says_of_itself_is_named() -> None:
    """A question whether they are there, a goodbye, an apology."""
    idle = talk("." * 999, voice())
    said = [line["said"] for line in idle.notes.of("agent")]
    assert said == ["greeting", "idle question", "idle question", "goodbye"]
    short = replace(SCRIPT, greeting="")
    lost = talk("+" * 6 + "." * 40, voice(["Hi."], [""]), script=short)
    assert [line["said"] for line in lost.notes.of("agent")][:1] == ["apology"]
    assert lost.notes.of("failed")[0]["turn"] == lost.notes.of("agent")[0]["turn"] == 1
