"""How evenly calls come to several workers, in bursts and one by one; and what the system would do.

``python -m tests.benchmarks.workers [WORKERS] [CALLS]``: prints what a write to the database takes
that all share, the calls of each worker, and the memory of each process.
"""

from __future__ import annotations

import asyncio
import select
import socket
import sys
import tempfile
import time
import uuid
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from pathlib import Path

import aiohttp

from agent.settings.database import DatabaseUrl
from agent.simulator.plan import Plan
from agent.simulator.stream_caller import answered
from agent.store.store import opened
from tests.agent.process.serving import serving

ROUNDS = 5


async def spread(base: str) -> list[int]:
    async with aiohttp.ClientSession() as http, http.get(f"{base}/health") as answer:
        return [one["calls"] for one in (await answer.json())["workers"]]


async def measure(workers: int, calls: int) -> None:
    given = {
        "STT__PROVIDER": "scripted",
        "SERVER__WORKERS": str(workers),
        "LINE__NO_AUDIO_TIMEOUT": "600",
    }
    with tempfile.TemporaryDirectory() as folder:
        async with serving(Path(folder), given) as service:
            for name, pause in (("at once", 0.0), ("20 ms apart", 0.02)):
                for _ in range(ROUNDS):
                    print(f"{calls} calls {name}:", await burst(service.url, calls, pause))
            for pid in [service.process.pid, *children(service.process.pid)]:
                print(f"process {pid}: {megabytes(pid)} MB")


async def burst(url: str, calls: int, pause: float) -> list[int]:
    """Have calls in progress at once; return how many each worker has."""
    all_there, done = asyncio.Semaphore(0), asyncio.Event()

    async def call(number: int) -> None:
        await asyncio.sleep(number * pause)
        async with answered(url, Plan(answer_timeout=60), f"c{number}"):
            all_there.release()
            await done.wait()

    async with asyncio.TaskGroup() as group:
        for number in range(calls):
            group.create_task(call(number))
        for _ in range(calls):
            await all_there.acquire()
        base = url.replace("ws://", "http://").rpartition("/")[0]
        found = await spread(base)
        while sum(found) < calls:
            await asyncio.sleep(0.1)
            found = await spread(base)
        done.set()
    while sum(await spread(base)):  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.1)
    return found


def megabytes(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    (pss,) = (line.split()[1] for line in text.splitlines() if line.startswith("Pss:"))
    return int(pss) // 1024


def children(pid: int) -> list[int]:
    return [
        int(one)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for one in (task / "children").read_text().split()
    ]


def by_the_system(workers: int, calls: int) -> list[int]:
    """Return how many connections each of several sockets gets by SO_REUSEPORT."""
    sockets: list[socket.socket] = []
    for _ in range(workers):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(sockets[0].getsockname() if sockets else ("127.0.0.1", 0))
        one.listen(calls)
        one.setblocking(False)
        sockets.append(one)
    callers = [socket.create_connection(sockets[0].getsockname()) for _ in range(calls)]
    counts = []
    for one in sockets:
        counts.append(0)
        while select.select([one], [], [], 0)[0]:
            one.accept()[0].close()
            counts[-1] += 1
    for one in (*callers, *sockets):
        one.close()
    return counts


WRITES_A_SECOND = 10.0
"""Of each process: a call makes some twenty in its life, so that is a call each two seconds."""

FOR = 10.0


async def write(url: str) -> list[float]:
    """Write to the database as a worker does; return the seconds that each has taken."""
    took: list[float] = []
    async with opened(DatabaseUrl(url)) as store:
        until = time.monotonic() + FOR
        while (began := time.monotonic()) < until:
            name = uuid.uuid4().hex
            await store.console.put(name, {"until": 0.0})
            await store.console.take(name)
            took.append((time.monotonic() - began) / 2)
            await asyncio.sleep(max(0.0, 2 / WRITES_A_SECOND - (time.monotonic() - began)))
    return took


def written(url: str) -> list[float]:
    return asyncio.run(write(url))


def writes() -> None:
    """Print what a write to one SQLite file takes, with so many processes that write."""
    for number in (1, 4, 8, 16):
        with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(number) as processes:
            url = f"sqlite:///{folder}/voice-agent.db"
            took = sorted(chain.from_iterable(processes.map(written, [url] * number)))
            p50, p99 = (took[int(len(took) * share)] * 1000 for share in (0.5, 0.99))
            print(
                f"{number} processes, {len(took) * 2 / FOR:.0f} writes a second: "
                f"p50 {p50:.1f}, p99 {p99:.1f}, longest {took[-1] * 1000:.0f} ms"
            )


if __name__ == "__main__":
    writes()
    number, most = (int(one) for one in (*sys.argv[1:], *("4", "40")[len(sys.argv) - 1 :]))
    for _ in range(ROUNDS):
        print(f"{most} connections by SO_REUSEPORT:", by_the_system(number, most))
    asyncio.run(measure(number, most))
