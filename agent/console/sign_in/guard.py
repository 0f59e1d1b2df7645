"""Who is let in, and what browsers may do with what they get."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog
from aiohttp import web

from agent.console.rendering import Rendering
from agent.console.routes import OpenRoute, PageRoute
from agent.console.sign_in.browsers import (
    VISIT,
    OwnAddress,
    brings,
    led_to,
    set_cookie,
    sign_in_path,
    wants_page,
)
from agent.console.sign_in.recognition import NEW_VISIT, Recognition
from agent.console.visitor import Visitor
from agent.server.operator.errors import answered, problem
from agent.store.errors import StoreError
from agent.stream.addresses import client_address
from pipelines.background import BackgroundTasks
from pipelines.clock import now

log = structlog.get_logger()

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

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

OVER_TLS = {"strict-transport-security": "max-age=31536000"}
"""Besides, to browsers that reach us by TLS."""

UNCACHED = "no-store"
"""What browsers keep of all but files: nothing. Who signs out leaves nothing behind."""

LOOK_EVERY = 10.0
"""Seconds between two looks whether somebody to whom something is being sent may still have it."""

_VISITOR: web.RequestKey[Visitor] = web.RequestKey("visitor", Visitor)

TITLES = {401: "Sign in first", 403: "Not for you", 404: "Not found", 429: "Too often"}


class Guard:
    """Lets people in, and turns the others away. Close it in the end.

    Args:
        rendering: For pages that say so.
        ways: To tell who asks, the first that does counts.
        address: Where browsers find us.
        sign_in: Whether there is a page to sign in by.
        open_here: Whether it is this machine alone that is let in.
    """

    def __init__(
        self,
        rendering: Rendering,
        ways: Sequence[Recognition],
        address: OwnAddress,
        *,
        sign_in: bool = False,
        open_here: bool = False,
    ) -> None:
        self._rendering = rendering
        self._ways = ways
        self.address = address
        self._sign_in = sign_in
        self._open_here = open_here
        self._background = BackgroundTasks()

    def guarded(self, route: PageRoute) -> Answer:
        """Return what answers a request for ``route``."""
        return partial(self._answer, partial(self._let_in, route))

    def opened(self, route: OpenRoute) -> Answer:
        """Return what answers a request for ``route``, whoever asks; but no page of another site.

        In development nobody but this machine is answered here, either.
        """
        return partial(self._answer, partial(self._let_any_in, route))

    def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """Add what everything brings along that the console answers."""
        more = OVER_TLS if self.address.is_secure(request) else {}
        for name, value in {**HEADERS, **more, "cache-control": UNCACHED}.items():
            response.headers.setdefault(name, value)

    async def aclose(self) -> None:
        """End what runs beside the requests."""
        await self._background.aclose()

    async def _answer(self, handler: Answer, request: web.Request) -> web.StreamResponse:
        response = await answered(handler, request)
        if isinstance(response, web.Response) and not response.prepared:
            response = self._for_readers(request, response)
        visit = request.get(NEW_VISIT)
        if visit and not response.prepared and wants_page(request):
            set_cookie(response, VISIT, visit, secure=self.address.is_secure(request))
        return response

    async def _let_in(self, route: PageRoute, request: web.Request) -> web.StreamResponse:
        if self.address.is_foreign(request):
            return _refused(request, 403, "asked by a page of another site")
        visitor = await self._visitor(request, active=True)
        if visitor is None:
            return self._turned_away(request)
        request[_VISITOR] = visitor
        if not visitor.may(route.role):
            why = f"this takes the role {route.role.title!r}; yours is {visitor.role.title!r}"
            return _refused(request, 403, why, visitor.name)
        if route.method != "GET":
            if not self.address.is_own(request):
                return _refused(request, 403, "not sent by a page of ours", visitor.name)
            if not await brings(request, visitor.csrf):
                return _refused(request, 403, "the page is too old: load it again", visitor.name)
        return await self._while_allowed(route, request, visitor)

    async def _let_any_in(self, route: OpenRoute, request: web.Request) -> web.StreamResponse:
        foreign = self.address.is_foreign(request)
        if foreign or (route.method != "GET" and not self.address.is_own(request)):
            return _refused(request, 403, "asked by a page of another site")
        return await route.handler(request)

    async def _visitor(self, request: web.Request, *, active: bool) -> Visitor | None:
        for way in self._ways:
            if (visitor := await way.visitor(request, active=active)) is not None:
                return visitor
        return None

    def _turned_away(self, request: web.Request) -> web.Response:
        if self._open_here:
            return _refused(
                request,
                403,
                "without sign-in the pages are for this machine alone, asked for as localhost or "
                "127.0.0.1; to open them to others, set console.password",
            )
        if self._sign_in and request.method == "GET" and wants_page(request):
            return led_to(sign_in_path(request))
        return problem(401, "sign in first", {"www-authenticate": 'Session realm="console"'})

    def _for_readers(self, request: web.Request, response: web.Response) -> web.Response:
        """Return a problem as a page, where somebody reads it."""
        if response.content_type != "application/problem+json" or not wants_page(request):
            return response
        detail = str(json.loads(response.text or "{}").get("detail", ""))
        visitor = request.get(_VISITOR)
        page = self._rendering.page(
            request,
            visitor,
            "problem.html",
            title=TITLES.get(response.status, "That did not work"),
            detail=detail,
            sign_in=sign_in_path(request) if self._sign_in and visitor is None else "",
        )
        page.set_status(response.status)
        for name in ("retry-after", "www-authenticate"):
            if name in response.headers:
                page.headers[name] = response.headers[name]
        return page

    async def _while_allowed(
        self, route: PageRoute, request: web.Request, visitor: Visitor
    ) -> web.StreamResponse:
        """Return what the route answers; it is cut off once its visitor may have it no more.

        What is pushed to a page goes on for hours, and people sign out, also by another process.
        """
        try:
            async with asyncio.timeout(None) as allowed:
                looking = self._look_again(request, visitor, allowed)
                watch = self._background.start(looking, "looking whether a visitor is still one")
                try:
                    return await route.handler(request, visitor)
                finally:
                    watch.cancel()
        except TimeoutError:
            if not allowed.expired():
                raise
        log.info("cut off: not signed in any more", who=visitor.name)
        if request.transport is not None:
            request.transport.abort()  # it may be in the middle of an answer
        return problem(401, "sign in first")

    async def _look_again(
        self, request: web.Request, visitor: Visitor, allowed: asyncio.Timeout
    ) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                again = await self._visitor(request, active=False)
            except StoreError:  # the database has logged it; nobody is let in meanwhile
                again = None
            # Of a lower role, they are shown less: the page asks again, as what they are now.
            if again is None or again.name != visitor.name or not again.may(visitor.role):
                allowed.reschedule(now())
                return


def _refused(request: web.Request, status: int, why: str, who: str = "") -> web.Response:
    # Of the path only which page it is: an address may hold what was searched for.
    log.warning("console refused", why=why, who=who, remote=client_address(request))
    return problem(status, why)
