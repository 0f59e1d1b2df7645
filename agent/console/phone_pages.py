"""The browser phone: a page that calls an agent over the stream channel, as Sinch does."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from agent.console.rendering import Rendering
from agent.console.routes import Route
from agent.console.visitor import Role, Visitor
from agent.personas.folder import AgentFolder


class PhonePages:
    """The phone.

    Args:
        rendering: Makes the page.
        agents: Who can be called.
        usual: Who is, unless another is picked.
    """

    def __init__(self, rendering: Rendering, agents: AgentFolder, usual: str) -> None:
        self._rendering = rendering
        self._agents = agents
        self._usual = usual

    def routes(self) -> Sequence[Route]:
        """Return their paths."""
        return [Route(method="GET", path="/", role=Role.OPERATE, handler=self._show)]

    async def _show(self, request: web.Request, visitor: Visitor) -> web.Response:
        return self._rendering.page(
            request, visitor, "phone.html", agents=self._agents.names, usual=self._usual
        )
