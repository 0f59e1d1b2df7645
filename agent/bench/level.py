"""One level: so many calls at once, for so long, and what was measured of them."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.bench.caller import Measured
from agent.bench.line import CallNotAnsweredError, CallRefusedError, Target, dial
from agent.bench.metrics import PACING, LagHistogram, ask, read
from agent.bench.pacing import CallPacer
from agent.bench.processes import Use, core_seconds, cores_of, family, use_of
from pipelines.background import BackgroundTasks

BEGIN_WITHIN = 10.0
"""Seconds over which the calls of a level begin: about one turn, so that not all speak at once."""

A_CALL_EVERY = 0.5
"""Seconds between two of them, where there are few."""

AT_LEAST_EVERY = 0.25
"""Seconds between two of them, however many: a service that does not know yet what calls cost
learns it while they come, and is not to refuse any for that alone."""

SETTLE = 5.0
"""Seconds from the last call that was placed until something is measured: greetings are over."""

LOOK_EVERY = 1.0
"""Seconds between two looks at the memory."""

TRIED_FOR = 30.0
"""Seconds for the call before all to hear an answer: a greeting, a turn, cold providers."""

REST = 3.0
"""Seconds after the last call until the memory is looked at that stays."""


@dataclass(slots=True, kw_only=True)
class Level:
    """What was measured with so many calls. Times in seconds, sizes in bytes."""

    calls: int
    seconds: float
    """Of measuring."""

    spread: float
    """Over which the calls began."""

    answered: int = 0
    refused: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    """Calls that were not answered, or ended by themselves, by why."""

    measured: Sequence[Measured] = ()
    """Of each call that was answered."""

    most_at_once: int = 0
    """Callers who spoke at the same moment, at most."""

    cpu: float | None = None
    """Of the server, while it was measured."""

    memory_before: int | None = None
    memory_most: int | None = None
    memory_after: int | None = None
    lag: LagHistogram | None = None
    """Of the server's event loop."""

    pacing: LagHistogram | None = None
    """How late its audio left, message by message."""

    woken: Sequence[float] = ()
    sent: Sequence[float] = ()
    """How late the generator woke, and sent, tick by tick."""

    own_cpu: float = 0.0
    providers_cpu: float | None = None
    others: float | None = None
    """Share of the server's cores that was neither its own nor ours: somebody else's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What does not change from level to level."""

    target: Target
    seconds: float
    seed: int
    server: int | None
    """The server's process; None if it is not known."""

    providers: int | None
    """That of the providers; None if they are another's."""


async def try_out(bench: Bench) -> None:
    """Hold one call until something is answered: what a first call loads is no part of a level.

    Raises:
        CallNotAnsweredError: If nothing is: no other call would fare better.
    """
    line = await dial(bench.target, 0, bench.seed)
    pace, background = CallPacer(), BackgroundTasks()
    pace.add(line)
    try:
        pacing = background.start(pace.run(), "pacing a call")
        until = time.perf_counter() + TRIED_FOR
        while not (line.over or line.caller.measured.responses):
            await _let_run(pacing, 0.1)
            if time.perf_counter() > until:
                raise CallNotAnsweredError(
                    f"the call is answered, but nothing said in {TRIED_FOR:g} s"
                )
        if line.over:
            raise CallNotAnsweredError(line.over)
    finally:
        await line.hang_up()
        await background.aclose()


def spread_of(calls: int) -> float:
    """Return the seconds over which the calls of a level begin, evenly."""
    every = BEGIN_WITHIN / max(1, calls - 1)
    return (calls - 1) * max(AT_LEAST_EVERY, min(A_CALL_EVERY, every))


async def run(bench: Bench, calls: int) -> Level:
    """Hold so many calls at once, and measure them."""
    spread = spread_of(calls)
    level = Level(calls=calls, seconds=bench.seconds, spread=spread)
    level.memory_before = (await _look(bench)).memory
    pace, background = CallPacer(), BackgroundTasks()
    pacing = background.start(pace.run(), "pacing the calls")
    try:
        await _begin(bench, level, pace, background)
        await _let_run(pacing, SETTLE)
        await _measure(bench, level, pace, pacing)
    finally:
        pacing.cancel()
        for line in pace:
            background.start(line.hang_up(), "hanging up")
        await background.aclose(within=5.0)
    await asyncio.sleep(REST)  # the server lets go of what was the calls'
    level.memory_after = (await _look(bench)).memory
    return level


