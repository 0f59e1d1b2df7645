"""Sockets that listen, for several processes: bound once, before any of them is started."""

from __future__ import annotations

import socket
import sys

HERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - to be asked, not to listen
"""Where this machine itself finds what listens on every address."""

BACKLOG = 1024
"""Connections that the system takes for us before we do: those of a moment in which nobody does."""


def listening(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen on each address of a host, as asyncio has them; at least one.

    Raises:
        OSError: If an address cannot be listened on, or the host has none.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    made: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            made.append(one := socket.socket(family, kind, protocol))
            if sys.platform != "win32":
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(address)
            one.listen(BACKLOG)
    except OSError:
        for one in made:
            one.close()
        raise
    return made
