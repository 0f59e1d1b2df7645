"""The browser phone: a page that calls an agent over the stream channel, as Sinch does."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from aiohttp import web

from agent.console.rendering import Rendering
from agent.console.routes import PageRoute
from agent.console.visitor import Role, Visitor
from agent.personas.folder import AgentFolder
from agent.server.phone_tickets import PhoneTickets


class PhonePages:
    """The phone.

    Args:
        rendering: Makes the page.
        agents: Who can be called.
        usual: Who is, unless another is picked.
        stream: Path of the stream endpoint.
        tickets: Lets its calls in.
    """

    def __init__(
        self,
        rendering: Rendering,
        agents: AgentFolder,
        usual: str,
        stream: str,
        tickets: PhoneTickets,
    ) -> None:
        self._rendering = rendering
        self._agents = agents
        self._usual = usual
        self._stream = stream
        self._tickets = tickets

    def routes(self) -> Sequence[PageRoute]:
        """Return their paths."""
        return [
            PageRoute(method="GET", path="/", role=Role.OPERATE, handler=self._show),
            PageRoute(method="POST", path="/console/phone", role=Role.OPERATE, handler=self._begin),
        ]

    async def _begin(self, _request: web.Request, _visitor: Visitor) -> web.Response:
        """Return where a call is placed: the path of a stream, good once; and what to call it.

        Whoever knows the name of the call can follow it: nobody else does.
        """
        path = f"{self._stream.rstrip('/')}/{await self._tickets.issue()}"
        return web.json_response({"path": path, "call_id": f"browser-{secrets.token_hex(16)}"})

    async def _show(self, request: web.Request, visitor: Visitor) -> web.Response:
        return self._rendering.page(
            request, visitor, "phone.html", agents=self._agents.names, usual=self._usual
        )