async def _begin(bench: Bench, level: Level, pace: CallPacer, background: BackgroundTasks) -> None:
    """Place the calls, evenly over ``level.spread``; return once each is answered, or is not."""
    seeds = random.Random(f"{bench.seed} {level.calls}")  # noqa: S311 - the same at every run

    async def place(number: int, seed: int) -> None:
        await asyncio.sleep(level.spread * number / max(1, level.calls - 1))
        try:
            pace.add(await dial(bench.target, number, seed))
        except CallRefusedError:
            level.refused += 1
        except CallNotAnsweredError as error:
            level.failed[str(error)] += 1

    placed = [
        background.start(place(number, seeds.getrandbits(32)), "placing a call")
        for number in range(level.calls)
    ]
    await asyncio.wait(placed, timeout=level.spread + 20.0)
    level.answered = sum(1 for _ in pace)


async def _let_run(pacing: asyncio.Task[None], seconds: float) -> None:
    """Let the calls go on; if they are paced no more, which is a bug, end the level by that."""
    await asyncio.wait({pacing}, timeout=seconds)
    if pacing.done():
        pacing.result()


async def _measure(bench: Bench, level: Level, pace: CallPacer, pacing: asyncio.Task[None]) -> None:
    lines = [line for line in pace if not line.over]
    told = await ask(bench.target)
    before = await _look(bench)
    for line in lines:
        line.caller.begin_measuring()
    pace.begin_measuring()
    level.memory_most = before.memory
    until = before.at + level.seconds
    while (left := until - time.perf_counter()) > 0:
        await _let_run(pacing, min(LOOK_EVERY, left))
        speaking = sum(line.caller.speaks for line in lines)
        level.most_at_once = max(level.most_at_once, speaking)
        if level.memory_most is not None and (now := use_of(before.family)) is not None:
            level.memory_most = max(level.memory_most, now.memory)
    level.woken, level.sent = pace.woken, pace.sent
    level.measured = [line.caller.result() for line in lines]
    _compare(level, before, await _look(bench))
    level.failed.update(line.over for line in pace if line.over)
    later = await ask(bench.target)
    level.lag = read(later).since(read(told))
    level.pacing = read(later, PACING).since(read(told, PACING))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What was used by a moment: seconds of CPU, bytes of memory."""

    at: float
    family: Sequence[int]
    """The server's processes."""

    server: Use | None
    providers: Use | None
    own: float
    cores: frozenset[int]
    """Of the server."""

    busy: float | None
    """Of these cores, whoever used them."""

    @property
    def memory(self) -> int | None:
        return None if self.server is None else self.server.memory


async def _look(bench: Bench) -> _Look:
    """Look at the processes, in a thread: there may be hundreds on the machine."""
    return await asyncio.to_thread(_look_now, bench)


def _look_now(bench: Bench) -> _Look:
    server = [] if bench.server is None else family(bench.server)
    cores = frozenset[int]() if bench.server is None else cores_of(bench.server)
    return _Look(
        at=time.perf_counter(),
        family=server,
        server=use_of(server),
        providers=None if bench.providers is None else use_of([bench.providers]),
        own=time.process_time(),
        cores=cores,
        busy=core_seconds(cores) if cores else None,
    )


def _compare(level: Level, before: _Look, after: _Look) -> None:
    """Fill in what was used from one look to the other."""
    level.seconds = after.at - before.at
    level.own_cpu = after.own - before.own
    level.cpu = _cpu(before.server, after.server)
    level.providers_cpu = _cpu(before.providers, after.providers)
    if level.cpu is None or before.busy is None or after.busy is None:
        return
    ours = level.cpu
    if after.cores & cores_of(os.getpid()):
        ours += level.own_cpu + (level.providers_cpu or 0.0)
    level.others = max(0.0, after.busy - before.busy - ours) / level.seconds / len(after.cores)


def _cpu(before: Use | None, after: Use | None) -> float | None:
    return None if before is None or after is None else after.cpu - before.cpu
