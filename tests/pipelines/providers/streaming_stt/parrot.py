"""A provider of speech-to-text that is not there: in virtual time, without sockets.

Each piece of audio is a word: all its samples are the word's number. The parrot hears exactly the
words that it is sent, so what was sent, lost, doubled or mixed up can be told from what it hears.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipelines.audio import SPEECH_RATE, Audio
from pipelines.providers.contracts import ProviderError
from pipelines.providers.streaming_stt.protocol import (
    ConnectionEnded,
    Finalized,
    FinalTranscript,
    InterimTranscript,
    TranscriptionEvent,
    TranscriptionLimits,
    TurnBegan,
    TurnMayBeOver,
    TurnOver,
    TurnResumed,
)
from pipelines.providers.transport.http import Http
from pipelines.providers.transport.websocket import Socket

FRAME = SPEECH_RATE // 50

EPSILON = 1e-6
"""Seconds between two messages, or the loop's timers would mix them up."""

LIMITS = TranscriptionLimits(age=600.0, group=0.02)
DETECTING = TranscriptionLimits(age=600.0, group=0.02, detects_turns=True)


def word(number: int) -> Audio:
    """Return 20 ms in which one word is said; 0 is silence."""
    return Audio(np.full(FRAME, number, "<i2").tobytes(), SPEECH_RATE)


def words(numbers: Iterable[int]) -> list[Audio]:
    return [word(number) for number in numbers]


def text(numbers: Iterable[int]) -> str:
    return " ".join(str(number) for number in numbers)


def heard_in(pcm: bytes) -> list[int]:
    """Return the words in some audio."""
    samples = np.frombuffer(pcm, "<i2")[::FRAME]
    return [int(number) for number in samples if number]


