"""HTTP and websockets to a provider.

What goes wrong at the other end becomes a :class:`ProviderError` whose text holds a status or a
close code of theirs, and nothing else: servers quote prompts, words and keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
from yarl import URL

from pipelines.audio import BYTES_PER_SAMPLE, Audio
from pipelines.connection_errors import explain
from pipelines.providers.contracts import ProviderError, Stage

CONNECT_WITHIN = 3.0
"""Seconds to connect, TLS included: one lost packet is sent again after one second, a second after
three."""

IDLE = 55.0
"""Seconds that an unused HTTP connection is kept. Load balancers commonly drop them after 60."""

MAX_MESSAGE = 4 * 1024 * 1024
"""Bytes of one websocket message, or of one server-sent event; a minute of base64 at 24 kHz."""

_STATUS = {
    401: ": the key is refused",
    402: ": no credit",
    403: ": the key is refused",
    404: ": the server does not know the model, the voice or the URL",
    429: ": too many requests, or no credit",
}

_REFUSALS = {400, 401, 402, 403, 404, 405, 422}
"""Statuses that come again if the same is asked again."""


def refused(stage: Stage, status: int) -> ProviderError:
    """Return the error for an HTTP status."""
    return ProviderError(
        stage, f"HTTP {status}{_STATUS.get(status, '')}", retryable=status not in _REFUSALS
    )


class Http:
    """Connections to one provider, pooled and shared by all calls.

    Args:
        stage: Named in errors.
        base_url: ``http://`` or ``https://``, the host and perhaps a first part of the path;
            websockets are found under it, too.
        headers: Sent with every request, the key among them.
        connect_timeout: Seconds to connect, TLS included.
    """

    def __init__(
        self,
        stage: Stage,
        base_url: str,
        headers: Mapping[str, str],
        connect_timeout: float = CONNECT_WITHIN,
    ) -> None:
        self._stage = stage
        self._base = base_url.rstrip("/")
        self._headers = dict(headers)
        self._connect_timeout = connect_timeout
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Be ready; sends nothing."""
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=None, connect=self._connect_timeout),
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE, ttl_dns_cache=300),
            auto_decompress=True,
            trust_env=False,  # proxies and .netrc are nobody's business but the settings'
        )

    async def aclose(self) -> None:
        """Close all connections; what is under way fails with ProviderError."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def warm(self) -> None:
        """Open a connection for the next request, if none is idle; any answer will do."""
        if self._session is None:
            return
        try:
            async with (
                asyncio.timeout(self._connect_timeout),
                self._session.head(self._url("/"), allow_redirects=False),
            ):
                pass
        except (aiohttp.ClientError, TimeoutError, OSError):
            return  # the request that follows will say

    @asynccontextmanager
    async def request(
        self,
        method: str,
        path: str,
        *,
        head_within: float,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        data: Any = None,  # noqa: ANN401 - bytes, or a form
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask, and yield the answer once its head is there; its body may be streamed.

        A body that was not read to its end is not: the connection is closed instead, at once.

        Args:
            method: Such as POST.
            path: Below the base.
            head_within: Seconds until the head of the answer.
            params: Of the query.
            headers: Besides those of every request.
            json: The body.
            data: The body, if it is not JSON.

        Raises:
            ProviderError: If there is no connection, no answer in time, or a status of 400 or more.
                Errors while the body is read are turned into it, too.
        """
        if self._session is None:
            raise ProviderError(self._stage, "not started, or closed", retryable=False)
        response: aiohttp.ClientResponse | None = None
        try:
            async with asyncio.timeout(head_within):
                response = await self._session.request(
                    method,
                    self._url(path),
                    params=params,
                    headers=headers,
                    json=json,
                    data=data,
                    allow_redirects=False,
                )
            if response.status >= 300:
                raise refused(self._stage, response.status)
            yield response
        except aiohttp.ConnectionTimeoutError:
            raise ProviderError(self._stage, "no connection in time", timed_out=True) from None
        except TimeoutError:
            raise ProviderError(
                self._stage, f"nothing came for {head_within:g} s", timed_out=True
            ) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ProviderError(self._stage, explain(error)) from None
        finally:
            if response is not None:
                response.close()  # goes back to the pool if it was read to its end

    async def socket(
        self,
        path: str,
        *,
        params: Mapping[str, str] | list[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        heartbeat: float | None = None,
    ) -> Socket:
        """Open a websocket; close it with :meth:`Socket.aclose`.

        Args:
            path: Below the base.
            params: Of the query.
            headers: Besides those of every request.
            heartbeat: Seconds between pings; one that is not answered within half of that means
                that the connection is lost. None: no pings.

        Raises:
            ProviderError: If there is no connection, or it is refused.
        """
        if self._session is None:
            raise ProviderError(self._stage, "not started, or closed", retryable=False)
        try:
            async with asyncio.timeout(self._connect_timeout):
                socket = await self._session.ws_connect(
                    self._url(path),
                    params=params,
                    headers=headers,
                    max_msg_size=MAX_MESSAGE,
                    compress=0,
                    heartbeat=heartbeat,
                )
        except TimeoutError:
            raise ProviderError(self._stage, "no connection in time", timed_out=True) from None
        except aiohttp.WSServerHandshakeError as error:
            raise refused(self._stage, error.status) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ProviderError(self._stage, explain(error)) from None
        return Socket(self._stage, socket)

    def _url(self, path: str) -> URL:
        return URL(self._base + path)


class Socket:
    """One websocket.

    Args:
        stage: Named in errors.
        socket: Open.
    """

    def __init__(self, stage: Stage, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._stage = stage
        self._socket = socket

    @property
    def closed(self) -> bool:
        """Whether it is of no use any more."""
        return self._socket.closed

    async def send(self, message: str | bytes) -> None:
        """Send one message; returns at once unless the other end does not read.

        Raises:
            ProviderError: If the connection is lost, or the other end has not read for long.
        """
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                if isinstance(message, str):
                    await self._socket.send_str(message)
                else:
                    await self._socket.send_bytes(message)
        except TimeoutError:
            raise ProviderError(self._stage, "the server does not read", timed_out=True) from None
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            raise ProviderError(self._stage, explain(error)) from None

    async def receive(self, within: float | None = None) -> str | bytes:
        """Return the next message. Cancelling is safe: none is lost.

        Args:
            within: Seconds; None if the caller has a deadline of its own.

        Raises:
            TimeoutError: If none comes in time.
            ProviderError: If the connection is closed or lost.
        """
        async with asyncio.timeout(within):
            message = await self._socket.receive()
        match message.type:
            case aiohttp.WSMsgType.TEXT | aiohttp.WSMsgType.BINARY:
                data: str | bytes = message.data
                return data
            case aiohttp.WSMsgType.CLOSE:
                raise ProviderError(self._stage, f"the server closed the socket ({message.data})")
        raise ProviderError(self._stage, "the connection is lost")

    async def aclose(self) -> None:
        """Close it. Does not wait for a server that does not answer."""
        try:
            async with asyncio.timeout(0.05):
                await self._socket.close()
        except TimeoutError:
            # Without its answer the connection is dropped, which is all there is to do.
            response = self._socket._response  # noqa: SLF001 - aiohttp offers no other way
            response.close()


def form(fields: Mapping[str, str], *, name: str, content: bytes, kind: str) -> aiohttp.FormData:
    """Return a body with a file, for :meth:`Http.request`.

    Args:
        fields: Besides the file, which is called ``file``.
        name: Of the file; servers go by its ending.
        content: Of the file.
        kind: Its media type.
    """
    body = aiohttp.FormData(dict(fields))
    body.add_field("file", content, filename=name, content_type=kind)
    return body


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
            chunk = await answer.content.readany()
        if not chunk:
            return
        yield chunk


async def whole_samples(
    pcm: AsyncGenerator[bytes, None], rate: int, least: int = BYTES_PER_SAMPLE
) -> AsyncGenerator[Audio, None]:
    """Yield a body that is audio in whole samples.

    Args:
        pcm: Cut anywhere.
        rate: Hertz.
        least: Bytes of a piece, but for the last.

    Raises:
        ValueError: If half a sample is left: it was no 16-bit PCM, or it broke off.
    """
    rest = b""
    async for piece in pcm:
        rest += piece
        if len(rest) >= least:
            whole = len(rest) & ~1
            yield Audio(rest[:whole], rate)
            rest = rest[whole:]
    if len(rest) % 2:
        raise ValueError("half a sample")
    if rest:
        yield Audio(rest, rate)


async def sse(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[tuple[str, str], None]:
    """Yield the server-sent events of a body: name (``message`` if none is given) and data.

    As the WHATWG's HTML standard has it (9.2.6), but for ``id`` and ``retry``, which are for
    browsers. However the body is cut makes no difference. An event that is not ended by an empty
    line is dropped. Closing the generator does not close ``chunks``.

    Raises:
        ValueError: If it is not UTF-8, or an event is longer than ``MAX_MESSAGE``.
    """
    rest = b""
    async for chunk in chunks:
        # A lone \r at the end may be the first half of \r\n; it is looked at again then.
        rest = (rest + chunk).replace(b"\r\n", b"\n")
        *blocks, rest = rest.split(b"\n\n")
        if len(rest) > MAX_MESSAGE:
            raise ValueError("a server-sent event is too long")
        for block in blocks:
            fields = [line.partition(":") for line in block.decode().split("\n")]
            name = [value.removeprefix(" ") for field, _, value in fields if field == "event"]
            data = [value.removeprefix(" ") for field, _, value in fields if field == "data"]
            if data:
                yield name[-1] if name else "message", "\n".join(data)


async def read_out(answer: AsyncIterator[object]) -> None:
    """Read the rest of an answer whose last event has come, so that its connection is kept.

    That its end does not come is no failure: then the connection is closed with the answer.
    """
    with suppress(aiohttp.ClientError, OSError, TimeoutError, ValueError):
        async with asyncio.timeout(0.05):
            async for _ in answer:
                continue
