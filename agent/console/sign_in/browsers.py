"""What a browser tells of a request: whose page sent it, by which way, and what it wants."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, quote, urlsplit

from aiohttp import web

from agent.server.operator.errors import BODY_WITHIN, UnreadableError
from agent.stream.addresses import LOOPBACK, TRUSTED_PROXIES, is_within

START = "/console"
"""Where people land who ask for nothing else."""

MOST_FIELDS = 50
"""Fields of a form; ours have five."""

LONGEST_PATH = 1000
"""Characters of a path that somebody is led back to."""

CookieName = Literal["voice-agent-session", "voice-agent-visit", "voice-agent-attempt"]
SESSION: CookieName = "voice-agent-session"
"""Who is signed in."""

VISIT: CookieName = "voice-agent-visit"
"""A browser without a session: what its forms have to bring is made of it."""

ATTEMPT: CookieName = "voice-agent-attempt"
"""A browser that is away, at the identity provider."""

_SECRET = re.compile("[A-Za-z0-9_-]{43}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,255}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
_OWN_PATH = re.compile(
    r"/(console(/[\w.~%:@!$&'()+,*;=/-]*)?)?(\?[\w.~%:@!$&'()+,*;=/?-]*)?", re.ASCII
)


def new_secret() -> str:
    """Return what nobody guesses: 256 bits, in letters, digits, ``_`` and ``-``."""
    return secrets.token_urlsafe(32)


def derived(secret: str, purpose: str) -> str:
    """Return a secret made of another, which cannot be told from it."""
    digest = hmac.digest(secret.encode(), purpose.encode(), hashlib.sha256)
    return digest.hex()


def csrf_of(secret: str) -> str:
    """Return what requests have to bring that change something, by a session or a visit."""
    return derived(secret, "csrf")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAddress:
    """Where browsers find the pages."""

    origin: str
    """Such as ``https://agent.example.com``; ``""`` if nobody said."""

    def is_secure(self, request: web.Request) -> bool:
        """Return whether the browser reaches us by TLS, as far as anybody believable says so."""
        if self.origin.startswith("https:") and _host(request) == urlsplit(self.origin).netloc:
            return True
        trusted = request.app.get(TRUSTED_PROXIES, LOOPBACK)
        said = ",".join(request.headers.getall("x-forwarded-proto", ())).rpartition(",")[2]
        by_proxy = said.strip().lower() == "https" and is_within(request.remote, trusted)
        return request.scheme == "https" or by_proxy

    def whole(self, request: web.Request, path: str) -> str:
        """Return the address of a path of ours, as the browser knows it.

        Raises:
            UnreadableError: If the request names no host.
        """
        host = _host(request)
        if not self.origin and not _HOST.fullmatch(host):
            raise UnreadableError("host: no name, nor an address")
        scheme = "https" if self.is_secure(request) else "http"
        return (self.origin or f"{scheme}://{host}") + path

    def origins(self, request: web.Request) -> set[str]:
        """Return what a page of ours calls itself.

        Where no TLS is known of, a proxy may have taken it off without a word.
        """
        host = _host(request)
        schemes = ("https",) if self.is_secure(request) else ("https", "http")
        return {f"{scheme}://{host}" for scheme in schemes} | {self.origin} - {""}

    def is_foreign(self, request: web.Request) -> bool:
        """Return whether a page of another site sent this; a link that was followed is not meant.

        A browser says whose page a request is of: ``Sec-Fetch-Site`` where it trusts the way,
        ``Origin`` with whatever changes something, or is read by a script. Another port of this
        host is another site, too.
        """
        site = request.headers.getall("sec-fetch-site", ())
        if any(one not in ("same-origin", "none") for one in site):
            return not _is_followed_link(request)
        ours = self.origins(request)
        return any(one.lower() not in ours for one in request.headers.getall("origin", ()))

    def is_own(self, request: web.Request) -> bool:
        """Return whether a page of ours sent this, surely."""
        site = request.headers.getall("sec-fetch-site", ())
        said = bool(site) or "origin" in request.headers
        return said and not self.is_foreign(request) and all(one == "same-origin" for one in site)