class ParrotProtocol:
    """Says what it means in JSON; audio goes as it is."""

    def opening(self) -> Sequence[str]:
        return ("hello",)

    def audio(self, pcm: bytes) -> bytes:
        return pcm

    def finalize(self) -> Sequence[str]:
        return ("finish",)

    def keep_alive(self) -> str:
        return "still there"

    def closing(self) -> Sequence[str]:
        return ("bye",)

    def read(self, message: str | bytes) -> Sequence[TranscriptionEvent]:
        told = json.loads(message)
        if told["event"] == "error":
            raise ProviderError("stt", "the server reports an error")
        kinds: dict[str, Callable[[], TranscriptionEvent]] = {
            "interim": lambda: InterimTranscript(told["text"]),
            "final": lambda: FinalTranscript(told["text"]),
            "finished": Finalized,
            "ended": ConnectionEnded,
            "began": TurnBegan,
            "maybe": TurnMayBeOver,
            "resumed": TurnResumed,
            "over": TurnOver,
        }
        return (kinds[told["event"]](),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How to speak to the parrot."""

    limits: TranscriptionLimits = LIMITS
    path: str = "/parrot"

    def params(self) -> list[tuple[str, str]]:
        return [("rate", str(self.limits.rate))]

    def protocol(self) -> ParrotProtocol:
        return ParrotProtocol()


@dataclass(kw_only=True)
class Manner:
    """How the parrot behaves. Seconds; may be changed at any time."""

    connects_in: float = 0.1
    up: float = 0.02
    """On the way to it."""

    down: float = 0.02
    speed: float = 50.0
    """Seconds of audio that it hears in a second."""

    thinks: Callable[[], float] = lambda: 0.1
    """From a finish to its answer."""

    silent: bool = False
    refuses: bool = False
    answers_nothing: bool = False
    """Whether a finish has no answer if nothing was heard."""

    turns: bool = False
    """Whether it detects them."""

    says_began: bool = True
    """Whether it says when one begins."""

    maybe_after: float = 0.2
    over_after: float = 0.4
    hears: Callable[[int], bool] = lambda _: True
    """Whether it takes a word for one."""


@dataclass(kw_only=True)
class TranscriptionConnection:
    """One connection, as the parrot sees it."""

    opened_at: float
    messages: list[tuple[float, str | bytes]] = field(default_factory=list)
    closed_at: float | None = None

    @property
    def said(self) -> list[int]:
        """All words that came."""
        return [n for _, m in self.messages if isinstance(m, bytes) for n in heard_in(m)]

    @property
    def commands(self) -> list[str]:
        return [message for _, message in self.messages if isinstance(message, str)]

    @property
    def seconds(self) -> float:
        """Of audio."""
        return sum(len(m) for _, m in self.messages if isinstance(m, bytes)) / (2 * SPEECH_RATE)


class Line(Socket):
    """The adapter's end of a connection."""

    def __init__(self, parrot: Parrot, connection: TranscriptionConnection) -> None:
        self.connection = connection
        self._parrot = parrot
        self._loop = asyncio.get_running_loop()
        self._inbox: asyncio.Queue[str | None] = asyncio.Queue()
        self._lost = False
        self._last = self._last_up = 0.0  # when the last message arrives, either way
        self._hears = Hears(parrot.manner, self.tell)

    @property
    def closed(self) -> bool:
        return self._lost or self.connection.closed_at is not None

    def break_off(self) -> None:
        self._lost = True
        self._inbox.put_nowait(None)

    def tell(self, event: str, text: str = "", after: float = 0.0) -> None:
        """Send an event; events never overtake each other."""
        self._last = max(self._last + EPSILON, self._loop.time() + after + self._parrot.manner.down)
        self._loop.call_at(self._last, self._arrive, json.dumps({"event": event, "text": text}))

    def _arrive(self, message: str) -> None:
        if not self._parrot.manner.silent:
            self._inbox.put_nowait(message)

    async def send(self, message: str | bytes) -> None:
        if self.closed:
            raise ProviderError("stt", "the connection is lost")
        self.connection.messages.append((self._loop.time(), message))
        manner = self._parrot.manner
        takes = len(message) / (2 * SPEECH_RATE * manner.speed)
        self._last_up = max(self._last_up + takes, self._loop.time() + manner.up)
        self._loop.call_at(self._last_up, self._hears.take, message)

    async def receive(self, within: float | None = None) -> str:
        message = await self._inbox.get()
        if message is None:
            raise ProviderError("stt", "the connection is lost")
        return message

    async def aclose(self) -> None:
        if self.connection.closed_at is None:
            self.connection.closed_at = self._loop.time()


class Hears:
    """What the parrot makes of what comes."""

    def __init__(self, manner: Manner, tell: Callable[..., None]) -> None:
        self._manner = manner
        self._tell = tell
        self._words: list[int] = []
        self._silence = 0.0
        self._turn = ""  # began, or maybe

    def take(self, message: str | bytes) -> None:
        match message:
            case bytes():
                for at in range(0, len(message), 2 * FRAME):
                    self._frame(message[at : at + 2 * FRAME])
            case "finish":
                self._finish()
            case "bye":
                if self._words:
                    self._answer()
                self._tell("ended")

    def _finish(self) -> None:
        if self._words or not self._manner.answers_nothing:
            after = self._manner.thinks()
            self._answer(after)
            self._tell("finished", after=after)

    def _answer(self, after: float = 0.0) -> None:
        half = len(self._words) // 2
        for part in (self._words[:half], self._words[half:]):
            if part:
                self._tell("final", text(part), after)
        self._words = []

    def _frame(self, pcm: bytes) -> None:
        heard = [each for each in heard_in(pcm) if self._manner.hears(each)]
        if heard:
            self._words += heard
            if self._manner.turns:
                self._voice()
            self._tell("interim", text(self._words))
        elif self._turn:
            self._quiet(len(pcm) / (2 * SPEECH_RATE))

    def _voice(self) -> None:
        if not self._turn and self._manner.says_began:
            self._tell("began")
        elif self._turn == "maybe":
            self._tell("resumed")
        self._turn, self._silence = "began", 0.0

    def _quiet(self, seconds: float) -> None:
        self._silence += seconds
        if self._turn == "began" and self._silence >= self._manner.maybe_after - 1e-6:
            self._turn = "maybe"
            self._tell("maybe")
        if self._silence >= self._manner.over_after - 1e-6:
            self._tell("final", text(self._words))
            self._tell("over")
            self._turn, self._words = "", []


class Parrot(Http):
    """The provider's servers, and the way there."""

    def __init__(self, manner: Manner | None = None) -> None:
        self.manner = manner or Manner()
        self.lines: list[Line] = []

    async def start(self, headers: Mapping[str, str]) -> None:
        pass

    async def aclose(self) -> None:
        self.manner.refuses = True
        for line in self.lines:
            line.break_off()

    async def socket(self, path: str, **_: Any) -> Socket:
        await asyncio.sleep(self.manner.connects_in)
        if self.manner.refuses:
            raise ProviderError("stt", "no connection")
        line = Line(self, TranscriptionConnection(opened_at=asyncio.get_running_loop().time()))
        self.lines.append(line)
        return line

    @property
    def connections(self) -> list[TranscriptionConnection]:
        return [line.connection for line in self.lines]


class Speech:
    """Pieces, each when it has been spoken; may stop without an end.

    Args:
        pieces: What is said.
        at_once: How many of them were said before anybody listened.
        ends: Whether it ends after them.
    """

    def __init__(self, pieces: Sequence[Audio], *, at_once: int = 0, ends: bool = True) -> None:
        self._pieces = pieces
        self._next = 0
        self._at_once = at_once
        self._ends = ends

    def __aiter__(self) -> AsyncIterator[Audio]:
        return self

    async def __anext__(self) -> Audio:
        if self._next == len(self._pieces):
            if self._ends:
                raise StopAsyncIteration
            await asyncio.Event().wait()
        piece = self._pieces[self._next]
        self._next += 1
        if self._next > self._at_once:
            await asyncio.sleep(piece.seconds)
        return piece


async def cancelled_after(seconds: float, work: Awaitable[Any]) -> None:
    """Let something run for some time, then cancel it."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        return
