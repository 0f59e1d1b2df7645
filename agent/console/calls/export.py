"""Calls for other programs, handed out while they are read: CSV, or a JSON object a line."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

import structlog
from aiohttp import web

from agent.records.access_log import AccessLog
from agent.records.call_records import RecordFilter
from agent.records.exports.columns import CALLS
from agent.records.exports.formats import Csv, Export, JsonLines
from agent.records.exports.pages import WholeCall, calls_matching
from agent.records.seals import Seal
from agent.server.connections import lasts
from agent.store.engine import Database
from agent.store.errors import StoreError

log = structlog.get_logger()

CALLS_AT_ONCE = 50
"""Calls that are written, noted and sent together: some 0.5 MB."""

TAKEN_WITHIN = 60.0
"""Seconds for whoever asks to take a piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFormat:
    """One form in which calls are handed out."""

    content_type: str
    new: Callable[[io.BytesIO], Export]


FORMATS: Mapping[str, ExportFormat] = {
    # The mark at its beginning tells Excel that it is UTF-8; other programs know it, too.
    "csv": ExportFormat(content_type="text/csv", new=lambda file: Csv(file, CALLS, bom=True)),
    "jsonl": ExportFormat(content_type="application/jsonl", new=JsonLines),
}


class CallExport:
    """Hands out calls, of which each is noted before.

    Args:
        database: Where they are.
        seal: Shows what people said.
        access: Notes what was exported.
    """

    def __init__(self, database: Database, seal: Seal, access: AccessLog) -> None:
        self._database = database
        self._seal = seal
        self._access = access

    async def hand_out(
        self, request: web.Request, wanted: RecordFilter, kind: str, who: str
    ) -> web.StreamResponse:
        """Return the calls; a connection that is aborted tells that these are not all.

        Args:
            request: Of whoever wants them.
            wanted: Which.
            kind: One of :data:`FORMATS`.
            who: Who wants them.

        Raises:
            StoreError: If the database fails before anything was sent.
            QuestionError: If ``wanted.words`` are none.
        """
        form = FORMATS[kind]
        response = web.StreamResponse()
        response.content_type, response.charset = form.content_type, "utf-8"
        response.headers["content-disposition"] = f'attachment; filename="calls.{kind}"'
        response.headers["cache-control"] = "no-store"
        pieces = self._pieces(wanted, form, who)
        async with aclosing(pieces):
            first = await anext(pieces)
            lasts(request)
            await response.prepare(request)
            try:
                await _send(response, first)
                async for piece in pieces:
                    await _send(response, piece)
            except (ConnectionError, TimeoutError):
                log.info("an export was not taken to its end")
            except StoreError:  # the database has logged it
                log.warning("an export breaks off: the database fails")
            else:
                await response.write_eof()
                return response
        if request.transport is not None:
            request.transport.abort()  # so that nobody takes it for whole
        return response

    async def _pieces(
        self, wanted: RecordFilter, form: ExportFormat, who: str
    ) -> AsyncGenerator[bytes, None]:
        """Yield at least one piece, were it only the head of a table."""
        file = io.BytesIO()
        export = await asyncio.to_thread(form.new, file)
        found = calls_matching(self._database, self._seal, wanted)
        some: list[WholeCall] = []
        async with aclosing(found):
            async for call in found:
                some.append(call)
                if len(some) >= CALLS_AT_ONCE:
                    yield await self._written(export, file, some, who)
                    some = []
        yield await self._written(export, file, some, who)

    async def _written(
        self, export: Export, file: io.BytesIO, calls: list[WholeCall], who: str
    ) -> bytes:
        await self._access.note("export", [one.record.id for one in calls], who)
        await asyncio.to_thread(_write, export, calls)
        piece = file.getvalue()
        file.seek(0)
        file.truncate()
        return piece


def _write(export: Export, calls: list[WholeCall]) -> None:
    for call in calls:
        export.add(call)


async def _send(response: web.StreamResponse, piece: bytes) -> None:
    async with asyncio.timeout(TAKEN_WITHIN):
        await response.write(piece)
