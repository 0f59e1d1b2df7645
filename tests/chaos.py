"""``python -m tests.chaos``: how long callers hear nothing while a stage does not do its job.

Each stage in turn is a real adapter before a server that hangs, is not there, trickles, talks
nonsense, is slow, or never ends; with another provider to take over, and without. Calls are held
over real sockets, with the default budgets, by a service that has kept no sentence yet: its first
start, and the worst case. The caller says "Hello?" to three seconds of silence. It prints the
longest silence of each call, during which neither side made a sound, and when we were heard first;
it exits with 1 if either is over its bound. It takes two minutes.

Names of cases (``tts hang none``), or parts of them, choose some.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import groupby, product
from pathlib import Path
from typing import Any, Literal, get_args

import structlog
from aiohttp import web

from agent.simulator.call_in_progress import CallInProgress
from agent.simulator.plan import Plan as CallPlan
from agent.simulator.plan import Turn
from agent.simulator.stream_caller import CallFailedError, place_call
from agent.simulator.stretches import sounds
from pipelines.audio import FRAME_SECONDS, Audio
from pipelines.providers.contracts import Stage
from pipelines.providers.scripted import (
    LanguageModel,
    LanguageModelOptions,
    Synthesizer,
    SynthesizerOptions,
    Transcriber,
    TranscriberOptions,
)
from pipelines.stages.budgets import Budgets
from tests.agent.conversation import voice
from tests.agent.loopback import running, until
from tests.contract import events
from tests.contract.case import Case, Plan
from tests.contract.hearing import Connection, Finishing, HearingServer
from tests.contract.proxied import behind_a_proxy
from tests.contract.proxy import Line, Proxy
from tests.contract.wires import cartesia_tts, deepgram_stt, openai_chat

Fault = Literal["hang", "refuse", "trickle", "garbage", "slow", "endless"]
Rest = Literal["fallback", "none"]

RATE = 8000
SLOW = 2.8
"""Seconds to each result of a slow server: later than another provider is waited for, and within
every budget of one that is alone."""

MARGIN = 0.5
"""Seconds beyond a budget: the end of the caller's turn is heard, the next provider answers."""

LONGEST = 6.0
"""Seconds of silence before the end of a call that cannot be held."""

AT_ONCE = 9
"""Calls at a time; two cores hold them without being late."""

CALL_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """A case."""

    stage: Stage
    fault: Fault
    rest: Rest

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self.stage} {self.fault} {self.rest}"

    @property
    def bound(self) -> float:
        """Seconds of silence that the caller may hear."""
        budgets = Budgets()
        alone = {
            "stt": budgets.transcript,
            "llm": budgets.first_token,
            "tts": budgets.first_audio,
        }[self.stage]
        budget = budgets.patience if self.rest == "fallback" else alone
        return min(budget + MARGIN, LONGEST)


@dataclass(frozen=True, slots=True)
class Found:
    """What became of it."""

    silence: float
    at: float
    """When the longest silence began."""

    first: float
    """When we were heard first."""

    seconds: float
    ended_by: str
    said: Sequence[str]


TROUBLES = [
    Trouble(stage, fault, rest)
    for stage, fault, rest in product(get_args(Stage), get_args(Fault), get_args(Rest))
]


class _SlowHearing(HearingServer):
    async def _answer(self, connection: Connection, format_: Finishing) -> bool:
        await asyncio.sleep(SLOW)
        return await super()._answer(connection, format_)


class _EndlessHearing(HearingServer):
    async def _answer(self, connection: Connection, format_: Finishing) -> bool:
        while not connection.socket.closed:
            await self._send(connection, format_.partial("Good"))
            await asyncio.sleep(0.1)
        return False


class _SlowChat(events.Server):
    async def _answer(self, *args: Any) -> web.StreamResponse:
        await asyncio.sleep(SLOW)
        return await super()._answer(*args)


class _SlowSpeech(cartesia_tts.Server):
    async def _speak(self, *args: Any) -> None:
        await asyncio.sleep(SLOW)
        await super()._speak(*args)


CASES: dict[Stage, Case] = {
    "stt": deepgram_stt.CASE,
    "llm": openai_chat.CASE,
    "tts": cartesia_tts.CASE,
}
HEARING: dict[str, Any] = {
    "path": "/v1/listen",
    "key": lambda _request: "",
    "new": deepgram_stt.Listen,
}
TRICKLES = {"stt": Line(piece=10, gap=0.1), "llm": Line(piece=10, gap=0.1)}
TRICKLES["tts"] = Line(piece=210, gap=0.1)
"""A tenth of what each needs: 21 KB of base64 are a second of audio, 250 bytes seven letters."""


def wire(trouble: Trouble) -> Any:
    """Return the server."""
    plan = Plan(text="Good day.", seconds=1.2)
    match trouble.fault:
        case "hang":
            plan.fault = "silent"
        case "garbage":
            plan.fault = "garbage"
        case "endless":
            plan.text = "And then there is more. " * 20_000 if trouble.stage == "llm" else plan.text
            plan.seconds = 600.0
    slow, endless = trouble.fault == "slow", trouble.fault == "endless"
    match trouble.stage:
        case "stt" if slow or endless:
            return (_SlowHearing if slow else _EndlessHearing)(plan, **HEARING)
        case "llm" if slow:
            return _SlowChat(plan, openai_chat.Chat())
        case "tts" if slow:
            return _SlowSpeech(plan)
    return CASES[trouble.stage].wire(plan)


