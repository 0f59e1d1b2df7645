"""Calls in virtual time: a scripted caller on one end, the real call on the other."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.call.call import Call
from agent.call.ending import CallEnded
from agent.call.screening import Screening
from agent.call.transfer import Mover
from agent.personas.script import Script
from agent.server.call_recording import CallRecording
from agent.settings.calls import CallSettings
from agent.stream.channel import Channel
from agent.stream.connect import Connect
from agent.stream.protocol import StreamProtocol
from agent.stream.tap import NO_TAP
from pipelines.audio import frame_bytes
from pipelines.clock import now
from pipelines.conversation import Brief
from pipelines.listening.detectors import VoiceDetector
from pipelines.providers import scripted
from pipelines.stages.budgets import Budgets
from pipelines.stages.lineup import Providers
from pipelines.stages.pool import ProviderPool
from pipelines.stages.stt import FailoverTranscriber
from pipelines.tools.tool import CallInfo, Tool
from pipelines.turn_taking.end_of_turn import TurnModel
from tests.virtual_time import run

RATE = 8000
CONNECT = json.dumps({"command": "connect", "callId": "c1", "sampleRate": RATE})
FRAME = 0.020
LOUD = b"\x00\x20\x00\xe0" * (RATE // 100)
BEEP = b"".join(
    round(8000 * math.sin(2 * math.pi * n / 8)).to_bytes(2, "little", signed=True)
    for n in range(RATE // 50)
)
"""20 ms of 1,000 Hz, which go on in the next."""


class Loudness:
    """A voice detector that takes any sound for a voice: with it, tests say what is speech."""

    def voiced(self, frame: bytes) -> bool:
        return max(frame) > 8 and frame[1::2] != bytes(len(frame) // 2)


@dataclass
class Caller:
    """A line on which the caller says "+", is silent for ".", and sends nothing for "_".

    An answering machine beeps, "b". 100 ms each; the caller hangs up at the end of the script.
    """

    script: str
    stall: tuple[float, float] = (math.inf, 0.0)
    """When sending to this line takes long, once: from which second, for how many."""

    extra: Sequence[str | bytes] = ()
    """Other messages that come in first."""

    received: list[tuple[float, str | bytes]] = field(default_factory=list)
    closed: tuple[float, int] | None = None
    """When we hung up, and with which code."""

    def __post_init__(self) -> None:
        self._marks = iter([mark for mark in self.script for _ in range(5)])
        self._extra = iter(self.extra)
        self._due = 0.0

    async def receive(self) -> str | bytes | None:
        for message in self._extra:
            return message
        mark = "_"
        while mark == "_":
            self._due += FRAME
            mark = next(self._marks, "")
        await asyncio.sleep(max(0.0, self._due - asyncio.get_running_loop().time()))
        return {"+": LOUD, ".": bytes(len(LOUD)), "b": BEEP}.get(mark)

    async def send(self, message: str | bytes) -> None:
        now = asyncio.get_running_loop().time()
        self.received.append((round(now, 3), message))
        start, seconds = self.stall
        if now >= start:
            self.stall = (math.inf, 0.0)
            await asyncio.sleep(seconds)
        await asyncio.sleep(0)  # as a full socket would, let others run

    async def close(self, code: int, reason: str = "") -> None:
        self.closed = self.closed or (asyncio.get_running_loop().time(), code)

    def commands(self, name: str) -> list[float]:
        return [at for at, m in self.received if m == json.dumps({"command": name})]

    @property
    def audio(self) -> list[tuple[float, bytes]]:
        """What came, frame by frame, however many came in one message."""
        size = frame_bytes(RATE)
        messages = [(at, m) for at, m in self.received if isinstance(m, bytes)]
        return [(at, m[n : n + size]) for at, m in messages for n in range(0, len(m), size)]

    def audio_between(self, start: float, end: float) -> list[float]:
        return [at for at, _ in self.audio if start < at < end]


class Notes:
    """A journal in memory."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def add(self, kind: str, **fields: object) -> None:
        self.lines.append({"kind": kind, **fields})

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["kind"] == kind]


