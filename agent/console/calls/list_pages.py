"""The list of calls: filtered, searched by what was said, and exported."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web

from agent import time_zones
from agent.console.calls.export import FORMATS, CallExport
from agent.console.calls.found_calls import page_of
from agent.console.hidden_numbers import HiddenNumbers
from agent.console.overview.query import NUMBERS_NEED
from agent.console.rendering import Rendering
from agent.console.routes import PageRoute
from agent.console.visitor import Role, Visitor
from agent.console.wording import clock, seconds
from agent.records import queries
from agent.records.events import DISCLOSED, OUTCOMES
from agent.records.search.marked_words import marked_words
from agent.records.search.search_words import Question, QuestionError
from agent.records.statistics.call_statistics import CallStatistics
from agent.server.operator.call_answers import CallAnswers, QueryError
from agent.server.operator.records_api import RecordsQuery

FIELDS = tuple(name for name in RecordsQuery.model_fields if name != "cursor")
NUMBERS = ("number", "caller", "called")
MOMENTS = ("since", "before")

_NUMBER = re.compile(r"\d(?:\W*\d){4,}")
"""As many digits in what is searched for may be the beginning of somebody's number."""

LONGEST = 2000
"""Characters of a value that are shown again in the form."""


class CallListPages:
    """The list of calls.

    Args:
        rendering: Makes the pages.
        answers: Finds calls, and notes who looks.
        statistics: Knows the agents that have had calls; None without a database.
        export: Hands calls out; None without a database.
        usual_zone: Time zone of days, if the browser has not sent its own.
    """

    def __init__(
        self,
        rendering: Rendering,
        answers: CallAnswers,
        statistics: CallStatistics | None,
        export: CallExport | None,
        usual_zone: str,
    ) -> None:
        self._rendering = rendering
        self._answers = answers
        self._statistics = statistics
        self._export = export
        self._usual_zone = usual_zone

    def routes(self) -> Sequence[PageRoute]:
        """Return their paths."""
        exports = [
            PageRoute(
                method="GET",
                path=f"/console/calls.{kind}",
                handler=self._hand_out,
                role=Role.LISTEN,
            )
            for kind in FORMATS
        ]
        return [PageRoute(method="GET", path="/console/calls", handler=self._list), *exports]

    async def _list(self, request: web.Request, visitor: Visitor) -> web.Response:
        given = _given(request.query)
        cursor = request.query.get("cursor", "")[:LONGEST]
        errors: dict[str, str] = {}
        listed: Mapping[str, Any] = {"records": [], "next": None}
        asked: Question = ()
        try:
            wanted = await self._asked(given, visitor) | ({"cursor": cursor} if cursor else {})
            listed = await self._answers.listed(wanted, visitor.name)
            asked = await self._answers.asked(wanted)
        except QueryError as error:
            errors[error.field] = error.reason
        values = {
            "given": {name: given.get(name, "") for name in (*FIELDS, "zone")},
            "filtered": sorted(given.keys() - {"q", "zone", "limit"}),
            "errors": errors,
            "next": _address(given, cursor=listed["next"]) if listed["next"] else "",
            "first": not cursor,
            "exports": {kind: _address(given, f"/console/calls.{kind}") for kind in FORMATS},
            "outcomes": OUTCOMES,
            "disclosed": DISCLOSED,
            "agents": await self._statistics.agents() if self._statistics is not None else [],
            "stored": self._statistics is not None,
        }

        def page() -> web.Response:
            calls = [_shown(one, visitor, asked) for one in listed["records"]]
            return self._rendering.page(request, visitor, "calls.html", calls=calls, **values)

        # Words are looked for in each line once more: the loop has callers to attend to.
        response = await asyncio.to_thread(page)
        if errors:
            response.set_status(400)
        return response

    async def _hand_out(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        given = _given(request.query)
        wanted = self._answers.wanted(await self._asked(given, visitor))
        if self._export is None:
            raise QueryError("database", "there is none, and so no records")
        kind = request.path.rpartition(".")[2]
        try:
            return await self._export.hand_out(request, wanted, kind, visitor.name)
        except QuestionError as error:
            raise QueryError("q", str(error)) from None

    async def _asked(self, given: Mapping[str, str], visitor: Visitor) -> dict[str, str]:
        """Return what is asked for, its moments by the clock of whoever asks.

        Raises:
            QueryError: If it is wrong, or more than they may ask.
        """
        asked = {name: value for name, value in given.items() if name != "zone"}
        for name in NUMBERS:
            if name in asked and not visitor.may(Role.LISTEN):
                raise QueryError(name, NUMBERS_NEED)
        # Found or not, digit by digit, would tell a number that was said.
        if _NUMBER.search(asked.get("q", "")) and not visitor.may(Role.LISTEN):
            raise QueryError("q", NUMBERS_NEED)
        try:
            now = await asyncio.to_thread(_now, given.get("zone", "") or self._usual_zone)
        except ValueError as error:
            raise QueryError("zone", str(error)) from None
        for name in MOMENTS:
            if name in asked:
                asked[name] = _moment(name, asked[name], now)
        return asked


def _given(query: Mapping[str, str]) -> dict[str, str]:
    """Return what of the address is filled in."""
    given = {name: query.get(name, "").strip()[:LONGEST] for name in (*FIELDS, "zone")}
    return {name: value for name, value in given.items() if value}


def _now(zone: str) -> datetime:
    """Return the time by the clock of a zone. It may read a file.

    Raises:
        ValueError: If there is no such zone.
    """
    return datetime.now(time_zones.zone(time_zones.name(zone)))


def _moment(name: str, text: str, now: datetime) -> str:
    try:
        moment = queries.moment(text, now)
        return datetime.fromtimestamp(moment, now.tzinfo).isoformat()
    except (ValueError, OverflowError, OSError):
        raise QueryError(name, f"Write {queries.MOMENT}.") from None


def _address(given: Mapping[str, str], path: str = "/console/calls", **more: str) -> str:
    query = urlencode({**given, **more})
    return f"{path}?{query}" if query else path


def _shown(call: Mapping[str, Any], visitor: Visitor, asked: Question) -> dict[str, Any]:
    """Return a call as the page has it."""
    incoming = call["direction"] == "incoming"
    found, at = call["found"], None
    hidden = HiddenNumbers(visitor, (call["caller"], call["called"]))
    if found is not None and found["at"] is not None:
        at = f"{max(found['at'], 0.0):.2f}"
    return {
        **call,
        "with": visitor.number(call["caller" if incoming else "called"]),
        "incoming": incoming,
        "length": "" if call["seconds"] is None else clock(call["seconds"]),
        "answers": "" if call["answer_time"] is None else seconds(call["answer_time"]),
        "live": call["outcome"] == "in progress",
        "address": page_of(call["id"]),
        "follow": f"/console/live/{quote(call['call_id'] or call['id'], safe='')}",
        "moment": page_of(call["id"]) + (f"#t={at}" if at else ""),
        "found_at": "" if not at else clock(float(at)),
        "found": None
        if found is None
        else {
            "kind": found["kind"],
            "pieces": marked_words(hidden.written(found["text"]), found["language"], asked),
        },
    }
