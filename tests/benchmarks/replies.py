"""What a reply costs: CPU of replies of three sentences over the real wires, many calls at once.

Run ``python -m tests.benchmarks.replies`` (``--help`` says what can be chosen). One process has the
calls: language model and voice over HTTP, audio over websockets, the chain, the player and the
ledger of a call; nothing comes in, and nothing of an agent, a record or a turn is in it. Another
process is whatever is at the other end: a server that speaks OpenAI's interface (the first token
after 200 ms, then 60 a second; the first audio after 100 ms, then four times as fast as it sounds,
24 kHz), and the callers' sockets, which read.

It prints CPU of the process a reply, times the event loop woke up a second, and, from a look at the
stack every two milliseconds of CPU, how that divides. Machines differ and are shared: compare
figures of one run, of which there are several rounds, one after the other and in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import aiohttp
import uvloop
from aiohttp import web

from agent.call.history import History
from agent.call.player import ReplyPlayer
from agent.settings.calls import CallSettings
from agent.stream.budget import Meter, before_the_answer
from agent.stream.channel import Channel
from agent.stream.counted_websocket import CountedWebSocket
from agent.stream.protocol import StreamProtocol
from agent.stream.websocket import WebSocketLine
from pipelines.listening.utterance import Utterance
from pipelines.providers import openai_chat, openai_speech, scripted
from pipelines.stages.lineup import Providers
from pipelines.stages.pool import ProviderPool
from pipelines.tools.tool import CallInfo
from pipelines.tools.toolbox import Toolbox
from tests.agent.conversation import CONNECT, RATE, SCRIPT, Notes
from tests.contract.wires.openai_chat import DONE, chunk

REPLY = (
    "We are open until nine that day. The kitchen closes at eight, and the bar is open until "
    "midnight. Shall I keep a table for two near the window?"
)
FIRST_TOKEN, TOKENS_A_SECOND, FIRST_AUDIO = 0.200, 60.0, 0.100
VOICE_RATE, SPEED, PIECE = 24_000, 4.0, 0.1
"""Hertz of the voice, times as fast as it sounds, seconds of a piece of it."""

CHARACTERS_A_SECOND = 14.0
LOOKS_EVERY = 0.002

PARTS: Sequence[tuple[str, str]] = (
    ("selectors.py", "idle"),
    ("/openai/", "SDK, httpx"),
    ("/httpx", "SDK, httpx"),
    ("/httpcore", "SDK, httpx"),
    ("/anyio/", "SDK, httpx"),
    ("/h11/", "SDK, httpx"),
    ("openai_chat", "language model's adapter"),
    ("transport/sse", "events, JSON"),
    ("transport/reading", "events, JSON"),
    ("json/", "events, JSON"),
    ("encodable", "events, JSON"),
    ("/pydantic", "language model's adapter"),
    ("openai_speech", "voice's adapter"),
    ("transport/", "HTTP by aiohttp"),
    ("stages/", "stages"),
    ("pipelines/text/", "text"),
    ("reply/playout", "ledger"),
    ("reply/heard", "ledger"),
    ("pipelines/audio", "resampling, frames"),
    ("line_rate", "resampling, frames"),
    ("listening/echo", "echo bookkeeping"),
    ("pipelines/reply", "chain"),
    ("agent/stream", "websocket, out"),
    ("aiohttp/_websocket", "websocket, out"),
    ("aiohttp/web_ws", "websocket, out"),
    ("agent/call/speaker", "speaker"),
    ("agent/call", "call"),
    ("aiohttp/", "HTTP by aiohttp"),
    ("asyncio/timeouts", "timers"),
    ("asyncio/", "event loop"),
)
"""What a frame of the stack belongs to, by its file; the first that fits, the innermost first."""


async def _chat(request: web.Request) -> web.StreamResponse:
    await request.read()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await asyncio.sleep(FIRST_TOKEN)
    await response.write(chunk({"role": "assistant", "content": ""}))
    words = REPLY.split(" ")
    due = asyncio.get_running_loop().time()
    for at, word in enumerate(words):
        await response.write(chunk({"content": f" {word}" if at else word}))
        due += 1 / TOKENS_A_SECOND
        await asyncio.sleep(due - asyncio.get_running_loop().time())
    await response.write(chunk({}, "stop") + DONE)
    await response.write_eof()
    return response


async def _speech(request: web.Request) -> web.StreamResponse:
    text = (await request.json())["input"]
    response = web.StreamResponse(headers={"Content-Type": "audio/pcm"})
    await response.prepare(request)
    await asyncio.sleep(FIRST_AUDIO)
    left = len(text) / CHARACTERS_A_SECOND
    due = asyncio.get_running_loop().time()
    loud = b"\x00\x10\x00\xf0"
    while left > 0:
        await response.write(loud * round(min(left, PIECE) * VOICE_RATE / 2))
        left, due = left - PIECE, due + PIECE / SPEED
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
    await response.write_eof()
    return response


async def _listen(url: str) -> None:
    """Be a caller who hears, until the far end closes."""
    async with aiohttp.ClientSession() as session, session.ws_connect(url, compress=0) as socket:
        async for _ in socket:
            pass


async def _far_end() -> None:
    """Serve models and voices; connect a caller for each line that comes in."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", _chat)
    app.router.add_post("/v1/audio/speech", _speech)
    app.router.add_get("/v1/models", lambda _: asyncio.sleep(0, web.json_response({})))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site.name, flush=True)
    callers = set()
    while line := await asyncio.to_thread(sys.stdin.readline):
        caller = asyncio.create_task(_listen(line.strip()))
        callers.add(caller)
        caller.add_done_callback(callers.discard)
    await runner.cleanup()