SCRIPT = Script(
    greeting="Hello, who is this?",
    apology="Sorry, say that again?",
    brief=Brief(goodbye="Bye."),
)


@dataclass
class Talk:
    """A finished call."""

    caller: Caller
    call: Call
    notes: Notes
    ending: str

    @property
    def lines(self) -> list[tuple[str, str]]:
        return [(m.role, m.text) for m in self.call.history.conversation]


def voice(
    said: Sequence[str] = (),
    replies: Sequence[str] = (),
    *,
    stt: Any = None,
    llm: Any = None,
    tts: Any = None,
    budgets: Budgets | None = None,
) -> Providers:
    """Scripted providers; pass one of your own in place of any, or a list: the rest take over."""
    stt = stt or scripted.Transcriber(scripted.TranscriberOptions(lines=tuple(said)))
    llm = llm or scripted.LanguageModel(scripted.LanguageModelOptions(lines=tuple(replies)))
    tts = tts or scripted.Synthesizer(scripted.SynthesizerOptions())
    return Providers(
        stt=ProviderPool("stt", _several(stt)),
        llm=ProviderPool("llm", _several(llm)),
        tts=ProviderPool("tts", _several(tts)),
        budgets=budgets or Budgets(),
    )


def _several(given: Any) -> list[tuple[str, Any]]:
    """Name providers by their place: "1" is the one that is asked first."""
    several = given if isinstance(given, list) else [given]
    return [(str(number), one) for number, one in enumerate(several, 1)]


async def _run(call: Call, screening: Screening | None) -> CallEnded:
    if screening is None:
        return await call.run()
    try:
        return await call.run(screening)
    finally:
        await screening.aclose()


def talk(
    caller: Caller | str,
    providers: Providers,
    *,
    script: Script = SCRIPT,
    settings: CallSettings | None = None,
    turn_model: TurnModel | None = None,
    mover: Mover | None = None,
    made: Callable[[Call], object] | None = None,
    tools: Sequence[Tool] = (),
    gone: Callable[[float], object] | None = None,
    leaves: int = 0,
    recording: CallRecording | None = None,
    ears: Callable[[FailoverTranscriber], Screening] | None = None,
    detector: VoiceDetector | None = None,
) -> Talk:
    """Hold a whole call in virtual time; nothing may outlive it.

    ``made`` is given the call, ``gone`` the time at which nothing of it is left, its connections
    included; ``ears`` makes its screening, if there is one; ``leaves`` is how many tasks it may
    leave behind all the same, which are waited for.
    """
    line = Caller(caller) if isinstance(caller, str) else caller
    notes = Notes()

    async def main() -> Talk:
        protocol = StreamProtocol()
        connect = protocol.receive(CONNECT)
        assert isinstance(connect, Connect)
        protocol.answer()
        lineup = providers.lineup()
        transcriber = FailoverTranscriber(providers.stt, providers.budgets, lineup.usage)
        screening = None if ears is None else ears(transcriber)
        journal = recording.watching(notes) if recording is not None else notes
        call = Call(
            channel=Channel(line, protocol, connect.rate, recording or NO_TAP),
            lineup=lineup,
            script=script,
            detector=detector or Loudness(),
            turn_model=turn_model,
            journal=journal if screening is None else screening.watching(journal),
            settings=settings or CallSettings(),
            mover=mover,
            tools=(*tools, *(recording.tools if recording is not None else ())),
            about=CallInfo(call_id=connect.call_id),
        )
        if recording is not None:
            record = call.history.record
            recording.start(record.began, record.note, screened=ears is not None)
        if made is not None:
            made(call)
        ended = await _run(call, screening)
        if recording is not None:
            recording.close()
        await lineup.aclose()
        if gone is not None:
            gone(now())
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert len(left) == leaves
        if left:
            await asyncio.wait(left)
        return Talk(line, call, notes, ended.reason)

    return run(main())
