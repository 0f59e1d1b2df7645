"""What the operator's interface tells of recordings: the recording itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import structlog
from aiohttp import web

from agent.records.access_log import AccessLog
from agent.records.call_records import CallRecords
from agent.records.recordings.buckets import BucketError
from agent.records.recordings.kept import NoRecordingError, Place, Recordings
from agent.records.seals import SealError
from agent.server.connections import lasts
from agent.sinch.refusals import NoSuchCallError

log = structlog.get_logger()

READ_WITHIN = 60.0
"""Seconds for the next piece to be read: of a bucket that is asked again and again."""

READERS = 4
"""Threads that read recordings, and nothing else: a bucket that hangs holds up those who listen,
never calls, whose providers are looked up in the threads of the event loop."""

T = TypeVar("T")

TAKEN_WITHIN = 60.0
"""Seconds for whoever asks to take a piece: a player that is paused does not."""


class RecordingAnswers:
    """Hands out recordings.

    Args:
        records: Which call has which; None without a database.
        recordings: Where they are.
        access: Notes what was heard, before it is; None without a database.
    """

    def __init__(
        self,
        records: CallRecords | None,
        recordings: Recordings,
        access: AccessLog | None = None,
    ) -> None:
        self._records = records
        self._access = access
        self._recordings = recordings
        self._threads = ThreadPoolExecutor(READERS, "reading recordings")

    async def hear(
        self, request: web.Request, name: str, who: str = "", *, keep: bool = False
    ) -> web.StreamResponse:
        """Return the recording of a call, or the part of it that a range names.

        One that is sealed is shown as it is read, whole: nobody knows its length before.

        Args:
            request: Of whoever wants to hear it, whose token was checked.
            name: Of the record, or the platform's of the call.
            who: Who wants to, if that is not the holder of the token.
            keep: Whether a browser is to keep it as a file, instead of playing it.

        Raises:
            NoSuchCallError: If there is no such record.
            NoRecordingError: If it has no recording, or none any more.
            BucketError: If the bucket does not give it.
            SealError: If there is no key for it.
            StoreError: If the database fails.
        """
        file = await self._file_of(name, who)
        async with asyncio.timeout(READ_WITHIN):
            place = await self._in_thread(lambda: self._recordings.find(file))
        size = place.size
        try:
            start, end = (0, size) if place.sealed else _range(request, size)
        except ValueError:
            return web.Response(status=416, headers={"content-range": f"bytes */{size}"})
        pieces = self._recordings.read(place, start, end)
        try:
            return await self._handed_out(request, pieces, _begun(place, start, end, keep=keep))
        finally:
            self._threads.submit(_close, pieces)

    async def _handed_out(
        self, request: web.Request, pieces: Iterator[bytes], response: web.StreamResponse
    ) -> web.StreamResponse:
        first = await self._next(pieces)
        lasts(request)
        await response.prepare(request)
        try:
            while first is not None:
                async with asyncio.timeout(TAKEN_WITHIN):
                    await response.write(first)
                first = await self._next(pieces)
        except (ConnectionError, TimeoutError):
            log.info("a recording was not heard to its end")
        except (BucketError, SealError, OSError) as error:
            log.warning("a recording breaks off while it is read", reason=str(error))
        else:
            await response.write_eof()
            return response
        if request.transport is not None:
            request.transport.abort()  # so that nobody takes it for whole
        return response

    async def _next(self, pieces: Iterator[bytes]) -> bytes | None:
        async with asyncio.timeout(READ_WITHIN):
            return await self._in_thread(lambda: next(pieces, None))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _file_of(self, name: str, who: str) -> str:
        record = await self._records.get(name) if self._records is not None else None
        if record is None:
            raise NoSuchCallError
        known = record.data.get("recording")
        file = known.get("file") if isinstance(known, dict) else None
        if not isinstance(file, str):
            raise NoRecordingError("the call has no recording")
        if self._access is not None:
            await self._access.note("play", [record.id], who)
        return file


def _close(pieces: Iterator[bytes]) -> None:
    if isinstance(pieces, Generator):
        with suppress(ValueError):  # it is being read still, by a thread that nobody waits for
            pieces.close()


def _range(request: web.Request, size: int) -> tuple[int, int]:
    """Return the first byte that is wanted, and the one behind the last.

    Raises:
        ValueError: If there is no such range.
    """
    start, end, _ = request.http_range.indices(size)
    if request.headers.get("range") and start >= end:
        raise ValueError("nothing of it is there")
    return start, end


def _begun(place: Place, start: int, end: int, *, keep: bool) -> web.StreamResponse:
    name = place.name.removesuffix(".sealed")
    response = web.StreamResponse()
    response.content_type = place.content_type
    how = "attachment" if keep else "inline"
    response.headers["content-disposition"] = f'{how}; filename="{name}"'
    response.headers["cache-control"] = "no-store"
    if place.sealed:
        return response
    response.headers["accept-ranges"] = "bytes"
    response.content_length = end - start
    if end - start < place.size:
        response.set_status(206)
        response.headers["content-range"] = f"bytes {start}-{end - 1}/{place.size}"
    return response
