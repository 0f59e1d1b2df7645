"""Who is at the other end of a socket."""

from __future__ import annotations

from aiohttp import web


def client_address(request: web.Request) -> str:
    """Return who asks, for a log: whoever stands before the last proxy, if there is one.

    It can be forged where there is none, so nothing may be decided by it.
    """
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return "".join(c for c in forwarded[:64] if c.isprintable()) or request.remote or ""
