"""What a caller's frame of 20 ms costs, from the socket to the gate, among many calls.

Run ``python -m tests.benchmarks.frames``. A process with many calls never has one call's objects
in the processor's cache: each frame is another call's, and other work goes on in between. So one
after another the calls are given a frame, and before each three megabytes are read. Callers speak
the recordings of this repository at 8 kHz, through G.711 mu-law, on a line with noise at -62 dBFS,
each at another place of it.

``zeros`` is a line without any noise; ``silence`` is that noise; ``over us`` is silence while we
speak; ``speech`` is recordings without their pauses, ``speech over us`` the same while we speak;
``keys`` is a key in every other 100 ms; ``echo`` is our own words that come back 15 dB softer after
a quarter of a second. "Ours" is what a frame that we send costs the guard. Figures are processor
time of the thread: the mean, and how it spreads over frames.

The parts are measured by wrapping them, which costs some of what it measures: compare them with
one another, and take the whole from the line above them.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import time
from collections.abc import Callable, Iterator, Mapping

import aiohttp
import numpy as np
from aiohttp import web

from agent.server.load.memory import keep_some
from agent.settings.calls import LineSettings
from agent.stream.budget import Meter, before_the_answer
from agent.stream.channel import Channel
from agent.stream.counted_websocket import CountedWebSocket
from agent.stream.protocol import StreamProtocol
from agent.stream.websocket import WebSocketLine
from pipelines import audio
from pipelines.audio import frame_bytes
from pipelines.listening.detectors import (
    DetectorSettings,
    NewDetector,
    SileroDetector,
    WebRtcDetector,
    detectors,
)
from pipelines.listening.dtmf import KeypadDetector, tones
from pipelines.listening.echo import EchoGuard
from pipelines.listening.levels import VoiceLevels
from pipelines.listening.listener import Listener
from pipelines.listening.settings import GateSettings
from tests.pipelines.listening.echo_paths import EchoOf, Wave, on_the_line, speech
from tests.recordings import TRANSCRIPTS, load

RATE = 8000
FRAME = frame_bytes(RATE)
OTHER_WORK = np.zeros(3 << 17)
"""Three megabytes, which are read before each frame: what else a process does, to its cache."""

PARTS = (
    ("resampling", audio._Polyphase, "filtered"),
    ("webrtcvad", WebRtcDetector, "voiced_on_line"),
    ("silero", SileroDetector, "voiced_on_line"),
    ("keypad", KeypadDetector, "feed"),
    ("echo guard", EchoGuard, "without_echo"),
    ("is it our voice", EchoGuard, "is_own_voice"),
    ("levels", VoiceLevels, "counts"),
)
CONNECT = '{"command": "connect", "callId": "frames", "sampleRate": 8000}'


def spoken() -> Wave:
    """Return all recordings without their pauses."""
    loud = []
    for name in sorted(TRANSCRIPTS):
        samples = np.frombuffer(load(name).pcm, "<i2").astype(float)
        parts = samples[: len(samples) // 160 * 160].reshape(-1, 160)
        power = np.square(parts).mean(axis=1)
        loud.append(parts[power > 1e-3 * power.max()].ravel())
    return np.concatenate(loud)


def sounds() -> Mapping[str, tuple[bytes, bytes]]:
    """Return what comes in, and what we send meanwhile, by what a caller does."""
    said, nothing = spoken(), np.zeros(20 * RATE)
    ours = speech("not-at-desk", "which-folder", "phone-number", "caller-waiting")
    keys = np.frombuffer(tones("123456789*0#" * 8, RATE), "<i2").astype(float)
    sent = on_the_line(ours, 1)
    return {
        "zeros": (bytes(2 * len(nothing)), b""),
        "silence": (on_the_line(nothing, 2), b""),
        "over us": (on_the_line(np.zeros(len(ours)), 2), sent),
        "speech": (on_the_line(said, 2), b""),
        "speech over us": (on_the_line(said[: len(ours)], 2), sent),
        "keys": (on_the_line(keys, 2), b""),
        "echo": (on_the_line(EchoOf(down=15, room=True).of(ours), 2), sent),
    }


class Caller:
    """One call's objects, and where in the sound it is."""

    def __init__(self, new: NewDetector, heard: bytes, sent: bytes, start: int) -> None:
        self.echo = EchoGuard(RATE)
        self.detector = new()
        self.listener = Listener(RATE, self.detector, GateSettings(), self.echo)
        self.heard, self.sent, self.at = heard, sent, start * FRAME

    def next(self) -> bytes:
        """Send what we say, and return what comes next; both go round."""
        if self.at + FRAME > len(self.heard):
            self.at = 0
        here = slice(self.at, self.at + FRAME)
        self.at += FRAME
        if self.sent:
            self.echo.sent(self.sent[here])
        return self.heard[here]


def pulled(listener: Listener, pcm: bytes) -> None:
    """Take a frame, and all its events."""
    for _ in listener.feed(pcm):
        pass


