"""What the service says of itself at ``/metrics``: how late its event loop was."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from agent.bench.line import Target

NAME = "voice_agent_loop_lag_seconds_bucket"

_SAMPLE = re.compile(rf'{NAME}\{{[^}}]*\ble="([^"]+)"[^}}]*\}} ([0-9.eE+]+)')

MOST_TOLD = 16_000_000
"""Bytes that are read: more than any service has to say."""

WITHIN = 3.0
"""Seconds for the service to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LagHistogram:
    """A histogram: how often the loop was at most so late, over all workers."""

    counts: Mapping[float, float]
    """By seconds, cumulative; the last is infinite."""

    def since(self, before: LagHistogram) -> LagHistogram:
        """Return what has come since then."""
        counts = {at: self.counts[at] - before.counts.get(at, 0.0) for at in self.counts}
        return LagHistogram(counts=counts)

    def percentile(self, percent: float) -> float | None:
        """Return the seconds that it was at most late, in so many of 100 looks; None of none."""
        total = max(self.counts.values(), default=0.0)
        enough = (at for at in sorted(self.counts) if self.counts[at] >= total * percent / 100)
        return next(enough, None) if total else None


def read(text: str) -> LagHistogram | None:
    """Return the histogram in what a service says; None if there is none in it."""
    counts: dict[float, float] = {}
    for at, count in _SAMPLE.findall(text):
        counts[float(at)] = counts.get(float(at), 0.0) + float(count)
    return LagHistogram(counts=counts) if counts else None


async def loop_lag(target: Target) -> LagHistogram | None:
    """Ask the server at the other end; None if it has no such metric, or does not answer."""
    url = f"{'https' if target.secure else 'http'}://{target.place}/metrics"
    try:
        async with (
            asyncio.timeout(WITHIN),
            aiohttp.ClientSession() as session,
            session.get(url, allow_redirects=False) as response,
        ):
            told = bytearray()
            async for piece in response.content.iter_any():
                told += piece
                if len(told) > MOST_TOLD:
                    return None
            return read(told.decode())
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return None
