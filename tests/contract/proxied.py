"""A real adapter before its server, with a proxy between them that breaks what the server sends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.contract.case import Case
from tests.contract.proxy import Proxy, listening, proxying


@asynccontextmanager
async def behind_a_proxy(
    case: Case,
    application: web.Application,
    spoil: Callable[[Proxy], None],
    key: str,
    *,
    cancels: bool = False,
) -> AsyncIterator[Any]:
    """Yield the adapter, started.

    Args:
        case: Of the adapter.
        application: Its server.
        spoil: Told the proxy, before anything goes through it.
        key: The adapter's.
        cancels: Whether the server stops what nobody waits for any more.
    """
    sock = listening()
    runner = web.AppRunner(application, handler_cancellation=cancels, shutdown_timeout=0.1)
    await runner.setup()
    await web.SockSite(runner, sock).start()
    try:
        async with proxying(sock.getsockname()[1]) as proxy:
            spoil(proxy)
            given = {**case.options(f"http://127.0.0.1:{proxy.port}"), "api_key": key}
            provider = case.provider(case.provider.Options.model_validate(given))
            await provider.start()
            try:
                yield provider
            finally:
                await provider.aclose()
    finally:
        await runner.cleanup()
