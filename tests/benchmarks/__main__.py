"""``python -m tests.benchmarks``: what a frame, a turn, a barge-in and a start cost.

It prints and asserts nothing: machines differ and are shared. Compare figures of one run.
Servers run as ``voice-agent serve`` in a process of their own; callers speak recorded human speech
at 8 kHz through the platform stand-in, in this process.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import numpy as np

from agent.simulator.call_in_progress import CallInProgress
from agent.simulator.plan import Plan, Turn
from agent.simulator.sinch.stand_in import StandIn
from agent.simulator.stream_caller import place_call
from agent.sinch.api.signing import Credentials
from pipelines.audio import SPEECH_RATE, Chunker, Resampler, at_rate, frame_bytes
from pipelines.listening.detectors import DetectorSettings, detectors
from pipelines.listening.dtmf import KeypadDetector
from pipelines.listening.gate import SpeechGate
from pipelines.listening.settings import GateSettings
from tests.benchmarks.database import databases
from tests.recordings import TRANSCRIPTS, load

RATE = 8000
STT, FIRST_TOKEN, TOKENS_A_SECOND, FIRST_AUDIO = 0.150, 0.200, 60.0, 0.100
SENTENCE = "We are open until nine that day."
REPLY = f"{SENTENCE} The kitchen closes at eight, and the bar is open until midnight."
PROVIDERS = STT + FIRST_TOKEN + len(SENTENCE.split()) / TOKENS_A_SECOND + FIRST_AUDIO
"""Seconds, 0.567: what the peers were measured with."""

FIXED = {
    "STT__PROVIDER": "scripted",
    "STT__OPTIONS": json.dumps({"lines": ["What time do you open on Sunday?"], "delay": STT}),
    "LLM__PROVIDER": "scripted",
    "LLM__OPTIONS": json.dumps(
        {"lines": [REPLY], "delay": FIRST_TOKEN, "words_per_second": TOKENS_A_SECOND}
    ),
    "TTS__PROVIDER": "scripted",
    "TTS__OPTIONS": json.dumps({"delay": FIRST_AUDIO}),
}


def show(what: str, unit: str, values: list[float]) -> None:
    """Print p50 and p95 of ``values``."""
    if values:
        p50, p95 = np.percentile(values, [50, 95])
        print(f"{what:58s} p50 {p50:8.1f}  p95 {p95:8.1f} {unit}  (n={len(values)})", flush=True)
    else:
        print(f"{what:58s} no measurement")


def turn(name: str) -> Turn:
    """Return a recording as a caller's turn."""
    return Turn(audio=at_rate([load(name)], RATE), label=TRANSCRIPTS[name])


def inbound() -> None:
    """Time the whole inbound path of each 20 ms frame: resampler, keypad, detector, gate."""
    new_detector = detectors(DetectorSettings())
    silent = bytes(frame_bytes(RATE))
    for what, voiced in (("speech", True), ("silence", False)):
        microseconds = []
        for name in TRANSCRIPTS:
            resampler, frames = Resampler(RATE, SPEECH_RATE), Chunker(frame_bytes(SPEECH_RATE))
            detector, gate = new_detector(), SpeechGate(GateSettings(), SPEECH_RATE)
            keypad = KeypadDetector()
            for frame in Chunker(frame_bytes(RATE)).feed(turn(name).audio.pcm):
                began = time.perf_counter()
                for piece in frames.feed(resampler.feed(frame if voiced else silent)):
                    keypad.feed(piece)
                    for _ in gate.feed(piece, detector.voiced(piece)):
                        pass
                microseconds.append((time.perf_counter() - began) * 1e6)
        show(f"inbound work a 20 ms frame, {what}", "us", microseconds)


@contextmanager
def server(**settings: str) -> Iterator[tuple[str, float]]:
    """Run ``voice-agent serve``; yield its address and the seconds until it listened."""
    with tempfile.TemporaryDirectory() as folder:
        given = {f"VOICE_AGENT_{name}": value for name, value in settings.items()}
        given = {"VOICE_AGENT_SERVER__PORT": "0"} | given
        given |= {"VOICE_AGENT_TRANSCRIPTS": folder}
        given |= {"VOICE_AGENT_DATABASE": f"sqlite:///{folder}/voice-agent.db"} | given
        given |= {"VOICE_AGENT_LOG__LEVEL": "error"}
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "agent.cli", "serve"],
            env=os.environ | given,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            url = process.stdout.readline().rpartition(" ")[2].strip()
            yield url, time.perf_counter() - began
        finally:
            process.terminate()  # it lets calls in progress end first
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


async def hold(url: str, plans: list[Plan], at_once: int = 1) -> list[CallInProgress]:
    """Hold calls, so many at once."""
    room = asyncio.Semaphore(at_once)

    async def one(number: int, plan: Plan) -> CallInProgress:
        async with room:
            await asyncio.sleep(0.013 * (number % at_once))  # not all in step
            return await place_call(url, plan, lambda _at, _line: None, f"bench-{number}")

    return await asyncio.gather(*(one(number, plan) for number, plan in enumerate(plans)))


def respond(url: str, plans: list[Plan], at_once: int) -> None:
    """Print how long callers wait, and how much of that is neither silence nor providers."""
    calls = asyncio.run(hold(url, plans, at_once))
    waited = [e.response for c in calls for e in c.report.exchanges if e.response]
    show(f"  voice to voice, {at_once} call(s) at once", "ms", [1000 * s for s in waited])
    fixed = GateSettings().end_after + PROVIDERS + 0.020
    over = [1000 * (seconds - fixed) for seconds in waited]
    show(f"  of it beyond silence of 0.5 s, providers, 20 ms; {at_once}", "ms", over)


