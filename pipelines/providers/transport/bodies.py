"""The body of an answer: as it arrives, whole within bounds, or as samples."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress

import aiohttp

from pipelines.audio import BYTES_PER_SAMPLE, Audio


async def chunks(answer: aiohttp.ClientResponse, within: float) -> AsyncGenerator[bytes, None]:
    """Yield the body of an answer as it arrives.

    Args:
        answer: Of :meth:`Http.request`, inside of which this is to be used.
        within: Seconds that nothing may come.

    Raises:
        TimeoutError: If nothing comes for that long.
    """
    while True:
        async with asyncio.timeout(within):
            chunk = await _more(answer)
        if not chunk:
            return
        yield chunk


async def pieces(answer: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    """Yield the body of an answer as it arrives. The deadline is the caller's."""
    while piece := await _more(answer):
        yield piece


async def _more(answer: aiohttp.ClientResponse) -> bytes:
    """Return what has come next of a body; the deadline is the caller's.

    Raises:
        aiohttp.ClientError: If the connection broke, or was closed by us, of which aiohttp makes a
            RuntimeError.
    """
    try:
        return await answer.content.readany()
    except RuntimeError:
        if answer.connection is not None and answer.connection.transport is not None:
            raise
        raise aiohttp.ClientConnectionError("closed") from None


async def whole_body(chunks: AsyncIterator[bytes], max_bytes: int) -> bytes:
    """Return a body once all of it has arrived. The deadline is the caller's.

    Args:
        chunks: The body, cut anywhere.
        max_bytes: What no body of use exceeds.

    Raises:
        ValueError: If it is longer than that.
    """
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise ValueError("the answer is too long")
    return bytes(body)


async def whole_samples(
    pcm: AsyncGenerator[bytes, None], rate: int, least: int = BYTES_PER_SAMPLE
) -> AsyncGenerator[Audio, None]:
    """Yield a body that is audio in whole samples; half a one at its end is nothing.

    Args:
        pcm: Cut anywhere.
        rate: Hertz.
        least: Bytes of a piece, but for the last.
    """
    rest = b""
    async for piece in pcm:
        rest += piece
        if len(rest) >= least:
            whole = len(rest) & ~1
            yield Audio(rest[:whole], rate)
            rest = rest[whole:]
    if len(rest) > 1:
        yield Audio(rest[: len(rest) & ~1], rate)


async def read_out(answer: AsyncIterator[object]) -> None:
    """Read the rest of an answer whose last event has come, so that its connection is kept.

    That its end does not come is no failure: then the connection is closed with the answer.
    """
    with suppress(aiohttp.ClientError, OSError, TimeoutError, ValueError):
        async with asyncio.timeout(0.05):
            async for _ in answer:
                continue
