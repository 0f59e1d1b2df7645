"""Agents: what they are told, as it is written and as a model gets it."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from agent.console.rendering import Rendering
from agent.console.routes import PageRoute
from agent.console.visitor import Visitor
from agent.personas.folder import AgentFolder


class AgentPages:
    """The list of agents, and the editor.

    Args:
        rendering: Makes the pages.
        agents: The files.
    """

    def __init__(self, rendering: Rendering, agents: AgentFolder) -> None:
        self._rendering = rendering
        self._agents = agents

    def routes(self) -> Sequence[PageRoute]:
        """Return their paths."""
        return [PageRoute(method="GET", path="/console/agents", handler=self._list)]

    async def _list(self, request: web.Request, visitor: Visitor) -> web.Response:
        names = self._agents.names
        return self._rendering.page(request, visitor, "agents.html", agents=names)