def latency() -> None:
    """Time turns and barge-ins against providers of fixed latency."""
    names = sorted(TRANSCRIPTS, key=lambda name: load(name).seconds)[:12]
    plans = [Plan(turns=[turn(a), turn(b)]) for a, b in zip(names[::2], names[1::2], strict=True)]
    plain = {"TURNS__DRAFTING": "false", "TURNS__MODEL": "none"}
    with server(**FIXED, **plain) as (url, _):
        print("a fixed silence, no drafts, no turn model:")
        respond(url, plans, 1)
    print("drafts and the turn model:")
    with server(**FIXED) as (url, _):
        for at_once in (1, 6):
            respond(url, plans, at_once)
        over = [Plan(turns=[turn(name)], interrupt_after=1.0) for name in TRANSCRIPTS]
        calls = asyncio.run(hold(url, over, 4))
        clears = [e.clear for c in calls for e in c.report.exchanges if e.clear is not None]
        show("barge-in: onset of speech to `clear`", "ms", [1000 * seconds for seconds in clears])


def local_stack() -> None:
    """Time answers of the local models, end of speech to the first audio that is heard."""
    with server() as (url, _):
        names = ["hello", "thank-you", "one-moment", "did-not-understand", "caller-waiting"]
        calls = asyncio.run(hold(url, [Plan(turns=[turn(name)]) for name in names]))
    waited = [e.response for c in calls for e in c.report.exchanges if e.response]
    show("local models: end of speech to first audio", "ms", [1000 * s for s in waited])
    greeted = [c.report.agent_spoke[0][0] for c in calls if c.report.agent_spoke]
    show("local models: `answer` to first audio of the greeting", "ms", [1000 * s for s in greeted])


AGENT = """---
greeting: Hello {{caller}}. You have reached the bakery in Linden Street. How can I help?
---
Be kind.
"""


def announced() -> None:
    """Time callbacks, and the greeting of the calls that they announce.

    It has words that nobody spoke before.

    The caller's number is in it, so that it cannot be prepared before the callback.
    """
    secret = base64.b64encode(b"benchmark").decode()
    signer = Credentials(scheme="application", key_id="bench", secret=secret)
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        (Path(folder) / "reception.md").write_text(AGENT)
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
        probe.close()
        given = {
            "PROMPTS": folder,
            "DATABASE": f"sqlite:///{folder}/voice-agent.db",
            "SERVER__PORT": port,
            "SINCH__APPLICATION_KEY": "bench",
            "SINCH__APPLICATION_SECRET": secret,
            "SINCH__PUBLIC_URL": f"http://127.0.0.1:{port}",
        }
        with server(**given):
            for at_once in (1, 8):
                taken = asyncio.run(_ask(signer, port, at_once))
                what = f"callback to its answer, a call comes in, {at_once} at once"
                show(what, "ms", [1000 * seconds for seconds in taken])
            for after in (0.0, 0.3):
                greeted = asyncio.run(_announce(signer, port, after))
                what = f"announced {after:g} s before: `answer` to the greeting"
                show(what, "ms", [1000 * seconds for seconds in greeted])


async def _ask(signer: Credentials, port: str, at_once: int) -> list[float]:
    room, taken = asyncio.Semaphore(at_once), list[float]()
    to = {"type": "did", "endpoint": "15550100"}

    async def one(number: int) -> None:
        call = {"event": "ice", "callid": f"ask-{at_once}-{number}", "cli": "15550000001", "to": to}
        body = json.dumps(call).encode()
        headers = signer.headers(method="POST", path="/sinch", body=body, now=datetime.now(UTC))
        async with room:
            began = time.perf_counter()
            async with session.post(url, data=body, headers=headers) as response:
                assert response.status == 200
                await response.read()
            taken.append(time.perf_counter() - began)

    url = f"http://127.0.0.1:{port}/sinch"
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(one(number) for number in range(200)))
    return taken


async def _announce(signer: Credentials, port: str, after: float) -> list[float]:
    url = f"http://127.0.0.1:{port}/sinch"
    standin = StandIn(url, v1=signer, connects_after=after)
    greeted = []
    async with standin.running():
        for number in range(5):
            caller = f"+1202555{int(after * 10)}{number:03d}"
            leg = await standin.call_in(caller, "+15550100", Plan(max_seconds=2.0))
            await leg.over.wait()
            if leg.held is not None and leg.held.report.agent_spoke:
                greeted.append(leg.held.report.agent_spoke[0][0])
    return greeted


def starts() -> None:
    """Time imports and the cold start."""
    for module in ("agent.cli", "agent.server.start"):
        taken = []
        for _ in range(5):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
            taken.append(1000 * (time.perf_counter() - began))
        show(f"process start and import {module}", "ms", taken)
    taken = []
    for _ in range(3):
        with server() as (_, seconds):
            taken.append(1000 * seconds)
    show("cold start to listening, local models warm", "ms", taken)


def levels() -> None:
    """Print what a short run of ``voice-agent bench`` says."""
    command = [sys.executable, "-m", "agent.cli", "bench", "--calls", "1,5", "--seconds", "20"]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}")
    inbound()
    latency()
    local_stack()
    announced()
    databases()
    starts()
    levels()
