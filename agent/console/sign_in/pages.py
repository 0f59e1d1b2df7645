"""Signing in, by a password or an identity provider, and signing out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import structlog
from aiohttp import web

from agent.console.rendering import Rendering
from agent.console.routes import OpenRoute, PageRoute
from agent.console.sign_in.browsers import (
    ATTEMPT,
    SESSION,
    START,
    VISIT,
    OwnAddress,
    brings,
    cookie,
    csrf_of,
    delete_cookie,
    form_of,
    led_to,
    own_path,
    set_cookie,
)
from agent.console.sign_in.oidc import Attempt, NotLetInError, ProviderFailedError, SignInProvider
from agent.console.sign_in.passwords import AGAIN_AFTER, BusyError, Passwords
from agent.console.sign_in.recognition import visit_of
from agent.console.sign_in.sessions import OIDC, Sessions
from agent.console.visitor import Role, Visitor
from agent.server.throttle import SharedTries, Throttle
from agent.settings.console import ADMIN, ConsoleSettings
from agent.stream.addresses import client_address, counted_as
from pipelines.clock import now

log = structlog.get_logger()

SIGN_IN = "/console/sign-in"
CALLBACK = "/console/sign-in/callback"
"""Where an identity provider sends people back to: it has to be registered there."""

WRONG_OF_ONE_ADDRESS, WRONG_OF_ONE_NAME = 10, 50
"""Wrong passwords within :data:`WRONG_WITHIN`: of one address; and for one name, from anywhere."""

WRONG_WITHIN = 600.0
"""Seconds."""

ATTEMPTS_OF_ONE_ADDRESS = 30
"""Ways to the identity provider and back within :data:`WRONG_WITHIN`: it is asked by each."""

AWAY_FOR = 600
"""Seconds to sign in at the identity provider."""

EXPIRED = "That page was open for too long, or your browser keeps no cookies. Please try again."
WRONG = "That is not the right name and password."
BUSY = "Too many tries. Please try again in {} seconds."
NOT_BY_PROVIDER = "The identity provider did not sign you in. Please try again."


class SignInPages:
    """The way in, and out.

    Args:
        rendering: Makes the page.
        console: Who may sign in.
        address: Where browsers find us.
        sessions: Of those who are signed in.
        passwords: Checks them.
        provider: Signs people in, too; None if there is none.
        tries: What other workers of the service count; None if there are none.
    """

    def __init__(
        self,
        rendering: Rendering,
        console: ConsoleSettings,
        address: OwnAddress,
        sessions: Sessions,
        passwords: Passwords,
        provider: SignInProvider | None,
        tries: SharedTries | None = None,
    ) -> None:
        self._rendering = rendering
        self._by_name = bool(console.users)
        self._by_password = bool(console.accounts)
        self._address = address
        self._sessions = sessions
        self._passwords = passwords
        self._provider = provider
        self._addresses = Throttle(WRONG_OF_ONE_ADDRESS, WRONG_WITHIN, tries, "address")
        self._names = Throttle(WRONG_OF_ONE_NAME, WRONG_WITHIN, tries, "name")
        self._attempts = Throttle(ATTEMPTS_OF_ONE_ADDRESS, WRONG_WITHIN, tries, "attempt")

    def open_routes(self) -> Sequence[OpenRoute]:
        """Return the paths of those who have not signed in."""
        found = [OpenRoute(method="GET", path=SIGN_IN, handler=self._show)]
        if self._by_password:
            found.append(OpenRoute(method="POST", path=SIGN_IN, handler=self._sign_in))
        if self._provider is not None:
            away, back = (partial(to, self._provider) for to in (self._send_away, self._come_back))
            found.append(OpenRoute(method="GET", path=f"{SIGN_IN}/oidc", handler=away))
            found.append(OpenRoute(method="GET", path=CALLBACK, handler=back))
        return found

    def routes(self) -> Sequence[PageRoute]:
        """Return the paths of those who have."""
        return [PageRoute(method="POST", path="/console/sign-out", handler=self._sign_out)]

    async def aclose(self) -> None:
        """End what checks passwords."""
        await self._passwords.aclose()

    async def _show(self, request: web.Request) -> web.StreamResponse:
        return self._page(request, request.query.get("next", ""))

    def _page(
        self, request: web.Request, next_: str, wrong: str = "", status: int = 200, again: int = 0
    ) -> web.Response:
        page = self._rendering.page(
            request,
            None,
            "sign_in.html",
            csrf=csrf_of(visit_of(request, self._address)),
            next=own_path(next_),
            wrong=wrong,
            by_name=self._by_name,
            by_password=self._by_password,
            provider=self._provider.host if self._provider is not None else "",
        )
        page.set_status(status)
        if again:
            page.headers["retry-after"] = str(again)
        return page

    async def _sign_in(self, request: web.Request) -> web.StreamResponse:
        form = await form_of(request)
        next_ = form.get("next", "")
        if not await brings(request, csrf_of(visit_of(request, self._address))):
            return self._page(request, next_, EXPIRED, 403)
        name = form.get("name", "") if self._by_name else ADMIN
        remote = client_address(request)
        if again := self._wait(remote, name):
            log.warning("sign-in refused: too many tries", remote=remote)
            return self._page(request, next_, BUSY.format(again), 429, again)
        try:
            right = await self._passwords.right(name, form.get("password", ""))
        except BusyError:
            log.warning("sign-in refused: too many at once", remote=remote)
            return self._page(request, next_, BUSY.format(AGAIN_AFTER), 429, AGAIN_AFTER)
        if not right:
            # What is nobody's name may be a password.
            known = name if self._passwords.knows(name) else "(nobody's)"
            log.warning("sign-in refused: wrong password", who=known, remote=remote)
            return self._page(request, next_, WRONG, 401)
        self._addresses.forgive(counted_as(remote))
        self._names.forgive(name)
        return await self._signed_in(request, name, self._passwords.role(name), next_)

    def _wait(self, remote: str, name: str) -> int:
        """Count a try; return the seconds until one is taken again, 0 if this one is."""
        of_address = self._addresses.wait(counted_as(remote), now())
        return of_address or self._names.wait(name[:100], now())

    async def _signed_in(
        self, request: web.Request, name: str, role: Role, next_: str
    ) -> web.StreamResponse:
        """Begin a session, under a secret that nobody has seen; one that there was is over."""
        secure = self._address.is_secure(request)
        if before := cookie(request, SESSION, secure=secure):
            await self._sessions.end(before)
        secret = await self._sessions.begin(name, role.title)
        log.info("signed in", who=name, role=role.title, remote=client_address(request))
        response = led_to(own_path(next_))
        set_cookie(response, SESSION, secret, secure=secure)
        delete_cookie(response, VISIT, secure=secure)
        return response

    async def _sign_out(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        secure = self._address.is_secure(request)
        if secret := cookie(request, SESSION, secure=secure):
            await self._sessions.end(secret)
        log.info("signed out", who=visitor.name, remote=client_address(request))
        response = led_to(SIGN_IN)
        delete_cookie(response, SESSION, secure=secure)
        return response

    async def _send_away(
        self, provider: SignInProvider, request: web.Request
    ) -> web.StreamResponse:
        remote = client_address(request)
        if again := self._attempts.wait(counted_as(remote), now()):
            return self._page(request, "", BUSY.format(again), 429, again)
        attempt = Attempt.begun(own_path(request.query.get("next", "")))
        try:
            where = await provider.address(attempt, self._address.whole(request, CALLBACK))
        except ProviderFailedError as error:
            log.warning("the identity provider fails", error=str(error))
            return self._page(request, attempt.next, NOT_BY_PROVIDER, 503)
        response = led_to(where)
        secure = self._address.is_secure(request)
        set_cookie(response, ATTEMPT, attempt.text, secure=secure, seconds=AWAY_FOR)
        return response

    async def _come_back(
        self, provider: SignInProvider, request: web.Request
    ) -> web.StreamResponse:
        secure, remote = self._address.is_secure(request), client_address(request)
        attempt = Attempt.of(cookie(request, ATTEMPT, secure=secure), AWAY_FOR)
        if attempt is None or not attempt.is_answered_by(request.query.get("state", "")):
            log.warning("sign-in refused: not begun here, or long ago", remote=remote)
            return self._page(request, START, EXPIRED, 403)
        try:
            back = self._address.whole(request, CALLBACK)
            person = await provider.person(attempt, request.query, back)
        except ProviderFailedError as error:
            log.warning("sign-in refused: the identity provider", error=str(error), remote=remote)
            return self._page(request, attempt.next, NOT_BY_PROVIDER, 503)
        except NotLetInError as error:
            log.warning("sign-in refused", error=str(error), remote=remote)
            return self._page(request, attempt.next, error.told, 403)
        response = await self._signed_in(request, OIDC + person.name, person.role, attempt.next)
        delete_cookie(response, ATTEMPT, secure=secure)
        return response
