"""One call: what was said beside how it sounded, and where the time went."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from agent.console.rendering import Rendering
from agent.console.routes import PageRoute
from agent.console.visitor import Visitor
from agent.records.access_log import AccessLog
from agent.records.call_records import CallRecords
from agent.records.recordings import Recordings


class CallPages:
    """The page of a call, and what can be downloaded of it.

    Args:
        rendering: Makes the pages.
        records: Of all calls; None without a database.
        recordings: Where they are.
        access: Notes who looks, before they are shown; None without a database.
    """

    def __init__(
        self,
        rendering: Rendering,
        records: CallRecords | None,
        recordings: Recordings,
        access: AccessLog | None,
    ) -> None:
        self._rendering = rendering
        self._records = records
        self._recordings = recordings
        self._access = access

    def routes(self) -> Sequence[PageRoute]:
        """Return their paths."""
        return [PageRoute(method="GET", path="/console/calls/{id}", handler=self._show)]

    async def _show(self, request: web.Request, visitor: Visitor) -> web.Response:
        return self._rendering.page(request, visitor, "call.html", id=request.match_info["id"])