class Sampler:
    """Looks where the process is, each time that it has used two more milliseconds of CPU."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def start(self) -> None:
        """Look from now on."""
        signal.signal(signal.SIGPROF, lambda _, frame: self.seen.update([part_of(frame)]))
        signal.setitimer(signal.ITIMER_PROF, LOOKS_EVERY, LOOKS_EVERY)

    def stop(self) -> None:
        """Look no more."""
        signal.setitimer(signal.ITIMER_PROF, 0)


def part_of(frame: FrameType | None) -> str:
    """Return the part that a stack belongs to: that of whoever called the event loop's own code."""
    found = "rest"
    while frame is not None:
        file = frame.f_code.co_filename
        part = next((part for name, part in PARTS if name in file), "")
        if part and part != "event loop":
            return part
        found, frame = part or found, frame.f_back
    return found


@dataclass
class Calls:
    """Lines of calls, each with a player."""

    count: int
    providers: Providers
    players: list[ReplyPlayer] = field(default_factory=list)
    all_here: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Take a line, and keep it until all is over."""
        settings = CallSettings()
        meter = Meter(before_the_answer())
        socket = CountedWebSocket(meter, settings.line.max_message_bytes)
        await socket.prepare(request)
        protocol = StreamProtocol()
        protocol.receive(CONNECT)
        protocol.answer()
        lineup = self.providers.lineup()
        history = History(Notes(), lineup.usage, settings.pricing)
        toolbox = Toolbox(
            (),
            CallInfo(call_id="c"),
            spawn=asyncio.create_task,
            on_kept=history.tool_gave,
            on_done=history.record.tool,
        )
        line = WebSocketLine(socket, meter, settings.line)
        line.carry(RATE)
        channel = Channel(line, protocol, RATE)
        self.players.append(ReplyPlayer(lineup, SCRIPT, toolbox, channel, history, settings))
        if len(self.players) == self.count:
            self.all_here.set()
        await self.over.wait()
        await line.close(1000)
        return socket

    @asynccontextmanager
    async def connected(self, far_end: subprocess.Popen[str]) -> AsyncIterator[None]:
        """Have all of them."""
        app = web.Application()
        app.router.add_get("/stream", self.take)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert far_end.stdin is not None
        for _ in range(self.count):
            far_end.stdin.write(f"{site.name}/stream\n")
        far_end.stdin.flush()
        async with asyncio.timeout(30):
            await self.all_here.wait()
        try:
            yield
        finally:
            self.over.set()
            await runner.cleanup()

    async def reply(self, at: int) -> None:
        """Have one of them say a reply, until it was heard."""
        player = self.players[at]
        reply = player.maker.answering(Utterance(text="When do you open?"))
        reply.release()
        async with aclosing(player.play(reply)) as events:
            async for _ in events:
                pass
        assert reply.playout.sent > 5
        if reply.playout.gaps:
            print(f"{reply.playout.gaps} gaps")


async def replies(
    options: argparse.Namespace, client: str, far_end: subprocess.Popen[str], url: str
) -> tuple[float, float, Counter[str]]:
    """Have each call say some; return CPU milliseconds and wake-ups a second, and where it was."""
    model = openai_chat.LanguageModel(
        openai_chat.LanguageModel.Options.model_validate(
            {"base_url": f"{url}/v1", "model": "m"} | ({"client": client} if client else {})
        )
    )
    voice = openai_speech.Synthesizer(
        openai_speech.Synthesizer.Options.model_validate({"base_url": f"{url}/v1"})
    )
    ears = scripted.Transcriber(scripted.TranscriberOptions())
    providers = Providers(
        stt=ProviderPool("stt", [("s", ears)]),
        llm=ProviderPool("llm", [("m", model)]),
        tts=ProviderPool("tts", [("v", voice)]),
    )
    await providers.start()
    calls = Calls(options.calls, providers)
    sampler, woken = Sampler(), _count_wake_ups()
    async with calls.connected(far_end):

        async def several(at: int) -> None:
            await asyncio.sleep(at * 3.0 / options.calls)  # not all in step
            for _ in range(options.replies):
                await calls.reply(at)

        await asyncio.gather(*(calls.reply(at) for at in range(min(4, options.calls))))
        if options.sample:
            sampler.start()
        before, began, wakes = time.process_time(), time.monotonic(), woken()
        await asyncio.gather(*(several(at) for at in range(options.calls)))
        cpu, lasted = time.process_time() - before, time.monotonic() - began
        wakes = woken() - wakes
        if options.sample:
            sampler.stop()
    await providers.aclose()
    return 1000 * cpu / (options.calls * options.replies), wakes / lasted, sampler.seen


def _count_wake_ups() -> Callable[[], int]:
    """Return what tells how often the event loop has looked for what is due, so far."""
    selector = getattr(asyncio.get_running_loop(), "_selector", None)
    if selector is None:  # uvloop tells of none
        return lambda: 0
    count, select = 0, selector.select

    def counting(timeout: float | None = None) -> object:
        nonlocal count
        count += 1
        return select(timeout)

    selector.select = counting
    return lambda: count


def main() -> None:
    """Print a row for each client."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=30)
    parser.add_argument("--replies", type=int, default=1, help="of each call, in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", default="", help="of the language model: sdk,aiohttp")
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="asyncio")
    parser.add_argument("--sample", action="store_true", help="say where the time goes")
    parser.add_argument("--far-end", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.far_end:
        asyncio.run(_far_end())
        return
    factory = uvloop.new_event_loop if options.loop == "uvloop" else None
    far_end = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.replies", "--far-end"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
    )
    assert far_end.stdout is not None
    url = far_end.stdout.readline().strip()
    took: dict[str, list[float]] = {}
    woke: dict[str, list[float]] = {}
    where: dict[str, Counter[str]] = {}
    try:
        for _ in range(options.rounds):
            for client in options.clients.split(","):
                with asyncio.Runner(loop_factory=factory) as runner:
                    cpu, wakes, seen = runner.run(replies(options, client, far_end, url))
                took.setdefault(client, []).append(cpu)
                woke.setdefault(client, []).append(wakes)
                where.setdefault(client, Counter()).update(seen)
    finally:
        far_end.terminate()
        far_end.wait(10)
    for client, each in took.items():
        print(
            f"{client or 'default':10s} {options.loop:8s} {options.calls} calls: "
            f"{statistics.median(each):6.1f} ms of CPU a reply "
            f"({min(each):.1f}-{max(each):.1f}), "
            f"{statistics.median(woke[client]):.0f} wake-ups a second"
        )
        seen = where[client]
        busy = sum(seen.values()) - seen["idle"]
        for part, count in seen.most_common():
            if part != "idle" and busy:
                share = count / busy
                print(
                    f"    {part:28s} {100 * share:4.1f} % {share * statistics.median(each):6.2f} ms"
                )


if __name__ == "__main__":
    main()
