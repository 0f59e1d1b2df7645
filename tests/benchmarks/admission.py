"""``python -m tests.benchmarks.admission [SECONDS]``: what twice the calls do to those admitted.

``voice-agent serve`` runs on the first core, with providers of fixed latency and no `max_calls`;
callers run on the second. At first they rise to as many as are let in, and hold that: the level
that the process admits, and what callers wait for at it. Then twice and three times as many want a
call, each asking again a few seconds after it was declined, and calls end meanwhile; then all
leave, and a burst comes at once. Printed are what those wait for who are in a call, and for how
long the others waited to be declined. The promise: p95 within 10 % of that at the level, and 0.2 s.

What others do on the two cores is in it all: look at how late the callers were.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sys
import time

import aiohttp
import numpy as np

from tests.benchmarks.__main__ import FIXED, server, turn
from tests.benchmarks.light_callers import Callers, Heard, frames_of

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 40.0
"""Of each span."""

TURNS = ("hello", "thank-you", "one-moment")

AGAIN_AFTER = 5.0
"""Seconds until who was declined asks again, about."""

LASTS = 40.0
"""Seconds of a call, on average, once the level is known."""

RISE = 3.0
"""Calls a second that come in at first."""


async def health(url: str) -> dict[str, object]:
    """Return what the service says of itself."""
    base = url.replace("ws:", "http:").removesuffix("/stream")
    async with aiohttp.ClientSession() as session, session.get(f"{base}/health") as answer:
        found: dict[str, object] = await answer.json()
        return found


async def want(callers: Callers, wanted: int, seconds: float, *, turnover: bool) -> None:
    """Have so many want a call, for a while; those who are declined ask again."""
    until = time.perf_counter() + seconds
    while (left := until - time.perf_counter()) > 0:
        out = wanted - len(callers.calls)
        # Whoever is out asks every few seconds: spread over them.
        for _ in range(np.random.poisson(max(0, out) / AGAIN_AFTER * 0.1)):
            await callers.call()
        if turnover and random.random() < 0.1 * callers.answered / LASTS:
            random.choice(callers.calls).hang_up()
        await asyncio.sleep(min(0.1, left))


def show(what: str, heard: Heard, callers: Callers, load: dict[str, object]) -> float:
    """Print a span; return the p95 of what callers waited for, in seconds."""
    waited = np.array([seconds for _, seconds in heard.responses] or [np.nan])
    declined = np.array([seconds for _, seconds in heard.declined] or [0.0])
    p95 = float(np.percentile(waited, 95))
    print(
        f"{what:26} in a call {callers.answered:4d}  room {load['room']!s:4}"
        f" answers p50 {1000 * np.median(waited):5.0f} p95 {1000 * p95:5.0f} ms (n={len(waited)})"
        f"  gaps {len(heard.gaps)}  declined {len(heard.declined)}, within"
        f" p50 {1000 * np.median(declined):.0f} p95 {1000 * np.percentile(declined, 95):.0f}"
        f" most {1000 * declined.max():.0f} ms  failed {len(heard.failed)}"
        f"  callers late p99 {1000 * np.percentile(heard.late or [0.0], 99):.1f} ms",
        flush=True,
    )
    return p95


async def measure(url: str) -> None:
    """Print all."""
    callers = Callers(url, [frames_of(turn(name)) for name in TURNS])
    running = asyncio.create_task(callers.run())
    try:
        await _rise(callers)
        levels: dict[int, list[float]] = {}
        admitted = max(1, callers.answered)
        for times in (1, 2, 3, 1, 2):
            await want(callers, times * admitted, 10, turnover=times > 1)
            callers.heard = heard = Heard()
            for one in callers.calls:
                one.heard = heard
            await want(callers, times * admitted, SECONDS, turnover=times > 1)
            p95 = show(f"{times} x {admitted} want a call", heard, callers, await health(url))
            levels.setdefault(times, []).append(p95)
        base = np.mean(levels[1])
        for times, found in levels.items():
            print(f"p95 at {times} x, of that at the level: {np.mean(found) / base:.2f}")
        await _burst(callers, url)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _rise(callers: Callers) -> None:
    """Have calls come in, until none was let in for a while."""
    most, since = 0, time.perf_counter()
    while time.perf_counter() - since < 15:
        await want(callers, callers.answered + int(RISE * AGAIN_AFTER), 1, turnover=False)
        if callers.answered > most:
            most, since = callers.answered, time.perf_counter()


async def _burst(callers: Callers, url: str) -> None:
    """Have all leave, and many come within a second."""
    before = callers.answered
    while callers.calls:
        callers.calls.pop().hang_up()
    left = time.perf_counter()
    while (said := await health(url)) and (said["calls"] or not said["room"]):  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    print(f"{before} calls left; there was room again after {time.perf_counter() - left:.1f} s")
    callers.heard = heard = Heard()
    for _ in range(2 * before):
        await callers.call()
        await asyncio.sleep(1 / (2 * before))
    await want(callers, 0, SECONDS, turnover=False)
    show(f"burst of {2 * before} in a second", heard, callers, await health(url))


if __name__ == "__main__":
    os.sched_setaffinity(0, {0})
    settings = FIXED | {"TURNS__MODEL": "none", "SERVER__MAX_WAITING": "1000"}
    with server(**settings) as (at, _):
        os.sched_setaffinity(0, {1})
        asyncio.run(measure(at))
