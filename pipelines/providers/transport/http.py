"""Pooled connections to one provider: requests whose answers are streamed, and websockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import structlog
from yarl import URL

from pipelines.connection_errors import explain
from pipelines.providers.contracts import ProviderError, Stage
from pipelines.providers.transport.failures import MAX_REFUSAL, refused, refused_reply
from pipelines.providers.transport.websocket import MAX_MESSAGE, Socket

log = structlog.get_logger()

CONNECT_WITHIN = 3.0
"""Seconds to connect, TLS included: one lost packet is sent again after one second, a second after
three."""

REFUSED_WITHIN = 1.0
"""Seconds for the body of a refusal, which comes with its head."""

IDLE = 55.0
"""Seconds that an unused HTTP connection is kept. Load balancers commonly drop them after 60."""


class Http:
    """Connections to one provider, pooled and shared by all calls.

    Args:
        stage: Named in errors.
        base_url: ``http://`` or ``https://``, the host and perhaps a first part of the path;
            websockets are found under it, too.
        connect_within: Seconds to connect, TLS included.
    """

    def __init__(
        self, stage: Stage, base_url: str, *, connect_within: float = CONNECT_WITHIN
    ) -> None:
        self._stage = stage
        self._connect_within = connect_within
        self._base = base_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def start(self, headers: Mapping[str, str]) -> None:
        """Be ready; sends nothing.

        Args:
            headers: Sent with every request from now on, the key among them.
        """
        self._session = aiohttp.ClientSession(
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=None, connect=self._connect_within),
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE, ttl_dns_cache=300),
            auto_decompress=True,
            trust_env=False,  # proxies and .netrc are nobody's business but the settings'
        )

    async def aclose(self) -> None:
        """Close all connections, if it was started; what is under way fails with ProviderError."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def warm(self) -> None:
        """Open a connection for the next request, if none is idle; any answer will do."""
        if self._session is None:
            return
        try:
            async with (
                asyncio.timeout(self._connect_within),
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
        head_within: float | None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        data: Any = None,  # noqa: ANN401 - bytes, or a form
        options: Collection[str] = (),
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask, and yield the answer once its head is there; its body may be streamed.

        A body that was not read to its end is not: the connection is closed instead, at once.

        Args:
            method: Such as POST.
            path: Below the base.
            head_within: Seconds until the head of the answer; None if whoever asks has a deadline.
            params: Of the query.
            headers: Besides those of every request.
            json: The body.
            data: The body, if it is not JSON.
            options: What a language model can be asked without (:func:`refused_reply`).

        Raises:
            ProviderError: If there is no connection, no answer in time, or a status of 400 or more.
                Errors while the body is read are turned into it, too.
            TimeoutError: If the deadline of whoever asks, without one of ours, passes.
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
            if response.status >= 300 and self._stage == "llm":
                raise refused_reply(response.status, await _said(response), options)
            if response.status >= 300:
                raise refused(self._stage, response.status)
            yield response
        except aiohttp.ConnectionTimeoutError:
            raise ProviderError(self._stage, "no connection in time", timed_out=True) from None
        except TimeoutError:
            raise self._late(head_within) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ProviderError(self._stage, explain(error)) from None
        finally:
            if response is not None:
                response.close()  # goes back to the pool if it was read to its end

    def _late(self, within: float | None) -> Exception:
        if within is None:  # it was the deadline of whoever asks
            return TimeoutError()
        return ProviderError(self._stage, f"nothing came for {within:g} s", timed_out=True)

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
            async with asyncio.timeout(self._connect_within):
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


async def _said(response: aiohttp.ClientResponse) -> str:
    """Return what a server says of its refusal, as far as it says so at once."""
    body = b""
    try:
        async with asyncio.timeout(REFUSED_WITHIN):
            body = await response.content.readexactly(MAX_REFUSAL)
    except asyncio.IncompleteReadError as whole:
        body = whole.partial
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        log.debug("a refusal without a word", error=type(error).__name__)
    return body.decode("utf-8", "replace")


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
