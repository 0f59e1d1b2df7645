"""Addresses of HTTP services, as people write them into settings and agent files."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Hosts of a URL that are this machine itself."""


def is_loopback_host(host: str) -> bool:
    """Return whether a host, or an address to listen on, is this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        well_formed = parts.scheme in ("http", "https") and bool(parts.hostname)
        well_formed = well_formed and (parts.port is None or parts.port > 0)
    except ValueError:
        well_formed = False
    if not well_formed or not url.isprintable() or " " in url or parts.fragment:
        message = "must be an http:// or https:// URL"
        raise ValueError(message)
    if parts.username is not None or parts.password is not None:
        message = "must not hold a user or a password"
        raise ValueError(message)
    return url


Url = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_address)]
"""``http://`` or ``https://``, without user, password or fragment."""
