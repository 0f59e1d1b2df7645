"""Calls in progress, as they go on."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from agent.console.rendering import Rendering
from agent.console.routes import PageRoute
from agent.console.visitor import Visitor
from agent.server.call_actions import CallActions


class LivePages:
    """The list of calls in progress, and one of them.

    Args:
        rendering: Makes the pages.
        actions: Knows the calls, and gives them orders.
    """

    def __init__(self, rendering: Rendering, actions: CallActions) -> None:
        self._rendering = rendering
        self._actions = actions

    def routes(self) -> Sequence[PageRoute]:
        """Return their paths."""
        return [PageRoute(method="GET", path="/console", handler=self._list)]

    async def _list(self, request: web.Request, visitor: Visitor) -> web.Response:
        calls = await self._actions.in_progress()
        return self._rendering.page(request, visitor, "live.html", calls=calls)