def listening(name: str, calls: int, rounds: int, new: NewDetector) -> None:
    """Print what a frame costs a listener."""
    heard, sent = sounds()[name]
    callers = [Caller(new, heard, sent, 0 if sent else 37 * n) for n in range(calls)]
    for _ in range(60):
        for one in callers:
            pulled(one.listener, one.next())
    found = list(costs(callers, rounds))
    print(row(name, [feed for feed, _ in found]), end="")
    print(f"   and ours, sent {np.mean([ours for _, ours in found]):5.1f}" if sent else "")
    for part, each in sorted(parts(callers, rounds).items(), key=lambda item: -sum(item[1])):
        print(f"    {part:18}{np.sum(each) / 1000 / rounds / calls:8.1f}")


def costs(callers: list[Caller], rounds: int) -> Iterator[tuple[float, float]]:
    """Yield what each frame costs, and each of ours; other work has the cache in between."""
    empty = min(-time.thread_time_ns() + time.thread_time_ns() for _ in range(100))
    for _ in range(rounds):
        for one in callers:
            OTHER_WORK.sum()
            began = time.thread_time_ns()
            pcm = one.next()
            between = time.thread_time_ns()
            pulled(one.listener, pcm)
            ended = time.thread_time_ns()
            yield (ended - between - empty) / 1000, (between - began - empty) / 1000


def row(name: str, found: list[float]) -> str:
    """Return a line of the table."""
    low, middle, high, most = np.percentile(found, [25, 50, 75, 99])
    mean = np.mean(found)
    return f"{name:18}{mean:8.1f} µs; p25 {low:.1f} p50 {middle:.1f} p75 {high:.1f} p99 {most:.0f}"


def timed(run: Callable[..., object], spent: list[int]) -> Callable[..., object]:
    """Return ``run``, each of whose times is noted."""

    def wrapped(*given: object, **more: object) -> object:
        began = time.thread_time_ns()
        try:
            return run(*given, **more)
        finally:
            spent.append(time.thread_time_ns() - began)

    return wrapped


def parts(callers: list[Caller], rounds: int) -> Mapping[str, list[int]]:
    """Return nanoseconds of each part; one that another asks for counts in both."""
    spent: dict[str, list[int]] = {}
    kept = [(owner, name, getattr(owner, name)) for _, owner, name in PARTS]
    for part, owner, name in PARTS:
        setattr(owner, name, timed(getattr(owner, name), spent.setdefault(part, [])))
    for _ in costs(callers, rounds):
        pass
    for owner, name, was in kept:
        setattr(owner, name, was)
    return {part: each for part, each in spent.items() if each}


async def receiving(calls: int, rounds: int) -> None:
    """Print what a message costs from the socket to the protocol, over real loopback sockets."""
    speech_pcm = sounds()["speech"][0]
    pieces = [speech_pcm[at : at + FRAME] for at in range(0, len(speech_pcm) - FRAME, FRAME)]
    channels: list[Channel] = []
    got = wanted = 0
    arrived = asyncio.Event()

    async def answer(request: web.Request) -> CountedWebSocket:
        nonlocal got
        meter = Meter(before_the_answer())
        websocket = CountedWebSocket(meter, 1 << 20)
        await websocket.prepare(request)
        protocol, line = StreamProtocol(RATE), WebSocketLine(websocket, meter, LineSettings())
        protocol.receive(CONNECT)
        protocol.answer()
        line.carry(RATE)
        channel = Channel(line, protocol, RATE)
        channels.append(channel)
        while (pcm := await channel.receive()) is not None:
            got += bool(pcm)
            if got == wanted:
                arrived.set()
            await channel.flush()
        return websocket

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        far = [await session.ws_connect(f"http://127.0.0.1:{port}/") for _ in range(calls)]
        sockets = [one._writer.transport.get_extra_info("socket") for one in far]
        raw = [socket.socket(fileno=one.fileno()) for one in sockets]
        found = []
        for number in range(rounds):
            # Written by hand, so that a client's work is not in the figure; masked with zeros.
            message = b"\x82\xfe" + FRAME.to_bytes(2, "big") + bytes(4) + pieces[number]
            for one in raw:
                one.send(message)
            wanted, began = got + calls, time.process_time_ns()
            arrived.clear()
            await arrived.wait()
            found.append((time.process_time_ns() - began) / calls / 1000)
            await asyncio.sleep(0.004)
        print(row("socket to channel", found))
        for one in raw:
            one.detach()
        for ws in far:
            await ws.close()
    await runner.cleanup()


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--only", choices=[*sounds(), "socket"])
    options = parser.parse_args()
    keep_some()  # as the service does
    new = detectors(DetectorSettings())
    print(f"µs a frame of 20 ms, {options.calls} calls in turn, {RATE} Hz")
    for name in sounds():
        if options.only in (None, name):
            listening(name, options.calls, options.rounds, new)
    if options.only in (None, "socket"):
        asyncio.run(receiving(options.calls, options.rounds))


if __name__ == "__main__":
    main()
