"""``python -m tests.benchmarks.soak virtual|sockets|killed [CALLS]``: what stays of calls.

``virtual``: 10,000 calls in virtual time through all of the service but its sockets: records in
journals and the database, the registry, providers that are scripted. ``sockets``: 2,000 calls of a
few seconds on real sockets, fifty at a time, of a service in a process of its own, made ready as
``voice-agent serve`` makes it; ``killed``: the same with twenty at a time whose callers are gone at
a random moment, most without a word.

After each twentieth of them, and a moment of rest, it is counted what the process holds: memory,
open sockets and other descriptors, files on the disk, threads, tasks, objects of our own. Of three
looks the least counts: what is only late is not held. In the end there is a line for each, with
its slope a call over all but the first fifth and the 95 % interval of that:

- ``flat``: at the upper end of the interval there is no more after all calls than is allowed;
- ``GROWS``: it is not flat, and the interval is above zero;
- ``NOT KNOWN``: it may be either; have more calls.

On sockets, memory is read from outside, :data:`GIVEN_BACK_WITHIN` seconds after the last call of
each, before anybody asks the process for anything: of what a twentieth added to what there was
before it, no more than :data:`KEPT` may be left. The exit status is 0 if all is flat and given
back, else 1.
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
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_
from pathlib import Path
from typing import Any

import structlog

from agent.server.event_loop import keep_what_is_there, loop_factory
from agent.server.load.memory import give_back, keep_some
from pipelines.providers import scripted
from tests.agent.conversation import voice
from tests.agent.loopback import running
from tests.agent.service_calls import ServiceCalls
from tests.benchmarks.__main__ import REPLY, turn
from tests.benchmarks.light_callers import Callers, frames_of
from tests.held_things import Held, held, memory_of, slope, stored_files
from tests.virtual_time import run

PARTS = 20
SKIPPED = 4
"""Parts at first in which caches fill."""

ALLOWED = {
    "memory": 10 << 20,
    "files": 2,
    "sockets": 2,
    "on_disk": 2,
    "threads": 2,
    "tasks": 2,
    "own": 25,
}
"""How much more of each there may be after all calls, at the upper end of its interval."""

UNITS = {"files": "descriptors of files", "on_disk": "files on disk", "own": "objects of ours"}

REST = 6.0
"""Virtual seconds before each look: whatever comes of a call is over."""

JOURNALS = "transcripts/journals"
"""Where there is a file for each call that is not in the database yet."""

STORED_WITHIN = 60.0
"""Seconds for journals to be in the database: on a busy machine it lags behind."""

GIVEN_BACK_WITHIN = 10.0
"""Seconds after the last call: five without one, then it is asked for, once a second half."""

KEPT = 0.2
"""Of what calls add to the memory, the share that may stay."""


def report(counts: Sequence[tuple[int, Held]]) -> bool:
    """Print of each resource whether it is flat; return whether all are."""
    known, calls = counts[SKIPPED:], counts[-1][0]
    flat = True
    for name, allowed in ALLOWED.items():
        values = [float(getattr(one, name)) for _, one in known]
        found = slope([number for number, _ in known], values)
        verdict = found.verdict(calls, allowed)
        flat &= verdict == "flat"
        ends = f"{values[0]:,.0f} to {values[-1]:,.0f}"
        print(f"{UNITS.get(name, name):20} {verdict:9} {ends:>28}  {found}")
    for kind in ("objects", "open", "stored"):
        more = getattr(known[-1][1], kind) - getattr(known[0][1], kind)
        if more:
            print(f"  {kind}, more than before: {dict(more)}", flush=True)
    print(f"  descriptors: {dict(known[-1][1].open)}; files on disk: {dict(known[-1][1].stored)}")
    return flat


def least(looks: Sequence[Held]) -> Held:
    """Return the least that was held of each."""
    return Held(
        memory=min(one.memory for one in looks),
        threads=min(one.threads for one in looks),
        tasks=min(one.tasks for one in looks),
        open=reduce(and_, (one.open for one in looks)),
        stored=reduce(and_, (one.stored for one in looks)),
        objects=reduce(and_, (one.objects for one in looks)),
    )


async def virtual(count: int) -> bool:
    """Hold calls one after the other, and some at once."""
    counts = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with ServiceCalls.served(folder, voice(["Hi."], [REPLY])) as calls:
            for _part in range(PARTS):
                for _ in range(count // PARTS // 20):
                    await asyncio.gather(*(calls.hold() for _ in range(20)))
                looks = []
                for _ in range(3):  # journals are synced in a thread that this clock knows not of
                    await asyncio.sleep(REST)
                    await asyncio.to_thread(time.sleep, 0.2)
                    await asyncio.to_thread(give_back)
                    looks.append(held(folder))
                counts.append((calls.count, least(looks)))
                print(_line(*counts[-1]), flush=True)
    return report(counts)


def _line(calls: int, one: Held) -> str:
    return (
        f"{calls:6} calls: {one.memory / 2**20:7.1f} MB, {one.files} files and {one.sockets}"
        f" sockets open, {one.on_disk} files on disk, {one.threads} threads, {one.tasks} tasks,"
        f" {one.own} objects of ours"
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
    sections: dict[str, Any] = {
        "server": {"max_calls": 500, "max_waiting": 500},
        "turns": {"model": "none"},
        "records": {"keep_files": False},  # else there is a file more for each call, as is wanted
    }
    async with running(folder, providers, **sections) as one:
        keep_what_is_there()

        def tell() -> None:
            registry, now = one.registry, held(folder)
            told = {name: getattr(now, name) for name in TOLD}
            places = len(registry.in_progress) + len(registry._expected)
            print(json.dumps(told | {"places": places}), file=sys.stderr, flush=True)

        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, tell)
        print(one.url, file=sys.stderr, flush=True)
        await asyncio.Event().wait()


TOLD = ("memory", "open", "stored", "threads", "tasks", "objects")


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
        counted = {name: Counter(told[name]) for name in ("open", "stored", "objects")}
        return Held(**{**told, **counted}), places

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


@dataclass(frozen=True, slots=True)
class Swing:
    """The memory of a process before calls, at the most, and once it has rested; bytes."""

    before: int
    most: int
    after: int

    @property
    def kept(self) -> float:
        """The share of what calls have added that is left."""
        return (self.after - self.before) / max(1, self.most - self.before)

    def __str__(self) -> str:
        return " -> ".join(f"{one / 2**20:.1f}" for one in (self.before, self.most, self.after))


async def loaded(process: int, calls: Coroutine[Any, Any, None]) -> Swing:
    """Hold calls; return what that does to the memory of a process."""
    before = most = memory_of(process)
    holding = asyncio.create_task(calls)
    while not holding.done():
        await asyncio.wait([holding], timeout=0.5)
        most = max(most, memory_of(process))
    await holding
    await asyncio.sleep(GIVEN_BACK_WITHIN)
    return Swing(before, most, memory_of(process))


async def journals_are_stored(folder: Path) -> float:
    """Return the seconds that it takes until no journal waits."""
    began = time.monotonic()
    while stored_files(folder)[JOURNALS] and time.monotonic() - began < STORED_WITHIN:  # noqa: ASYNC110 - another process's
        await asyncio.sleep(0.5)
    return time.monotonic() - began


async def sockets(count: int, *, killed: bool) -> bool:
    """Hold calls on sockets."""
    at_once = 20 if killed else 50
    with tempfile.TemporaryDirectory() as folder:
        service = Service(folder)
        pid = service.process.pid
        callers = Callers(service.url, [frames_of(turn("hello")), frames_of(turn("thank-you"))])
        moving = asyncio.create_task(callers.run())
        try:
            await asyncio.sleep(3)
            print(_line(0, (await service.held())[0]), flush=True)
            counts: list[tuple[int, Held]] = []
            swings: list[Swing] = []
            for part in range(PARTS):
                calls = hold_calls(callers, count // PARTS, at_once, killed=killed)
                swings.append(await loaded(pid, calls))
                late = await journals_are_stored(Path(folder))
                looks = []
                for _ in range(3):
                    now, taken = await service.held()
                    looks.append(replace(now, memory=swings[-1].after))
                    await asyncio.sleep(0.5)
                counts.append((count // PARTS * (part + 1), least(looks)))
                print(
                    f"{_line(*counts[-1])}; memory {swings[-1]} MB; {taken} places taken;"
                    f" journals stored {late:.0f} s later",
                    flush=True,
                )
            flat = report(counts)
            print(f"callers failed: {dict(Counter(callers.heard.failed))}")
            return flat and report_given_back(swings)
        finally:
            moving.cancel()
            service.end()


def report_given_back(swings: Sequence[Swing]) -> bool:
    """Print whether memory is given back after load; return that."""
    kept = sorted(one.kept for one in swings[SKIPPED:])
    middle = kept[len(kept) // 2]
    back = middle <= KEPT
    print(
        f"{'memory after load':20} {'given back' if back else 'KEPT'} within"
        f" {GIVEN_BACK_WITHIN:.0f} s: of what a twentieth added {100 * middle:.0f} % are left"
        f" ({100 * kept[0]:.0f} to {100 * kept[-1]:.0f}); the first left"
        f" {(swings[0].after - swings[0].before) / 2**20:.1f} MB, once"
    )
    return back


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=quiet)
    if what == "serve":
        keep_some()
        with asyncio.Runner(loop_factory=loop_factory(None)) as runner:
            runner.run(serve(Path(rest[0])))
    elif what == "virtual":
        keep_some()
        sys.exit(not run(virtual(int(rest[0]) if rest else 10_000)))
    else:
        os.environ["PYTHONUNBUFFERED"] = "1"
        number = int(rest[0]) if rest else 2_000
        sys.exit(not asyncio.run(sockets(number, killed=what == "killed")))
