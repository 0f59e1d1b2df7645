"""What a page is to the web server: a path, who may ask for it, and what answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from aiohttp import web

from agent.console.visitor import Role, Visitor

PageHandler = Callable[[web.Request, Visitor], Awaitable[web.StreamResponse]]
"""Answers a request of somebody who may ask for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRoute:
    """One path of the console."""

    method: Literal["GET", "POST", "DELETE"]
    """What changes something is no GET."""

    path: str
    """As aiohttp has it: ``/console/calls/{id}``."""

    handler: PageHandler
    role: Role = Role.LOOK
    """The least that may ask for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRoute:
    """A path that is answered before anybody has signed in."""

    method: Literal["GET", "POST"]
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]


class Pages(Protocol):
    """Some pages that belong together."""

    def routes(self) -> Sequence[PageRoute]:
        """Return their paths."""
        ...
