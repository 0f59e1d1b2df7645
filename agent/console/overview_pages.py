"""How the service does: calls a day, waiting times, failures; and the list of calls."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from agent.console.rendering import Rendering
from agent.console.routes import PageRoute
from agent.console.visitor import Visitor
from agent.records.access_log import AccessLog
from agent.records.call_records import CallRecords


class OverviewPages:
    """The overview, and the list of calls with its search.

    Args:
        rendering: Makes the pages.
        records: Of all calls; None without a database.
        access: Notes who looks, before they are shown; None without a database.
    """

    def __init__(
        self, rendering: Rendering, records: CallRecords | None, access: AccessLog | None
    ) -> None:
        self._rendering = rendering
        self._records = records
        self._access = access

    def routes(self) -> Sequence[PageRoute]:
        """Return their paths."""
        return [
            PageRoute(method="GET", path="/console/overview", handler=self._show),
            PageRoute(method="GET", path="/console/calls", handler=self._list),
        ]

    async def _show(self, request: web.Request, visitor: Visitor) -> web.Response:
        return self._rendering.page(request, visitor, "overview.html")

    async def _list(self, request: web.Request, visitor: Visitor) -> web.Response:
        return self._rendering.page(request, visitor, "calls.html")
