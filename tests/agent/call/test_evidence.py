"""How much silence ends the caller's turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from agent.call.evidence import TurnEvidence
from agent.call.history import History
from pipelines.audio import Audio
from pipelines.conversation import Brief
from pipelines.listening.echo import EchoGuard
from pipelines.listening.listener import Listener
from pipelines.listening.settings import GateSettings
from pipelines.listening.speech_events import SpeechEnded, SpeechPaused
from pipelines.listening.utterance import Utterance
from pipelines.providers.scripted import Transcriber, TranscriberOptions
from pipelines.stages.stt import Heard
from pipelines.stages.usage import Pricing
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings, ScriptedTurnModel, TurnModel
from pipelines.turn_taking.judge import TurnJudge
from tests.agent.call.parts import reply_of
from tests.agent.conversation import LOUD, RATE, Loudness, Notes, talk, voice
from tests.virtual_time import run

SILENCES, USUAL = EndOfTurnSettings(), GateSettings().end_after


class Turns(ScriptedTurnModel):
    """A turn model that takes its time over each question: seconds, and probability."""

    def __init__(self, *answers: tuple[float, float]) -> None:
        self._answers = iter(answers)

    async def complete(self, pcm: bytes) -> float:
        delay, probability = next(self._answers)
        await asyncio.sleep(delay)
        return probability


class Paused:
    """A caller who has paused 0.1 s ago, and the evidence on their turn."""

    def __init__(self, model: TurnModel | None = None) -> None:
        self.listener = Listener(RATE, Loudness(), GateSettings(), EchoGuard(RATE))
        lineup = voice().lineup()
        history = History(Notes(), lineup.usage, Pricing())
        judge = TurnJudge(SILENCES, USUAL, Brief(), model, lineup.stt)
        self.evidence = TurnEvidence(judge, self.listener, asyncio.create_task, history)
        sound = LOUD * 20 + bytes(7 * len(LOUD))
        assert SpeechPaused() in list(self.listener.feed(sound))

    def silence_needed(self) -> float:
        """Let them be silent until their turn has ended."""
        for frames in range(1, 500):
            if SpeechEnded() in list(self.listener.feed(bytes(len(LOUD)))):
                return 0.1 + frames * 0.02
        raise AssertionError("it does not end")


@pytest.mark.parametrize(
    ("said", "heard_end", "needed"),
    [
        ("", False, USUAL),
        ("Xyzzy", False, USUAL),
        ("Goodbye.", False, SILENCES.shortest),
        ("My number is", False, SILENCES.longest),
        ("I would like a table", True, SILENCES.shortest),
        ("My number is", True, SILENCES.longest),
    ],
)
def test_the_silence_is_set_by_what_is_known(said: str, heard_end: bool, needed: float) -> None:
    """By the words, and by whether the transcriber heard the end; else it is the usual."""

    async def main() -> None:
        caller, draft = Paused(), reply_of(utterance=Utterance())
        draft.take(Heard(said, heard_end))
        caller.evidence.weigh(draft)
        assert caller.silence_needed() == pytest.approx(needed, abs=0.021)

    run(main())


def test_who_gathers_anew_asks_anew() -> None:
    """What the question before would have brought to light was about less of the turn."""

    async def main() -> None:
        caller = Paused(Turns((0.2, 0.99), (1.0, 0.5)))
        caller.evidence.gather(reply_of(utterance=Utterance()))
        await asyncio.sleep(0.1)
        caller.evidence.gather(reply_of(utterance=Utterance()))
        await asyncio.sleep(0.5)
        assert caller.silence_needed() == pytest.approx(USUAL, abs=0.021)
        caller.evidence.drop()
        await asyncio.sleep(0)  # until it is gone

    run(main())


def test_what_is_dropped_is_not_asked_for_any_more_and_forgotten() -> None:
    """Nothing is left running; what was known says nothing of what comes next."""

    async def main() -> None:
        caller, draft = Paused(Turns((0.1, 0.99), (5.0, 0.5))), reply_of(utterance=Utterance())
        caller.evidence.gather(draft)
        await asyncio.sleep(0.2)
        caller.listener.end_after(USUAL)
        caller.evidence.drop()
        caller.evidence.weigh(draft)
        assert caller.silence_needed() == pytest.approx(USUAL, abs=0.021)
        caller.evidence.gather(draft)
        caller.evidence.drop()
        await asyncio.sleep(0)  # until it is gone

    run(main())


class Hasty(Transcriber):
    """Speech-to-text that takes the first half second for all of it, once."""

    hasty = True

    async def transcribe(self, speech: AsyncIterator[Audio]) -> str:
        heard = 0.0
        async for piece in speech:
            heard += piece.seconds
            if self.hasty and heard >= 0.5:
                self.hasty = False
                break
        return await super().transcribe(_nothing())


async def _nothing() -> AsyncGenerator[Audio, None]:
    if False:
        yield


def test_what_is_known_while_the_caller_speaks_is_not_weighed() -> None:
    """It is about less than they say: a pause later in the turn is waited for as ever."""
    lines = ("I want a table", "I want a table for two.")
    providers = voice(stt=Hasty(TranscriberOptions(lines=lines)), replies=["When?"])
    done = talk("." * 25 + "+" * 20 + "." * 3 + "+" * 6 + "." * 40, providers)
    assert done.lines[1:] == [("user", lines[1]), ("assistant", "When?")]
    assert done.caller.commands("clear") == []