def provided(trouble: Trouble) -> AbstractAsyncContextManager[Any]:
    """Return what yields the adapter, started, before its server."""

    def spoil(proxy: Proxy) -> None:
        if trouble.fault == "refuse":
            proxy.refuse()
        elif trouble.fault == "trickle":
            proxy.line = TRICKLES[trouble.stage]

    application = wire(trouble).application()
    return behind_a_proxy(CASES[trouble.stage], application, spoil, "of-no-use", cancels=True)


def works(stage: Stage) -> Any:
    """Return a provider that does its job."""
    match stage:
        case "stt":
            return Transcriber(TranscriberOptions(lines=("Good day.",)))
        case "llm":
            return LanguageModel(LanguageModelOptions(lines=("We are here.",)))
        case "tts":
            return Synthesizer(SynthesizerOptions())


async def suffer(trouble: Trouble, folder: Path) -> Found:
    """Hold a call, and measure it."""
    async with provided(trouble) as broken:
        given: dict[str, Any] = {stage: works(stage) for stage in get_args(Stage)}
        others = [given[trouble.stage]] if trouble.rest == "fallback" else []
        given[trouble.stage] = [broken, *others]
        async with running(folder, voice(**given), alone=False) as server:
            tone = (b"\x00\x20" * 20 + b"\x00\xe0" * 20) * (RATE // 40)
            turn = Turn(audio=Audio(tone, RATE), label="a tone")
            plan = CallPlan(turns=[turn] * 4, answer_timeout=30.0, max_seconds=40.0)
            async with asyncio.timeout(CALL_WITHIN):
                call = await place_call(server.url, plan, lambda _at, _line: None, trouble.name)
                await until(lambda: not server.registry.in_progress)
            said = [line["text"] for line in server.lines() if line["kind"] == "agent"]
    began, silence = longest_silence(call)
    first = next((n for n, one in enumerate(_frames(call.agent_channel)) if sounds(one)), 10**6)
    return Found(
        silence, began, first * FRAME_SECONDS, call.report.seconds, call.report.ended_by, said
    )


def longest_silence(call: CallInProgress) -> tuple[float, float]:
    """Return when the longest silence of both sides began, and its seconds."""
    channels = zip(_frames(call.agent_channel), _frames(call.caller_channel), strict=True)
    sounding = [sounds(ours) or sounds(theirs) for ours, theirs in channels]
    at, longest = 0, (0, 0)
    for sound, run in groupby(sounding):
        length = len(list(run))
        longest = longest if sound else max(longest, (length, at))
        at += length
    return longest[1] * FRAME_SECONDS, longest[0] * FRAME_SECONDS


def _frames(channel: bytearray) -> list[bytes]:
    size = 2 * round(RATE * FRAME_SECONDS)
    return [bytes(channel[at : at + size]) for at in range(0, len(channel), size)]


def chosen(names: Sequence[str]) -> Iterator[Trouble]:
    """Yield the cases that are asked for; all, if none is."""
    for trouble in TROUBLES:
        parts = trouble.name.split()
        if not names or any(set(name.split()) <= set(parts) for name in names):
            yield trouble


async def main(names: Sequence[str]) -> int:
    """Hold the calls, print what they were like; return the exit status."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(trouble: Trouble, folder: Path) -> tuple[Trouble, Found | str]:
        async with slots:
            mine = folder / trouble.name.replace(" ", "-")
            await asyncio.to_thread(mine.mkdir)
            try:
                return trouble, await suffer(trouble, mine)
            except (CallFailedError, TimeoutError) as error:
                return trouble, f"{type(error).__name__}: {error}"

    began, over = time.monotonic(), 0
    print(
        f"{'stage, fault, others':24} {'silence':>7} {'bound':>6}  {'at':>5}  {'call':>5}  ended by"
    )
    with tempfile.TemporaryDirectory() as folder:
        work = [one(trouble, Path(folder)) for trouble in chosen(names)]
        for trouble, found in await asyncio.gather(*work):
            wrong = isinstance(found, str) or found.silence > trouble.bound or found.first > LONGEST
            over += wrong
            print(_row(trouble, found) + ("  TOO LONG" if wrong else ""))
    print(f"{over} of {len(work)} too long; {time.monotonic() - began:.0f} s")
    return 1 if over else 0


def _row(trouble: Trouble, found: Found | str) -> str:
    if isinstance(found, str):
        return f"{trouble.name:24} {found}"
    times = f"{found.silence:7.2f} {trouble.bound:6.1f}  {found.at:5.1f}  {found.first:5.1f}"
    call = f"{found.seconds:5.1f}  {found.ended_by:6}  {' | '.join(found.said)[:100]}"
    return f"{trouble.name:24} {times}  {call}"


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    sys.exit(asyncio.run(main(sys.argv[1:])))
