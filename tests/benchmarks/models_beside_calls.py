"""What a turn model does to the calls of the same core, by the way in which it runs.

An event loop carries simulated calls, each of which takes a little of it every 20 ms; questions
come at random beside them, as callers pause. How late the loop is, how many questions are answered
before silence would have decided, and how soon, is printed for each way, one after the other and
in several rounds: on a machine that does something else, too, only one round counts, and in it only
the ratios::

    python -m tests.benchmarks.models_beside_calls --cores 0
    python -m tests.benchmarks.models_beside_calls --cores 0,1 --a-second 20

With ``OPENBLAS_NUM_THREADS=1`` before it, threads are not made worse by numpy's own, which keep
cores busy while they wait for each other; processes of models have but one anyway.
Linux alone: it takes cores for itself, and threads have a priority there.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import resource
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import numpy as np

from pipelines.audio import SPEECH_RATE
from pipelines.model_process import ModelProcess, NotAnsweredError
from pipelines.turn_taking.smart_turn import WINDOW_SECONDS, load

CALLS = 50
TICK = 0.02
TOO_LATE = 0.7
"""Seconds until an answer is no use any more: the silence has decided, which is counted from 0.1 s
before the question."""

Asking = Callable[[bytes], Awaitable[float]]


@dataclass(slots=True)
class Found:
    """What was measured of one way, in seconds."""

    lags: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    asked: int = 0


@contextmanager
def in_threads(nice: int) -> Iterator[Asking]:
    """Ask in a thread of this process, as urgent as that."""

    def begin() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)

    ask = load()
    with ThreadPoolExecutor(1, initializer=begin) as pool:
        yield lambda pcm: asyncio.get_running_loop().run_in_executor(pool, ask, pcm)


def urgent(nice: int) -> Callable[[bytes], float]:
    """Load the model in a process of another priority than the service gives it.

    More urgent than that needs the right to be.
    """
    ask, here = load(), [False]

    def answer(pcm: bytes) -> float:
        if not here[0]:
            os.setpriority(os.PRIO_PROCESS, 0, nice)
            here[0] = True
        return ask(pcm)

    return answer


@contextmanager
def in_process(nice: int | None, runner: asyncio.Runner) -> Iterator[Asking]:
    """Ask in a process; None for the priority that the service gives it."""
    urgent_here = import_module("tests.benchmarks.models_beside_calls").urgent  # not of __main__
    how = (load,) if nice is None else (urgent_here, nice)
    model = ModelProcess("benchmark", *how)
    runner.run(model.start())
    try:
        runner.run(model.ask(bytes(2 * SPEECH_RATE)))
        yield model.ask
    finally:
        runner.run(model.aclose())


async def nobody(_pcm: bytes) -> float:
    """Answer at once: what the loop does without a model."""
    return 0.5


def busy(seconds: float) -> None:
    """Take so much of the processor."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


async def beside(asking: Asking, questions: list[bytes], given: argparse.Namespace) -> Found:
    """Carry calls and ask; return what was measured."""
    found, loop = Found(), asyncio.get_running_loop()
    end = loop.time() + given.seconds
    chance = random.Random(7)

    async def call(number: int) -> None:
        due = loop.time() + number * TICK / CALLS
        while due < end:
            await asyncio.sleep(due - loop.time())
            found.lags.append(loop.time() - due)
            busy(given.frame)
            due += TICK

    async def question(pcm: bytes) -> None:
        began = loop.time()
        found.asked += 1
        try:
            async with asyncio.timeout(TOO_LATE):
                await asking(pcm)
        except (TimeoutError, NotAnsweredError):
            return
        found.answers.append(loop.time() - began)

    async with asyncio.TaskGroup() as group:
        for number in range(CALLS):
            group.create_task(call(number))
        while (wait := chance.expovariate(given.a_second)) < end - loop.time():
            await asyncio.sleep(wait)
            group.create_task(question(chance.choice(questions)))
    return found


def tell(name: str, found: Found, cpu: float) -> None:
    """Print what was measured of one way."""
    lag = " ".join(f"{1000 * q:7.1f}" for q in np.quantile(found.lags, (0.5, 0.99, 1.0)))
    late = " ".join(f"{1000 * q:5.0f}" for q in np.quantile(found.answers or [9], (0.5, 0.95)))
    print(
        f"{name:24} loop lag ms p50 p99 max {lag}   answered {len(found.answers):3} of "
        f"{found.asked:3}, ms p50 p95 {late}   CPU s {cpu:5.2f}",
        flush=True,
    )


def spent() -> float:
    """Return CPU seconds of this process and of those that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def one_round(questions: list[bytes], given: argparse.Namespace) -> None:
    """Measure each way once."""
    for name in given.ways.split(","):
        way, _, nice = name.partition(":")
        sys.setswitchinterval(0.0005 if way == "switching" else 0.005)
        with asyncio.Runner() as runner:
            ways: AbstractContextManager[Asking]
            if way == "nobody":
                ways = nullcontext(nobody)
            elif way == "process":
                ways = in_process(int(nice) if nice else None, runner)
            else:
                ways = in_threads(int(nice or 0))
            before = spent()
            with ways as asking:
                found = runner.run(beside(asking, questions, given))
        gc.collect()
        tell(name, found, spent() - before)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--cores", default="0", help="that all of it runs on: 0 or 0,1")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each way")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frame", type=float, default=100e-6, help="CPU seconds of a call's 20 ms")
    parser.add_argument("--a-second", type=float, default=10.0, help="questions")
    parser.add_argument(
        "--ways",
        default="nobody,threads,threads:5,threads:10,switching:10,process:0,process,process:19",
        help="nobody, threads:NICE, switching:NICE (the interpreter, every 0.5 ms), process:NICE",
    )
    given = parser.parse_args()
    os.sched_setaffinity(0, {int(core) for core in given.cores.split(",")})
    noise = np.random.default_rng(1)
    samples = round(WINDOW_SECONDS * SPEECH_RATE)
    questions = [noise.normal(0, 3000, samples).astype("<i2").tobytes() for _ in range(8)]
    print(f"{Path(__file__).stem}: {CALLS} calls, {given.a_second:g} questions a second")
    for _ in range(given.rounds):
        one_round(questions, given)
        print()


if __name__ == "__main__":
    main()
