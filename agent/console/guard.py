"""Who is let in, and what browsers may do with what they get."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from agent.console.rendering import Rendering
from agent.console.routes import AGAIN, PageRoute
from agent.console.visitor import Role, Visitor
from agent.server.operator_errors import answered, problem
from agent.stream.addresses import is_cross_site, is_loopback, is_proxied

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; media-src 'self' blob:; "
    "worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
}
"""Sent with everything that the console answers."""


class Guard:
    """Lets people in, and turns the others away.

    Args:
        rendering: For pages that say so.
    """

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering

    def guarded(self, route: PageRoute) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return what answers a request for ``route``."""

        async def handle(request: web.Request) -> web.StreamResponse:
            visitor = await self._visitor(request)
            if visitor is None:
                return problem(403, "sign in first")
            if not visitor.may(route.role):
                return problem(403, f"this takes the role {route.role.title!r}")
            request[AGAIN] = lambda: self._visitor(request)
            return await answered(lambda request: route.handler(request, visitor), request)

        return handle

    async def _visitor(self, request: web.Request) -> Visitor | None:
        """Return who asks; None if they may not be let in."""
        if not is_loopback(request.remote) or is_proxied(request) or is_cross_site(request):
            return None
        return Visitor(name="this machine", role=Role.EDIT)
