"""How the service does: calls a day, how they ended, answer times, failures, cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial

from aiohttp import web

from agent.console.overview import view as overview_view
from agent.console.overview.query import TIMES, OverviewQuery, read_query
from agent.console.rendering import Rendering
from agent.console.routes import PageRoute
from agent.console.visitor import Visitor
from agent.records.statistics.call_statistics import CallStatistics
from agent.records.statistics.figures import Figures


class OverviewPages:
    """The overview.

    Args:
        rendering: Makes the pages.
        statistics: Counts calls; None without a database.
        usual_zone: Time zone of days, if the browser has not sent its own.
        country: Two letters, of a number without ``+``; ``""`` if there is none.
    """

    def __init__(
        self,
        rendering: Rendering,
        statistics: CallStatistics | None,
        usual_zone: str,
        country: str,
    ) -> None:
        self._rendering = rendering
        self._statistics = statistics
        self._usual_zone = usual_zone
        self._country = country

    def routes(self) -> Sequence[PageRoute]:
        """Return their paths."""
        return [PageRoute(method="GET", path="/console/overview", handler=self._show)]

    async def _show(self, request: web.Request, visitor: Visitor) -> web.Response:
        query = await asyncio.to_thread(
            read_query,
            request.query,
            visitor,
            usual_zone=self._usual_zone,
            country=self._country,
            now=time.time(),
        )
        values: dict[str, object] = {"query": query, "times": TIMES, "agents": [], "shown": None}
        if self._statistics is not None:
            values["agents"] = await self._statistics.agents()
            if not query.errors:
                values["shown"] = await self._shown(self._statistics, query)
        values["stored"] = self._statistics is not None
        # A year is a row of links for each of its days: the loop has callers to attend to.
        page = await asyncio.to_thread(
            partial(self._rendering.page, request, visitor, "overview.html", **values)
        )
        if query.errors:
            page.set_status(400)
        return page

    async def _shown(self, statistics: CallStatistics, query: OverviewQuery) -> dict[str, object]:
        *days, total = await statistics.of(query.wanted, query.period.spans)
        before = (await statistics.of(query.wanted, [query.period.earlier]))[-1]
        return await asyncio.to_thread(_values, query, days, total, before)


def _values(
    query: OverviewQuery, days: Sequence[Figures], total: Figures, before: Figures
) -> dict[str, object]:
    period = query.period
    unfinished = period.spans[-1].before > time.time()
    return {
        "cards": overview_view.cards(total, before),
        "before": overview_view.before_words(period, unfinished=unfinished),
        "before_calls": before.calls,
        "total": total,
        "charts": overview_view.charts(query, days, total),
        "rows": overview_view.day_rows(query, days, total),
        "outcomes": [name for name in overview_view.ORDER if total.outcomes.get(name)],
        "failures": overview_view.failures(total),
        "costs": overview_view.costs(total),
        "currencies": overview_view.currencies(total),
    }
