"""``python -m tests.benchmarks.soak virtual|sockets|killed [CALLS]``: what stays of calls.

``virtual``: 10,000 calls in virtual time through all of the service but its sockets: records in
journals and the database, the registry, providers that are scripted. ``sockets``: 2,000 calls of a
few seconds on real sockets, fifty at a time, of a service in a process of its own; ``killed``: the
same with twenty at a time whose callers are gone at a random moment, most without a word.

After each tenth of them, and a moment of rest, it is counted what the process holds: memory, open
files, threads, tasks, objects of our own by class. Printed is the slope a call over all but the
first tenths, with its 95 % interval; classes of which there are more than before; and, on sockets,
the memory before, at the most, and after a rest.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import structlog

from pipelines.providers import scripted
from tests.agent.conversation import voice
from tests.agent.loopback import running
from tests.agent.service_calls import ServiceCalls
from tests.benchmarks.__main__ import REPLY, turn
from tests.benchmarks.light_callers import Callers, frames_of
from tests.held_things import Held, held, memory_of, slope
from tests.virtual_time import run

PARTS = 10
SKIPPED = 2
"""Parts at first in which caches fill."""

COUNTED = ("memory", "files", "threads", "tasks")

REST = 6.0
"""Seconds after each part: closed sockets are gone."""

JOURNAL = "agent.records.journal_folder.UnloadedJournal"
"""Of a call that is not in the database yet."""

STORED_WITHIN = 60.0
"""Seconds for journals to be in the database besides: on a busy machine it lags behind."""


def report(counts: Sequence[tuple[int, Held]]) -> None:
    """Print what grows."""
    known = counts[SKIPPED:]
    calls = [number for number, _ in known]
    for name in (*COUNTED, "own"):
        values = [float(getattr(one, name)) for _, one in known]
        print(f"{name:8} {values[0]:14,.0f} to {values[-1]:14,.0f}  {slope(calls, values)}")
    more = known[-1][1].objects - known[0][1].objects
    grown = {
        name: str(slope(calls, [float(one.objects[name]) for _, one in known])) for name in more
    }
    print("classes with more objects than before:", grown or "none", flush=True)


async def virtual(count: int) -> None:
    """Hold calls one after the other, and some at once."""
    counts = []
    with tempfile.TemporaryDirectory() as folder:
        async with ServiceCalls.served(Path(folder), voice(["Hi."], [REPLY])) as calls:
            for part in range(PARTS):
                for _ in range(count // PARTS // 20):
                    await asyncio.gather(*(calls.hold() for _ in range(20)))
                for _ in range(3):  # journals are synced in a thread that this clock knows not of
                    await asyncio.sleep(REST)
                    await asyncio.to_thread(time.sleep, 0.2)
                counts.append((count // PARTS * (part + 1), held()))
                print(_line(*counts[-1]), flush=True)
    report(counts)


def _line(calls: int, one: Held) -> str:
    return (
        f"{calls:6} calls: {one.memory / 2**20:7.1f} MB, {one.files} files, {one.threads} threads,"
        f" {one.tasks} tasks, {one.own} objects of ours"
    )


async def serve(folder: Path) -> None:
    """Serve calls until the process is ended; tell what it holds at each SIGUSR1."""
    providers = voice(
        stt=scripted.Transcriber(scripted.TranscriberOptions(lines=("What time?",), delay=0.05)),
        llm=scripted.LanguageModel(
            scripted.LanguageModelOptions(lines=(REPLY,), delay=0.05, words_per_second=60)
        ),
        tts=scripted.Synthesizer(scripted.SynthesizerOptions(delay=0.05)),
    )
    server = {"max_calls": 500, "max_waiting": 500}
    async with running(folder, providers, server=server, turns={"model": "none"}) as one:

        def tell() -> None:
            registry = one.registry
            places = len(registry.in_progress) + len(registry._expected)
            now = held()
            told = {name: getattr(now, name) for name in COUNTED} | {"objects": now.objects}
            print(json.dumps(told | {"places": places}), file=sys.stderr, flush=True)

        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, tell)
        print(one.url, file=sys.stderr, flush=True)
        await asyncio.Event().wait()


class Service:
    """A service in a process of its own."""

    def __init__(self, folder: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.soak", "serve", folder],
            stdout=subprocess.DEVNULL,  # its log
            stderr=subprocess.PIPE,
            text=True,
        )
        self.url = self._line().strip()

    def _line(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.readline()

    async def held(self) -> tuple[Held, int]:
        """Return what it holds, and how many places are taken."""
        self.process.send_signal(signal.SIGUSR1)
        while not (line := await asyncio.to_thread(self._line)).startswith('{"memory"'):
            print(line, end="")  # something else that it has to say
        told = json.loads(line)
        places = told.pop("places")
        return Held(**{**told, "objects": Counter(told["objects"])}), places

    def end(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()


async def hold_calls(callers: Callers, count: int, at_once: int, *, killed: bool) -> None:
    """Have so many calls, each for some seconds."""
    room = asyncio.Semaphore(at_once)

    async def one() -> None:
        async with room:
            call = await callers.call()
            # Killed ones are gone in any phase, the handshake and the greeting among them.
            await asyncio.sleep(random.choice((0.0, 0.002, 0.02, 0.2, random.uniform(0, 8)))
                                if killed else random.uniform(2, 6))  # fmt: skip
            leave = call.abort if killed and random.random() < 0.8 else call.hang_up
            leave()

    await asyncio.gather(*(one() for _ in range(count)))


async def sockets(count: int, *, killed: bool) -> None:
    """Hold calls on sockets."""
    at_once = 20 if killed else 50
    with tempfile.TemporaryDirectory() as folder:
        service = Service(folder)
        callers = Callers(service.url, [frames_of(turn("hello")), frames_of(turn("thank-you"))])
        moving = asyncio.create_task(callers.run())
        try:
            await asyncio.sleep(3)
            before, _ = await service.held()
            print(_line(0, before), flush=True)
            counts, most, taken = [], 0, 0
            for part in range(PARTS):
                await hold_calls(callers, count // PARTS, at_once, killed=killed)
                most = max(most, memory_of(service.process.pid))
                await asyncio.sleep(REST)
                until = time.monotonic() + STORED_WITHIN
                now, taken = await service.held()
                while now.objects[JOURNAL] and time.monotonic() < until:
                    await asyncio.sleep(1)
                    now, taken = await service.held()
                counts.append((count // PARTS * (part + 1), now))
                print(
                    _line(*counts[-1]),
                    f", {taken} places taken, {now.objects[JOURNAL]} journals wait",
                    flush=True,
                )
            report(counts)
            began = time.monotonic()
            while time.monotonic() - began < 20:
                await asyncio.sleep(5)
                print(f"memory {memory_of(service.process.pid) / 2**20:.1f} MB after a rest")
            print(
                f"memory {before.memory / 2**20:.1f} MB before, {most / 2**20:.1f} MB at the most;"
                f" callers failed: {Counter(callers.heard.failed)}"
            )
        finally:
            moving.cancel()
            service.end()


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=quiet)
    if what == "serve":
        asyncio.run(serve(Path(rest[0])))
    elif what == "virtual":
        run(virtual(int(rest[0]) if rest else 10_000))
    else:
        os.environ["PYTHONUNBUFFERED"] = "1"
        asyncio.run(sockets(int(rest[0]) if rest else 2_000, killed=what == "killed"))
