"""The console: its pages, put together of what the process has, and added to its web server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from agent.console.agent_pages import AgentPages
from agent.console.browsers import OwnAddress
from agent.console.call_pages import CallPages
from agent.console.guard import Guard
from agent.console.live_pages import LivePages
from agent.console.oidc import SignInProvider
from agent.console.overview_pages import OverviewPages
from agent.console.passwords import Passwords
from agent.console.phone_pages import PhonePages
from agent.console.recognition import NamedByProxy, Recognition, SignedIn, ThisMachine
from agent.console.rendering import STATIC, Rendering
from agent.console.routes import PageRoute, Pages
from agent.console.sessions import Sessions
from agent.console.sign_in_pages import SignInPages
from agent.console.visitor import Visitor
from agent.personas.folder import AgentFolder
from agent.server.call_actions import CallActions
from agent.server.operator_errors import problem
from agent.server.phone_tickets import PhoneTickets
from agent.server.record_keeping import RecordKeeping
from agent.server.registry import CallRegistry
from agent.settings import Settings
from agent.settings.console import OidcSettings
from agent.store.store import Store
from pipelines.stages.lineup import Providers

log = structlog.get_logger()

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
        sign_in: The way in; None if nobody signs in here.
    """

    def __init__(
        self,
        rendering: Rendering,
        guard: Guard,
        pages: Sequence[Pages],
        sign_in: SignInPages | None,
    ) -> None:
        self._rendering = rendering
        self._guard = guard
        self._pages = pages
        self._sign_in = sign_in

    def add_to(self, app: web.Application) -> None:
        """Add the routes; we answer whatever else is asked of their paths, or below them, too."""
        add = app.router.add_route
        paths = ["/console/{rest:.*}"]
        for route in self._sign_in.open_routes() if self._sign_in is not None else ():
            add(route.method, route.path, self._marked(self._guard.opened(route)))
            paths.append(route.path)
        for pages in [*self._pages, *([self._sign_in] if self._sign_in is not None else ())]:
            for page in pages.routes():
                add(page.method, page.path, self._marked(self._guard.guarded(page)))
                paths.append(page.path)
        add("GET", STATIC + "/{digest}/{name:.+}", self._marked(self._rendering.file))
        for path in reversed(dict.fromkeys(paths)):
            nothing = PageRoute(method="GET", path=path, handler=_nothing)
            add("*", path, self._marked(self._guard.guarded(nothing)))
        app.on_response_prepare.append(self._add_headers)
        app.cleanup_ctx.append(self._running)

    def _marked(self, handler: _Handler) -> _Handler:
        async def marked(request: web.Request) -> web.StreamResponse:
            request[_OURS] = True
            return await handler(request)

        return marked

    async def _running(self, _app: web.Application) -> AsyncIterator[None]:
        await asyncio.to_thread(self._rendering.load)
        yield
        await self._guard.aclose()
        if self._sign_in is not None:
            await self._sign_in.aclose()

    async def _add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        if request.get(_OURS):
            self._guard.add_headers(request, response)


async def _nothing(_request: web.Request, _visitor: Visitor) -> web.Response:
    return problem(404, "there is nothing here, or nothing that could be done so")


def is_shown(settings: Settings) -> bool:
    """Return whether there is a console; where there is none and nobody said so, say why."""
    if not settings.shows_console and settings.console.enabled is not False:
        log.info(
            "no pages: others could reach them, and nobody signs in; set console.password, "
            "console.users, console.oidc or console.proxy"
        )
    return settings.shows_console


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
        AgentPages(rendering, parts.agents),
    ]
    settings = parts.settings
    url = urlsplit(settings.console.public_url or settings.sinch.public_url)
    host = url.netloc.rpartition("@")[2].lower()
    address = OwnAddress(origin=f"{url.scheme}://{host}" if host else "")
    sessions = Sessions(parts.store.console, settings.console)
    sign_in = _sign_in(settings, rendering, address, sessions)
    guard = Guard(
        rendering,
        _ways(settings, address, sessions),
        address,
        sign_in=sign_in is not None,
        open_here=not settings.console.signs_in,
    )
    return Console(rendering, guard, pages, sign_in)


def _ways(settings: Settings, address: OwnAddress, sessions: Sessions) -> Sequence[Recognition]:
    """Return how people are recognised: nobody is, unless they sign in, or are of this machine."""
    given = settings.console
    if not given.signs_in:
        return [ThisMachine()] if settings.in_development else []
    ways: list[Recognition] = []
    if given.proxy.is_set:
        ways.append(NamedByProxy(given.proxy, address))
    if given.accounts or given.oidc.is_set:
        ways.append(SignedIn(sessions, address))
    return ways


def _sign_in(
    settings: Settings, rendering: Rendering, address: OwnAddress, sessions: Sessions
) -> SignInPages | None:
    given = settings.console
    if not given.accounts and not given.oidc.is_set:
        return None
    provider = _provider(given.oidc) if given.oidc.is_set else None
    passwords = Passwords(given.accounts)
    return SignInPages(rendering, given, address, sessions, passwords, provider)


def _provider(settings: OidcSettings) -> SignInProvider:
    from agent.console.identity_provider import IdentityProvider  # noqa: PLC0415 - an extra

    return IdentityProvider(settings)
