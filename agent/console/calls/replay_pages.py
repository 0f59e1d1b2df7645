"""A call, answered once more by the present agent: asked for, waited for, and both side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from agent.console.calls.found_calls import call_of, page_of
from agent.console.calls.replays import KEPT_FOR, Replay, Replays
from agent.console.rendering import Rendering
from agent.console.routes import PageRoute
from agent.console.visitor import Role, Visitor
from agent.records.access_log import AccessLog
from agent.records.call_records import CallRecords
from agent.sinch.refusals import CallControlError, NoSuchCallError

LONGEST_WAIT = 25.0
"""Seconds for which a browser is kept waiting for the end of a replay, before it asks again."""

ONE = "/console/calls/{id}/replays/{replay}"


class NotReplayableError(CallControlError):
    """The call cannot be replayed; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedFigure:
    """Something that was measured of both conversations."""

    label: str
    then: str
    now: str
    verdict: str
    """``better``, ``worse``, or ``""``."""


class ReplayPages:
    """Replays of calls.

    Args:
        rendering: Makes the pages.
        records: Of all calls; None without a database.
        access: Notes who looks, before they are shown; None without a database.
        replays: Runs them.
    """

    def __init__(
        self,
        rendering: Rendering,
        records: CallRecords | None,
        access: AccessLog | None,
        replays: Replays,
    ) -> None:
        self._rendering = rendering
        self._records = records
        self._access = access
        self._replays = replays

    def routes(self) -> Sequence[PageRoute]:
        """Return their paths."""
        begun = "/console/calls/{id}/replays"
        operate = Role.OPERATE
        return [
            PageRoute(method="POST", path=begun, role=operate, handler=self._begin),
            PageRoute(method="GET", path=ONE, role=operate, handler=self._show),
            PageRoute(method="GET", path=f"{ONE}/state", role=operate, handler=self._wait),
        ]

    async def _begin(self, request: web.Request, visitor: Visitor) -> web.Response:
        """Have a call replayed; return the address of the run."""
        record = await call_of(self._records, request.match_info["id"])
        if record.ended is None:
            raise NotReplayableError("the call is in progress: replay it once it is over")
        if self._access is not None:
            await self._access.note("replay", [record.id], visitor.name)
        replay = self._replays.begin(record.id)
        path = f"{page_of(record.id)}/replays/{replay.id}"
        return web.json_response({"path": path}, status=202)

    async def _show(self, request: web.Request, visitor: Visitor) -> web.Response:
        replay = await self._found(request)
        result = (replay.result if replay is not None else None) or {}
        call: Mapping[str, Any] = next(iter(result.get("calls") or ()), {})
        if call and replay is not None and self._access is not None:
            await self._access.note("replay", [replay.record], visitor.name)
        page = partial(
            self._rendering.page,
            request,
            visitor,
            "replay.html",
            id=request.match_info["id"],
            replay=replay,
            minutes=round(KEPT_FOR / 60),
            call=call,
            lineup=result.get("lineup") or {},
            took=result.get("took"),
            figures=list(_figures(call, result.get("figures") or ())),
            turns=list(_turns(call)),
        )
        return await asyncio.to_thread(page)  # a long call is a long page

    async def _wait(self, request: web.Request, _visitor: Visitor) -> web.Response:
        """Return the state of a run, as soon as it is over or after a while."""
        replay = await self._found(request)
        if replay is None:
            raise NoSuchCallError
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT):
                await replay.over.wait()
        return web.json_response({"state": replay.state})

    async def _found(self, request: web.Request) -> Replay | None:
        # What came of a call goes with it: one that was erased is not told by its replay.
        record = await call_of(self._records, request.match_info["id"])
        return self._replays.of(request.match_info["replay"], record.id)


def _figures(
    call: Mapping[str, Any], figures: Sequence[Mapping[str, Any]]
) -> Iterator[ComparedFigure]:
    then, now = call.get("then") or {}, call.get("now") or {}
    differences = call.get("differences") or {}
    for one in figures:
        name, unit = one["name"], one["unit"]
        before, after = then.get(name), now.get(name)
        if after is None or (not before and not after):
            continue
        difference = differences.get(name) or 0.0
        judged = one["judged"] and abs(difference) >= (0.05 if unit else 1e-9)
        verdict = ("worse" if difference > 0 else "better") if judged else ""
        yield ComparedFigure(
            label=one["label"],
            then="unknown" if before is None else _value(before, unit),
            now=_value(after, unit),
            verdict=verdict,
        )


def _value(value: float, unit: str) -> str:
    return f"{value:.2f} {unit}" if unit else f"{value:g}"


def _turns(call: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    for turn in call.get("turns") or ():
        yield turn.get("then"), turn.get("now")
