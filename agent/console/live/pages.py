"""Calls in progress, as they go on."""

from __future__ import annotations

import time
from collections.abc import Sequence

from aiohttp import web

from agent.console.rendering import Rendering
from agent.console.routes import PageRoute
from agent.console.visitor import Visitor
from agent.server.operator.call_actions import CallActions
from agent.server.operator.requests import ANNOUNCEMENT, HANDING_OVER


class LivePages:
    """The list of calls in progress, and one of them.

    They show what is known at once; the rest comes by the events that they ask for.

    Args:
        rendering: Makes the pages.
        actions: Knows the calls.
        stream: Path of the stream endpoint, for the command that places a call.
    """

    def __init__(self, rendering: Rendering, actions: CallActions, stream: str) -> None:
        self._rendering = rendering
        self._actions = actions
        self._stream = stream

    def routes(self) -> Sequence[PageRoute]:
        """Return their paths."""
        return [
            PageRoute(method="GET", path="/console", handler=self._list),
            PageRoute(method="GET", path="/console/live/{name}", handler=self._show),
        ]

    async def _list(self, request: web.Request, visitor: Visitor) -> web.Response:
        calls = await self._actions.in_progress()
        scheme = "wss" if request.scheme == "https" else "ws"
        url = f"{scheme}://{request.host}{self._stream}"
        return self._rendering.page(
            request,
            visitor,
            "live.html",
            calls=calls,
            refusing=self._actions.refusing,
            now=time.time(),
            url=url,
        )

    async def _show(self, request: web.Request, visitor: Visitor) -> web.Response:
        """Show a call, which may be about to begin, or over: its events tell, and end."""
        name = request.match_info["name"]
        calls = await self._actions.in_progress()
        call = next((one for one in calls if one["id"] == name), None)
        return self._rendering.page(
            request,
            visitor,
            "live_call.html",
            name=name,
            call=call,
            now=time.time(),
            announcement=ANNOUNCEMENT,
            handing_over=HANDING_OVER,
        )
