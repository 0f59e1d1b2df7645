"""The console: its pages, added to the web server of the process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack

from aiohttp import web

from agent.console.rendering import STATIC, Rendering
from agent.console.routes import PageRoute, Pages
from agent.console.sign_in.guard import Guard
from agent.console.sign_in.pages import SignInPages
from agent.console.visitor import Visitor
from agent.server.operator.errors import problem

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_OURS: web.RequestKey[bool] = web.RequestKey("console", bool)


class Console:
    """The routes.

    Args:
        rendering: Templates and files.
        guard: Lets people in.
        pages: What there is to see.
        sign_in: The way in; None if nobody signs in here.
        beside: Runs beside the pages; left in the end, the last first.
    """

    def __init__(
        self,
        rendering: Rendering,
        guard: Guard,
        pages: Sequence[Pages],
        sign_in: SignInPages | None,
        beside: Sequence[AbstractAsyncContextManager[object]] = (),
    ) -> None:
        self._beside = beside
        self._rendering = rendering
        self._guard = guard
        self._pages = pages
        self._sign_in = sign_in

    def add_to(self, app: web.Application) -> None:
        """Add the routes; we answer whatever else is asked of their paths, or below them, too."""
        add = app.router.add_route
        paths = [r"/console/{rest:[\s\S]*}"]  # line breaks, too
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
        async with AsyncExitStack() as running:
            for one in self._beside:
                await running.enter_async_context(one)
            yield

    async def _add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        if request.get(_OURS):
            self._guard.add_headers(request, response)


async def _nothing(_request: web.Request, _visitor: Visitor) -> web.Response:
    return problem(404, "there is nothing here, or nothing that could be done so")
