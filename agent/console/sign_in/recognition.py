"""Who asks: told by a session, by a proxy in front, or, in development, by nobody but this machine.

Each way of recognition takes nobody's word but its own, and none lets anybody in when it cannot
tell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import Protocol

import structlog
from aiohttp import web

from agent.console.sign_in.browsers import SESSION, VISIT, OwnAddress, cookie, csrf_of, new_secret
from agent.console.sign_in.sessions import Sessions
from agent.console.visitor import Role, Visitor
from agent.settings.console import ConsoleProxySettings, RoleName
from agent.stream.addresses import client_address, is_cross_site, is_loopback, is_proxied, is_within

log = structlog.get_logger()

NEW_VISIT: web.RequestKey[str] = web.RequestKey("new visit", str)
"""The secret of a visit that has just begun: the answer has to set its cookie."""

PROXY = "proxy "
"""What the name of somebody begins with whom a proxy has named."""

_NAME = re.compile(
    r"[^\s\x00-\x1f\x7f-\x9f](?:[^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,98}[^\s\x00-\x1f\x7f-\x9f])?"
)
"""A name that others have given: one line, at most 100 characters."""


class Recognition(Protocol):
    """A way to tell who asks."""

    async def visitor(self, request: web.Request, *, active: bool) -> Visitor | None:
        """Return who asks; None if this way does not tell.

        Args:
            request: Of theirs.
            active: Whether they have just done something, or a page of theirs is still open.

        Raises:
            StoreError: If it cannot be found out: nobody is let in then.
        """
        ...


class ThisMachine:
    """In development: whoever asks from this very machine, and for it, may do everything."""

    def __init__(self) -> None:
        self._csrf = new_secret()

    async def visitor(self, request: web.Request, *, active: bool) -> Visitor | None:  # noqa: ARG002
        """See :class:`Recognition`. A name that leads here, but is not ours, is not for us."""
        if not is_loopback(request.remote) or is_proxied(request) or is_cross_site(request):
            return None
        return Visitor(name="this machine", role=Role.EDIT, csrf=self._csrf)


class SignedIn:
    """Whoever has a session.

    Args:
        sessions: All of them.
        address: Tells which cookie counts.
    """

    def __init__(self, sessions: Sessions, address: OwnAddress) -> None:
        self._sessions = sessions
        self._address = address

    async def visitor(self, request: web.Request, *, active: bool) -> Visitor | None:
        """See :class:`Recognition`."""
        secret = cookie(request, SESSION, secure=self._address.is_secure(request))
        session = await self._sessions.find(secret, active=active) if secret else None
        if session is None:
            return None
        return Visitor(
            name=session.name,
            role=Role.of(session.role),
            csrf=csrf_of(secret),
            signed_in=True,
        )


class NamedByProxy:
    """Whom a proxy in front has signed in, which says so in a header of each request.

    Args:
        settings: Which header, and whose.
        address: Tells which cookie counts.
    """

    def __init__(self, settings: ConsoleProxySettings, address: OwnAddress) -> None:
        self._settings = settings
        self._networks = [ip_network(one) for one in settings.addresses]
        self._address = address

    async def visitor(self, request: web.Request, *, active: bool) -> Visitor | None:  # noqa: ARG002
        """See :class:`Recognition`."""
        names = request.headers.getall(self._settings.user_header, ())
        if not names:
            return None
        if not is_within(request.remote, self._networks):
            where = client_address(request)
            log.warning("a name was not believed: not from the proxy", remote=where)
            return None
        if len(names) > 1 or not is_name(names[0]):
            log.warning("a proxy gives no name, or several", remote=client_address(request))
            return None
        role = self._role(request)
        if role is None:
            return None
        visit = visit_of(request, self._address)
        return Visitor(name=PROXY + names[0], role=role, csrf=csrf_of(visit))

    def _role(self, request: web.Request) -> Role | None:
        said = (
            request.headers.getall(self._settings.role_header, ())
            if self._settings.role_header
            else ()
        )
        if len(said) > 1:
            log.warning("a proxy gives several headers of roles", remote=client_address(request))
            return None
        values = [one.strip() for one in said[0].split(",")] if said else []
        least = self._settings.role
        return highest(values, self._settings.roles) or (Role.of(least) if least else None)


def highest(values: Sequence[str], roles: Mapping[str, RoleName]) -> Role | None:
    """Return the highest role that any of these values has; None if none has one."""
    return max((Role.of(roles[one]) for one in values if one in roles), default=None)


def is_name(text: str) -> bool:
    """Return whether a text can be somebody's name in the access log."""
    return bool(_NAME.fullmatch(text)) and text.isprintable()


def visit_of(request: web.Request, address: OwnAddress) -> str:
    """Return the secret of a browser without a session; a new one is set with the answer."""
    known = cookie(request, VISIT, secure=address.is_secure(request)) or request.get(NEW_VISIT)
    if not known:
        known = request[NEW_VISIT] = new_secret()
    return known