def _host(request: web.Request) -> str:
    return request.headers.get("host", "").lower()


def _is_followed_link(request: web.Request) -> bool:
    headers = request.headers
    followed = headers.get("sec-fetch-mode") == "navigate"
    return request.method == "GET" and followed and headers.get("sec-fetch-dest") == "document"


def wants_page(request: web.Request) -> bool:
    """Return whether a page is asked for, by somebody who reads; a script asks for data."""
    return any("text/html" in one.lower() for one in request.headers.getall("accept", ()))


# Where somebody is led back to


def own_path(text: str) -> str:
    """Return a path of the console that somebody asked to be led to; else where people land.

    Whatever a browser might take for another host, or that is made another path on the way, is
    neither.
    """
    plain = text.lower().replace("%2e", ".").partition("?")[0]
    dots = any(part in (".", "..") for part in plain.split("/"))
    if len(text) > LONGEST_PATH or dots or "//" in plain or not _OWN_PATH.fullmatch(text):
        return START
    return START if plain.startswith("/console/sign-") else text


def sign_in_path(request: web.Request) -> str:
    """Return where somebody signs in, and is led back to what they ask for."""
    return f"{START}/sign-in?next={quote(own_path(request.raw_path), safe='')}"


def led_to(location: str) -> web.Response:
    """Return what leads a browser somewhere, by a GET. The address is taken as it is."""
    headers = {"location": location, "cache-control": "no-store"}
    return web.Response(status=303, headers=headers)


# Cookies


def cookie(request: web.Request, name: CookieName, *, secure: bool) -> str:
    """Return a cookie of ours; ``""`` if there is none, or it is nothing that we have set."""
    found = request.cookies.get(_named(name, secure=secure), "")
    return found if name == ATTEMPT or _SECRET.fullmatch(found) else ""


def set_cookie(
    response: web.StreamResponse, name: CookieName, value: str, *, secure: bool, seconds: int = 0
) -> None:
    """Set a cookie: until the browser ends, or for some seconds.

    With TLS it is of this host alone, which its name says: no other site, and nobody without TLS,
    can set it. A link to a call, and the way back from an identity provider, bring it along (Lax);
    what another site's page sends does not.
    """
    response.set_cookie(
        _named(name, secure=secure),
        value,
        max_age=seconds or None,
        path="/",
        secure=secure,
        httponly=True,
        samesite="Lax",
    )


def delete_cookie(response: web.StreamResponse, name: CookieName, *, secure: bool) -> None:
    """Have the browser forget a cookie."""
    response.del_cookie(
        _named(name, secure=secure), path="/", secure=secure, httponly=True, samesite="Lax"
    )


def _named(name: CookieName, *, secure: bool) -> str:
    return f"__Host-{name}" if secure else name


# Forms


async def form_of(request: web.Request) -> Mapping[str, str]:
    """Return the fields of a form; none if the body is something else. It can be read again.

    Raises:
        UnreadableError: If it does not come in time, or is no form.
    """
    if request.content_type != "application/x-www-form-urlencoded":
        return {}
    try:
        async with asyncio.timeout(BODY_WITHIN):
            body = await request.read()
        text = body.decode("utf-8")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except TimeoutError:
        raise UnreadableError(f"body: did not come within {BODY_WITHIN:g} s") from None
    except (web.RequestPayloadError, ConnectionError):
        raise UnreadableError("body: broke off, or is not encoded as it says") from None
    except ValueError:
        raise UnreadableError("body: no form") from None


async def brings(request: web.Request, csrf: str) -> bool:
    """Return whether a request brings what a page of ours was given: by a header, or its form.

    Raises:
        UnreadableError: If there is a form that cannot be read.
    """
    given = request.headers.get("x-csrf-token", "") or (await form_of(request)).get("csrf", "")
    return bool(csrf) and same(given, csrf)


def same(given: str, right: str) -> bool:
    """Return whether two texts are the same, in a time that does not tell how much of them is."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())


def every(values: object) -> Sequence[str]:
    """Return a text, or each text of a list; what is neither is left out."""
    if isinstance(values, str):
        return [values]
    return [one for one in values if isinstance(one, str)] if isinstance(values, list) else []
