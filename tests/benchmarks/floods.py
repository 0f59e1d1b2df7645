"""One socket that floods, beside the loop that all calls share: how long does that stand still?"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from agent.simulator.plan import Plan
from tests.agent.loopback import running, until
from tests.agent.raw_socket import BINARY, connected, frame, upgrade
from tests.agent.server.test_app import converse
from tests.agent.server.test_floods import FLOODS

SECONDS = 2.0
"""Of each flood; whoever is cut off connects again at once."""


async def measured(kind: str) -> str:
    """Return what a flood of a kind does to the loop, and to a call beside it."""
    lags: list[float] = []

    async def look() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            lags.append(time.perf_counter() - before - 0.005)

    async with running(Path(tempfile.mkdtemp()), alone=False) as server:
        call = asyncio.create_task(converse(server.url, Plan()))
        await until(lambda: server.registry.in_progress)
        looking = asyncio.create_task(look())
        flood = asyncio.create_task(asyncio.to_thread(_flood, server.url, kind))
        await flood
        looking.cancel()
        gaps = (await call).report.gaps
    lags.sort()
    return (
        f"{kind:15} lag p99 {lags[int(len(lags) * 0.99)] * 1000:6.1f} ms, longest "
        f"{lags[-1] * 1000:6.1f} ms; gaps heard: {gaps}"
    )


def _flood(url: str, kind: str) -> None:
    """Flood from a thread with a loop of its own, and no regard for anybody."""

    async def again_and_again() -> None:
        until_then = time.monotonic() + SECONDS
        while time.monotonic() < until_then:
            async with connected(url, upgrade(url)) as raw:
                await raw.head()
                if kind == "continuations":
                    await raw.send(frame(BINARY, final=False))
                await raw.flood(FLOODS[kind])

    asyncio.run(again_and_again())


def main() -> None:
    """Print a line for each kind."""
    for kind in FLOODS:
        print(asyncio.run(measured(kind)))


if __name__ == "__main__":
    main()
