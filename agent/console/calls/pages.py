"""One call: what was said beside how it sounded, and where the time went."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Sequence

from aiohttp import web

from agent.console.calls.found_calls import call_of, page_of
from agent.console.calls.head import head_of, looks_of, parties_in, recording_in
from agent.console.calls.story import LONG, story
from agent.console.calls.unusual import unusual
from agent.console.calls.waterfall_picture import LABELS
from agent.console.calls.waveforms import Waveforms, as_json
from agent.console.hidden_numbers import hidden_numbers
from agent.console.rendering import Rendering
from agent.console.routes import PageRoute
from agent.console.visitor import Role, Visitor
from agent.records.access_log import Access, AccessLog, RecordAccess
from agent.records.call_records import CallRecords
from agent.records.events import CallRecord, RecordedEvent
from agent.records.exports.captions import webvtt
from agent.records.exports.formats import JsonLines
from agent.records.exports.pages import WholeCall
from agent.records.exports.plain_text import plain_text
from agent.records.recordings.kept import NoRecordingError, recording_of
from agent.server.operator.recording_answers import RecordingAnswers
from agent.sinch.refusals import NoSuchCallError

ONE = "/console/calls/{id}"


class CallPages:
    """The page of a call, and what can be downloaded of it.

    Args:
        rendering: Makes the pages.
        records: Of all calls; None without a database.
        access: Notes who looks, before they are shown; None without a database.
        recordings: Hands them out.
        waveforms: Of them.
    """

    def __init__(
        self,
        rendering: Rendering,
        records: CallRecords | None,
        access: AccessLog | None,
        recordings: RecordingAnswers,
        waveforms: Waveforms,
    ) -> None:
        self._rendering = rendering
        self._records = records
        self._access = access
        self._recordings = recordings
        self._waveforms = waveforms

    def routes(self) -> Sequence[PageRoute]:
        """Return their paths."""
        listen = Role.LISTEN
        return [
            PageRoute(method="GET", path=ONE, handler=self._show),
            PageRoute(method="GET", path=f"{ONE}/peaks", role=listen, handler=self._peaks),
            PageRoute(method="GET", path=f"{ONE}/recording", role=listen, handler=self._hear),
            PageRoute(method="GET", path=f"{ONE}/transcript.txt", handler=self._as_text),
            PageRoute(method="GET", path=f"{ONE}/transcript.vtt", handler=self._as_captions),
            PageRoute(method="GET", path=f"{ONE}/call.json", role=listen, handler=self._as_json),
        ]

    async def _show(self, request: web.Request, visitor: Visitor) -> web.Response:
        name = request.match_info["id"]
        record = await call_of(self._records, name)
        if record.id != name:  # one address for a call, whatever it was asked for by
            return web.Response(status=302, headers={"location": page_of(record.id)})
        events = await self._events("show", record, visitor)
        looks: Sequence[RecordAccess] = ()
        if self._access is not None and visitor.may(Role.EDIT):
            looks = await self._access.of(record.id)
        # A long call is a long page: the loop has callers to attend to.
        return await asyncio.to_thread(self._page, request, visitor, record, events, looks)

    def _page(
        self,
        request: web.Request,
        visitor: Visitor,
        record: CallRecord,
        events: Sequence[RecordedEvent],
        looks: Sequence[RecordAccess],
    ) -> web.Response:
        numbers = hidden_numbers(visitor, record, events)
        told = story(events, numbers)
        return self._rendering.page(
            request,
            visitor,
            "call.html",
            address=page_of(record.id),
            head=head_of(record, numbers),
            parties=parties_in(events, numbers),
            recording=recording_in(record, events),
            story=told,
            unusual=unusual(told),
            looks=looks_of(looks),
            legend=LABELS,
            long=LONG,
        )

    async def _peaks(self, request: web.Request, visitor: Visitor) -> web.Response:
        """Return how loud both sides were, and how the recording is to be played."""
        record = await call_of(self._records, request.match_info["id"])
        file, _ = recording_of(record.data)
        if not file:
            raise NoRecordingError("the call has no recording")
        await self._note("show", record, visitor)
        found = await self._waveforms.of(file)
        return web.json_response(as_json(found), headers={"cache-control": "no-store"})

    async def _hear(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        record = await call_of(self._records, request.match_info["id"])
        keep = "download" in request.query
        return await self._recordings.hear(request, record.id, visitor.name, keep=keep)

    async def _as_text(self, request: web.Request, visitor: Visitor) -> web.Response:
        call = await self._exported(request, visitor)
        written = await asyncio.to_thread(plain_text, call)
        return _download(call.record, ".txt", "text/plain", written.encode("utf-8", "replace"))

    async def _as_captions(self, request: web.Request, visitor: Visitor) -> web.Response:
        call = await self._exported(request, visitor)
        written = await asyncio.to_thread(webvtt, call)
        return _download(call.record, ".vtt", "text/vtt", written.encode("utf-8", "replace"))

    async def _as_json(self, request: web.Request, visitor: Visitor) -> web.Response:
        call = await self._exported(request, visitor)
        written = await asyncio.to_thread(_json_of, call)
        return _download(call.record, ".json", "application/json", written)

    async def _exported(self, request: web.Request, visitor: Visitor) -> WholeCall:
        record = await call_of(self._records, request.match_info["id"])
        events = await self._events("export", record, visitor)
        numbers = hidden_numbers(visitor, record, events)
        return WholeCall(record=record, events=numbers.events(events))

    async def _events(
        self, what: Access, record: CallRecord, visitor: Visitor
    ) -> Sequence[RecordedEvent]:
        """Return the lines of a record, which are about to be shown or handed out."""
        if self._records is None:
            raise NoSuchCallError
        await self._note(what, record, visitor)
        return await self._records.events(record)

    async def _note(self, what: Access, record: CallRecord, visitor: Visitor) -> None:
        if self._access is not None:
            await self._access.note(what, [record.id], visitor.name)


def _json_of(call: WholeCall) -> bytes:
    file = io.BytesIO()
    JsonLines(file).add(call)
    return file.getvalue()


def _download(record: CallRecord, ending: str, kind: str, body: bytes) -> web.Response:
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", record.id) or "call"
    return web.Response(
        body=body,
        content_type=kind,
        charset="utf-8",
        headers={
            "content-disposition": f'attachment; filename="{name}{ending}"',
            "cache-control": "no-store",
        },
    )
