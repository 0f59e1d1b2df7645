"""Who is at the other end of a socket, and whether a page of another site sent them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import HttpVersion11, web

Network = IPv4Network | IPv6Network

TRUSTED_PROXIES: web.AppKey[Sequence[Network]] = web.AppKey("trusted_proxies", Sequence)
"""Where an application keeps whose word on the address of a client is taken."""

LOOPBACK: Sequence[Network] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

PROXY_HEADERS = {"forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip"}
PROXY_PREFIXES = ("x-forwarded", "x-original-", "cf-", "fly-", "x-envoy-", "x-cluster-")
"""Any of them, and somebody stands between: who asks from loopback is not of this machine."""

_LOCAL = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)

MOST_HOPS = 16
"""Proxies behind each other that are believed."""


def client_address(request: web.Request) -> str:
    """Return the address that asks: whoever stands before the last proxy that is trusted.

    Only what trusted proxies say of it is believed, each of the one before it, so that it cannot
    be forged. ``""`` if there is none.
    """
    trusted = request.app.get(TRUSTED_PROXIES, LOOPBACK)
    address = _address(request.remote or "")
    said = ",".join(request.headers.getall("x-forwarded-for", ())).rsplit(",", MOST_HOPS)
    while said and _is_in(address, trusted):
        before = _address(said.pop())
        if not before:
            break
        address = before
    return address


def counted_as(address: str) -> str:
    """Return under what an address is counted: itself; in version 6, the network that it is of.

    A customer there gets 64 bits to choose from.
    """
    parsed = ip_address(address) if address else None
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return address


def is_proxied(request: web.Request) -> bool:
    """Return whether a proxy says that it stands between.

    nginx says nothing unless it is told to, asks for us as ``127.0.0.1``, and speaks HTTP/1.0,
    which no browser does.
    """
    if request.version < HttpVersion11:
        return True
    names = {name.lower() for name in request.headers}
    return bool(PROXY_HEADERS & names) or any(name.startswith(PROXY_PREFIXES) for name in names)


def is_loopback(address: str | None) -> bool:
    """Return whether an address is of this very machine; what is none is not."""
    return is_within(address, LOOPBACK)


def is_within(address: str | None, networks: Sequence[Network]) -> bool:
    """Return whether an address is in one of these networks; what is none is not."""
    return _is_in(_address(address or ""), networks)


def is_cross_site(request: web.Request, hosts: Sequence[str] = ()) -> bool:
    """Return whether what came over loopback was meant for another host, or sent by another site.

    A browser lets any page open websockets to this machine; it says whose page it is (``Origin``).
    A name may lead here that is not ours (DNS rebinding); what was asked for says so (``Host``).
    What goes to us through a proxy that adds no header has the name of the proxy, too.

    Args:
        request: Whose peer is on this machine.
        hosts: Names, with their ports, besides those of loopback that are ours.
    """
    named = request.headers.getall("host", ())
    ours = len(named) == 1 and (_LOCAL.fullmatch(named[0]) or named[0].lower() in hosts)
    return not ours or is_other_origin(request)


def is_other_origin(request: web.Request) -> bool:
    """Return whether a page of another site sent this."""
    host = request.headers.get("host", "").lower()
    same = (f"http://{host}", f"https://{host}")
    return any(o.lower() not in same for o in request.headers.getall("origin", ()))


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    return bool(address) and any(ip_address(address) in network for network in networks)


def _address(text: str) -> str:
    """Return an address as it is written, without port or zone; ``""`` if it is none."""
    text = text.strip().partition("%")[0]
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed = ip_address(text)
    except ValueError:
        return ""
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)
