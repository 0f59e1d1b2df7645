"""What servers of text-to-speech have in common: a tone to send, and sentences on a websocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import numpy as np
from aiohttp import web

from pipelines.audio import Audio
from pipelines.providers.contracts import Speech

from .case import Case, Plan, Wire

PIECE = 0.1
"""Seconds of audio in a piece, less half a sample."""


def tone(seconds: float, rate: int) -> bytes:
    """Return samples of 400 Hz."""
    at = np.arange(round(seconds * rate)) / rate
    return bytes((8000 * np.sin(2 * np.pi * 400 * at)).astype("<i2").tobytes())


def pieces(plan: Plan, rate: int) -> Iterator[bytes]:
    """Yield what is sent of a sentence, cut within samples: all, or one piece, or none."""
    samples = b"" if plan.fault == "empty" else tone(plan.seconds, rate)
    size = 2 * round(PIECE * rate) - 1
    for at in range(0, len(samples), size):
        yield samples[at : at + size]
        if plan.fault == "early":
            return


def refusal(plan: Plan) -> web.Response | None:
    """Return the answer to a request that is refused, with words that nobody should repeat."""
    statuses = {"unauthorized": 401, "rate_limit": 429}
    if plan.fault not in statuses:
        return None
    message = {"detail": f"Not with {' '.join(plan.secrets)}!"}
    return web.json_response(message, status=statuses[plan.fault])


class Sentences:
    """The sentences on one websocket, each spoken by a task of its own.

    Args:
        wire: Counts them.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def running(self) -> int:
        """How many are being spoken."""
        return sum(not task.done() for task in self._tasks.values())

    def begin(self, name: str, speaking: Coroutine[Any, Any, None]) -> None:
        """Speak one."""
        self._wire.served += 1
        self._tasks[name] = asyncio.create_task(speaking)

    def give_up(self, name: str, *, stop: bool) -> None:
        """Note that nobody wants it any more; stop it, if the provider would."""
        task = self._tasks.pop(name, None)
        if task is None or task.done():
            return
        self._wire.cancelled += 1
        if stop:
            task.cancel()
        else:
            self._tasks[f"{name} in vain"] = task

    async def aclose(self) -> None:
        """Stop all, since the client has gone."""
        for name, task in list(self._tasks.items()):
            if not task.done() and not name.endswith("in vain"):
                self._wire.cancelled += 1
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


@asynccontextmanager
async def voiced(case: Case, wire: Wire, **options: object) -> AsyncIterator[Any]:
    """Yield an adapter that is started, before a server of its own."""
    runner = web.AppRunner(
        wire.application(), handler_cancellation=True, shutdown_timeout=0.05, access_log=None
    )
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    chosen = {"api_key": "k", **case.options(site.name), **options}
    provider = case.provider(case.provider.Options.model_validate(chosen))
    try:
        await provider.start()
        yield provider
    finally:
        await provider.aclose()
        await runner.cleanup()


async def rate_of(provider: Any, line: int) -> int:
    """Return the hertz that a sentence is spoken at for a line of ``line`` hertz."""
    (rate,) = {each.rate for each in await spoken(provider, rate=line) if isinstance(each, Audio)}
    return rate


async def spoken(provider: Any, text: str = "Hello there.", rate: int = 8_000) -> list[Speech]:
    """Return all that comes of a sentence."""
    async with aclosing(provider.speak(text, rate)) as results:
        return [result async for result in results]
