"""One situation: a whole call, with the real voice detection and turn model, in virtual time."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.call.call import Call
from agent.personas.script import Script
from agent.settings.calls import CallSettings
from agent.simulator.virtual_time import VirtualTimeLoop
from agent.stream.channel import Channel
from agent.stream.protocol import StreamProtocol
from pipelines.conversation import Brief
from pipelines.listening.detectors import DetectorSettings, NewDetector, detectors
from pipelines.stages.budgets import Budgets
from pipelines.stages.lineup import Providers
from pipelines.stages.pool import ProviderPool
from pipelines.tools.tool import CallInfo
from pipelines.turn_taking.end_of_turn import TurnModel
from pipelines.turn_taking.smart_turn import SmartTurn
from tests.benchmarks.situations.caller import CallerEnd, Turn
from tests.benchmarks.situations.doubles import (
    KnowingTranscriber,
    Model,
    NumberedFrames,
    SpokenSentences,
    Voice,
)
from tests.benchmarks.situations.speech import RATE, Speech

MODEL_TAKES = 0.04
"""Seconds that a question to the turn model takes in a call, however long it computes."""

WHOLE = 1000.0
"""Seconds; each call begins at a whole multiple of it, so that it is the same to the last bit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """What all situations are held with."""

    delay: float = 0.15
    interims: bool = True
    errors: float = 0.0
    seed: int = 0
    language: str = "en"
    settings: CallSettings = field(default_factory=CallSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the two sides of a call say."""

    greeting: str = "Hello, this is the bakery. How can I help?"
    replies: Sequence[str] = ("We are open until nine that day.",)
    turns: Sequence[Turn] = ()
    background: Callable[[CallerEnd], Speech | None] = lambda _line: None
    echo: float | None = None
    lasts: float = 8.0
    longest: float = 60.0
    done: Callable[[CallerEnd], bool] = lambda _line: False
    delay: float | None = None
    """Of the transcriber; None for the rig's."""

    first_audio: float = 0.1
    """Seconds that the voice takes."""

    speed: float = math.inf
    """Seconds of audio that it makes in a second, from then on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A call that was held."""

    line: CallerEnd
    lines: Sequence[dict[str, Any]]
    """Its record."""

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the lines of the record of one kind."""
        return [line for line in self.lines if line["kind"] == kind]


class _Lines:
    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def add(self, kind: str, **fields: object) -> None:
        """Keep one line."""
        self.lines.append({"kind": kind, **fields})


class Room:
    """Holds calls, one after the other; use :meth:`hold` inside of :meth:`run` of its loop.

    Args:
        rig: How.
    """

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._new_detector: NewDetector = detectors(DetectorSettings())
        self._model = SmartTurn()
        self._sentences = SpokenSentences()

    async def start(self) -> None:
        """Load the models."""
        await self._model.start()

    async def aclose(self) -> None:
        """Let go of them."""
        await self._model.aclose()

    @property
    def turn_model(self) -> TurnModel:
        """The one that is asked."""
        return self._model

    async def hold(self, plan: Plan, loop: VirtualTimeLoop) -> Held:
        """Hold one call, to its end."""
        rig = self.rig
        loop.round_up(WHOLE)
        line = CallerEnd(
            sentences=self._sentences,
            turns=plan.turns,
            background=plan.background,
            echo=plan.echo,
            lasts=plan.lasts,
            longest=plan.longest,
            done=plan.done,
            seed=rig.seed,
        )
        frames = NumberedFrames(self._new_detector())
        stt = KnowingTranscriber(
            lambda: line.words,
            frames,
            delay=rig.delay if plan.delay is None else plan.delay,
            interims=rig.interims,
            errors=rig.errors,
            seed=rig.seed,
        )
        voice = Voice(self._sentences, plan.first_audio, plan.speed)
        providers: Any = Providers(
            stt=ProviderPool("stt", [("known", stt)]),
            llm=ProviderPool("llm", [("known", Model(plan.replies))]),
            tts=ProviderPool("tts", [("known", voice)]),
            budgets=Budgets(),
        )
        protocol = StreamProtocol()
        protocol.receive(json.dumps({"command": "connect", "callId": "c", "sampleRate": RATE}))
        protocol.answer()
        lineup, lines = providers.lineup(), _Lines()
        try:
            call = Call(
                channel=Channel(line, protocol, RATE),
                lineup=lineup,
                script=Script(
                    greeting=plan.greeting,
                    apology="Sorry, say that again?",
                    brief=Brief(goodbye="Goodbye.", language=rig.language),
                ),
                detector=frames,
                turn_model=self._model,
                journal=lines,
                settings=rig.settings,
                about=CallInfo(call_id="c"),
            )
            await call.run()
        finally:
            await lineup.aclose()
        return Held(line=line, lines=lines.lines)
