"""A small protocol of the tests' own, and a server that speaks it on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from pipelines.audio import Audio
from pipelines.providers.contracts import ProviderError
from pipelines.providers.streaming_tts.protocol import (
    Address,
    AudioChunk,
    MessageToSend,
    SynthesisEnded,
    SynthesisEvent,
    SynthesisLimits,
    WordsTimed,
)
from pipelines.providers.streaming_tts.provider import StreamingTts
from pipelines.providers.transport.http import Http
from pipelines.providers.voice_rate import voice_rate
from tests.patience import PATIENCE

RATE = 8_000
LIMITS = SynthesisLimits(contexts=3, confirms=True, idle=60.0, age=60.0)


@dataclass(slots=True)
class Plain:
    """The tests' protocol: one JSON object a message, audio in hexadecimal."""

    limits: SynthesisLimits = LIMITS

    def rate(self, line: int) -> int:
        return voice_rate((8_000, 16_000), line)

    def address(self, rate: int) -> Address:
        return Address("/", (("rate", str(rate)),))

    def protocol(self) -> PlainProtocol:
        return PlainProtocol()


class PlainProtocol:
    """One connection of it."""

    def speak(self, context: str, text: str, rate: int) -> Sequence[str]:
        return (json.dumps({"speak": text, "context": context, "rate": rate}),)

    def cancel(self, context: str) -> Sequence[str]:
        return (json.dumps({"cancel": context}),)

    def read(self, message: str | bytes) -> Iterator[SynthesisEvent]:
        said = json.loads(message)
        context = said.get("context")
        if "thanks" in said:
            yield MessageToSend(json.dumps({"thanked": said["thanks"]}))
        if "pcm" in said:
            yield AudioChunk(context, bytes.fromhex(said["pcm"]))
        if "ends" in said:
            yield WordsTimed(context, tuple(said["ends"]))
        if "end" in said:
            yield SynthesisEnded(context)
        if "fail" in said:
            yield SynthesisEnded(context, ProviderError("tts", said["fail"]))


class Line:
    """One connection, as the server has it."""

    def __init__(self, socket: web.WebSocketResponse, rate: int) -> None:
        self.socket = socket
        self.rate = rate
        self.contexts: list[str] = []
        """Spoken, or cancelled and not ended."""

        self.texts: list[str] = []
        self.cancelled: list[str] = []
        self.thanked: list[str] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def say(self, context: str, **what: object) -> None:
        if not self.socket.closed:
            await self.socket.send_json({"context": context, **what})

    async def end(self, context: str) -> None:
        if context in self.contexts:
            self.contexts.remove(context)
        await self.say(context, end=True)


Speak = Callable[[Line, str, str], Coroutine[Any, Any, None]]
"""Speaks a text for a context."""


@dataclass(slots=True)
class Server:
    """Keeps every connection that it ever had."""

    speak: Speak
    most: int = 0
    """Contexts that were on one connection at once."""

    lines: list[Line] = field(default_factory=list)

    @property
    def open(self) -> list[Line]:
        return [line for line in self.lines if not line.socket.closed]

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        line = Line(socket, int(request.query["rate"]))
        self.lines.append(line)
        try:
            async for message in socket:
                self.take(line, json.loads(message.data))
        finally:
            for task in line.tasks:
                task.cancel()
        return socket

    def take(self, line: Line, message: dict[str, Any]) -> None:
        if "thanked" in message:
            line.thanked.append(message["thanked"])
        elif "cancel" in message:
            line.cancelled.append(message["cancel"])
        else:
            assert message["rate"] == line.rate
            line.contexts.append(message["context"])
            line.texts.append(message["speak"])
            self.most = max(self.most, len(line.contexts))
            task = asyncio.create_task(self.speak(line, message["context"], message["speak"]))
            line.tasks.add(task)


@asynccontextmanager
async def serving(
    speak: Speak, limits: SynthesisLimits = LIMITS, most: int = 4
) -> AsyncIterator[tuple[StreamingTts, Server]]:
    """Yield the engine and its server; check that nothing is left of both."""
    before = asyncio.all_tasks()
    server = Server(speak)
    app = web.Application()
    app.router.add_get("/", server.serve)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    engine = StreamingTts(Plain(limits), most)
    host, port = runner.addresses[0]
    await engine.connect_by(Http("tts", f"http://{host}:{port}"), {})
    try:
        yield engine, server
    finally:
        await engine.aclose()
        await runner.cleanup()
        await asyncio.sleep(0.01)
        assert asyncio.all_tasks() <= before


async def listen(engine: StreamingTts, text: str, line: int = RATE) -> bytes:
    """Return all audio of ``text``."""
    async with aclosing(engine.speak(text, line)) as results:
        return b"".join([each.pcm async for each in results if isinstance(each, Audio)])


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - it looks at what sets no event
            await asyncio.sleep(0.001)


def voice(text: str) -> bytes:
    """Return the audio of ``text``: nothing like that of any other."""
    number = int(text.split(maxsplit=1)[0])
    return bytes([number, 255 - number]) * 500


async def speak(line: Line, context: str, text: str) -> None:
    """Speak ``text`` in ten pieces, which cut samples in two; then end it."""
    pcm = voice(text)
    for at in range(0, len(pcm), 101):
        await line.say(context, pcm=pcm[at : at + 101].hex())
        await asyncio.sleep(0)
    await line.end(context)


async def say_nothing(line: Line, context: str, text: str) -> None:
    """Speak nothing, ever."""
    await asyncio.Event().wait()


async def begin_all_end_ones(line: Line, context: str, text: str) -> None:
    """Begin at once; end only texts that begin with 1."""
    await line.say(context, pcm="0102")
    if text.startswith("1"):
        await line.end(context)
    else:
        await asyncio.Event().wait()
