"""The console: its pages, put together of what the process has, and added to its web server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from aiohttp import web

from agent.console.agent_console import AgentConsole
from agent.console.call_pages import CallPages
from agent.console.guard import HEADERS, Guard
from agent.console.live_pages import LivePages
from agent.console.overview_pages import OverviewPages
from agent.console.phone_pages import PhonePages
from agent.console.rendering import STATIC, Rendering
from agent.console.routes import Pages
from agent.personas.folder import AgentFolder
from agent.server.call_actions import CallActions
from agent.server.phone_tickets import PhoneTickets
from agent.server.record_keeping import RecordKeeping
from agent.server.registry import CallRegistry
from agent.settings import Settings
from agent.store.store import Store
from pipelines.stages.lineup import Providers

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_OURS: web.RequestKey[bool] = web.RequestKey("console", bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleParts:
    """What of the process the console shows, and acts on."""

    settings: Settings
    agents: AgentFolder
    providers: Providers
    registry: CallRegistry
    actions: CallActions
    keeping: RecordKeeping
    store: Store


class Console:
    """The routes.

    Args:
        rendering: Templates and files.
        guard: Lets people in.
        pages: What there is to see.
        beside: Runs beside the pages.
    """

    def __init__(
        self,
        rendering: Rendering,
        guard: Guard,
        pages: Sequence[Pages],
        beside: Callable[[], AbstractAsyncContextManager[None]],
    ) -> None:
        self._rendering = rendering
        self._guard = guard
        self._pages = pages
        self._beside = beside

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        for pages in self._pages:
            for route in pages.routes():
                guarded = self._marked(self._guard.guarded(route))
                app.router.add_route(route.method, route.path, guarded)
        app.router.add_get(STATIC + "/{digest}/{name:.+}", self._marked(self._rendering.file))
        app.on_response_prepare.append(_add_headers)
        app.cleanup_ctx.append(self._loaded)

    def _marked(self, handler: _Handler) -> _Handler:
        async def marked(request: web.Request) -> web.StreamResponse:
            request[_OURS] = True
            return await handler(request)

        return marked

    async def _loaded(self, _app: web.Application) -> AsyncIterator[None]:
        await asyncio.to_thread(self._rendering.load)
        async with self._beside():
            yield


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    if request.get(_OURS):
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)


def console(parts: ConsoleParts) -> Console:
    """Return the console of a process."""
    rendering = Rendering()
    stored = parts.keeping.database
    records = stored.records if stored is not None else None
    access = stored.access if stored is not None else None
    pages: list[Pages] = [
        PhonePages(
            rendering,
            parts.agents,
            parts.settings.agent,
            parts.settings.server.path,
            PhoneTickets(parts.store.console),
        ),
        LivePages(rendering, parts.actions),
        CallPages(rendering, records, parts.keeping.recordings, access),
        OverviewPages(rendering, records, access),
    ]
    agents = AgentConsole(
        parts.settings, parts.agents, parts.providers, parts.registry, parts.store
    )
    pages += agents.pages(rendering)
    return Console(rendering, Guard(rendering), pages, agents.running)
