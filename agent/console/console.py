"""The console: its pages, put together of what the process has, and added to its web server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from agent.console.agent_pages import AgentPages
from agent.console.call_pages import CallPages
from agent.console.event_stream import Viewers
from agent.console.guard import HEADERS, Guard
from agent.console.live_events import LiveEvents
from agent.console.live_pages import LivePages
from agent.console.overview_pages import OverviewPages
from agent.console.phone_pages import PhonePages
from agent.console.rendering import STATIC, Rendering
from agent.console.replay_pages import ReplayPages
from agent.console.replays import Replays
from agent.console.routes import Pages
from agent.console.waveforms import Waveforms
from agent.personas.folder import AgentFolder
from agent.records.sealing import seal_of
from agent.records.seals import Seal
from agent.records.stored_lines import StoredLines
from agent.server.call_actions import CallActions
from agent.server.phone_tickets import PhoneTickets
from agent.server.record_keeping import RecordKeeping
from agent.server.recording_answers import RecordingAnswers
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


class Owned(Protocol):
    """Something that runs beside the pages, and ends with them."""

    async def aclose(self) -> None:
        """End it."""
        ...


class Console:
    """The routes.

    Args:
        rendering: Templates and files.
        guard: Lets people in.
        pages: What there is to see.
        owned: Closed in the end, in this order.
    """

    def __init__(
        self,
        rendering: Rendering,
        guard: Guard,
        pages: Sequence[Pages],
        owned: Sequence[Owned] = (),
    ) -> None:
        self._owned = owned
        self._rendering = rendering
        self._guard = guard
        self._pages = pages

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
        yield
        for one in self._owned:
            await one.aclose()


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    if request.get(_OURS):
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)


def _live(parts: ConsoleParts, seal: Seal) -> Sequence[Pages]:
    """Return what is pushed of calls in progress, where there are records of them."""
    stored = parts.keeping.database
    if stored is None:
        return ()
    lines = StoredLines(parts.store.database, seal)
    feeds = parts.registry.feeds
    viewers = Viewers()
    return [LiveEvents(feeds, parts.actions, lines, stored.records, stored.access, viewers)]


def console(parts: ConsoleParts) -> Console:
    """Return the console of a process."""
    rendering = Rendering()
    stored = parts.keeping.database
    records = stored.records if stored is not None else None
    access = stored.access if stored is not None else None
    waveforms, replays = Waveforms(parts.keeping.recordings), Replays(parts.settings.file)
    pages: list[Pages] = [
        PhonePages(
            rendering,
            parts.agents,
            parts.settings.agent,
            parts.settings.server.path,
            PhoneTickets(parts.store.console),
        ),
        LivePages(rendering, parts.actions),
        *_live(parts, seal_of(parts.settings.privacy)),
        CallPages(
            rendering,
            records,
            access,
            RecordingAnswers(records, parts.keeping.recordings, access),
            waveforms,
        ),
        ReplayPages(rendering, records, access, replays),
        OverviewPages(rendering, records, access),
        AgentPages(rendering, parts.agents),
    ]
    return Console(rendering, Guard(rendering), pages, owned=[replays, waveforms])
